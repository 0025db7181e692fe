//! What a signature covers, whichever candidate verifies.

use std::collections::BTreeSet;

use super::{Candidate, Group};
use crate::verify::Algorithm;

/// What a signature covers, whichever candidate verifies.
///
/// For what may be absent, `None`: the scheme has none; `Some(true)`: the signature covers it;
/// `Some(false)`: it does not (for a token scheme: it is vouched for by whoever knows the token).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Every algorithm of the candidates.
    pub algorithms: BTreeSet<Algorithm>,
    /// The whole body.
    pub body: bool,
    /// The event id.
    pub event_id: Option<bool>,
    /// The event type.
    pub event_type: Option<bool>,
    /// Headers whose values are covered, in lower case.
    pub headers: BTreeSet<String>,
    /// The whole query.
    pub query: bool,
    /// The timestamp.
    pub timestamp: Option<bool>,
    /// A candidate proves only that the sender knows a token, and nothing about the message.
    pub token: bool,
    /// A candidate proves nothing at all.
    pub unproven: bool,
    /// Whatever verifies says itself until when it holds.
    pub expires: bool,
}

impl Coverage {
    pub(super) fn of(candidates: &[Candidate], groups: &[Group]) -> Self {
        let used: Vec<_> = candidates.iter().filter_map(|c| groups.get(c.group)).collect();
        let every = |covers: &dyn Fn(&Group) -> bool| used.iter().all(|group| covers(group));
        let any = |has: &dyn Fn(&Group) -> bool| used.iter().any(|group| has(group));
        let headers = used.iter().map(|group| &group.headers).cloned();
        Self {
            algorithms: candidates.iter().flat_map(|c| &c.algorithms).copied().collect(),
            body: every(&|g| g.covers_body),
            event_id: any(&|g| !g.ids.is_empty()).then(|| every(&|g| !g.is_token)),
            event_type: any(&|g| !g.kinds.is_empty()).then(|| every(&|g| g.covers_kind)),
            headers: headers.reduce(|a, b| &a & &b).unwrap_or_default(),
            query: every(&|g| g.covers_query),
            timestamp: any(&|g| g.timestamp.is_some())
                .then(|| every(&|g| g.timestamp.is_some() && !g.is_token)),
            token: any(&|g| g.is_token && !g.is_unproven),
            unproven: any(&|g| g.is_unproven),
            expires: candidates.iter().all(Candidate::expires),
        }
    }
}
