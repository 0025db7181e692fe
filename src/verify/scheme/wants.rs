//! What must be fetched before a message can be judged.

use super::{Claim, Means, Scheme};
use crate::verify::{
    Head, httpsig, jws,
    key::{KeyRing, RemoteRing, Wanted},
    source::Message,
};

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
        for (number, candidate) in self.candidates_of(claim.group) {
            let remotes = &keys.of(number).remotes;
            if remotes.is_empty() || !candidate.applies_to(&message) {
                continue;
            }
            let name: Option<Box<str>> = match (&candidate.certificate, &candidate.means) {
                (Some(certificate), _) => match certificate.url(&message) {
                    Ok(url) => Some(url),
                    Err(_) => continue,
                },
                (None, Means::Jws(rules)) => {
                    let Ok(token) = candidate.token(&message) else { continue };
                    let Ok(payload) = candidate.payload(&message) else { continue };
                    let read = jws::parse(&token, &rules.algorithms, payload.as_deref());
                    let Ok(jws) = read else { continue };
                    jws.kid
                }
                (None, Means::Message(rules)) => {
                    let Ok(inputs) = httpsig::read(head, rules) else { continue };
                    let is_here = |keyid: &Option<Box<str>>| {
                        let has =
                            |remote: &RemoteRing| !remote.keys.get(keyid.as_deref()).is_empty();
                        remotes.iter().all(has)
                    };
                    let keyids = inputs.into_iter().map(|input| input.parameters.keyid);
                    // Of several signatures the first whose key is not here.
                    keyids.skip_while(is_here).next().unwrap_or_default()
                }
                _ => match candidate.named_key(&message) {
                    Ok(named) => named
                        .and_then(|name| String::from_utf8(name.into_owned()).ok())
                        .map(Into::into),
                    Err(_) => continue,
                },
            };
            let has_it = |remote: &RemoteRing| !remote.keys.get(name.as_deref()).is_empty();
            let is_here = |name: &str| {
                let mut own = keys.of(number).keys.iter();
                remotes.iter().any(has_it) || own.any(|key| key.is_called(name.as_bytes()))
            };
            // A name that is known need not be looked for elsewhere.
            if name.as_deref().is_some_and(is_here) {
                continue;
            }
            if let Some(remote) = remotes.iter().find(|remote| !has_it(remote)) {
                let remote = std::sync::Arc::clone(&remote.keys);
                return Some(Wanted { remote, name: name.unwrap_or_default() });
            }
        }
        None
    }
}
