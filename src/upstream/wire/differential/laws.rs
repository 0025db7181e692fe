//! Where the own reader may be stricter than hyper, and nowhere else.

use std::fmt::Debug;

use http::header;

use super::{
    super::answer::BadAnswer,
    run::{Ended, Heard, Refused, Script, hyper, own},
};

/// Plays an answer to both and compares.
///
/// # Panics
///
/// If a law does not hold.
pub(super) fn hold(script: &Script) {
    let broken = broken(script);
    assert!(broken.is_empty(), "{}\n{script:#?}", broken.join("\n"));
}

/// The laws that do not hold for an answer.
pub(super) fn broken(script: &Script) -> Vec<String> {
    let (own, hyper) = (own(script), hyper(script));
    let mut broken = Vec::new();
    let mut same = |what: &str, holds: bool, said: &dyn Debug| {
        if !holds {
            broken.push(format!("{what}: {said:?}: {own:?} but hyper {hyper:?}"));
        }
    };
    if own.head.is_some() {
        same("head", own.head == hyper.head, &());
    }
    same("reusable", hyper.reusable || !own.reusable, &());
    match own.ended {
        Ended::Whole => {
            same("whole", hyper.ended == Ended::Whole, &());
            same("body", own.body == hyper.body, &());
            let stays = own.reusable || !hyper.reusable || says_obscurely(&own);
            same("used once", stays, &());
        }
        Ended::Open => same("open", hyper.ended == Ended::Open, &()),
        Ended::Cut => {
            same("body before the cut", hyper.body.starts_with(&own.body), &());
            let reason = own.refused.is_some_and(|refused| stricter(refused, hyper.ended));
            same("cut", hyper.ended == Ended::Cut || reason, &());
        }
    }
    broken
}

/// The reasons that are the own reader's alone:
///
/// - a length that is none, where nothing comes of it (204, 304, to `HEAD`), or is beyond measure;
/// - a coding that is no text;
/// - a head that is too large, or so many interim ones;
/// - another protocol, that nobody asked for;
/// - a chunk's size in more than 16 digits, control characters behind it, or that much of it;
/// - bytes that no more can mend: hyper waits for the end of the head before it says so.
fn stricter(refused: Refused, hyper: Ended) -> bool {
    match refused {
        Refused::Head(BadAnswer::Syntax(_)) => hyper == Ended::Open,
        Refused::Head(_) | Refused::Chunk => true,
    }
}

/// Whether there is `Connection` that is not all text: what it says the own reader heeds.
fn says_obscurely(heard: &Heard) -> bool {
    let headers = heard.head.iter().flat_map(|(.., headers)| headers.get_all(header::CONNECTION));
    headers.into_iter().any(|value| value.to_str().is_err())
}
