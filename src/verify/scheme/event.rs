//! What a delivery is about.

use smallvec::SmallVec;

use super::{Repeats, Scheme};
use crate::verify::{
    Head,
    head::Read,
    json::Found,
    source::{Looked, Message, Source},
};

/// What a delivery is about.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Event {
    /// Event ids, each once; empty if there are none, or if they cannot be read beyond doubt.
    pub ids: SmallVec<[Box<str>; 1]>,
    /// The event type.
    pub kind: Option<Box<str>>,
    /// The signature covers the ids. Otherwise they are only vouched for by a token.
    pub covered: bool,
}

impl Scheme {
    /// Reads event id and type. The type may be uncovered: see [`super::Coverage::event_type`].
    pub fn event(&self, head: Head<'_>, body: &[u8]) -> Event {
        let number = self.group_of(head);
        let Some(group) = self.groups.get(number) else { return Event::default() };
        let looked = if group.ids.iter().chain(&group.kinds).any(Source::is_in_document) {
            self.look_into(head, body)
        } else {
            Looked::default()
        };
        let message = Message::new(head, body).with(&looked);
        let carried = self.carried_for(number, group.ids.iter().chain(&group.kinds), &message);
        let message = carried.as_ref().map_or(message, |carried| carried.beside(&message));
        let mut ids: SmallVec<[Box<str>; 1]> = SmallVec::new();
        // Where nothing is proven, an id is nobody's word.
        for source in group.ids.iter().filter(|_| !group.is_open) {
            match source {
                Source::Json(..) | Source::Xml(..) => match message.found(source).map(id_values) {
                    Some(Some(values)) => ids.extend(values.iter().cloned()),
                    Some(None) => return Event { kind: kind(&group.kinds, &message), ..none() },
                    None => {}
                },
                source => ids.extend(text(source, &message)),
            }
        }
        ids.retain(|id| !id.is_empty());
        ids.sort_unstable();
        ids.dedup();
        Event { ids, kind: kind(&group.kinds, &message), covered: !group.is_token }
    }

    /// Whether this delivery legitimately recurs byte for byte, so that it makes no replay entry.
    pub fn repeats(&self, head: Head<'_>, body: &[u8]) -> bool {
        match self.repeats {
            Repeats::All => true,
            Repeats::None => false,
            Repeats::When => {
                let group = self.groups.get(self.group_of(head));
                let Some(condition) = group.and_then(|g| g.repeats.as_ref()) else { return false };
                if condition.is_out_of_question(body) {
                    return false;
                }
                let is_json = matches!(condition.source, Source::Json(..));
                let looked = if is_json { self.look_into(head, body) } else { Looked::default() };
                // A body that is no JSON says nothing about its members.
                !(is_json && looked.json.is_none())
                    && condition.holds(&Message::new(head, body).with(&looked))
            }
        }
    }
}

impl Scheme {
    /// Whether it is one of those that recur among others that do not: by a ping or heartbeat, the
    /// provider sees whether anybody is there.
    pub fn is_heartbeat(&self, head: Head<'_>, body: &[u8]) -> bool {
        matches!(self.repeats, Repeats::When) && self.repeats(head, body)
    }
}

const fn none() -> Event {
    Event { ids: SmallVec::new_const(), kind: None, covered: false }
}

/// The ids under one pointer; `None` where readers may disagree on them, there are too many, or an
/// element of a list has none: what is known of the others must not stand for it.
fn id_values(found: &Found) -> Option<&[Box<str>]> {
    let too_many = found.values.len() >= crate::verify::json::MAX_VALUES;
    let partly = found.incomplete || found.values.iter().any(|id| id.is_empty());
    let partly = partly && !found.values.iter().all(|id| id.is_empty());
    (!found.duplicate && !too_many && !partly).then_some(&found.values)
}

fn kind(sources: &[Source], message: &Message<'_>) -> Option<Box<str>> {
    sources.iter().find_map(|source| match source {
        // Several elements have several types: the first speaks for the delivery.
        Source::Json(..) | Source::Xml(..) => {
            let found = message.found(source).filter(|found| !found.duplicate)?;
            found.values.first().cloned()
        }
        source => text(source, message),
    })
}

fn text(source: &Source, message: &Message<'_>) -> Option<Box<str>> {
    match source.read(message) {
        Read::Value(value) if !value.is_empty() => std::str::from_utf8(&value).ok().map(Into::into),
        _ => None,
    }
}
