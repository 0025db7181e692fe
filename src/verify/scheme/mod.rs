//! A definition compiled for one route, and everything that it judges.

mod binding;
mod candidate;
mod certificate;
mod claim;
mod compile;
mod condition;
mod coverage;
mod event;
mod judge;
mod proof;
mod reads;
mod time;
mod wants;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};

pub(crate) use binding::Binding;
pub(crate) use candidate::{Candidate, Condition, Form, Jws, Means, Test};
pub(crate) use certificate::{host_matches, is_host_pattern};
pub use claim::Claim;
pub(crate) use compile::{Compiled, compile};
pub(crate) use condition::read_condition;
pub use coverage::Coverage;
pub use event::Event;
pub use judge::{Verified, fingerprint};
pub use time::Fresh;

use super::{
    Algorithm, Definition, Handshakes, Head,
    definition::Document,
    form::{self, Field},
    handshake,
    source::{Looked, Lookups, Source},
    time::Unit,
};

/// What a route decides about a definition.
#[derive(Clone, Default)]
pub struct SchemeOptions {
    /// `[routes.X.expect]`.
    pub expect: BTreeMap<String, String>,
    /// Algorithms that the policy removes from the candidates.
    pub forbid: BTreeSet<Algorithm>,
    /// The route's tolerance, if it sets one.
    pub tolerance: Option<Duration>,
}

// A registered URL may carry a token in its query: no value of `expect` is shown.
impl fmt::Debug for SchemeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemeOptions")
            .field("expect", &self.expect.keys())
            .field("forbid", &self.forbid)
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

/// A definition compiled for one route.
pub struct Scheme {
    candidates: Vec<Candidate>,
    groups: Vec<Group>,
    lookups: Lookups,
    repeats: Repeats,
    document: Option<Document>,
    tolerance: Duration,
    /// Path and query of the registered URL, where the scheme signs it.
    target: Option<Box<str>>,
    coverage: Coverage,
    handshakes: Handshakes,
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheme").field("coverage", &self.coverage).finish_non_exhaustive()
    }
}

/// What candidates that cover the same have in common.
///
/// On a message that carries signatures of several groups, the first group counts: what is read
/// from the message must be what the signature in question covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Where the proof stands that ids and types are read from.
    proof: Option<Source>,
    timestamp: Option<(Source, Unit)>,
    ids: Vec<Source>,
    kinds: Vec<Source>,
    repeats: Option<Condition>,
    covers_body: bool,
    covers_kind: bool,
    /// Nothing is covered, and all is vouched for by who knows a token.
    is_token: bool,
    /// Nobody proves anything; what must be equal may vouch for it all the same.
    is_unproven: bool,
    /// Nothing is even vouched for.
    is_open: bool,
    headers: BTreeSet<String>,
    covers_query: bool,
}

/// Which deliveries legitimately recur byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    All,
    None,
    When,
}

impl Scheme {
    /// Compiles a definition for a route.
    ///
    /// # Errors
    ///
    /// One text for every thing that the options lack or contradict.
    pub fn compile(
        definition: &Arc<Definition>,
        options: &SchemeOptions,
    ) -> Result<Self, Vec<String>> {
        let expect = definition.expectations(&options.expect)?;
        let compiled = compile(definition.written(), &expect)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let target = expect.get("url").map(|url| target_of(url)).transpose();
        let target = target.map_err(|problem| vec![problem])?;
        let unset = definition.expect.keys().filter(|key| !expect.contains_key(*key)).cloned();
        let handshakes = handshake::compile(&handshake::Setting {
            written: definition.written(),
            methods: &definition.methods,
            expect: &expect,
            unset: &unset.collect(),
        });
        let handshakes = handshakes
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Self::assemble(compiled, definition, options, target, handshakes)
    }

    fn assemble(
        compiled: Compiled,
        definition: &Definition,
        options: &SchemeOptions,
        target: Option<Box<str>>,
        handshakes: Handshakes,
    ) -> Result<Self, Vec<String>> {
        let Compiled { mut candidates, groups, lookups, repeats } = compiled;
        let algorithms = candidates.iter().flat_map(|candidate| &candidate.algorithms);
        let mut before: Vec<_> = algorithms.map(|algorithm| algorithm.as_str()).collect();
        before.sort_unstable();
        before.dedup();
        candidates.retain_mut(|candidate| candidate.forbid(&options.forbid));
        if candidates.is_empty() {
            return Err(vec![format!(
                "{} knows no signature but {}, which the policy forbids",
                definition.name,
                before.join(", ")
            )]);
        }
        let coverage = Coverage::of(&candidates, &groups);
        let tolerance = options.tolerance.unwrap_or(definition.tolerance);
        let document = definition.document.clone();
        Ok(Self {
            candidates,
            groups,
            lookups,
            repeats,
            document,
            tolerance,
            target,
            coverage,
            handshakes,
        })
    }

    /// What the signature covers, whichever candidate verifies.
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The handshakes of the definition.
    pub const fn handshakes(&self) -> &Handshakes {
        &self.handshakes
    }

    /// How far a signed time may be from now; meaningless where there is none.
    pub const fn tolerance(&self) -> Duration {
        self.tolerance
    }

    /// Path and query of the registered URL, where the scheme knows one.
    pub(crate) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The candidates in order.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// What is looked up in each element of a batch.
    pub(crate) fn items(&self) -> &[crate::verify::json::Pointer] {
        &self.lookups.items
    }

    /// Where the timestamp stands that goes with a candidate, and its unit.
    pub(crate) fn timestamp_of(&self, candidate: &Candidate) -> Option<&(Source, Unit)> {
        self.groups.get(candidate.group)?.timestamp.as_ref()
    }

    /// Where the ids stand that go with a candidate.
    pub(crate) fn ids_of(&self, candidate: &Candidate) -> &[Source] {
        self.groups.get(candidate.group).map_or(&[], |group| &group.ids)
    }

    /// Where the event type may stand that goes with a candidate.
    pub(crate) fn kinds_of(&self, candidate: &Candidate) -> &[Source] {
        self.groups.get(candidate.group).map_or(&[], |group| &group.kinds)
    }

    /// What keys the scheme is verified with.
    pub fn takes(&self) -> Takes {
        Takes {
            secrets: self.candidates.iter().any(Candidate::takes_secrets),
            public_keys: self.candidates.iter().any(Candidate::is_asymmetric),
            certificates: self.candidates.iter().any(|c| c.certificate.is_some()),
        }
    }

    /// The document that pointers lead into: the body, or the form field that holds it; `None`
    /// where a form has no such field, once.
    pub fn document<'b>(&self, head: Head<'_>, body: &'b [u8]) -> Option<Cow<'b, [u8]>> {
        if !head.has_form_type() {
            return Some(Cow::Borrowed(body));
        }
        let document = self.document.as_ref()?;
        let Field::Once(value) = form::field(body, &document.field) else { return None };
        if !document.is_base64 {
            return Some(value);
        }
        let value: Vec<u8> = value.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(value).ok().map(Cow::Owned)
    }

    /// What the document holds in the places of the scheme.
    pub(crate) fn look_into(&self, head: Head<'_>, body: &[u8]) -> Looked {
        if self.lookups.json.is_empty() && self.lookups.xml.is_empty() {
            return Looked::default();
        }
        let document = self.document(head, body);
        document.map_or_else(Looked::default, |document| self.lookups.look_into(&document))
    }

    /// The number of the group that a message belongs to.
    fn group_of(&self, head: Head<'_>) -> usize {
        if self.groups.len() == 1 {
            return 0;
        }
        let present = self.candidates.iter().find(|candidate| candidate.is_present(head));
        present.or(self.candidates.first()).map_or(0, |candidate| candidate.group)
    }

    /// A group's candidates, with their numbers in the key ring.
    fn candidates_of(&self, group: usize) -> impl Iterator<Item = (usize, &Candidate)> {
        self.candidates.iter().enumerate().filter(move |(_, c)| c.group == group)
    }
}

/// What keys a scheme is verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Secrets: MACs, digests and tokens.
    pub secrets: bool,
    /// Public keys.
    pub public_keys: bool,
    /// The public keys are those of certificates that the messages name.
    pub certificates: bool,
}

/// Path and query of an absolute URL.
fn target_of(url: &str) -> Result<Box<str>, String> {
    let uri = url.parse::<http::Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
    });
    let uri = uri.filter(|_| !url.contains('#'));
    let Some(uri) = uri else {
        return Err("expect.url must be the whole URL, as in \"https://example.com/hook\"".into());
    };
    Ok(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).into())
}
