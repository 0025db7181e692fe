//! A plain delivery's head, from the bytes that the guard's own rules passed.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request::Parts,
};

use super::super::head::{Found, Framing, Reader, find, judge_each};

/// What the bytes of a connection begin with.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for every request")]
pub(super) enum Next {
    /// A plain delivery's head.
    Plain(Plain),
    /// Not even a whole head, but it may become one.
    Partial,
    /// Something that is left to the library: any other request, or one to be refused.
    Other,
}

/// The head of a `POST` of known length.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) parts: Parts,
    /// How many bytes the head has.
    pub(super) end: usize,
    /// How many bytes the body has.
    pub(super) length: u64,
    /// Whether the sender wants the connection closed behind the answer.
    pub(super) closes: bool,
}

/// How many names are remembered of a request.
const MAX_NAMES: usize = 32;
/// How long a name may be to be remembered, in bytes: a connection that waits should hold little.
const MAX_NAME: usize = 48;

/// The header names of a connection's last request, by position. A sender says the same ones in the
/// same order every time, and comparing is cheaper than making them anew.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(Bytes, HeaderName)>);

impl Names {
    fn at(&self, at: usize) -> &[u8] {
        self.0.get(at).map_or(&[], |(raw, _)| raw)
    }

    fn name(&mut self, at: usize, raw: &[u8]) -> Option<HeaderName> {
        match self.0.get_mut(at) {
            Some((known, name)) if known == raw => Some(name.clone()),
            slot => {
                let name = HeaderName::from_bytes(raw).ok()?;
                if raw.len() > MAX_NAME {
                    return Some(name);
                }
                let entry = (Bytes::copy_from_slice(raw), name.clone());
                match slot {
                    Some(slot) => *slot = entry,
                    None if at < MAX_NAMES => self.0.push(entry),
                    None => {}
                }
                Some(name)
            }
        }
    }
}

/// Reads the head that these bytes begin with; of the first `searched` it is known that they hold
/// no whole one. A head may have `limit` bytes.
pub(super) fn read(bytes: &Bytes, searched: usize, limit: usize, names: &mut Names) -> Next {
    match find(bytes, searched) {
        Ok(Found::Partial) if bytes.len() <= limit => Next::Partial,
        Ok(Found::Complete { blank: 0, end }) if end <= limit => {
            plain(&bytes.slice(..end), names).map_or(Next::Other, Next::Plain)
        }
        // Refused, or preceded by blank lines: the guard knows what to do about either.
        Ok(Found::Partial | Found::Complete { .. }) | Err(_) => Next::Other,
    }
}

fn plain(head: &Bytes, names: &mut Names) -> Option<Plain> {
    // Anything else is not worth a map of its headers.
    if !head.starts_with(b"POST /") {
        return None;
    }
    let headers = HeaderMap::with_capacity(names.0.len());
    let mut fields = Fields { head, names, headers, at: 0, fault: false, closes: false };
    let passed = judge_each(head, &mut fields).ok()?;
    let Framing::Length(length) = passed.framing else { return None };
    if passed.line.is_http_10 || passed.line.method != b"POST" || fields.fault {
        return None;
    }
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::POST;
    parts.uri = Uri::from_maybe_shared(head.slice_ref(passed.line.target)).ok()?;
    parts.version = Version::HTTP_11;
    parts.headers = fields.headers;
    Some(Plain { parts, end: head.len(), length, closes: fields.closes })
}

struct Fields<'a> {
    head: &'a Bytes,
    names: &'a mut Names,
    headers: HeaderMap,
    at: usize,
    /// Whether one of them asks for what is not served here.
    fault: bool,
    closes: bool,
}

impl<'a> Reader<'a> for Fields<'_> {
    fn expected(&self) -> &[u8] {
        self.names.at(self.at)
    }

    fn field(&mut self, name: &'a [u8], value: &'a [u8]) {
        let name = self.names.name(self.at, name);
        self.at += 1;
        let value = HeaderValue::from_maybe_shared(self.head.slice_ref(value));
        let (Some(name), Ok(value)) = (name, value) else {
            self.fault = true;
            return;
        };
        if name == header::CONNECTION {
            let options = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            for option in options {
                self.closes |= option.eq_ignore_ascii_case(b"close");
            }
        } else if name == header::EXPECT || name == header::UPGRADE {
            self.fault = true;
        }
        self.fault |= self.headers.try_append(name, value).is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(names: &mut Names, head: &str) -> Next {
        read(&Bytes::copy_from_slice(head.as_bytes()), 0, 8192, names)
    }

    fn plain(names: &mut Names, fields: &str) -> Plain {
        let head = format!("POST /x HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let Next::Plain(plain) = next(names, &head) else { panic!("{head}") };
        plain
    }

    /// The fields behind `Host`.
    fn fields(plain: &Plain) -> Vec<(&str, &[u8])> {
        let all = plain.parts.headers.iter().skip(1);
        all.map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    #[test]
    fn names_are_those_of_this_request_whatever_came_before() {
        let names = &mut Names::default();
        for (text, expected) in [
            ("One: 1\r\nTwo: 2\r\n", &[("one", &b"1"[..]), ("two", b"2")][..]),
            ("One: 3\r\nTwo: 4\r\n", &[("one", b"3"), ("two", b"4")]),
            ("oNE: 5\r\nTwo: 6\r\n", &[("one", b"5"), ("two", b"6")]),
            ("Two: 7\r\nOne: 8\r\n", &[("two", b"7"), ("one", b"8")]),
            ("", &[]),
            ("On: 9\r\nTwoo: 10\r\n", &[("on", b"9"), ("twoo", b"10")]),
            ("X: \t1 2\t \r\nx:\r\n", &[("x", b"1 2"), ("x", b"")]),
        ] {
            assert_eq!(fields(&plain(names, text)), expected, "{text:?}");
        }
    }

    #[test]
    fn more_fields_than_are_remembered() {
        let names = &mut Names::default();
        for offset in [0, 0, 7, 3] {
            let text: String = (0..99).map(|n| format!("N{}: {n}\r\n", n + offset)).collect();
            let plain = plain(names, &text);
            for n in 0..99usize {
                let value = &plain.parts.headers[format!("n{}", n + offset).as_str()];
                assert_eq!(value.as_bytes(), n.to_string().as_bytes());
            }
            assert!(names.0.len() <= MAX_NAMES);
        }
        let one_more = format!("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n", "n: m\r\n".repeat(100));
        assert!(matches!(next(names, &one_more), Next::Other));
    }

    #[test]
    fn a_long_name_is_not_kept() {
        let names = &mut Names::default();
        plain(names, &format!("{}: 1\r\nShort: 2\r\n", "n".repeat(200)));
        assert!(names.0.iter().all(|(raw, _)| raw.len() <= MAX_NAME), "{names:?}");
    }

    #[test]
    fn lengths_and_ends() {
        let names = &mut Names::default();
        let of = |fields: &str| {
            let plain = plain(&mut Names::default(), fields);
            (plain.length, plain.closes)
        };
        assert_eq!(of(""), (0, false));
        assert_eq!(of("Content-Length: 000000000000000012\r\n"), (12, false));
        assert_eq!(of("Content-Length: 999999999999999999\r\n"), (999_999_999_999_999_999, false));
        assert_eq!(of("Connection: keep-alive\r\nconnection: \u{e9} , Close\r\n"), (0, true));
        assert_eq!(of("Connection: closed, x-close\r\nConnection:\r\n"), (0, false));
        for other in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "POSTS / HTTP/1.1\r\nHost: a\r\n\r\n",
            "post / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nupgrade: x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert!(matches!(next(names, other), Next::Other), "{other:?}");
        }
    }

    #[test]
    fn the_limit_is_the_guards() {
        let head = Bytes::from_static(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody");
        let whole = head.len() - 4;
        let of = |bytes: Bytes, limit| read(&bytes, 0, limit, &mut Names::default());
        assert!(matches!(of(head.clone(), whole), Next::Plain(plain) if plain.end == whole));
        assert!(matches!(of(head.clone(), whole - 1), Next::Other));
        assert!(matches!(of(head.slice(..20), 20), Next::Partial));
        assert!(matches!(of(head.slice(..20), 19), Next::Other));
    }
}
