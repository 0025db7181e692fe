//! Definitions of providers: the language as written, and as checked.

mod check;
mod problem;
mod quantity;
pub mod raw;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use http::Method;

pub(crate) use check::METHODS;
pub use problem::DefinitionProblem;
pub use raw::RawDefinition;

use super::{Coverage, source::nearest};
use crate::config::model::StatusSet;

/// A checked definition of a provider.
///
/// It judges nothing by itself: [`super::Scheme::compile`] fills in what a route says.
#[derive(Debug)]
pub struct Definition {
    /// The definition's name.
    pub name: Arc<str>,
    /// The provider's own name for itself.
    pub title: String,
    /// Where the scheme is documented.
    pub docs: Option<String>,
    /// How sure the definition is; `None` in definitions of users.
    pub evidence: Option<Evidence>,
    /// Details that stay unverified.
    pub open: Vec<String>,
    /// Further names, `provider` or `provider/variant`, under which vector files know the scheme.
    pub aliases: Vec<String>,
    /// Methods that the provider uses; at least one.
    pub methods: Vec<Method>,
    /// Media types that the provider sends.
    pub content_types: Vec<String>,
    /// The largest body that the provider sends, in bytes.
    pub max_size: Option<usize>,
    /// How long the provider waits for an answer.
    pub deadline: Option<Duration>,
    /// What a retry looks like.
    pub retries: Option<Retries>,
    /// Statuses after which the provider never tries again.
    pub final_statuses: StatusSet,
    /// Statuses after which the provider gives up the subscription itself.
    pub destructive: StatusSet,
    /// What our own 2xx answers must look like.
    pub acknowledgement: Option<Acknowledgement>,
    /// What a route may or must say in its `expect` table.
    pub expect: BTreeMap<String, Expectation>,
    /// What `sign` makes when it is given no body.
    pub sample: Sample,
    /// How far a signed time may be from now where the route does not say.
    pub tolerance: Duration,
    /// What the proofs cover, as long as no policy takes one away.
    pub coverage: Coverage,
    /// What the provider publishes its keys as; a route's own replace them.
    pub public_keys: Vec<Published>,
    /// The form field that holds the JSON or XML document where the body is a form.
    pub document: Option<Document>,
    written: Written,
}

/// The tables that a scheme is compiled from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) signature: Vec<raw::RawSignature>,
    pub(crate) timestamp: Option<raw::RawTimestamp>,
    pub(crate) event: raw::RawEvent,
    pub(crate) repeats: Option<raw::RawRepeats>,
    pub(crate) handshakes: Vec<raw::RawHandshake>,
    pub(crate) document: Option<raw::RawDocument>,
}

/// A key, or a set of them, that the provider publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name in records.
    pub id: String,
    /// The key, or where the keys are.
    pub keys: PublishedAs,
}

/// How a provider publishes its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishedAs {
    /// The key's own text.
    Value(String),
    /// The URL of a JSON Web Key Set.
    Jwks(String),
}

/// The form field that holds the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The field's name.
    pub field: String,
    /// Its value is base64.
    pub is_base64: bool,
}

/// How sure a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The provider's documentation says so.
    Docs,
    /// The provider's own package was run and gives the same verdicts.
    Sdk,
    /// Somebody else's code or documentation says so.
    ThirdParty,
}

/// What a retry of a provider looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// Signed again, with a new timestamp.
    Fresh,
    /// The same bytes.
    Identical,
    /// There are none.
    None,
}

/// What a provider takes for an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The status.
    pub status: u16,
    /// The answer's media type.
    pub content_type: Option<String>,
    /// The answer's body.
    pub body: String,
    /// Whether it takes the place of an upstream's 2xx answer too, because the provider counts any
    /// other one as a failure.
    pub replace: bool,
}

/// What a route may or must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What the value is.
    pub about: String,
    /// What is taken if the route says nothing; `None`: the route must say it, unless it is
    /// optional.
    pub default: Option<String>,
    /// The route need not say it: handshakes that need it are refused then.
    pub is_optional: bool,
}

impl Expectation {
    /// Whether a route has to say it.
    pub const fn is_required(&self) -> bool {
        self.default.is_none() && !self.is_optional
    }
}

/// What `sign` makes when it is given no body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The body.
    pub body: Option<String>,
    /// Headers besides signature, timestamp and id.
    pub headers: BTreeMap<String, String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
}

impl Evidence {
    /// The name in the language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docs => "docs",
            Self::Sdk => "sdk",
            Self::ThirdParty => "third-party",
        }
    }
}

impl Retries {
    /// The name in the language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Identical => "identical",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Definition {
    /// The tables that a scheme is compiled from.
    pub(crate) const fn written(&self) -> &Written {
        &self.written
    }

    /// What a route says, with defaults filled in; optional keys may be missing.
    ///
    /// # Errors
    ///
    /// What it must say and does not, and what the definition does not know.
    pub(crate) fn expectations(
        &self,
        said: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Vec<String>> {
        let known: BTreeSet<_> = self.expect.keys().map(String::as_str).collect();
        let mut problems: Vec<_> = said
            .keys()
            .filter(|key| !known.contains(key.as_str()))
            .map(|key| match nearest(key, known.iter().copied()) {
                Some(meant) => format!("{} has no expect.{key}; did you mean {meant}?", self.name),
                None => format!("{} has no expect.{key}", self.name),
            })
            .collect();
        let mut filled = BTreeMap::new();
        for (key, expectation) in &self.expect {
            let said = said.get(key).filter(|value| !value.is_empty());
            match said.or(expectation.default.as_ref()) {
                Some(value) => drop(filled.insert(key.clone(), value.clone())),
                None if expectation.is_optional => {}
                None => problems
                    .push(format!("{} needs expect.{key}: {}", self.name, expectation.about)),
            }
        }
        if problems.is_empty() { Ok(filled) } else { Err(problems) }
    }
}
