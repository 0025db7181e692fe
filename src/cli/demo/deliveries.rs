//! What the demo sends, and what must become of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    clock::{Clock, UnixMs},
    decision::Code,
    providers,
    verify::{
        Scheme, SchemeOptions, Secret,
        sign::{SignRequest, SignedRequest, sign},
    },
};

/// The secret of every route.
pub(super) const SECRET: &str = "demo-secret";

/// One request.
pub(super) struct Delivery {
    pub(super) provider: &'static str,
    pub(super) what: &'static str,
    pub(super) request: SignedRequest,
    pub(super) expected: Code,
}

/// A gateway with three routes and a receiver of its own.
pub(super) fn configuration(port: u16) -> String {
    let route = |name| {
        format!(
            "[routes.{name}]\npath = \"/{name}\"\nprovider = \"{name}\"\nsecrets = [{{ value = \
             \"{SECRET}\", id = \"demo\" }}]\nupstream = \"builtin:echo\"\n"
        )
    };
    let routes = ["github", "stripe", "slack"].map(route).concat();
    format!("[server]\nlisten = [\"127.0.0.1:{port}\"]\n{routes}")
}

/// In the order in which they are sent.
pub(super) fn deliveries(gateway: SocketAddr) -> Result<Vec<Delivery>, String> {
    let now = Clock::system().unix();
    let sender = Sender { gateway, now };
    let push = sender.signed("github", now, br#"{"ref":"refs/heads/main","commits":[]}"#)?;
    let mut forged = sender.signed("github", now, br#"{"ref":"refs/heads/next","commits":[]}"#)?;
    if let Some(byte) = forged.body.get_mut(20) {
        *byte ^= 1;
    }
    let paid = br#"{"id":"evt_demo_1","type":"invoice.paid"}"#;
    let message = br#"{"type":"event_callback","event_id":"Ev0DEMO","event":{"type":"message"}}"#;
    let stale = br#"{"id":"evt_demo_0","type":"invoice.paid"}"#;
    let list = [
        ("github", "push, signed", push.clone(), Code::Forwarded),
        ("stripe", "invoice.paid, signed", sender.signed("stripe", now, paid)?, Code::Forwarded),
        ("slack", "message, signed", sender.signed("slack", now, message)?, Code::Forwarded),
        ("github", "one byte changed", forged, Code::SignatureMismatch),
        (
            "stripe",
            "signed 10 min ago",
            sender.signed("stripe", before(now, Duration::from_secs(600)), stale)?,
            Code::TimestampExpired,
        ),
        ("github", "same bytes again", push, Code::Replayed),
        (
            "stripe",
            "same event, new signature",
            sender.signed("stripe", before(now, Duration::from_secs(1)), paid)?,
            Code::Duplicate,
        ),
    ];
    let delivery =
        |(provider, what, request, expected)| Delivery { provider, what, request, expected };
    Ok(list.into_iter().map(delivery).collect())
}

fn before(now: UnixMs, by: Duration) -> UnixMs {
    UnixMs(now.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

struct Sender {
    gateway: SocketAddr,
    now: UnixMs,
}

impl Sender {
    fn signed(&self, provider: &str, at: UnixMs, body: &[u8]) -> Result<SignedRequest, String> {
        let definition = providers::builtin(provider).ok_or("the catalogue lacks a provider")?;
        let scheme = Scheme::compile(definition, &SchemeOptions::default())
            .map_err(|problems| problems.join("; "))?;
        let secret = Secret {
            id: Arc::from("demo"),
            id_is_explicit: true,
            bytes: SECRET.as_bytes().to_vec().into(),
            expires: None,
        };
        let request = SignRequest {
            at,
            body: Some(body),
            headers: &[],
            id: None,
            kind: None,
            seed: u64::from_ne_bytes(self.now.0.to_ne_bytes()),
            url: &format!("http://{}/{provider}", self.gateway),
        };
        sign(definition, &scheme, &[secret], &request).map_err(|error| error.to_string())
    }
}
