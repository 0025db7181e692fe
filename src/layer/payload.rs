//! The document that `events`, `filters` and schemas read: the JSON body, a form's fields, or the
//! query of a request that has no body (as old GET callbacks send it).

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    request::Parts,
};
use serde_json::{Map, Value};

use crate::{
    decision::{Code, Detail, Refusal},
    verify::{decode, parse_strict},
};

/// A payload that is parsed when somebody first needs it, and once.
#[derive(Debug, Default)]
pub(super) struct Payload(Option<Value>);

impl Payload {
    /// The parsed document.
    ///
    /// # Errors
    ///
    /// `unsupported_encoding` where the body is compressed (nothing is ever decompressed), and
    /// `payload_malformed` where it is not well-formed or ambiguous.
    pub(super) fn read(&mut self, head: &Parts, body: &[u8]) -> Result<&Value, Refusal> {
        let value = match self.0.take() {
            Some(value) => value,
            None => parse(head, body)?,
        };
        Ok(self.0.insert(value))
    }
}

fn parse(head: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    if is_encoded(&head.headers) {
        let what = "says that the payload is compressed; it cannot be read";
        let detail = Detail::Header { name: CONTENT_ENCODING, what };
        return Err(Refusal::new(Code::UnsupportedEncoding, detail));
    }
    if body.is_empty() && head.uri.query().is_some() {
        return fields(head.uri.query().unwrap_or_default());
    }
    if is_form(&head.headers) {
        let text = std::str::from_utf8(body);
        let text =
            text.map_err(|_| Refusal::new(Code::PayloadMalformed, "the form is not UTF-8"))?;
        return fields(text);
    }
    parse_strict(body)
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], http::HeaderValue::as_bytes);
    let media_type = value.split(|b| *b == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Fields as one object of texts; a repeated name is ambiguous.
fn fields(text: &str) -> Result<Value, Refusal> {
    let mut object = Map::new();
    for (name, value) in pairs(text) {
        if object.insert(name, Value::String(value)).is_some() {
            return Err(Refusal::new(Code::PayloadMalformed, "a field is there more than once"));
        }
    }
    Ok(Value::Object(object))
}

/// The decoded pairs of a query or form.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decoded = |part: &str| String::from_utf8_lossy(&decode(part.as_bytes())).into_owned();
    text.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, content_type: &str) -> Parts {
        let request = http::Request::builder().uri(uri).header(CONTENT_TYPE, content_type);
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_form_is_an_object_of_texts() {
        let form = parts("/", "application/x-www-form-urlencoded; charset=utf-8");
        let value = parse(&form, b"a=1&b=x%20y+z&c").unwrap();
        assert_eq!(value, serde_json::json!({"a": "1", "b": "x y z", "c": ""}));
        assert_eq!(parse(&form, b"a=1&a=2").unwrap_err().code, Code::PayloadMalformed);
        assert_eq!(parse(&form, b"a=\xff").unwrap_err().code, Code::PayloadMalformed);
    }

    #[test]
    fn a_request_without_a_body_is_its_query() {
        let value = parse(&parts("/cb?action=open&x=%c3%a9", "text/plain"), b"").unwrap();
        assert_eq!(value, serde_json::json!({"action": "open", "x": "é"}));
    }

    #[test]
    fn nothing_is_decompressed() {
        let mut head = parts("/", "application/json");
        head.headers.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(parse(&head, b"{}").unwrap_err().code, Code::UnsupportedEncoding);
    }
}
