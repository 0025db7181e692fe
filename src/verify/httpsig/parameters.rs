//! What a signature says of itself (RFC 9421, section 2.3).

use sfv::{BareItem, Key, Parameters as Written};

use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::Algorithm,
};

/// The parameters of one signature, all of which it covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The algorithm; never one that the registry does not have.
    pub(crate) alg: Option<Algorithm>,
    /// When it was made.
    pub(crate) created: Option<UnixMs>,
    /// From when on it no longer holds.
    pub(crate) expires: Option<UnixMs>,
    /// Its key's name.
    pub(crate) keyid: Option<Box<str>>,
    /// A value used once.
    pub(crate) nonce: Option<Box<str>>,
    /// The application that it is meant for.
    pub(crate) tag: Option<Box<str>>,
}

/// The registry of RFC 9421, section 6.2.2.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
    ("ecdsa-p384-sha384", Algorithm::EcdsaP384Sha384),
    ("ed25519", Algorithm::Ed25519),
    ("hmac-sha256", Algorithm::HmacSha256),
    ("rsa-pss-sha512", Algorithm::RsaPssSha512),
    ("rsa-v1_5-sha256", Algorithm::RsaSha256),
];

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// The name that the registry gives an algorithm; `None` where it has none.
pub(crate) fn algorithm_name(algorithm: Algorithm) -> Option<&'static str> {
    ALGORITHMS.iter().find(|(_, known)| *known == algorithm).map(|(name, _)| *name)
}

impl Parameters {
    /// Reads them; those that nobody here knows are covered and otherwise ignored.
    ///
    /// # Errors
    ///
    /// One is of another type, or names an unknown algorithm.
    pub(super) fn of(written: &Written) -> Result<Self, Refusal> {
        let malformed = |what| Refusal::new(Code::SignatureMalformed, what);
        let text = |name: &str, what| match written.get(name) {
            None => Ok(None),
            Some(BareItem::String(text)) => Ok(Some(Box::<str>::from(text.as_str()))),
            Some(_) => Err(malformed(what)),
        };
        let time = |name: &str, what| match written.get(name) {
            None => Ok(None),
            Some(BareItem::Integer(secs)) => Some(i64::from(*secs))
                .filter(|secs| (0..=LAST).contains(secs))
                .map(|secs| Some(UnixMs::from_secs(secs)))
                .ok_or_else(|| malformed(what)),
            Some(_) => Err(malformed(what)),
        };
        let alg = text("alg", "`alg` of the signature is no text")?;
        let known = |name: &str| ALGORITHMS.iter().find(|(known, _)| *known == name);
        let alg = match alg.as_deref().map(known) {
            None => None,
            Some(Some((_, algorithm))) => Some(*algorithm),
            Some(None) => {
                let what = "`alg` of the signature is no algorithm of the registry";
                return Err(Refusal::new(Code::SignatureMismatch, what));
            }
        };
        Ok(Self {
            alg,
            created: time("created", "`created` of the signature is no time in seconds")?,
            expires: time("expires", "`expires` of the signature is no time in seconds")?,
            keyid: text("keyid", "`keyid` of the signature is no text")?,
            nonce: text("nonce", "`nonce` of the signature is no text")?,
            tag: text("tag", "`tag` of the signature is no text")?,
        })
    }

    /// Those that are there, by name.
    pub(crate) fn texts(&self) -> Vec<(Box<str>, Box<str>)> {
        let secs = |at: UnixMs| Box::<str>::from(at.secs().to_string());
        let alg = self.alg.and_then(algorithm_name);
        let all = [
            ("alg", alg.map(Into::into)),
            ("created", self.created.map(secs)),
            ("expires", self.expires.map(secs)),
            ("keyid", self.keyid.clone()),
            ("nonce", self.nonce.clone()),
            ("tag", self.tag.clone()),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name.into(), text?))).collect()
    }

    /// As they are written into a signature of our own.
    pub(super) fn written(&self) -> Result<Written, sfv::Error> {
        let text = |text: &str| sfv::String::from_string(text.to_owned()).map_err(|e| e.0);
        let time = |at: UnixMs| sfv::Integer::try_from(at.secs()).map(BareItem::from);
        let mut written = Written::new();
        let mut add = |key: &str, value: BareItem| {
            let key = Key::from_string(key.to_owned()).map_err(|e| e.0)?;
            written.insert(key, value);
            Ok::<_, sfv::Error>(())
        };
        for (key, at) in [("created", self.created), ("expires", self.expires)] {
            if let Some(at) = at {
                add(key, time(at)?)?;
            }
        }
        let alg = self.alg.and_then(algorithm_name);
        let texts = [
            ("keyid", self.keyid.as_deref()),
            ("alg", alg),
            ("nonce", self.nonce.as_deref()),
            ("tag", self.tag.as_deref()),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                add(key, text(value)?.into())?;
            }
        }
        Ok(written)
    }
}
