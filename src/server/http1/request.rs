//! A plain delivery's head, from the bytes that the guard's own rules passed.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request::Parts,
};

use super::super::head::{Found, Framing, Reader, find, judge_each};

/// What the bytes of a connection begin with.
#[derive(Debug)]
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
            plain(bytes.slice(..end), names).map_or(Next::Other, Next::Plain)
        }
        // Refused, or preceded by blank lines: the guard knows what to do about either.
        Ok(Found::Partial | Found::Complete { .. }) | Err(_) => Next::Other,
    }
}

fn plain(head: Bytes, names: &mut Names) -> Option<Plain> {
    // Anything else is not worth a map of its headers.
    if !head.starts_with(b"POST /") {
        return None;
    }
    let headers = HeaderMap::with_capacity(names.0.len());
    let mut fields = Fields { head: &head, names, headers, at: 0, fault: false, closes: false };
    let passed = judge_each(&head, &mut fields).ok()?;
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
