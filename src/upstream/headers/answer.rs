//! What is taken from a receiver's answer before the sender sees it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::hop::{self, Names};

/// Drops what belongs to the receiver's connection, and its `X-Request-Id` in favour of ours.
///
/// `length` is the body's, where it is known; an answer to `HEAD` and a 304 keep the length that
/// they declare for a body they do not have.
pub(in super::super) fn clean(headers: &mut HeaderMap, length: Option<u64>, bodiless: bool) {
    let mut drop = Names::new();
    let (mut chunked, mut lengths) = (false, 0);
    for (name, _) in &*headers {
        if *name == header::CONTENT_LENGTH {
            lengths += 1;
        } else if is_unwanted(name.as_str()) {
            if *name == header::CONNECTION {
                drop.extend(hop::named(headers, &KEPT));
            }
            chunked |= *name == header::TRANSFER_ENCODING;
            drop.push(name.clone());
        }
    }
    for name in drop {
        headers.remove(name);
    }
    // A second length, or one beside `Transfer-Encoding`, must not frame the answer to the sender.
    if !bodiless && chunked {
        headers.remove(header::CONTENT_LENGTH);
    } else if !bodiless
        && lengths > 1
        && let Some(length) = length
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// What a receiver's `Connection` cannot name away.
const KEPT: [HeaderName; 3] = [header::SET_COOKIE, header::LOCATION, header::RETRY_AFTER];

fn is_unwanted(name: &str) -> bool {
    hop::in_answer(name) || name == "x-request-id"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_what_is_end_to_end_is_left() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-hop, content-type, set-cookie"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("upgrade", "h2c"),
            ("proxy-connection", "close"),
            ("x-hop", "1"),
            ("x-request-id", "theirs"),
            ("content-type", "text/plain"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("retry-after", "3"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        clean(&mut headers, None, false);
        let mut expected = map(&[("content-type", "text/plain"), ("retry-after", "3")]);
        expected.append("set-cookie", HeaderValue::from_static("a=1"));
        expected.append("set-cookie", HeaderValue::from_static("b=2"));
        assert_eq!(headers, expected);
    }

    #[test]
    fn an_answer_declares_its_length_once() {
        let mut headers = map(&[("content-length", "5")]);
        headers.append("content-length", HeaderValue::from_static("5"));
        clean(&mut headers, Some(5), false);
        assert_eq!(headers, map(&[("content-length", "5")]));
        clean(&mut headers, Some(0), true);
        assert_eq!(headers, map(&[("content-length", "5")]));
    }
}
