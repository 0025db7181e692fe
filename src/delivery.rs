//! The one value that travels through the layers, and the record that they write to.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    ops::Range,
    sync::Arc,
};

use http::{HeaderValue, request::Parts};

use crate::{
    clock::{Mono, UnixMs},
    config::model::Check,
    decision::{Code, Refusal},
    gateway::{Route, Shared},
    net::Remark,
    telemetry::Conclusion,
    verify::handshake::Reply,
};

/// A request on its way: head, body (a stream first, then bytes), what was proven of it so far,
/// and the record of what happened to it.
///
/// Layers take it by value and hand it on with one proof more. The forwarder's parameter names
/// exactly the proofs of all layers, so that a stack with a check left out does not compile.
pub struct Delivery<B, P = ()> {
    /// Method, URI as received, headers.
    pub head: Box<Parts>,
    /// The body.
    pub body: B,
    /// What was proven so far.
    pub proof: P,
    /// What metrics, audit line and answer are made from.
    pub record: Box<Record>,
}

impl<B, P> Delivery<B, P> {
    /// Adds a proof.
    pub fn prove<Q>(self, add: impl FnOnce(P) -> Q) -> Delivery<B, Q> {
        Delivery { head: self.head, body: self.body, proof: add(self.proof), record: self.record }
    }

    /// The route that the route layer found.
    pub fn route(&self) -> &Arc<Route> {
        self.record.route()
    }
}

/// A check's result that may have been monitored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<T> {
    /// The check held, and this shows it.
    Proven(T),
    /// The check failed, but the route only monitors it. Proves nothing.
    Waived,
}

impl<T> Held<T> {
    /// The proof, if there is one.
    pub const fn proven(&self) -> Option<&T> {
        match self {
            Self::Proven(proof) => Some(proof),
            Self::Waived => None,
        }
    }
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It held.
    Pass,
    /// It failed and the request was refused for it.
    Fail(Refusal),
    /// It failed and was only monitored.
    Waived(Refusal),
}

/// What came of the checks; passing one costs a bit, not an allocation.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    passed: u16,
    failed: Vec<(Check, CheckOutcome)>,
}

impl Checks {
    /// Notes that a check held.
    pub const fn pass(&mut self, check: Check) {
        self.passed |= 1 << check as u16;
    }

    /// Notes that a check failed and the request was refused for it.
    pub fn fail(&mut self, check: Check, refusal: Refusal) {
        self.failed.push((check, CheckOutcome::Fail(refusal)));
    }

    /// Notes that a check failed and was only monitored.
    pub fn waive(&mut self, check: Check, refusal: Refusal) {
        self.failed.push((check, CheckOutcome::Waived(refusal)));
    }

    /// Every check that was judged, in drawing order.
    pub fn iter(&self) -> impl Iterator<Item = (Check, &CheckOutcome)> {
        Check::ALL.iter().filter_map(|&check| {
            let failed = self.failed.iter().find(|(failed, _)| *failed == check);
            let passed = self.passed & (1 << check as u16) != 0;
            let outcome = failed.map(|(_, outcome)| outcome);
            outcome.or_else(|| passed.then_some(&CheckOutcome::Pass)).map(|o| (check, o))
        })
    }

    /// The monitored failures, in the order they were found.
    pub fn waived(&self) -> impl Iterator<Item = (Check, &Refusal)> {
        self.failed.iter().filter_map(|(check, outcome)| match outcome {
            CheckOutcome::Waived(refusal) => Some((check.monitored_as(), refusal)),
            CheckOutcome::Pass | CheckOutcome::Fail(_) => None,
        })
    }
}

/// Everything that is known of one request when it ends.
///
/// Made at the edge, boxed once, written to by the layers, and turned into metrics, an audit line
/// and an answer in one place.
pub struct Record {
    /// When the head was complete, monotonic.
    pub started: Mono,
    /// When the head was complete.
    pub time: UnixMs,
    /// The time that the delivery is judged at: when its body was complete.
    pub now: UnixMs,
    /// Ours, or a trusted proxy's.
    pub request_id: RequestId,
    /// The address that policy is applied to: IPv4-mapped IPv6 already IPv4.
    pub source: IpAddr,
    /// The same as a header's value, where the connection has it ready.
    pub source_value: Option<HeaderValue>,
    /// Whether it came over HTTPS, on the wire or said so by a trusted proxy.
    pub secure: bool,
    /// Host as the sender addressed it, lower case, without port; empty if there is none.
    pub host: Box<str>,
    /// A remark for operators on how `source` and `secure` were found, such as an untrusted peer
    /// that sent `X-Forwarded-For`.
    pub remark: Option<Remark>,
    /// The route, once found.
    pub route: Option<Arc<Route>>,
    /// What the path pattern's `*` stood for, as a range of the request's path.
    pub remainder: Option<Range<usize>>,
    /// What came of each check.
    pub checks: Checks,
    /// Whether body bytes may still be under way; the connection cannot be used again then.
    pub unread: bool,
    /// Whether there was an HTTP/1 body.
    pub bodied: bool,
    /// Whether it came with its head, so that nothing of it is under way.
    pub whole: bool,
    /// Whether nothing on the connection is a request any more after this one: a chunked body is
    /// the last, because its end is a matter of parsing.
    pub last: bool,
    /// Which key verified.
    pub key_id: Option<Arc<str>>,
    /// The covered or vouched event id; several are joined with `,`.
    pub event_id: Option<Box<str>>,
    /// The event type.
    pub event_type: Option<Box<str>>,
    /// Body length in bytes, once known.
    pub bytes: u64,
    /// SHA-256 of the body; computed only where an audit line is written.
    pub body_sha256: Option<[u8; 32]>,
    /// The upstream's own status.
    pub upstream_status: Option<u16>,
    /// Time from handing the request to the upstream to its status line, in microseconds.
    pub upstream_us: Option<u64>,
    /// What a handshake is answered with.
    pub reply: Option<Box<Reply>>,
    /// What could have matched instead, for a mismatch; see `hookward verify`.
    pub near_miss: Option<NearMiss>,
    /// What all requests share.
    pub shared: Arc<Shared>,
    /// Whether the decision was made known.
    pub concluded: bool,
}

/// Finds out what could have matched instead; run off the request's path.
#[derive(Clone)]
pub struct NearMiss(pub Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl fmt::Debug for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NearMiss")
    }
}

impl Record {
    /// A record of which nothing is known yet but what all requests share, and the time.
    pub fn new(shared: Arc<Shared>) -> Self {
        let now = shared.clock.unix();
        Self {
            started: shared.clock.mono(),
            time: now,
            now,
            request_id: RequestId::new(),
            source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            source_value: None,
            secure: false,
            host: Box::default(),
            remark: None,
            route: None,
            remainder: None,
            checks: Checks::default(),
            unread: false,
            bodied: false,
            whole: false,
            last: false,
            key_id: None,
            event_id: None,
            event_type: None,
            bytes: 0,
            body_sha256: None,
            upstream_status: None,
            upstream_us: None,
            reply: None,
            near_miss: None,
            shared,
            concluded: false,
        }
    }

    /// The route that the route layer found.
    ///
    /// # Panics
    ///
    /// Only if called by something that stands before the route layer.
    #[expect(
        clippy::expect_used,
        reason = "the stack has one order, and the route layer is its first"
    )]
    pub fn route(&self) -> &Arc<Route> {
        self.route.as_ref().expect("the route layer comes first")
    }

    /// Makes the one decision known: metrics, audit, log.
    pub fn conclude(&mut self, code: Code, status: u16, refusal: Option<&Refusal>) {
        self.concluded = true;
        let shared = Arc::clone(&self.shared);
        let route = self.route.clone();
        shared.telemetry.conclude(&Conclusion {
            route: route.as_deref().map(|route| &route.telemetry),
            record: self,
            code,
            status,
            refusal,
        });
    }
}

/// A record that is dropped undecided belongs to a sender that hung up, or to a panic.
impl Drop for Record {
    fn drop(&mut self) {
        if self.concluded {
            return;
        }
        if std::thread::panicking() {
            let refusal =
                Refusal::new(Code::InternalError, "a fault in the gateway; please report it");
            self.conclude(Code::InternalError, 503, Some(&refusal));
        } else {
            let refusal = Refusal::new(Code::SenderGone, "the sender hung up");
            self.conclude(Code::SenderGone, 499, Some(&refusal));
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("request_id", &self.request_id)
            .field("source", &self.source)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

/// `X-Request-Id`: ours, or a trusted proxy's if it is `[A-Za-z0-9._-]{1,128}`.
///
/// Kept as a header's value, because that is what it becomes twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// A new one: 32 hexadecimal digits.
    pub fn new() -> Self {
        let mut text = [0; 32];
        // The buffer is exactly twice as long as the bytes, and digits are a fine value.
        let encoded = hex::encode_to_slice(fastrand::u128(..).to_be_bytes(), &mut text);
        let value = encoded.ok().and_then(|()| HeaderValue::from_bytes(&text).ok());
        Self(value.unwrap_or(HeaderValue::from_static("0")))
    }

    /// Takes a trusted proxy's, if it is well formed.
    pub fn accept(theirs: &HeaderValue) -> Option<Self> {
        let text = theirs.as_bytes();
        let fine = (1..=128).contains(&text.len())
            && text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        fine.then(|| Self(theirs.clone()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As a header's value.
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// The value itself, for whoever is the last to need it: a copy of it would be shared.
    pub fn take(&mut self) -> HeaderValue {
        std::mem::replace(&mut self.0, HeaderValue::from_static(""))
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_of_others_are_taken_only_if_harmless() {
        let accept = |text: &[u8]| RequestId::accept(&HeaderValue::from_bytes(text).unwrap());
        assert_eq!(accept(b"a.B-9_").unwrap().as_str(), "a.B-9_");
        for bad in [&b""[..], b"a b", b"a\tb", b"\xff", &[b'a'; 129]] {
            assert_eq!(accept(bad), None);
        }
        assert_eq!(RequestId::new().as_str().len(), 32);
    }
}
