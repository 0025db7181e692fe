//! The systems that Hookward was made for. Each file plays one of them by the rules that its
//! documentation states: what it sends, what it takes for a success, how often it tries again, and
//! what makes it give up. The stories are theirs; the gateway stands between them and a receiver
//! that fails as receivers do.

mod blue;
mod dropbox;
mod fatture_in_cloud;
mod getresponse;
mod github;
mod opencity;
mod salesforce;
mod stripe;

use std::time::Duration;

use crate::support::{Act, Answer, Client, Gateway, Upstream, request};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const OTHER: &str = "another-secret-of-some-length";

/// One route, `r` at `/hook`, with a recording receiver behind it.
struct Scene {
    gateway: Gateway,
    upstream: Upstream,
}

impl Scene {
    /// `route` goes into the route's table, and may open others.
    fn start(provider: &str, route: &str) -> Self {
        Self::mapping(provider, "", route)
    }

    /// The same with more in the upstream's table.
    fn mapping(provider: &str, upstream: &str, route: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), provider, upstream, route)
    }

    fn start_in(dir: tempfile::TempDir, provider: &str, more: &str, route: &str) -> Self {
        let upstream = Upstream::start();
        let config = config(provider, &upstream.url("/receiver"), more, route);
        Self { gateway: Gateway::start_in(dir, &config), upstream }
    }

    /// Statuses of the receiver's next answers.
    fn answers(&self, statuses: &[u16]) {
        self.upstream.next(statuses.iter().map(|status| Act::Answer(*status, "")));
    }

    fn wait(&self, seconds: u32) {
        self.gateway.clock.advance(Duration::from_secs(seconds.into()));
    }

    /// Another configuration of the same route.
    fn reload(&self, provider: &str, more: &str, route: &str) {
        let config = config(provider, &self.upstream.url("/receiver"), more, route);
        assert!(self.gateway.reload(&config), "it was refused");
    }

    /// The request, sent without waiting for its answer.
    fn begin(&self, headers: &[(&str, &str)], target: &str, body: &[u8]) -> Client {
        let mut client = self.gateway.connect();
        client.write(&request("POST", target, headers, body));
        client
    }

    /// Stops, and tells every decision in order.
    fn decisions(mut self) -> Vec<String> {
        let lines = self.gateway.audit("audit.jsonl");
        let text = lines.iter().map(ToString::to_string).collect::<String>();
        assert!(!text.contains(SECRET) && !text.contains(OTHER), "a secret was written down");
        lines.iter().map(|line| line["decision"].as_str().unwrap().to_owned()).collect()
    }
}

fn config(provider: &str, url: &str, more: &str, route: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[log]\naudit = \"audit.jsonl\"\n\
         [routes.r]\npath = \"/hook\"\nprovider = \"{provider}\"\n\
         upstream = {{ urls = [\"{url}\"]{more} }}\n{route}\n"
    )
}

/// The line of a route that has these secrets.
fn secrets(secrets: &[&str]) -> String {
    let each = secrets.iter().enumerate();
    let each = each.map(|(n, secret)| format!("{{ value = \"{secret}\", id = \"k{n}\" }}"));
    format!("secrets = [{}]\n", each.collect::<Vec<_>>().join(", "))
}

/// What a sender makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was taken.
    Done,
    /// Later once more.
    Again,
    /// Never again.
    Lost,
    /// And nothing else either: the subscription is gone.
    Unsubscribed,
}

/// Tries until a verdict is final or the attempts are used up; both are told.
fn deliver(
    attempts: u32,
    mut attempt: impl FnMut(u32) -> Answer,
    judge: impl Fn(&Answer) -> Verdict,
) -> (Verdict, u32) {
    for number in 1..=attempts {
        let verdict = judge(&attempt(number));
        if verdict != Verdict::Again || number == attempts {
            return (verdict, number);
        }
    }
    unreachable!("there is at least one attempt")
}
