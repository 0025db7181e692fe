//! What of a request the engine looks at besides the body.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Method, Uri, header::HOST};

use super::form::{self, Field};

/// What of a request the engine looks at besides the body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URI; path and query are as received.
    pub uri: &'a Uri,
    /// The headers as received.
    pub headers: &'a HeaderMap,
}

/// What reading one place of a message came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read<'a> {
    /// Nothing is there.
    Absent,
    /// The place cannot be read at all.
    Malformed(&'static str),
    /// Something is there more than once.
    Repeated,
    /// The one value.
    Value(Cow<'a, [u8]>),
}

impl<'a> From<Field<'a>> for Read<'a> {
    fn from(field: Field<'a>) -> Self {
        match field {
            Field::Absent => Self::Absent,
            Field::Once(value) => Self::Value(value),
            Field::Repeated => Self::Repeated,
        }
    }
}

impl<'a> Head<'a> {
    /// Looks at a request's head.
    pub const fn of(head: &'a http::request::Parts) -> Self {
        Self { method: &head.method, uri: &head.uri, headers: &head.headers }
    }

    /// The one value of a header.
    pub(crate) fn header(&self, name: &HeaderName) -> Read<'a> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Read::Absent,
            (Some(one), None) => Read::Value(Cow::Borrowed(one.as_bytes())),
            (Some(_), Some(_)) => Read::Repeated,
        }
    }

    /// What follows `scheme` in the one `Authorization` header.
    pub(crate) fn credentials(&self, scheme: &str) -> Read<'a> {
        let Read::Value(Cow::Borrowed(value)) = self.header(&http::header::AUTHORIZATION) else {
            return self.header(&http::header::AUTHORIZATION);
        };
        if value.is_empty() {
            return Read::Absent;
        }
        match value.split_at_checked(scheme.len()) {
            Some((word, [b' ', rest @ ..])) if word.eq_ignore_ascii_case(scheme.as_bytes()) => {
                Read::Value(Cow::Borrowed(rest))
            }
            _ => Read::Malformed("is not of the expected kind"),
        }
    }

    /// Path and query as received; `/` for a URI that has neither.
    pub(crate) fn target(&self) -> &'a str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// The query as received, without its question mark.
    pub(crate) fn query(&self) -> &'a str {
        self.uri.query().unwrap_or_default()
    }

    /// The one query parameter of this decoded name.
    pub(crate) fn parameter(&self, name: &str) -> Read<'a> {
        form::field(self.query().as_bytes(), name).into()
    }

    /// The host as addressed, port included if there is one.
    pub(crate) fn host(&self) -> Read<'a> {
        match self.uri.authority() {
            Some(authority) => Read::Value(Cow::Borrowed(authority.as_str().as_bytes())),
            None => self.header(&HOST),
        }
    }

    /// Whether the content type says that the body is a form.
    pub(crate) fn has_form_type(&self) -> bool {
        self.is_media_type("application/x-www-form-urlencoded")
    }

    fn is_media_type(&self, expected: &str) -> bool {
        let Read::Value(value) = self.header(&http::header::CONTENT_TYPE) else { return false };
        let end = memchr::memchr(b';', &value).unwrap_or(value.len());
        value.get(..end).is_some_and(|v| v.trim_ascii().eq_ignore_ascii_case(expected.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_count() {
        let mut headers = HeaderMap::new();
        let uri = Uri::from_static("/a?b=1");
        headers.insert("x", HeaderValue::from_static("1"));
        headers.insert("authorization", HeaderValue::from_static("bEARER t k"));
        headers.insert(
            "content-type",
            HeaderValue::from_static("Application/X-WWW-Form-Urlencoded ; a=b"),
        );
        let name = HeaderName::from_static("x");
        let head = Head { method: &Method::POST, uri: &uri, headers: &headers };
        assert_eq!(head.header(&name), Read::Value(b"1".into()));
        assert_eq!(head.header(&HeaderName::from_static("y")), Read::Absent);
        assert_eq!(head.credentials("Bearer"), Read::Value(b"t k".into()));
        assert!(matches!(head.credentials("Basic"), Read::Malformed(_)));
        assert_eq!(head.parameter("b"), Read::Value(b"1".into()));
        assert!(head.has_form_type());
        let mut twice = headers.clone();
        twice.append("x", HeaderValue::from_static("1"));
        assert_eq!(Head { headers: &twice, ..head }.header(&name), Read::Repeated);
    }
}
