//! What every definition must hold to: it checks, and what it signs it verifies, and nothing else.

use std::sync::Arc;

use http::{HeaderMap, Uri};

use super::{all, builtin, by_case, names, raw};
use crate::{
    clock::UnixMs,
    decision::Refusal,
    verify::{
        Definition, Event, Head, KeyRing, Scheme, SchemeOptions, Secret, Verified,
        sign::{SignRequest, SignedRequest, sign},
    },
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);
const URL: &str = "https://hooks.example.com/in?x=1";
/// Text, hexadecimal and base64 at once.
const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct Route {
    definition: &'static Arc<Definition>,
    scheme: Scheme,
    secrets: Vec<Secret>,
    keys: KeyRing,
}

impl Route {
    fn new(definition: &'static Arc<Definition>) -> Self {
        let mut options = SchemeOptions::default();
        for (key, expectation) in &definition.expect {
            if expectation.is_required() {
                assert_eq!(key, "url", "{}", definition.name);
                options.expect.insert("url".to_owned(), URL.to_owned());
            }
        }
        let scheme = Scheme::compile(definition, &options)
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", definition.name));
        let secrets = vec![
            Secret { id_is_explicit: true, ..Secret::new("1", SECRET.as_bytes()) },
            Secret::new("2", SECRET.replace('0', "f").as_bytes()),
        ];
        let keys = KeyRing::build(&scheme, &secrets).unwrap();
        Self { definition, scheme, secrets, keys }
    }

    fn request<'a>() -> SignRequest<'a> {
        SignRequest { at: NOW, body: None, headers: &[], id: None, kind: None, seed: 7, url: URL }
    }

    fn sign(&self, request: &SignRequest<'_>) -> SignedRequest {
        sign(self.definition, &self.scheme, &self.secrets, request)
            .unwrap_or_else(|error| panic!("{}: {error}", self.definition.name))
    }

    fn judge(&self, request: &SignedRequest) -> Result<(Verified, Event), Refusal> {
        let (uri, headers) = parts(request);
        let head = Head { method: &request.method, uri: &uri, headers: &headers };
        let claim = self.scheme.claim(head)?;
        let verified = self.scheme.verify(&self.keys, &claim, head, &request.body, NOW)?;
        self.scheme.judge_time(&claim, head, &request.body, NOW)?;
        Ok((verified, self.scheme.event(head, &request.body)))
    }

    fn name(&self) -> &str {
        &self.definition.name
    }
}

fn parts(request: &SignedRequest) -> (Uri, HeaderMap) {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    headers.insert("host", request.authority().parse().unwrap());
    (request.target().parse().unwrap(), headers)
}

fn routes() -> impl Iterator<Item = Route> {
    all().iter().map(Route::new)
}

/// Whether the definition says that this header is signed, or holds what is compared.
fn is_signed(name: &str, header: &str) -> bool {
    let raw = raw(name).unwrap();
    let signatures = &raw.signature.as_ref().unwrap().0;
    let texts = signatures.iter().flat_map(|s| [&s.from, &s.signed]);
    texts.flatten().any(|text| {
        let text = text.to_ascii_lowercase();
        let at = |kind: &str| text.contains(&format!("{kind}:{header}"));
        // A numbered header, one that the route names, or credentials.
        at("header")
            || text.strip_prefix("headers:").is_some_and(|prefix| header.starts_with(prefix))
            || (header == "authorization"
                && matches!(&*text, "basic" | "bearer" | "header:{expect.header}"))
    })
}

#[test]
fn every_definition_checks() {
    for name in names() {
        let checked = Definition::check(name, raw(name).unwrap().clone());
        assert!(checked.is_ok(), "{name}: {:?}", checked.err());
    }
}

#[test]
fn what_is_signed_verifies() {
    for route in routes() {
        let request = route.sign(&Route::request());
        let judged = route.judge(&request);
        let (_, event) = judged.unwrap_or_else(|r| panic!("{}: {r}\n{request:?}", route.name()));
        let written = raw(route.name()).unwrap().event.clone().unwrap_or_default();
        assert_eq!(event.ids.is_empty(), written.id.is_none(), "{}: ids", route.name());
        assert_eq!(event.kind.is_none(), written.kind.is_none(), "{}: type", route.name());
        assert_eq!(request.method, route.definition.methods[0]);
    }
}

#[test]
fn ids_are_fresh_unless_asked_for() {
    for route in routes().filter(|route| route.scheme.coverage().event_id.is_some()) {
        let ids = |request: &SignRequest<'_>| route.judge(&route.sign(request)).unwrap().1.ids;
        let first = ids(&Route::request());
        assert_eq!(first, ids(&Route::request()), "{}: the seed decides", route.name());
        let other = ids(&SignRequest { seed: 8, ..Route::request() });
        assert_ne!(first, other, "{}", route.name());
        let id = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
        let same = ids(&SignRequest { id: Some(id), ..Route::request() });
        assert_eq!(same.as_slice(), [Box::from(id)], "{}", route.name());
    }
}

#[test]
fn a_changed_header_is_refused_exactly_if_it_is_signed() {
    for mut route in routes() {
        // Of two signatures by two keys, one suffices.
        route.secrets.truncate(1);
        let request = route.sign(&Route::request());
        let covered = &route.scheme.coverage().headers;
        for (at, (header, value)) in request.headers.iter().enumerate() {
            let header = header.to_ascii_lowercase();
            // Where a form is read, the content type says that there is one.
            let decides = header == "content-type" && value.contains("form");
            // A key id only chooses among keys.
            let chooses = raw(route.name()).unwrap().signature.as_ref().is_some_and(|many| {
                let is = |id: &String| id.to_ascii_lowercase() == format!("header:{header}");
                many.0.iter().any(|s| s.key_id.as_ref().is_some_and(is))
            });
            if decides || chooses {
                continue;
            }
            let mut forged = request.clone();
            let last = if value.ends_with('1') { '2' } else { '1' };
            forged.headers[at].1.pop();
            forged.headers[at].1.push(last);
            let signed = is_signed(route.name(), &header);
            assert_eq!(route.judge(&forged).is_err(), signed, "{}: {header}", route.name());
            assert!(signed || !covered.contains(&header), "{}: {header}", route.name());
            forged.headers.remove(at);
            assert_eq!(route.judge(&forged).is_err(), signed, "{}: no {header}", route.name());
        }
    }
}

#[test]
fn a_changed_body_is_refused_exactly_if_it_is_covered() {
    for route in routes() {
        let request = route.sign(&Route::request());
        let accepted = (0..request.body.len()).filter(|at| {
            let mut forged = request.clone();
            forged.body[*at] ^= 1;
            route.judge(&forged).is_ok()
        });
        let longer = SignedRequest { body: [&*request.body, b" "].concat(), ..request.clone() };
        if route.scheme.coverage().body {
            assert_eq!(accepted.count(), 0, "{}", route.name());
            assert!(route.judge(&longer).is_err(), "{}", route.name());
        } else {
            assert!(request.body.is_empty() || accepted.count() > 0, "{}", route.name());
        }
    }
}

#[test]
fn another_secret_or_time_is_refused() {
    for mut route in routes() {
        let name = route.name().to_owned();
        if let Some(covered) = route.scheme.coverage().timestamp {
            assert!(covered, "{name}: nobody may change the time");
            let tolerance = route.scheme.tolerance().as_millis() as i64;
            for (ms, good) in [
                (tolerance, true),
                (-tolerance, true),
                (tolerance + 1000, false),
                (-tolerance - 1000, false),
            ] {
                let at = UnixMs(NOW.0 - ms);
                let request = route.sign(&SignRequest { at, ..Route::request() });
                assert_eq!(route.judge(&request).is_ok(), good, "{name}: {ms} ms ago");
            }
        }
        route.secrets[0] = Secret::new("1", SECRET.replace('1', "2").as_bytes());
        route.secrets[1] = Secret::new("2", SECRET.replace('1', "3").as_bytes());
        let request = route.sign(&Route::request());
        assert!(route.judge(&request).is_err(), "{name}: another secret");
    }
}

#[test]
fn a_given_body_keeps_its_bytes() {
    let body = b"{\"a\" : 1,\n \"a\":2}\xff";
    for route in routes().filter(|route| route.scheme.coverage().body) {
        let json = raw(route.name()).unwrap().timestamp.as_ref().is_some_and(|timestamp| {
            timestamp.from.as_ref().is_some_and(|from| from.0[0].starts_with("json:"))
        });
        if !json {
            let request = route.sign(&SignRequest { body: Some(body), ..Route::request() });
            assert_eq!(request.body, body, "{}", route.name());
            assert!(route.judge(&request).is_ok(), "{}", route.name());
        }
    }
}

#[test]
fn what_the_caller_says_is_not_overwritten() {
    let headers = [("x-github-event".to_owned(), "ping".to_owned())];
    let route = Route::new(builtin("github").unwrap());
    let request = route.sign(&SignRequest { headers: &headers, ..Route::request() });
    assert_eq!(
        request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("x-github-event")).count(),
        1
    );
    assert_eq!(&*route.judge(&request).unwrap().1.kind.unwrap(), "ping");
    assert!(request.headers.iter().any(|(name, _)| name == "X-Hub-Signature-256"));

    let headers = [("Stripe-Signature".to_owned(), "t=1,v1=00".to_owned())];
    let route = Route::new(builtin("stripe").unwrap());
    let request = route.sign(&SignRequest { headers: &headers, ..Route::request() });
    assert_eq!(request.headers[0], headers[0]);
    assert!(route.judge(&request).is_err());
}

#[test]
fn cases_find_their_definition() {
    let name = |provider, variant| by_case(provider, variant).map(|d| d.name.to_string());
    assert_eq!(name("stripe", None).as_deref(), Some("stripe"));
    assert_eq!(name("meta-whatsapp", None).as_deref(), Some("meta"));
    assert_eq!(name("hubspot", Some("v3")).as_deref(), Some("hubspot"));
    assert_eq!(name("hubspot", Some("v1")), None);
    assert_eq!(name("adyen", Some("platform-header")).as_deref(), Some("adyen-platform"));
    assert_eq!(name("adyen", Some("payments-body")), None);
    assert_eq!(name("nobody", None), None);
}
