//! What must be fetched before a message can be judged.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{Candidate, Claim, Means, Scheme};
use crate::verify::{
    Head, httpsig, jws,
    key::{KeyRing, RemoteRing, Ring, Wanted},
    source::Message,
};

/// The names of the keys that a message may be signed with; `None` where it names none.
type Names = SmallVec<[Option<Box<str>>; 1]>;

impl Scheme {
    /// The key that must be fetched before [`Scheme::verify`] can judge this message, if any.
    ///
    /// Costs nothing where no key is ever fetched. A message that names what it may not name wants
    /// nothing: its verdict does not depend on a key.
    pub fn wants(
        &self,
        keys: &KeyRing,
        claim: &Claim,
        head: Head<'_>,
        body: &[u8],
    ) -> Option<Wanted> {
        if !keys.has_remotes() {
            return None;
        }
        let looked = self.look_into(head, body);
        let message = Message::new(head, body).with(&looked);
        self.candidates_of(claim.group).find_map(|(number, candidate)| {
            let ring = keys.of(number);
            if ring.remotes.is_empty() || !candidate.applies_to(&message) {
                return None;
            }
            // Of several signatures the first whose key is not here.
            names(candidate, head, &message)?.into_iter().find_map(|name| missing(ring, name))
        })
    }
}

fn names(candidate: &Candidate, head: Head<'_>, message: &Message<'_>) -> Option<Names> {
    if let Some(certificate) = &candidate.certificate {
        return Some(smallvec![Some(certificate.url(message).ok()?)]);
    }
    match &candidate.means {
        Means::Jws(rules) => {
            let token = candidate.token(message).ok()?;
            let payload = candidate.payload(message).ok()?;
            let jws = jws::parse(&token, &rules.algorithms, payload.as_deref()).ok()?;
            Some(smallvec![jws.kid])
        }
        Means::Message(rules) => {
            let inputs = httpsig::read(head, rules).ok()?;
            Some(inputs.into_iter().map(|input| input.parameters.keyid).collect())
        }
        _ => {
            let named = candidate.named_key(message).ok()?;
            let named = named.and_then(|name| String::from_utf8(name.into_owned()).ok());
            Some(smallvec![named.map(Into::into)])
        }
    }
}

/// The set that a key of this name must be looked for in; `None` if it is here.
fn missing(ring: &Ring, name: Option<Box<str>>) -> Option<Wanted> {
    let has_it = |remote: &&RemoteRing| !remote.keys.get(name.as_deref()).is_empty();
    // A name that is known need not be looked for elsewhere.
    let is_known = name.as_deref().is_some_and(|name| {
        let mut own = ring.keys.iter();
        ring.remotes.iter().any(|remote| has_it(&remote))
            || own.any(|key| key.is_called(name.as_bytes()))
    });
    let remote = ring.remotes.iter().find(|remote| !is_known && !has_it(remote))?;
    Some(Wanted { remote: Arc::clone(&remote.keys), name: name.unwrap_or_default() })
}
