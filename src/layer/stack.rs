//! The way of a request, as one function.

use std::sync::Arc;

use tower::{Layer, ServiceBuilder};

use crate::{
    delivery::Held,
    gateway::Gateway,
    verify::{Claim, Verified},
};

use super::{
    body::{ReadBodyLayer, Whole},
    challenge::{AnswerChallenge, NoChallenge},
    check::{Enforce, Monitorable},
    claim::ReadClaim,
    client_certificate::{RequireCertificate, RightCertificate},
    edge::{EdgeLayer, Peer},
    event::{WantEvent, Wanted},
    handshake::{AnswerHandshakeLayer, NoHandshake},
    keys::FetchKeysLayer,
    replay::{Once, ReplayLayer},
    route::{FindRoute, Routed},
    route_rate::{LimitRoute, WithinRouteRate},
    schema::{Satisfied, SatisfySchema},
    signature::VerifySignature,
    source::{AllowSource, AllowedSource},
    source_rate::{LimitSource, WithinSourceRate},
    timestamp::{JudgeTime, Timely},
    transport::{RequireHttps, SecureEnough},
};

/// Puts every check of the gateway in front of `onward`, outermost first.
///
/// The order is DESIGN.md's drawing: what costs least and needs to trust nobody comes first,
/// nothing is written before the signature holds, and the dearest look at the payload comes last.
/// `onward` takes exactly the proofs of all layers ([`Admitted`]), so that a stack with one left
/// out, or two swapped, does not compile.
pub(super) fn stack<S>(gateway: &Arc<Gateway>, peer: Option<Peer>, onward: S) -> Stack<S> {
    ServiceBuilder::new()
        // Every outcome of what lies below becomes one decision, one record and one response.
        .layer(EdgeLayer::new(Arc::clone(gateway), peer))
        // The route decides about everything else, so it is looked up first.
        .layer(Enforce(FindRoute(Arc::clone(gateway))))
        // Comparisons that need nothing but the connection.
        .layer(Enforce(RequireHttps))
        // What the handshake proved costs nothing to look at; a list of addresses does not excuse it.
        .layer(Enforce(RequireCertificate))
        .layer(Monitorable(AllowSource))
        // The first state a stranger can touch, bounded, before any work for the stranger.
        .layer(Enforce(LimitSource))
        // Handshakes that a provider does not sign have nothing to verify.
        .layer(Enforce(AnswerChallenge))
        // What the head shows to be missing or malformed costs no body.
        .layer(Monitorable(ReadClaim))
        // From here on the body is in memory, so size, time and memory are bounded here.
        .layer(ReadBodyLayer)
        // The key may have to be fetched; what needs none passes at once.
        .layer(FetchKeysLayer)
        // From here on the sender is known, and replay state may be written.
        .layer(Monitorable(VerifySignature))
        // Only a signed time is worth judging.
        .layer(Monitorable(JudgeTime))
        // Handshakes that a provider signs are no deliveries, and make no replay entry.
        .layer(AnswerHandshakeLayer)
        // Reserves, settles by what comes back, and outlives the sender.
        .layer(ReplayLayer)
        // Charged by authenticated deliveries alone, and not by copies.
        .layer(Enforce(LimitRoute))
        // Content last: parsing is the dearest, and only the sender itself can make us do it.
        .layer(Monitorable(WantEvent))
        .layer(Monitorable(SatisfySchema))
        .service(onward)
}

/// What puts every check in front of `S`.
pub type Stack<S> = <EdgeLayer as Layer<Checks<S>>>::Service;

type Checks<S> = super::check::Enforced<
    FindRoute,
    super::check::Enforced<
        RequireHttps,
        super::check::Enforced<
            RequireCertificate,
            super::check::Monitored<AllowSource, super::check::Enforced<LimitSource, Asked<S>>>,
        >,
    >,
>;

type Asked<S> = super::check::Enforced<
    AnswerChallenge,
    super::check::Monitored<
        ReadClaim,
        super::body::ReadBody<super::keys::FetchKeys<Authenticated<S>>>,
    >,
>;

type Authenticated<S> = super::check::Monitored<
    VerifySignature,
    super::check::Monitored<
        JudgeTime,
        super::handshake::AnswerHandshake<super::replay::Replay<Content<S>>>,
    >,
>;

type Content<S> = super::check::Enforced<
    LimitRoute,
    super::check::Monitored<WantEvent, super::check::Monitored<SatisfySchema, S>>,
>;

/// Everything that must be proven of a delivery before it may leave the stack.
pub type Admitted = ((((AtReplay, Held<Once>), WithinRouteRate), Held<Wanted>), Held<Satisfied>);
type AtReplay = (((AtSignature, Held<Verified>), Held<Timely>), NoHandshake);
type AtSignature = ((AtClaim, Held<Claim>), Whole);
type AtClaim = (((AtSource, Held<AllowedSource>), WithinSourceRate), NoChallenge);
type AtSource = ((((), Routed), SecureEnough), RightCertificate);

/// Of all proofs the one that holds the body's memory.
pub(super) fn whole_of(proof: Admitted) -> Whole {
    let ((((at_replay, _), _), _), _) = proof;
    let (((at_signature, _), _), _) = at_replay;
    let (_, whole) = at_signature;
    whole
}
