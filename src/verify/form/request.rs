//! Request lines in the canonical forms that senders sign.

use super::canonical::pairs;

/// `METHOD&path&query`, from which a hash of the request is made.
///
/// The path has no trailing slash, and `&` in it is encoded. The query is decoded, put in order and
/// encoded again; values of one name stand together, separated by commas. The parameter `jwt`,
/// which carries the token itself, is left out. Described as "query string hash" in Atlassian's
/// documentation of JWTs for Connect apps.
pub(crate) fn canonical_request(method: &str, path: &str, query: &str) -> Option<Vec<u8>> {
    let mut out = method.to_ascii_uppercase().into_bytes();
    out.push(b'&');
    let path = path.strip_suffix('/').unwrap_or(path);
    out.extend(if path.is_empty() { "/".to_owned() } else { path.replace('&', "%26") }.bytes());
    out.push(b'&');
    let mut before: Option<Vec<u8>> = None;
    for (name, value) in pairs(query.as_bytes())? {
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

    fn request(path: &str, query: &str) -> String {
        String::from_utf8(canonical_request("post", path, query).unwrap()).unwrap()
    }

    #[test]
    fn requests_have_one_canonical_form() {
        assert_eq!(request("/a", ""), "POST&/a&");
        assert_eq!(request("/", "x=1"), "POST&/&x=1");
        assert_eq!(request("", ""), "POST&/&");
        assert_eq!(request("/a/&b/", ""), "POST&/a/%26b&");
        assert_eq!(
            request("/a", "user_id=557058%3A1&xdm_e=caf%C3%A9"),
            "POST&/a&user_id=557058%3A1&xdm_e=caf%C3%A9"
        );
        assert_eq!(request("/a", "b=2&a=y&a=x&jwt=t&c"), "POST&/a&a=x,y&b=2&c=");
        assert_eq!(request("/a", "a=x%2Cy&A=1+1*"), "POST&/a&A=1%201%2A&a=x%2Cy");
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
        fn no_input_panics(path in "\\PC{0,30}", query in "\\PC{0,60}") {
            drop(canonical_request("GET", &path, &query));
            drop(encode_target(query.as_bytes()));
        }
    }
}
