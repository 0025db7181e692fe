//! Signing anew for the receiver, as Standard Webhooks (`upstream.sign`).
//!
//! The receiver then needs one verifier, whatever the sender's scheme is. What is signed is
//! `{webhook-id}.{webhook-timestamp}.{body}` with HMAC-SHA256; each secret makes one `v1,` entry of
//! `webhook-signature`, so that a secret can be rotated
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xxhash_rust::xxh3::xxh3_128;

use super::{headers::Outgoing, wire::put};
use crate::config::model::SigningKey;

/// The signing keys of one upstream, keyed once.
pub(super) struct Signer(Vec<Hmac<Sha256>>);

impl Signer {
    /// `None` where nothing is signed anew.
    pub(super) fn new(keys: &[impl AsRef<SigningKey>]) -> Option<Self> {
        let keyed = keys.iter().filter_map(|key| Hmac::new_from_slice(&key.as_ref().0).ok());
        let keyed: Vec<_> = keyed.collect();
        (!keyed.is_empty()).then_some(Self(keyed))
    }

    /// Writes id, timestamp and signatures among the fields of the head.
    pub(super) fn sign(&self, bytes: &mut Vec<u8>, out: &Outgoing<'_>, body: &[u8]) {
        let id = Id::of(out, body);
        let timestamp = out.now.secs().to_string();
        let mut signatures = String::with_capacity(self.0.len() * ENTRY);
        for keyed in &self.0 {
            let mut mac = keyed.clone();
            for part in [id.as_str().as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            if !signatures.is_empty() {
                signatures.push(' ');
            }
            signatures.push_str("v1,");
            STANDARD.encode_string(mac.finalize().into_bytes(), &mut signatures);
        }
        // All three are made of visible ASCII, so none can be refused.
        put(bytes, WEBHOOK_ID, id.as_str().as_bytes());
        put(bytes, WEBHOOK_TIMESTAMP, timestamp.as_bytes());
        put(bytes, WEBHOOK_SIGNATURE, signatures.as_bytes());
    }
}

/// `webhook-id`: the same for every attempt to deliver the same event.
enum Id<'a> {
    Covered(&'a str),
    Derived(String),
}

impl<'a> Id<'a> {
    /// The covered event id if it is harmless, else one made of the content key. A delivery that
    /// has neither proved nothing; its id is made of its body.
    fn of(out: &Outgoing<'a>, body: &[u8]) -> Self {
        match out.covered_id.filter(|id| is_harmless(id)) {
            Some(id) => Self::Covered(id),
            None => {
                let seed = out.webhook_id_seed.unwrap_or_else(|| xxh3_128(body));
                Self::Derived(format!("msg_{seed:032x}"))
            }
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Covered(id) => id,
            Self::Derived(id) => id,
        }
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// The longest event id that is taken over, in bytes.
const MAX_ID: usize = 256;
/// `v1,`, 32 bytes in base64, and the space after it.
const ENTRY: usize = 48;

const WEBHOOK_ID: &str = "webhook-id";
const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
const WEBHOOK_SIGNATURE: &str = "webhook-signature";
/// What signing anew says, in place of what the sender said of the kind.
pub(super) const HEADERS: [&str; 3] = [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use http::HeaderMap;

    use crate::{
        clock::UnixMs,
        upstream::tests::{fields, outgoing},
    };

    fn signed(keys: &[&[u8]], out: &Outgoing<'_>, body: &[u8]) -> HeaderMap {
        let keys: Vec<_> =
            keys.iter().map(|key| Arc::new(SigningKey(key.to_vec().into()))).collect();
        let mut bytes = Vec::new();
        Signer::new(&keys).unwrap().sign(&mut bytes, out, body);
        fields(&bytes)
    }

    #[test]
    fn it_signs_what_standard_webhooks_verifies() {
        // From the reference libraries' test suite: secret, message, time, payload, signature.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let out = Outgoing {
            covered_id: Some("msg_p5jXN8AQM9LWM0D4loKWxJek"),
            now: UnixMs(1_614_265_330_999),
            ..outgoing()
        };
        let headers = signed(&[&key], &out, br#"{"test": 2432232314}"#);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn every_secret_signs_in_order() {
        let one = signed(&[b"one"], &outgoing(), b"{}");
        let two = signed(&[b"two"], &outgoing(), b"{}");
        let both = signed(&[b"one", b"two"], &outgoing(), b"{}");
        let text = |headers: &HeaderMap| headers["webhook-signature"].to_str().unwrap().to_owned();
        assert_eq!(text(&both), format!("{} {}", text(&one), text(&two)));
        assert_ne!(text(&one), text(&two));
    }

    #[test]
    fn ids_are_harmless_and_stable() {
        let id = |covered_id, webhook_id_seed, body: &[u8]| {
            let out = Outgoing { covered_id, webhook_id_seed, ..outgoing() };
            signed(&[b"k"], &out, body)["webhook-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(id(Some("a.B-9_"), Some(1), b""), "a.B-9_");
        let derived = format!("msg_{:032x}", 0xabcu128);
        let long = "a".repeat(257);
        for odd in [None, Some(""), Some("a,b"), Some("a b"), Some("ü"), Some(&*long)] {
            assert_eq!(id(odd, Some(0xabc), b"x"), derived, "{odd:?}");
        }
        assert_eq!(id(None, None, b"x"), id(None, None, b"x"));
        assert_ne!(id(None, None, b"x"), id(None, None, b"y"));
    }

    #[test]
    fn without_secrets_nothing_is_signed() {
        assert!(Signer::new(&[] as &[Arc<SigningKey>]).is_none());
    }
}
