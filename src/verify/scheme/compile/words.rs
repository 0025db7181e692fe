//! The words of a signature's table, each by itself.

use super::Compiler;
use crate::verify::{
    algorithm::EcdsaForm,
    definition::raw::{RawKey, RawSignature},
    encoding::{Encoding, KeyCoding, KeyEncoding},
    pairs::Split,
    scheme::{Form, Means, candidate::Element},
    source::{BadText, Source},
};

impl Compiler<'_> {
    pub(super) fn word<T>(
        &mut self,
        path: &str,
        word: &str,
        parse: impl Fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Option<T> {
        let parsed = parse(word).ok_or_else(|| BadText::none_of(word, names));
        self.keep(path, parsed)
    }

    pub(super) fn form(&mut self, path: &str, raw: &RawSignature) -> Option<Form> {
        let before = self.problems.len();
        let at = |key: &str| format!("{path}.{key}");
        let format = raw.format.as_deref().unwrap_or("bare");
        let prefix: Box<str> = raw.prefix.clone().unwrap_or_default().into();
        let given = |text: &Option<String>, default: &str| -> Box<str> {
            text.as_deref().unwrap_or(default).into()
        };
        let separator = given(&raw.separator, ",");
        let assign = given(&raw.assign, "=");
        for (key, text) in [("separator", &separator), ("assign", &assign)] {
            if text.is_empty() {
                self.problem(&at(key), "is empty".to_owned());
            }
        }
        let only = [
            ("separator", raw.separator.is_some(), format != "bare", "lists and pairs"),
            ("assign", raw.assign.is_some(), format == "pairs", "pairs"),
            ("value", raw.value.is_some(), format == "pairs", "pairs"),
            ("element", raw.element.is_some(), format == "list", "lists"),
        ];
        for (key, there, fits, of) in only {
            if there && !fits {
                self.problem(&at(key), format!("is for {of} only, and the format is `{format}`"));
            }
        }
        let form = match format {
            "bare" => Form::Bare { prefix },
            "list" => {
                let element = raw.element.as_deref().map(element);
                let element = match element.transpose() {
                    Ok(element) => element,
                    Err(text) => {
                        self.problem(&at("element"), text);
                        None
                    }
                };
                Form::List { split: Split::of_list(separator), prefix, element }
            }
            "pairs" => {
                let keys = raw.value.as_ref().map(|v| v.0.as_slice()).unwrap_or_default();
                if keys.is_empty() {
                    self.problem(&at("value"), "names no key that holds signatures".to_owned());
                }
                let keys = keys.iter().map(|k| k.as_str().into()).collect();
                Form::Pairs { split: Split { separator, assign }, keys, prefix }
            }
            other => {
                self.word::<()>(&at("format"), other, |_| None, &["bare", "list", "pairs"]);
                return None;
            }
        };
        (self.problems.len() == before).then_some(form)
    }

    /// Places that cannot hold what is looked for there.
    pub(super) fn check_from(&mut self, path: &str, from: &Source, form: &Form, means: &Means) {
        let at = format!("{path}.from");
        let is_text = matches!(means, Means::Token | Means::Jws(_));
        match from {
            _ if matches!(means, Means::Nothing) => {}
            Source::Basic | Source::Bearer if !is_text => {
                self.problem(&at, format!("`{from}` holds tokens, no signatures"));
            }
            Source::Header(_) | Source::Headers(_) | Source::Parameter(_) | Source::Item(..) => {}
            Source::Form(_) | Source::Basic | Source::Bearer | Source::Xml(..) => {}
            Source::Json(pointer, _) if !pointer.is_many() || matches!(means, Means::Token) => {}
            Source::Json(..) => self.problem(
                &at,
                BadText {
                    message: "a signature for each element needs `each`".to_owned(),
                    suggestion: Some("each = \"json:/items/*\"".to_owned()),
                },
            ),
            other => self.problem(&at, format!("`{other}` holds no signature")),
        }
        if matches!(form, Form::Pairs { .. })
            && !matches!(from, Source::Header(_) | Source::Form(_))
        {
            self.problem(&at, "pairs stand in a header or a form field".to_owned());
        }
        if is_text && !matches!(form, Form::Bare { .. }) {
            self.problem(&format!("{path}.format"), "a token stands alone".to_owned());
        }
    }

    pub(super) fn encoding(
        &mut self,
        path: &str,
        name: Option<&str>,
        is_spelled: bool,
    ) -> Option<Encoding> {
        match name {
            None => Some(Encoding::default()),
            Some(_) if !is_spelled => {
                self.problem(path, "this algorithm leaves no choice of encoding".to_owned());
                None
            }
            Some(name) => self.word(path, name, Encoding::parse, Encoding::NAMES),
        }
    }

    pub(super) fn ecdsa(&mut self, path: &str, name: Option<&str>) -> Option<EcdsaForm> {
        let parse = |name: &str| match name {
            "der" => Some(EcdsaForm::Der),
            "raw" => Some(EcdsaForm::Raw),
            _ => None,
        };
        name.map_or(Some(EcdsaForm::Der), |name| self.word(path, name, parse, &["der", "raw"]))
    }

    /// The index of the one secret that is taken; `None`: any, or a problem.
    pub(super) fn key_slot(&mut self, path: &str, slot: Option<u32>) -> Option<usize> {
        let index = slot?.checked_sub(1);
        if index.is_none() {
            self.problem(path, "secrets are counted from 1".to_owned());
        }
        index?.try_into().ok()
    }

    pub(super) fn key(&mut self, path: &str, raw: Option<&RawKey>) -> Option<KeyCoding> {
        let mut sha1 = false;
        let (name, prefix, min_bytes) = match raw {
            None => (None, None, None),
            Some(RawKey::Encoding(name)) => (Some(name), None, None),
            Some(RawKey::Table(table)) => {
                if let Some(name) = table.derive.as_deref() {
                    let parse = |name: &str| (name == "sha1").then_some(());
                    self.word(path, name, parse, &["sha1"])?;
                    sha1 = true;
                }
                (table.encoding.as_ref(), table.prefix.as_deref(), table.min_bytes)
            }
        };
        let encoding = match name {
            None => KeyEncoding::default(),
            Some(name) => self.word(path, name, KeyEncoding::parse, KeyEncoding::NAMES)?,
        };
        Some(KeyCoding { encoding, prefix: prefix.map(Into::into), min_bytes, sha1 })
    }
}

/// Reads the shape of a list's elements.
fn element(text: &str) -> Result<Element, String> {
    let shape = || "needs `{key_id}` and `{value}` once each, with text between them".to_owned();
    let (key_id, value) =
        (text.find("{key_id}").ok_or_else(shape)?, text.find("{value}").ok_or_else(shape)?);
    let key_id_first = key_id < value;
    let (first, second) =
        if key_id_first { ("{key_id}", "{value}") } else { ("{value}", "{key_id}") };
    let (before, rest) = text.split_once(first).ok_or_else(shape)?;
    let (between, after) = rest.split_once(second).ok_or_else(shape)?;
    if between.is_empty() || between.contains('{') || after.contains('{') {
        return Err(shape());
    }
    Ok(Element {
        before: before.into(),
        between: between.into(),
        after: after.into(),
        key_id_first,
    })
}
