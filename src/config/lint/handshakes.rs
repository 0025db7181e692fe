//! Handshakes that the route cannot answer yet.

use super::{Context, Finding, route_key};

pub(super) fn lint(cx: &mut Context<'_>) {
    for route in cx.routes() {
        for (handshake, key) in route.scheme.handshakes().lacking() {
            let about = route.definition.expect.get(key).map(|known| known.about.as_str());
            let problem = cx
                .problem(
                    Finding::HandshakeLacks,
                    &route_key(route, "provider"),
                    format!(
                        "{}'s handshake {handshake:?} is refused until the route says \
                         expect.{key}",
                        route.provider
                    ),
                )
                .detail(about.unwrap_or_default())
                .suggest(format!("expect = {{ {key} = \"…\" }}"));
            cx.found.push(problem);
        }
    }
}
