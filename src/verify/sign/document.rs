//! The JSON or XML document of a draft: its body, or what a form field of it holds.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::draft::Draft;
use crate::verify::xml;

impl Draft {
    /// The document, if there is one and it is text.
    pub(super) fn document(&self) -> Option<String> {
        if !self.is_form() {
            return String::from_utf8(self.body.clone()).ok();
        }
        let document = self.document.as_ref()?;
        let text = self.field_text(&document.field)?;
        if !document.is_base64 {
            return Some(text);
        }
        let text: String = text.split_ascii_whitespace().collect();
        String::from_utf8(STANDARD.decode(text).ok()?).ok()
    }

    /// Puts a document in the place of the one that is there.
    pub(super) fn set_document(&mut self, text: String) {
        match self.document.clone().filter(|_| self.is_form()) {
            None => self.body = text.into_bytes(),
            Some(document) if document.is_base64 => {
                self.field(&document.field, &STANDARD.encode(text));
            }
            Some(document) => self.field(&document.field, &text),
        }
    }

    /// Sets the text of every element of the XML document that the path leads to.
    ///
    /// # Errors
    ///
    /// That there is none.
    pub(super) fn element(
        &mut self,
        path: &xml::Path,
        value: &mut dyn FnMut(&str) -> String,
    ) -> Result<(), String> {
        let new = self.document().and_then(|document| xml::replace(&document, path, value));
        self.set_document(new.ok_or("the body is no XML in which it could be put")?);
        Ok(())
    }

    fn is_form(&self) -> bool {
        let is_it = |(name, value): &(String, String)| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("content-type")
                && kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        self.headers.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::verify::definition::Document;

    fn draft(body: &str, is_base64: bool) -> Draft {
        let mut draft = Draft::new(Method::POST, "https://h/").unwrap();
        draft.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        draft.document = Some(Document { field: "d".to_owned(), is_base64 });
        draft.body = body.as_bytes().to_vec();
        draft
    }

    #[test]
    fn values_are_set_in_the_document_of_a_form() {
        let mut plain = draft("a=1&d=%7B%22x%22%3A1%7D", false);
        plain.member(&[Some("x")], false, &mut |_| "2".to_owned()).unwrap();
        assert_eq!(plain.document().as_deref(), Some("{\"x\":2}"));
        assert!(plain.body.starts_with(b"a=1&d=%7B"));
        let path = xml::Path::parse("/a/b").unwrap();
        let encoded =
            STANDARD.encode("<a><b>1</b><b/></a>").replace('=', "%3D").replace('+', "%2B");
        let mut coded = draft(&format!("d={encoded}"), true);
        coded.element(&path, &mut |old| format!("{old}&")).unwrap();
        assert_eq!(coded.document().as_deref(), Some("<a><b>1&amp;</b><b/></a>"));
        assert!(draft("a=1", false).document().is_none());
        assert!(draft("d=%21", true).document().is_none());
    }
}
