//! The pure engine: (scheme, keys, head, body, now) → verdict.
//!
//! No I/O, no clock of its own, nothing of HTTP servers, and no provider's name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, Method, Uri};
use smallvec::SmallVec;
use zeroize::Zeroizing;

use crate::{clock::UnixMs, decision::Refusal};

pub mod definition;

pub use definition::RawDefinition;

/// An algorithm by the name that definitions and `policy.forbid_algorithms` use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `hmac-sha1`
    HmacSha1,
    /// `hmac-sha256`
    HmacSha256,
    /// `hmac-sha384`
    HmacSha384,
    /// `hmac-sha512`
    HmacSha512,
    /// `token`: a static secret, compared.
    Token,
}

impl Algorithm {
    /// Every algorithm of the engine.
    pub const ALL: &'static [Self] =
        &[Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512, Self::Token];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        ""
    }
    /// Reads a name.
    pub fn parse(_name: &str) -> Option<Self> {
        None
    }
}

/// A checked definition of a provider.
#[derive(Debug)]
pub struct Definition {
    /// The definition's name.
    pub name: Arc<str>,
}

/// What a route decides about a definition.
#[derive(Clone, Debug, Default)]
pub struct SchemeOptions {
    /// `[routes.X.expect]`.
    pub expect: BTreeMap<String, String>,
    /// Algorithms that the policy removes from the candidates.
    pub forbid: BTreeSet<Algorithm>,
    /// The route's tolerance, if it sets one.
    pub tolerance: Option<Duration>,
}

/// A definition compiled for one route.
#[derive(Debug)]
pub struct Scheme {}

/// One secret as configured, before the scheme's key decoding.
#[derive(Clone)]
pub struct Secret {
    /// Its name in records: configured, or variable name, or file stem.
    pub id: Arc<str>,
    /// Whether `id` was written by the operator.
    pub id_is_explicit: bool,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// When it stops being accepted.
    pub expires: Option<UnixMs>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The active keys of a route, decoded and keyed once.
#[derive(Debug)]
pub struct KeyRing {}

/// What of a request the engine looks at besides the body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URI; path and query are as received.
    pub uri: &'a Uri,
    /// The headers as received.
    pub headers: &'a HeaderMap,
}

/// What the head claims: signatures, timestamp and id, each there once and well formed.
#[derive(Debug)]
pub struct Claim {}

/// Exists only after a signature held.
#[derive(Debug)]
pub struct Verified {
    /// Which key.
    pub key_id: Arc<str>,
    /// A digest of the exact signed bytes, and of the body where it is not covered... see below.
    pub content_key: u128,
    /// The covered timestamp.
    pub signed_at: Option<UnixMs>,
    _sealed: (),
}

/// Exists only after a covered timestamp was found within the tolerance.
#[derive(Debug)]
pub struct Fresh {
    /// The signed time.
    pub signed_at: UnixMs,
    /// The tolerance that was applied.
    pub tolerance: Duration,
    _sealed: (),
}

/// What a delivery is about.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Event {
    /// Covered (or, for token schemes, vouched) event ids; empty if there are none.
    pub ids: SmallVec<[Box<str>; 1]>,
    /// The event type.
    pub kind: Option<Box<str>>,
}

/// What a signature covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The whole body.
    pub body: bool,
}

impl Scheme {
    /// Compiles a definition for a route.
    ///
    /// # Errors
    ///
    /// One text for every thing that the options lack or contradict.
    pub fn compile(
        _definition: &Arc<Definition>,
        _options: &SchemeOptions,
    ) -> Result<Self, Vec<String>> {
        todo!()
    }
    /// Judges what the head claims, before the body is read.
    ///
    /// # Errors
    ///
    /// Missing, malformed or repeated parts.
    pub fn claim(&self, _head: Head<'_>) -> Result<Claim, Refusal> {
        todo!()
    }
    /// Judges the signature.
    ///
    /// # Errors
    ///
    /// No candidate matches an active key, or a signed part of the body is missing or malformed.
    pub fn verify(
        &self,
        _keys: &KeyRing,
        _claim: &Claim,
        _head: Head<'_>,
        _body: &[u8],
        _now: UnixMs,
    ) -> Result<Verified, Refusal> {
        todo!()
    }
    /// Judges the timestamp; `None` where the scheme has none.
    ///
    /// # Errors
    ///
    /// Missing, malformed, too old, too far ahead.
    pub fn judge_time(
        &self,
        _claim: &Claim,
        _head: Head<'_>,
        _body: &[u8],
        _now: UnixMs,
    ) -> Result<Option<Fresh>, Refusal> {
        todo!()
    }
    /// Reads event id and type.
    pub fn event(&self, _head: Head<'_>, _body: &[u8]) -> Event {
        todo!()
    }
    /// Whether this delivery legitimately recurs byte for byte, so that it makes no replay entry.
    pub fn repeats(&self, _head: Head<'_>, _body: &[u8]) -> bool {
        todo!()
    }
    /// What the signature covers.
    pub fn coverage(&self) -> &Coverage {
        todo!()
    }
}

impl KeyRing {
    /// Decodes and keys the secrets.
    ///
    /// # Errors
    ///
    /// A text for each secret that cannot be decoded as the scheme demands; never the secret.
    pub fn build(_scheme: &Scheme, _secrets: &[Secret]) -> Result<Self, Vec<(usize, String)>> {
        todo!()
    }
}
