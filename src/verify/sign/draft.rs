//! A request while it is being made.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::splice::{quote, splice};
use crate::verify::{definition::Document, form};

/// A request while it is being made: any part of it can still be set.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: Method,
    /// Where it goes: everything before path and query.
    pub(super) origin: String,
    pub(super) path: String,
    /// Without the question mark.
    pub(super) query: String,
    /// In order, as spelled.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The field that holds the document where the body is a form.
    pub(super) document: Option<Document>,
}

impl Draft {
    /// A bodyless request to this URL.
    ///
    /// # Errors
    ///
    /// Why this is no URL to send to.
    pub(super) fn new(method: Method, url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(format!("`{url}` is no http:// or https:// URL"));
        };
        Ok(Self {
            method,
            origin: format!("{scheme}://{authority}"),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            document: None,
        })
    }

    /// Host and port.
    pub(super) fn authority(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin.as_str(), |(_, authority)| authority)
    }

    /// Path and query.
    pub(super) fn target(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, self.query)
    }

    /// Whether there is such a header.
    pub(super) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// Adds a header unless there is one of this name.
    pub(super) fn header(&mut self, name: &str, value: impl Into<String>) {
        if !self.has_header(name) {
            self.headers.push((name.to_owned(), value.into()));
        }
    }

    /// Adds a query parameter unless there is one of this name.
    pub(super) fn parameter(&mut self, name: &str, value: &str) {
        let pair = format!("{}={}", percent(name), percent(value));
        let key = pair.split('=').next().unwrap_or_default();
        if self.query.split('&').any(|p| p.split('=').next() == Some(key)) {
            return;
        }
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(&pair);
    }

    /// Sets a form field, in its place if it is there.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        let key = percent(name).into_bytes();
        let pair = format!("{}={}", percent(name), percent(value)).into_bytes();
        let is_key = |p: &&[u8]| p.split(|b| *b == b'=').next() == Some(&*key);
        let mut pairs: Vec<&[u8]> =
            self.body.split(|b| *b == b'&').filter(|p| !p.is_empty()).collect();
        match pairs.iter().position(is_key) {
            Some(at) => pairs.splice(at..=at, [&*pair]).for_each(drop),
            None => pairs.push(&pair),
        }
        self.body = pairs.join(&b'&');
    }

    /// The decoded value of a form field.
    pub(super) fn field_text(&self, name: &str) -> Option<String> {
        match form::field(&self.body, name) {
            form::Field::Once(value) => String::from_utf8(value.into_owned()).ok(),
            _ => None,
        }
    }

    /// Sets a member of the JSON body to a string, or to a number where a number stood.
    ///
    /// # Errors
    ///
    /// That the body has no place for it.
    pub(super) fn member(
        &mut self,
        path: &[Option<&str>],
        may_add: bool,
        value: &mut dyn FnMut(Option<&str>) -> String,
    ) -> Result<(), String> {
        let new = self.document().and_then(|document| {
            splice(&document, path, may_add, &mut |old| {
                let text =
                    old.map(|old| serde_json::from_str(old).unwrap_or_else(|_| old.to_owned()));
                let new = value(text.as_deref());
                let number = old.is_some_and(|old| old.starts_with(|c: char| c.is_ascii_digit()))
                    && serde_json::from_str::<serde_json::Number>(&new).is_ok();
                if number { new } else { quote(&new) }
            })
        });
        self.set_document(new.ok_or("the body is no JSON in which it could be put")?);
        Ok(())
    }

    /// The headers as the engine reads them.
    ///
    /// # Errors
    ///
    /// Which header cannot be sent.
    pub(super) fn header_map(&self) -> Result<HeaderMap, String> {
        let mut map = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let (key, value) = parsed.ok_or_else(|| format!("header `{name}` cannot be sent"))?;
            map.append(key, value);
        }
        Ok(map)
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(url: &str) -> Draft {
        Draft::new(Method::POST, url).unwrap()
    }

    #[test]
    fn urls_are_kept_as_they_are() {
        for url in ["http://h:1/a%20b?x=%C3%A9&y", "https://h/"] {
            let draft = draft(url);
            assert_eq!(format!("{}{}", draft.origin, draft.target()), url);
        }
        assert_eq!(draft("http://h").target(), "/");
        for bad in ["", "h", "/x", "ftp://h/", "http://h h/"] {
            assert!(Draft::new(Method::POST, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_there_is_not_set_again() {
        let mut draft = draft("http://h/?token=mine");
        draft.parameter("token", "x");
        draft.parameter("a b", "c&d");
        assert_eq!(draft.query, "token=mine&a%20b=c%26d");
        draft.headers.push(("X-A".into(), "1".into()));
        draft.header("x-a", "2");
        assert_eq!(draft.headers, [("X-A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn fields_and_members_are_set_in_place() {
        let mut draft = draft("http://h/");
        draft.body = b"a=1&signature=&b=2".to_vec();
        draft.field("signature", "x y");
        draft.field("c", "3");
        assert_eq!(draft.body, b"a=1&signature=x%20y&b=2&c=3");
        draft.body = br#"{"n":1,"s":"x"}"#.to_vec();
        for name in ["n", "s", "new"] {
            draft.member(&[Some(name)], true, &mut |_| "5".to_owned()).unwrap();
        }
        assert_eq!(draft.body, br#"{"new":"5","n":5,"s":"5"}"#);
        draft.body = vec![0xff];
        assert!(draft.member(&[Some("a")], true, &mut |_| String::new()).is_err());
    }
}
