//! The document that `events`, `filters` and schemas read: the JSON body, the JSON that a form's field
//! holds where the definition says so, a form's fields, or the query of a request that has no body (as
//! old GET callbacks send it).

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    request::Parts,
};
use serde_json::{Map, Value};

use crate::{
    decision::{Code, Detail, Refusal},
    verify::{Head, Scheme, decode, parse_strict},
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
    pub(super) fn read(
        &mut self,
        scheme: &Scheme,
        head: &Parts,
        body: &[u8],
    ) -> Result<&Value, Refusal> {
        let value = match self.0.take() {
            Some(value) => value,
            None => parse(scheme, head, body)?,
        };
        Ok(self.0.insert(value))
    }
}

fn parse(scheme: &Scheme, head: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    if is_encoded(&head.headers) {
        let what = "says that the payload is compressed; it cannot be read";
        let detail = Detail::Header { name: CONTENT_ENCODING, what };
        return Err(Refusal::new(Code::UnsupportedEncoding, detail));
    }
    if body.is_empty() && head.uri.query().is_some() {
        return fields(head.uri.query().unwrap_or_default());
    }
    if is_form(&head.headers) {
        // A form without the field is one of another kind; one that has it twice is ambiguous below.
        if let Some(document) = scheme.document(Head::of(head), body) {
            return parse_strict(&document);
        }
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
    use std::sync::Arc;

    use super::*;
    use crate::verify::{Definition, SchemeOptions};

    fn scheme(document: &str) -> Scheme {
        let text = format!(
            "{document}\nsignature = {{ algorithm = \"token\", from = \"header:x-token\" }}"
        );
        let definition = Definition::check("test", toml::from_str(&text).unwrap()).unwrap();
        Scheme::compile(&Arc::new(definition), &SchemeOptions::default()).unwrap()
    }

    fn parse(head: &Parts, body: &[u8]) -> Result<Value, Refusal> {
        super::parse(&scheme(""), head, body)
    }

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
    fn a_form_may_hold_the_document() {
        let form = parts("/", "application/x-www-form-urlencoded");
        let parse = |document: &str, body: &str| {
            super::parse(&scheme(document), &form, body.as_bytes()).map(|value| value.to_string())
        };
        let plain = "document = { form = \"payload\" }";
        let coded = "document = { form = \"payload\", encoding = \"base64\" }";
        assert_eq!(parse(plain, "a=1&payload=%7B%22b%22%3A2%7D").unwrap(), "{\"b\":2}");
        assert_eq!(parse(coded, "payload=eyJiIjoyfQ%3D%3D").unwrap(), "{\"b\":2}");
        assert_eq!(parse(plain, "command=x").unwrap(), "{\"command\":\"x\"}");
        for body in [
            "payload={}&payload={}",
            "payload={}&%70ayload={}",
            "payload=",
            "payload={",
            "payload={\"a\":1,\"a\":2}",
        ] {
            assert_eq!(parse(plain, body).unwrap_err().code, Code::PayloadMalformed, "{body}");
        }
        let json =
            super::parse(&scheme(plain), &parts("/", "application/json"), b"{\"payload\":1}");
        assert_eq!(json.unwrap().to_string(), "{\"payload\":1}");
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
