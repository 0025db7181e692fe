//! One captured request, judged step by step in the order of the gateway.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::target::{Engine, Target};
use crate::{
    clock::UnixMs,
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Held, Record},
    fetch::Keys,
    gateway::Route,
    layer::{
        check::{Judge, Unproven},
        event::WantEvent,
        schema::SatisfySchema,
    },
    verify::{
        Claim, Event, Verified,
        captured::Captured,
        explain::{NearMiss, Tried, explain},
        handshake::Answer,
    },
};

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is a handshake, which the gateway answers itself.
    Answered(Refusal),
    /// It holds, with what it showed.
    Pass(String),
    /// It does not.
    Fail(Refusal),
    /// It does not, but the route only monitors it.
    Monitored(Refusal),
    /// There is nothing to judge.
    Moot(&'static str),
}

/// A request, judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) steps: Vec<(&'static str, Outcome)>,
    pub(super) misses: Vec<NearMiss>,
}

impl Judged {
    /// What the gateway would decide, if the upstream answers.
    pub(super) fn verdict(&self) -> Code {
        let failed = self.steps.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Answered(refusal) | Outcome::Fail(refusal) => Some(refusal.code),
            _ => None,
        });
        failed.unwrap_or(Code::Forwarded)
    }
}

/// Judges a request; the steps end with the first that fails.
pub(super) fn judge(target: &Target, request: &Captured, at: UnixMs) -> Result<Judged, String> {
    let engine = target.engine(request)?;
    let route = match target {
        Target::Provider { .. } => None,
        Target::Route(route) => Some(route),
    };
    let mut judging = Judging { request, at, route, steps: Vec::new() };
    let explained = judging.run(&engine);
    let misses = if explained { engine.explain(request, at) } else { Vec::new() };
    Ok(Judged { steps: judging.steps, misses })
}

impl Engine {
    fn explain(&self, request: &Captured, at: UnixMs) -> Vec<NearMiss> {
        let (definition, options) = (&self.definition, &self.options);
        let tried = Tried { secrets: &self.secrets, public_keys: &self.public_keys };
        explain(definition, options, tried, request.head(), &request.body, at)
    }
}

struct Judging<'j> {
    request: &'j Captured,
    at: UnixMs,
    route: Option<&'j Arc<Route>>,
    steps: Vec<(&'static str, Outcome)>,
}

impl Judging<'_> {
    /// Runs the steps; says whether near misses are of interest.
    fn run(&mut self, engine: &Engine) -> bool {
        let (head, body) = (self.request.head(), self.request.body.as_slice());
        if let Some(route) = self.route
            && !route.methods.contains(&self.request.method)
            && !engine.scheme.handshakes().expects(head)
        {
            let refusal = Refusal::new(Code::MethodNotAllowed, "the route takes other methods");
            self.steps.push(("method", Outcome::Fail(refusal)));
            return false;
        }
        if self.answered(engine.scheme.challenge(&engine.keys, head, self.at)) {
            return false;
        }
        let claim = engine.scheme.claim(head);
        let Some(claim) = self.step("claim", Check::Signature, claim, |_| String::new()) else {
            return true;
        };
        let mut verified = None;
        if let Some(claim) = &claim {
            if let Some(refusal) = self.lacks_key(engine, claim) {
                self.steps.push(("signature", Outcome::Fail(refusal)));
                return false;
            }
            let judged = engine.scheme.verify(&engine.keys, claim, head, body, self.at);
            let held = self.step("signature", Check::Signature, judged, |verified| {
                let is_public = engine.public_keys.iter().any(|key| key.id == verified.key_id);
                format!("{} {}", if is_public { "key" } else { "secret" }, verified.key_id)
            });
            let Some(held) = held else { return true };
            verified = held;
        }
        let waived = verified.is_none();
        match claim.zip(verified) {
            None => self.steps.push(("timestamp", Outcome::Moot("rests on the signature"))),
            Some((claim, verified)) => {
                let Some(in_time) = self.time(engine, &claim, &verified) else { return false };
                let (scheme, keys) = (&engine.scheme, &engine.keys);
                if in_time
                    && self.answered(scheme.signed_handshake(keys, &verified, head, body, self.at))
                {
                    return false;
                }
            }
        }
        let event = engine.scheme.event(head, body);
        self.steps.push(("event", Outcome::Pass(about(&event))));
        if let Some(route) = self.route {
            self.content(&Arc::clone(route), &event);
        }
        waived
    }

    /// What the gateway would fetch and what is not in its cache either: nothing is fetched here.
    fn lacks_key(&self, engine: &Engine, claim: &Claim) -> Option<Refusal> {
        let (head, body) = (self.request.head(), self.request.body.as_slice());
        let wanted = engine.scheme.wants(&engine.keys, claim, head, body)?;
        if self.route.is_some_and(|route| route.shared.fetching.keys().recall(&wanted)) {
            return None;
        }
        let about = Keys::about(&wanted);
        let detail = format!("{about} is not in fetch.cache, and this command fetches nothing");
        Some(Refusal::new(Code::KeyUnavailable, detail))
    }

    /// Notes a handshake; whether there was one.
    fn answered(&mut self, judged: Result<Option<Answer>, Refusal>) -> bool {
        let outcome = match judged {
            Ok(None) => return false,
            Ok(Some(answer)) if answer.offered.is_some() => {
                let what =
                    "offers a key, which is taken only while an operator has armed the route";
                Outcome::Fail(Refusal::new(Code::HandshakeRefused, what))
            }
            Ok(Some(answer)) => {
                let detail = answer.handshake.to_string();
                Outcome::Answered(Refusal::new(Code::Handshake, detail))
            }
            Err(refusal) => Outcome::Fail(refusal),
        };
        self.steps.push(("handshake", outcome));
        true
    }

    /// Whether the time held or was waived; `None`: it did not.
    fn time(&mut self, engine: &Engine, claim: &Claim, verified: &Verified) -> Option<bool> {
        let (head, body) = (self.request.head(), self.request.body.as_slice());
        let judged = engine.scheme.judge_time(claim, Some(verified), head, body, self.at);
        if matches!(judged, Ok(None)) {
            self.steps.push(("timestamp", Outcome::Moot("the provider signs none")));
            return Some(true);
        }
        let at = self.at;
        self.step("timestamp", Check::Timestamp, judged, |fresh| {
            match fresh.as_ref().and_then(|fresh| fresh.signed_at) {
                Some(signed_at) => {
                    let away = at.0.abs_diff(signed_at.0) / 1000;
                    format!("{away} s away, {} s allowed", engine.scheme.tolerance().as_secs())
                }
                None => "it holds by its own word".to_owned(),
            }
        })
        .map(|held| held.is_some())
    }

    /// Events, filters and schema: the gateway's own layers, asked directly.
    fn content(&mut self, route: &Arc<Route>, event: &Event) {
        let mut delivery = self.delivery(route, event);
        let wanted = match WantEvent.judge(&mut delivery) {
            Ok(wanted) => self.step("events", Check::Events, Ok(wanted), |_| String::new()),
            Err(Unproven::Refused(refusal)) => {
                self.step("events", Check::Events, Err(refusal), |_| String::new())
            }
            Err(Unproven::Answered(_) | Unproven::Moot) => return,
        };
        let Some(wanted) = wanted else { return };
        let held = wanted.map_or(Held::Waived, Held::Proven);
        let judged = SatisfySchema.judge(&mut delivery.prove(|()| ((), held)));
        match judged {
            Ok(held) => {
                self.step("schema", Check::Schema, Ok(held), |_| String::new());
            }
            Err(Unproven::Refused(refusal)) => {
                self.step::<()>("schema", Check::Schema, Err(refusal), |()| String::new());
            }
            Err(Unproven::Answered(_) | Unproven::Moot) => {}
        }
    }

    /// Notes a step. `None`: it failed, and the judgement ends; `Some(None)`: it was waived.
    fn step<T>(
        &mut self,
        name: &'static str,
        check: Check,
        judged: Result<T, Refusal>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<Option<T>> {
        let (outcome, result) = match judged {
            Ok(proof) => (Outcome::Pass(detail(&proof)), Some(Some(proof))),
            Err(refusal) if self.route.is_some_and(|route| route.monitors(check)) => {
                (Outcome::Monitored(refusal), Some(None))
            }
            Err(refusal) => (Outcome::Fail(refusal), None),
        };
        self.steps.push((name, outcome));
        result
    }

    fn delivery(&self, route: &Arc<Route>, event: &Event) -> Delivery<Bytes> {
        let mut head = Request::new(()).into_parts().0;
        head.method = self.request.method.clone();
        head.uri = self.request.uri.clone();
        head.headers = self.request.headers.clone();
        let mut record = Record::new(Arc::clone(&route.shared));
        record.time = self.at;
        record.now = self.at;
        record.route = Some(Arc::clone(route));
        record.event_type.clone_from(&event.kind);
        // Nothing was decided that anybody else should hear of.
        record.concluded = true;
        let body = Bytes::copy_from_slice(&self.request.body);
        Delivery { head: Box::new(head), body, proof: (), record: Box::new(record) }
    }
}

fn about(event: &Event) -> String {
    let kind = event.kind.as_deref().map(|kind| format!("type {kind}"));
    let id = (!event.ids.is_empty()).then(|| {
        let vouched = if event.covered { "" } else { " (vouched for, not signed)" };
        format!("id {}{vouched}", event.ids.join(","))
    });
    kind.into_iter().chain(id).collect::<Vec<_>>().join(", ")
}
