//! Batches in which every element is signed by itself.

use super::{Held, Trial, content};
use crate::{
    decision::{Code, Refusal},
    verify::{json, scheme::candidate::Givens, source::Message},
};

impl Trial<'_> {
    /// Judges every element; none may be without a signature that holds, and there must be one.
    pub(super) fn each(&self, message: &Message<'_>) -> Result<Held, Refusal> {
        let unread = |what: &'static str| Refusal::new(Code::SignatureMissing, what);
        let Some(pointer) = &self.candidate.each else { return Err(unread("nothing is signed")) };
        let document = self.scheme.document(message.head, message.body);
        let document = document.ok_or_else(|| unread("the body has no document"))?;
        let elements = json::elements(&document, pointer);
        let elements = elements.ok_or_else(|| unread("the body has no list of signed elements"))?;
        let mut keys = Vec::with_capacity(elements.len());
        let mut key_id = None;
        for element in elements {
            let found = json::extract(element, &self.scheme.lookups.items);
            let found = found.map_err(|_| unread("an element is no JSON"))?;
            let held = self.signed(&Givens::new(), &Message { item: Some(&found), ..*message })?;
            keys.extend(held.content_key);
            key_id = Some(held.key_id);
        }
        let key_id = key_id.ok_or_else(|| unread("the list of signed elements is empty"))?;
        Ok(Held { key_id, content_key: Some(content::together(keys)), carried: None })
    }
}
