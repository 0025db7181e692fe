//! What every definition must hold to: it checks, and what it signs it verifies, and nothing else.

mod mutation;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, Uri};

use super::{all, builtin, by_case, names, raw};
use crate::verify::definition::raw::RawExpected;
use crate::{
    clock::UnixMs,
    decision::Refusal,
    verify::{
        Algorithm, Credentials, Definition, Event, Head, KeyRing, NamedKey, Origin, PublicKey,
        PublicKeys, RemoteKeys, Scheme, SchemeOptions, Secret, SigningKey, Verified,
        read_public_keys,
        sign::{SignRequest, SignedRequest, sign},
    },
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);
const URL: &str = "https://hooks.example.com/in?x=1";

/// A secret that is text, hexadecimal and base64 at once; or a private key where the scheme has
/// only those. The number makes it another one.
fn secret(scheme: &Scheme, number: &str) -> Secret {
    let takes = scheme.takes();
    if takes.secrets || !takes.public_keys {
        let text = "00112233445566778899aabbccddeeff".repeat(2).replace('0', number);
        return Secret::new(number, text.as_bytes());
    }
    static MADE: Mutex<BTreeMap<(&str, String), String>> = Mutex::new(BTreeMap::new());
    let kind = scheme.coverage().algorithms.iter().find(|a| a.is_asymmetric()).unwrap().as_str();
    let kind = if kind.starts_with("rsa") { "rsa" } else { kind };
    let how = match kind {
        "ed25519" => &rcgen::PKCS_ED25519,
        "ecdsa-p256-sha256" => &rcgen::PKCS_ECDSA_P256_SHA256,
        "ecdsa-p384-sha384" => &rcgen::PKCS_ECDSA_P384_SHA384,
        _ => &rcgen::PKCS_RSA_SHA256,
    };
    let make = || rcgen::KeyPair::generate_for(how).unwrap().serialize_pem();
    let mut made = MADE.lock().unwrap();
    Secret::new(number, made.entry((kind, number.to_owned())).or_insert_with(make).as_bytes())
}

/// The URL under which the sample's certificate is to be had.
fn certificate_url(definition: &Definition) -> Option<String> {
    let signatures = &definition.written().signature;
    let from = signatures.iter().find_map(|s| s.certificate.as_ref()?.from.as_ref())?;
    if let Some(name) = from.strip_prefix("header:") {
        return definition.sample.headers.get(name).cloned();
    }
    let body: serde_json::Value = serde_json::from_str(definition.sample.body.as_ref()?).unwrap();
    Some(body.pointer(from.strip_prefix("json:")?)?.as_str()?.to_owned())
}

/// The secrets, or the public keys that belong to them.
fn credentials(definition: &Definition, scheme: &Scheme, secrets: &[Secret]) -> Credentials {
    if let Some(url) = certificate_url(definition) {
        let certificates = RemoteKeys::new(Origin::Certificates);
        let keys = secrets.iter().flat_map(|secret| {
            let key = SigningKey::read(&secret.bytes).unwrap();
            read_public_keys(key.public_pem().as_bytes()).unwrap()
        });
        let kid = |key: NamedKey| NamedKey { kid: Some(url.as_str().into()), ..key };
        certificates.replace(keys.map(kid).collect());
        return Credentials { certificates: Some(certificates), ..Credentials::default() };
    }
    let public_keys = secrets.iter().filter_map(|secret| {
        let key = SigningKey::read(&secret.bytes).ok()?;
        let known = read_public_keys(key.public_pem().as_bytes()).unwrap();
        Some(PublicKey {
            id: Arc::clone(&secret.id),
            id_is_explicit: secret.id_is_explicit,
            expires: None,
            keys: PublicKeys::Known(known),
        })
    });
    match scheme.takes().secrets {
        true => secrets.into(),
        false => Credentials { public_keys: public_keys.collect(), ..Credentials::default() },
    }
}

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
                let value = if key == "url" { URL.to_owned() } else { format!("expected-{key}") };
                options.expect.insert(key.clone(), value);
            }
        }
        let scheme = Scheme::compile(definition, &options)
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", definition.name));
        let secrets =
            vec![Secret { id_is_explicit: true, ..secret(&scheme, "1") }, secret(&scheme, "2")];
        let keys = KeyRing::build(&scheme, &credentials(definition, &scheme, &secrets)).unwrap();
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
        self.scheme.judge_time(&claim, Some(&verified), head, &request.body, NOW)?;
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
    let expect = &builtin(name).unwrap().expect;
    let named = expect.get("header").and_then(|about| about.default.as_deref());
    let is_named = named.is_some_and(|named| named.eq_ignore_ascii_case(header));
    let signatures = &raw.signature.as_ref().unwrap().0;
    let mut texts = signatures.iter().flat_map(|s| {
        let bound = s.matches.iter().flatten().flat_map(|(_, expected)| &expected.0);
        let bound = bound.filter_map(|expected| match expected {
            RawExpected::Template(text) => Some(text),
            RawExpected::Digest(table) => table.of.as_ref(),
        });
        let signed = s.signed.iter().flat_map(|many| &many.0);
        let certificate = s.certificate.iter().filter_map(|certificate| certificate.from.as_ref());
        let told = s.matches.iter().flat_map(BTreeMap::keys);
        let texts = s.from.iter().chain(signed).chain(bound).chain(certificate).chain(told);
        texts.collect::<Vec<_>>()
    });
    let is_message = signatures.iter().any(|s| s.algorithm.as_deref() == Some("rfc9421"));
    if is_message && ["signature", "signature-input", "content-digest"].contains(&header) {
        return true;
    }
    texts.any(|text| {
        let text = text.to_ascii_lowercase();
        let at = |kind: &str| text.contains(&format!("{kind}:{header}"));
        // A numbered header, one that the route names, or credentials.
        at("header")
            || (text.contains("{listed:") && is_listed(name, header))
            || text.strip_prefix("headers:").is_some_and(|prefix| header.starts_with(prefix))
            || (is_named && text == "header:{expect.header}")
            || (header == "authorization" && matches!(&*text, "basic" | "bearer"))
    })
}

/// Whether what is signed passes a filter.
fn is_in_template(name: &str, filter: &str) -> bool {
    let signatures = &raw(name).unwrap().signature.as_ref().unwrap().0;
    let mut texts = signatures.iter().flat_map(|s| s.signed.iter().flat_map(|many| &many.0));
    texts.any(|text| text.contains(&format!("|{filter}}}")))
}

/// Whether a condition looks at this header.
fn is_condition(name: &str, header: &str) -> bool {
    let signatures = &raw(name).unwrap().signature.as_ref().unwrap().0;
    let mut conditions = signatures.iter().flat_map(|s| s.when.iter().flat_map(|many| &many.0));
    conditions.any(|condition| {
        let mut names = condition.header.iter().chain(&condition.pair);
        names.any(|own| own.split('/').next().unwrap().eq_ignore_ascii_case(header))
    })
}

/// Whether a header of the sample lists this one.
fn is_listed(name: &str, header: &str) -> bool {
    let headers = &builtin(name).unwrap().sample.headers;
    headers.iter().any(|(_, list)| list.split(',').any(|listed| listed == header))
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
            // Where a form is read, the content type says that there is one; and what a condition
            // looks at decides which signature counts.
            let decides = header == "content-type" && value.contains("form")
                || is_condition(route.name(), &header);
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
        // The second changes the case of letters.
        let flips = (0..request.body.len()).flat_map(|at| [(at, 1), (at, 0x20)]);
        let accepted = flips.filter(|(at, bit)| {
            let mut forged = request.clone();
            forged.body[*at] ^= bit;
            route.judge(&forged).is_ok()
        });
        // A checksum tells one changed bit, although it covers nothing.
        let has_sum = is_in_template(route.name(), "crc32");
        let longer = SignedRequest { body: [&*request.body, b" "].concat(), ..request.clone() };
        if route.scheme.coverage().body {
            assert_eq!(accepted.count(), 0, "{}", route.name());
            assert!(route.judge(&longer).is_err(), "{}", route.name());
        } else {
            let is_open = request.body.is_empty() || has_sum || accepted.count() > 0;
            assert!(is_open, "{}", route.name());
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
        if route.scheme.coverage().algorithms.iter().all(|a| *a == Algorithm::None) {
            continue;
        }
        route.secrets[0] = Secret { id: "1".into(), ..secret(&route.scheme, "3") };
        route.secrets[1] = Secret { id: "2".into(), ..secret(&route.scheme, "4") };
        let request = route.sign(&Route::request());
        assert!(route.judge(&request).is_err(), "{name}: another secret");
    }
}

#[test]
fn a_given_body_keeps_its_bytes() {
    for route in routes().filter(|route| route.scheme.coverage().body) {
        let signatures = &raw(route.name()).unwrap().signature.as_ref().unwrap().0;
        let mut templates =
            signatures.iter().flat_map(|s| s.signed.iter().flat_map(|many| &many.0));
        let json = raw(route.name()).unwrap().timestamp.as_ref().is_some_and(|timestamp| {
            timestamp.from.as_ref().is_some_and(|from| from.0[0].starts_with("json:"))
        });
        if !json && !templates.clone().any(|text| text.contains("{json:")) {
            // Some senders sign the body as text.
            let is_text = templates.any(|t| t.contains("|json") || t.contains("|utf8"));
            let end: &[u8] = if is_text { "\u{e9}".as_bytes() } else { b"\xff" };
            let body = [b"{\"a\" : 1,\n \"a\":2}", end].concat();
            let request = route.sign(&SignRequest { body: Some(&body), ..Route::request() });
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

/// An example that the provider's documentation shows with its secret and its signature.
#[test]
fn what_documentation_shows_verifies() {
    let mut route = Route::new(builtin("sendcloud").unwrap());
    route.secrets = vec![Secret::new("1", b"secretkey")];
    route.keys = KeyRing::build(&route.scheme, &route.secrets.as_slice().into()).unwrap();
    let mut request = SignedRequest {
        method: http::Method::POST,
        url: URL.to_owned(),
        headers: vec![(
            "Sendcloud-Signature".to_owned(),
            "1eed4b3d41f4653ac64fd56f1bf1cbfd349e4482cbc11dff7134bd93e5da4b0a".to_owned(),
        )],
        body: br#"{"key": "value"}"#.to_vec(),
    };
    assert!(route.judge(&request).is_ok());
    request.body.push(b' ');
    assert!(route.judge(&request).is_err());
}

#[test]
fn cases_find_their_definition() {
    let name = |provider, variant| by_case(provider, variant).map(|d| d.name.to_string());
    assert_eq!(name("stripe", None).as_deref(), Some("stripe"));
    assert_eq!(name("meta-whatsapp", None).as_deref(), Some("meta"));
    assert_eq!(name("hubspot", Some("v3")).as_deref(), Some("hubspot"));
    assert_eq!(name("hubspot", Some("v1")).as_deref(), Some("hubspot-v1"));
    assert_eq!(name("adyen", Some("platform-header")).as_deref(), Some("adyen-platform"));
    assert_eq!(name("adyen", Some("payments-body")).as_deref(), Some("adyen"));
    assert_eq!(name("twilio", Some("form-shared-key")).as_deref(), Some("twilio"));
    assert_eq!(name("nobody", None), None);
}
