//! In what the own reader may differ from hyper behind the guard, and in nothing else.

use std::{fmt::Debug, sync::Arc};

use super::{
    answers::Answer,
    run::{Ended, Run, Way, run},
    script::Script,
    service::{self, Seen},
};
use crate::{net::scripted::Event, server::watch::Phase};

/// Plays a script in all ways and compares.
///
/// # Panics
///
/// If a law does not hold.
pub(super) fn hold(script: &Script) {
    let broken = broken(script);
    assert!(broken.is_empty(), "{}\n{script:#?}", broken.join("\n"));
}

/// The laws that do not hold for a script.
pub(super) fn broken(script: &Script) -> Vec<String> {
    let script = Arc::new(script.clone());
    let (own, guarded) = (run(&script, Way::Own), run(&script, Way::Guarded));
    let mut laws = Laws { script: &script, own: &own, guarded: &guarded, broken: Vec::new() };
    laws.requests();
    laws.answers();
    laws.ends();
    if !laws.is_disturbed() {
        let bare = run(&script, Way::Bare);
        for (number, (own, bare)) in own.seen.iter().zip(&bare.seen).take(own.quick).enumerate() {
            laws.same("what hyper alone shows the service", number, own, bare);
        }
        laws.same("what hyper alone shows", 0, &true, &(own.quick <= bare.seen.len()));
    }
    laws.broken
}

/// The differences that exist for a reason:
///
/// - *A body that was left.* Where the service answers before the body has come to its end, the own
///   reader ends the connection. Hyper looks once whether the rest is there, and goes on if it is.
/// - *A body that broke off.* The own reader says that the answer is the last; hyper just ends.
/// - *`close` beside bytes that are no text.* The own reader sees it; hyper does not.
/// - *An answer that breaks off.* How much of it leaves before depends on who wrote when.
/// - *The length that a 304 tells.* The own reader passes it on; hyper drops it.
/// - *A connection that is reset.* What is done after that nobody sees.
/// - *A drain.* The own reader still answers the request that is there already, hyper does not;
///   and whether an answer can still say that it is the last depends on who began it when.
struct Laws<'a> {
    script: &'a Script,
    own: &'a Run,
    guarded: &'a Run,
    broken: Vec<String>,
}

impl Laws<'_> {
    fn same<T: Debug + PartialEq>(&mut self, what: &str, number: usize, own: &T, guarded: &T) {
        if own != guarded {
            self.broken.push(format!("{what}: {number}: {own:?} but hyper {guarded:?}"));
        }
    }

    /// The same requests reach the service, but for those behind an earlier end.
    fn requests(&mut self) {
        let (own, guarded) = (self.own, self.guarded);
        for (number, (own, guarded)) in own.seen.iter().zip(&guarded.seen).enumerate() {
            // What had arrived of a body when the connection was reset is read by who was quick.
            let broke = own.ended == service::Ended::Broken && self.is_reset();
            if !(broke && own.is_before(guarded)) {
                self.same("seen", number, own, guarded);
            }
        }
        if !self.ends_early() && !self.is_disturbed() {
            self.same("requests", 0, &own.seen.len(), &guarded.seen.len());
        }
    }

    /// The same answers come back.
    fn answers(&mut self) {
        let (own, guarded) = (&self.own.answers, &self.guarded.answers);
        for (number, (own, guarded)) in own.iter().zip(guarded).enumerate() {
            self.answer(number, own, guarded);
        }
        let breaks_off = |all: &[Answer], other: &[Answer]| {
            all.len() == other.len() + 1 && all.last().is_some_and(|last| !last.whole)
        };
        if !self.ends_early()
            && !self.is_disturbed()
            && !breaks_off(own, guarded)
            && !breaks_off(guarded, own)
        {
            self.same("answers", 0, &own.len(), &guarded.len());
        }
    }

    fn answer(&mut self, number: usize, own: &Answer, guarded: &Answer) {
        self.same("status", number, &(own.status, &own.reason), &(guarded.status, &guarded.reason));
        let [headers, others] = [own, guarded].map(|answer| {
            let headers = answer.headers.iter();
            headers.filter(|(name, _)| name != "content-length").collect::<Vec<_>>()
        });
        self.same("headers", number, &headers, &others);
        self.same("framing", number, &own.framing, &guarded.framing);
        self.same("whole", number, &own.whole, &guarded.whole);
        let common = own.body.len().min(guarded.body.len());
        if own.whole || own.body.get(..common) != guarded.body.get(..common) {
            self.same("body", number, &own.body, &guarded.body);
        }
        let says_so = own.closes
            && self.own.seen.get(number).is_some_and(|seen| {
                is_left(seen) || is_obscure(seen) || seen.ended == service::Ended::Broken
            });
        if !says_so && !self.is_disturbed() {
            self.same("closes", number, &own.closes, &guarded.closes);
        }
    }

    /// The connection ends alike, or stays in the same phase.
    fn ends(&mut self) {
        let (own, guarded) = (self.own, self.guarded);
        if !self.ends_early() && !self.is_disturbed() {
            self.same("ended", 0, &own.ended, &guarded.ended);
            self.same("phase", 0, &own.phase, &guarded.phase);
        }
        // Hyper itself may leave an answer unfinished behind a request with `Upgrade`.
        if own.answers.iter().take(own.quick).any(|answer| !answer.whole) && !self.is_reset() {
            self.same("an answer that broke off is the end", 0, &own.ended, &Ended::Cut);
        }
        if self.script.drains.is_some_and(|after| after <= self.script.events.len())
            && own.ended == Ended::Open
        {
            let goes_on = matches!(own.phase, Phase::Busy | Phase::Head);
            self.same("a drained connection has something to do", 0, &goes_on, &true);
        }
    }

    /// Whether the own reader ended the connection where hyper need not have, and said so.
    fn ends_early(&self) -> bool {
        let (seen, answers) = (&self.own.seen, &self.own.answers);
        let says_so = match answers.last() {
            Some(last) if answers.len() == seen.len() => last.closes || !last.whole,
            _ => self.own.ended == Ended::Cut,
        };
        self.own.quick == seen.len()
            && self.own.ended != Ended::Open
            && seen.last().is_some_and(|last| is_left(last) || is_obscure(last))
            && says_so
    }

    fn is_reset(&self) -> bool {
        self.script.events.contains(&Event::Breaks)
    }

    fn is_disturbed(&self) -> bool {
        self.is_reset() || self.script.drains.is_some()
    }
}

/// Whether the body had not come to its end, and was not asked for.
fn is_left(seen: &Seen) -> bool {
    seen.ended == service::Ended::Left && seen.announced != Some(0)
}

/// Whether it says something about the connection that is not all text.
fn is_obscure(seen: &Seen) -> bool {
    let mut said = seen.headers.iter().filter(|(name, _)| name == "connection");
    said.any(|(_, value)| value.iter().any(|byte| *byte > 0x7e))
}
