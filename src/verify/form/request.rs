//! Paths and queries in the canonical forms that senders sign.

use super::canonical::pairs;

/// A path as it stands in the hash of a request: no trailing slash, and `&` encoded.
///
/// Described as "query string hash" in Atlassian's documentation of JWTs for Connect apps, and so
/// is the query.
pub(crate) fn canonical_path(path: &[u8]) -> Vec<u8> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.is_empty() {
        return b"/".to_vec();
    }
    let pieces: Vec<_> = path.split(|b| *b == b'&').collect();
    pieces.join(&b"%26"[..])
}

/// A query that is decoded, put in order and encoded again; values of one name stand together,
/// separated by commas. The parameter `jwt`, which carries the token itself, is left out.
pub(crate) fn canonical_query(query: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut before: Option<Vec<u8>> = None;
    for (name, value) in pairs(query)? {
        if *name == *b"jwt" {
            continue;
        }
        if before.as_deref() == Some(&*name) {
            out.push(b',');
        } else {
            if before.is_some() {
                out.push(b'&');
            }
            percent_encode(&name, &mut out);
            out.push(b'=');
            before = Some(name.into_owned());
        }
        percent_encode(&value, &mut out);
    }
    Some(out)
}

/// Encodes everything but the unreserved characters of RFC 3986, section 2.3.
fn percent_encode(text: &[u8], out: &mut Vec<u8>) {
    encode(text, b"-._~", out);
}

/// A path with its query, encoded once more: the path as ECMAScript's `encodeURI` does it, the
/// query first as `encodeURIComponent` does it and then as `encodeURI`.
///
/// `None` where two requests would come to the same: for a second question mark, and for a query
/// that is there but empty.
pub(crate) fn encode_target(target: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memchr(b'?', target).unwrap_or(target.len());
    let (path, query) = target.split_at(at);
    let mut out = Vec::with_capacity(target.len());
    encode(path, URI, &mut out);
    match query {
        [] => {}
        [_] => return None,
        [_, query @ ..] if query.contains(&b'?') => return None,
        [_, query @ ..] => {
            out.push(b'?');
            let mut once = Vec::with_capacity(query.len());
            encode(query, COMPONENT, &mut once);
            encode(&once, URI, &mut out);
        }
    }
    Some(out)
}

/// What `encodeURIComponent` leaves as it is besides letters and digits (ECMA-262, section 19.2.6).
const COMPONENT: &[u8] = b"-_.!~*'()";

/// What `encodeURI` leaves as it is besides letters and digits (ECMA-262, section 19.2.6).
const URI: &[u8] = b"-_.!~*'();/?:@&=+$,#";

fn encode(text: &[u8], kept: &[u8], out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text {
        if byte.is_ascii_alphanumeric() || kept.contains(byte) {
            out.push(*byte);
        } else {
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_and_queries_have_one_canonical_form() {
        let path = |path: &str| String::from_utf8(canonical_path(path.as_bytes())).unwrap();
        assert_eq!(path("/a"), "/a");
        assert_eq!(path("/"), "/");
        assert_eq!(path(""), "/");
        assert_eq!(path("/a/&b/"), "/a/%26b");
        let query = |q: &str| String::from_utf8(canonical_query(q.as_bytes()).unwrap()).unwrap();
        assert_eq!(query(""), "");
        let known = "user_id=557058%3A1&xdm_e=caf%C3%A9";
        assert_eq!(query(known), known);
        assert_eq!(query("b=2&a=y&a=x&jwt=t&c"), "a=x,y&b=2&c=");
        assert_eq!(query("a=x%2Cy&A=1+1*"), "A=1%201%2A&a=x%2Cy");
    }

    #[test]
    fn targets_are_encoded_once_more() {
        let encoded = |t: &str| encode_target(t.as_bytes()).map(|e| String::from_utf8(e).unwrap());
        assert_eq!(encoded("/a/b").as_deref(), Some("/a/b"));
        assert_eq!(encoded("/a%20b").as_deref(), Some("/a%2520b"));
        assert_eq!(encoded("/in/x?x=1").as_deref(), Some("/in/x?x%253D1"));
        assert_eq!(encoded("/a?x=1&y=%20").as_deref(), Some("/a?x%253D1%2526y%253D%252520"));
        assert_eq!(encoded("/a?"), None);
        assert_eq!(encoded("/a?b?c"), None);
    }

    proptest! {
        #[test]
        fn no_two_targets_are_encoded_alike(
            one in "/[a%2?=/]{0,6}",
            other in "/[a%2?=/]{0,6}",
        ) {
            let encoded = encode_target(one.as_bytes());
            prop_assume!(one != other && encoded.is_some());
            prop_assert_ne!(encoded, encode_target(other.as_bytes()));
        }

        #[test]
        fn no_input_panics(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop((canonical_path(&text), canonical_query(&text), encode_target(&text)));
        }
    }
}
