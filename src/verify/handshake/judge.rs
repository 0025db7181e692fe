//! Whether a request is a handshake, and whether it holds.

use std::{borrow::Cow, sync::Arc};

use zeroize::Zeroizing;

use super::{Answer, Handshake, Offered, reply::Values};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Head, KeyRing, Scheme, Verified,
        key::{Key, Material},
        source::Message,
    },
};

impl Scheme {
    /// Answers a request that is one of the handshakes that the provider does not sign; `None`: it
    /// is none of them.
    ///
    /// # Errors
    ///
    /// It is one, but does not hold.
    pub fn challenge(
        &self,
        keys: &KeyRing,
        head: Head<'_>,
        now: UnixMs,
    ) -> Result<Option<Answer>, Refusal> {
        let message = Message::new(head, &[]);
        let mut unsigned = self.handshakes().all.iter().filter(|one| !one.is_signed);
        let found = unsigned.find(|one| one.is_meant_by(&message));
        found.map(|one| one.answer(&message, || self.key(keys, one, None, now))).transpose()
    }

    /// Answers a request that is one of the handshakes that the provider signs, its signature and
    /// time having held; `None`: it is none of them.
    ///
    /// # Errors
    ///
    /// It is one, but does not hold.
    pub fn signed_handshake(
        &self,
        keys: &KeyRing,
        verified: &Verified,
        head: Head<'_>,
        body: &[u8],
        now: UnixMs,
    ) -> Result<Option<Answer>, Refusal> {
        let handshakes = self.handshakes();
        let message = Message::new(head, body);
        let is_meant = |one: &&Handshake| one.is_signed && one.is_meant_by(&message);
        let mut meant = handshakes.all.iter().filter(is_meant).peekable();
        if meant.peek().is_none() {
            return Ok(None);
        }
        let document = self.document(head, body).unwrap_or_default();
        if !meant.any(|one| one.terms.may_hold_of(&document)) {
            return Ok(None);
        }
        let looked = handshakes.lookups.look_into(&document);
        let message = message.with(&looked);
        let mut meant = handshakes.all.iter().filter(is_meant);
        let one = meant.find(|one| one.terms.hold(&message));
        let key_id = Some(&*verified.key_id);
        one.map(|one| one.answer(&message, || self.key(keys, one, key_id, now))).transpose()
    }

    /// The key that a handshake's MAC is made with: the one that verified, or the first active one.
    fn key<'k>(
        &self,
        keys: &'k KeyRing,
        handshake: &Handshake,
        id: Option<&str>,
        now: UnixMs,
    ) -> Option<&'k Key> {
        let (algorithm, _) = handshake.terms.mac?;
        let candidate =
            self.candidates().iter().position(|own| own.algorithms.contains(&algorithm))?;
        let of_it = keys.of(candidate).keys.iter().filter(|key| key.algorithm == algorithm);
        let mut active = of_it.filter(|key| key.fits(None, now));
        match id {
            Some(id) => active.find(|key| *key.id == *id),
            None => active.next(),
        }
    }
}

impl Handshake {
    /// Whether method and head are this handshake's.
    fn is_meant_by(&self, message: &Message<'_>) -> bool {
        self.methods.contains(message.head.method) && self.terms.may_hold(message)
    }

    fn answer<'k>(
        &self,
        message: &Message<'_>,
        key: impl FnOnce() -> Option<&'k Key>,
    ) -> Result<Answer, Refusal> {
        if let Some(key) = self.lacks.first() {
            let what = format!("{}: the route does not say expect.{key}", self.name);
            return Err(Refusal::new(Code::HandshakeRefused, what));
        }
        self.terms.compare(message)?;
        let challenge = self.terms.read(message)?;
        let challenge = challenge.as_deref();
        let key = if self.terms.mac.is_some() { key() } else { None };
        let mac = match self.terms.mac {
            None => None,
            Some((_, encoding)) => {
                let Some(Material::Keyed(keyed)) = key.map(|key| &key.material) else {
                    let what = format!("{}: no key of the route is active", self.name);
                    return Err(Refusal::new(Code::HandshakeRefused, what));
                };
                let mac = keyed.mac(&[Cow::Borrowed(challenge.unwrap_or_default())]);
                Some(encoding.encode(mac.as_slice()))
            }
        };
        let reply = self.terms.reply(&Values {
            challenge,
            key_id: key.map(|key| key.id.as_bytes()),
            mac: mac.as_deref().map(str::as_bytes),
        })?;
        let call = self.terms.call.as_ref().map(|call| call.url(message)).transpose()?;
        let offered = challenge.filter(|_| self.terms.captures());
        Ok(Answer {
            handshake: Arc::clone(&self.name),
            reply,
            call,
            offered: offered.map(|key| Offered(Zeroizing::new(key.to_vec()))),
        })
    }
}
