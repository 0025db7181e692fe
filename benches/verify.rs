//! What verifying costs, without network: head and body in, verdict out.
//!
//! `cargo bench --bench verify`

mod support;

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookward::{
    clock::UnixMs,
    verify::{Credentials, Head, KeyRing, PublicKey, PublicKeys, Secret, read_public_keys},
};
use rcgen::{KeyPair, SignatureAlgorithm};

use support::{Sender, Signed, URL};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);

/// A family of schemes, by a provider that uses it.
struct Family {
    provider: &'static str,
    body: Body,
    key: Key,
    expect: &'static [(&'static str, &'static str)],
}

/// What is signed.
#[derive(Clone, Copy)]
enum Body {
    Form,
    Json,
    /// The fields that are signed have to be there.
    Sample,
}

/// What it is signed with.
#[derive(Clone, Copy)]
enum Key {
    Pair(&'static SignatureAlgorithm),
    Secret(&'static str),
}

/// Good for those that decode it as base64, and for those that do not.
const SECRET: Key = Key::Secret("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY");

impl Family {
    const fn new(provider: &'static str, key: Key) -> Self {
        Self { provider, body: Body::Json, key, expect: &[] }
    }
}

const FAMILIES: &[Family] = &[
    // A token, and nothing of the body.
    Family::new("gitlab", SECRET),
    // HMAC over the body, in hex and in base64; SHA-1.
    Family::new("github", SECRET),
    Family::new("shopify", SECRET),
    Family::new("vercel", SECRET),
    // HMAC over a template with a timestamp, from one header and from two.
    Family::new("stripe", SECRET),
    Family::new("slack", SECRET),
    Family::new("standard-webhooks", SECRET),
    // HMAC over the URL and the sorted fields of a form.
    Family { body: Body::Form, expect: &[("url", URL)], ..Family::new("twilio", SECRET) },
    // HMAC over fields of every element of a JSON array.
    Family {
        body: Body::Sample,
        ..Family::new("adyen", Key::Secret("00112233445566778899AABBCCDDEEFF"))
    },
    // HTTP Message Signatures: digest and signature base.
    Family::new("rfc9421-hmac-sha256", SECRET),
    Family::new("rfc9421-ed25519", Key::Pair(&rcgen::PKCS_ED25519)),
    // JSON Web Tokens beside the body: HS256 with its digest, RS256 without.
    Family { expect: &[("url", URL)], ..Family::new("messagebird", SECRET) },
    Family {
        expect: &[("aud", URL), ("email", "push@example.com")],
        ..Family::new("google-pubsub", Key::Pair(&rcgen::PKCS_RSA_SHA256))
    },
    // Public keys over a template.
    Family::new("discord", Key::Pair(&rcgen::PKCS_ED25519)),
    Family::new("sendgrid", Key::Pair(&rcgen::PKCS_ECDSA_P256_SHA256)),
    Family::new("wise", Key::Pair(&rcgen::PKCS_RSA_SHA256)),
];

/// One signed message and everything that it is judged by.
struct Case {
    sender: Sender,
    keys: KeyRing,
    message: Signed,
}

impl Case {
    /// A message of about so many bytes, signed with the last of so many secrets.
    fn new(family: &Family, bytes: usize, secrets: usize) -> Self {
        let sender = Sender::new(family.provider, family.expect);
        let (credentials, secret) = credentials(family.key, secrets);
        let keys = KeyRing::build(&sender.scheme, &credentials).expect("keys for the scheme");
        let body = match family.body {
            Body::Form => Some(form(bytes)),
            Body::Json => Some(json(bytes)),
            Body::Sample => None,
        };
        let message = sender.sign(&secret, body.as_deref(), NOW);
        Self { sender, keys, message }
    }

    /// All steps that the gateway takes.
    fn judge(&self) {
        let Self { sender: Sender { scheme, .. }, keys, message } = self;
        let Signed { method, uri, headers, body } = message;
        let head = Head { method, uri, headers };
        let claim = scheme.claim(head).expect("a well-formed head");
        let verified = scheme.verify(keys, &claim, head, body, NOW);
        let verified = verified.expect("a signature that holds");
        let fresh = scheme.judge_time(&claim, Some(&verified), head, body, NOW);
        black_box((fresh.expect("in time"), &verified, scheme.event(head, body)));
    }
}

/// JSON of about so many bytes.
fn json(bytes: usize) -> Vec<u8> {
    let pad = "x".repeat(bytes.saturating_sub(36));
    format!(r#"{{"id":"evt_1","type":"x","pad":"{pad}"}}"#).into_bytes()
}

/// A form of about so many bytes, in fields as a provider of messages sends them.
fn form(bytes: usize) -> Vec<u8> {
    let field = |number: usize| format!("Field{number:05}=hello+world%2C+{number:05}");
    let fields: Vec<_> = (0..bytes.div_ceil(37)).rev().map(field).collect();
    fields.join("&").into_bytes()
}

/// What a route verifies with, and the last of its keys to sign with.
fn credentials(key: Key, secrets: usize) -> (Credentials, Secret) {
    match key {
        Key::Secret(text) => {
            // Four digits more keep it base64 and hex.
            let secret = |number| Secret::new("bench", format!("{text}{number:04}").as_bytes());
            let secrets: Vec<_> = (0..secrets).map(secret).collect();
            let last = secrets.last().cloned().expect("a secret");
            (secrets.as_slice().into(), last)
        }
        Key::Pair(algorithm) => {
            let pair = KeyPair::generate_for(algorithm).expect("a pair of keys");
            let keys = read_public_keys(pair.public_key_pem().as_bytes()).expect("a public key");
            let keys = PublicKeys::Known(keys);
            let own = PublicKey { id: "bench".into(), id_is_explicit: false, expires: None, keys };
            let credentials = Credentials { public_keys: vec![own], ..Credentials::default() };
            (credentials, Secret::new("bench", pair.serialize_pem().as_bytes()))
        }
    }
}

fn families(c: &mut Criterion) {
    let mut group = c.benchmark_group("family");
    for family in FAMILIES {
        let case = Case::new(family, 1024, 1);
        group.bench_function(family.provider, |b| b.iter(|| case.judge()));
    }
}

fn sizes(c: &mut Criterion) {
    let mut group = c.benchmark_group("size");
    for family in FAMILIES.iter().filter(|family| SIZED.contains(&family.provider)) {
        for bytes in [256, 1024, 16 * 1024, 256 * 1024] {
            let case = Case::new(family, bytes, 1);
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_with_input(BenchmarkId::new(family.provider, bytes), &case, |b, case| {
                b.iter(|| case.judge());
            });
        }
    }
}

fn secrets(c: &mut Criterion) {
    let mut group = c.benchmark_group("secrets");
    for family in FAMILIES.iter().filter(|family| matches!(family.provider, "github" | "gitlab")) {
        for secrets in [1, 2, 8] {
            let case = Case::new(family, 1024, secrets);
            group.bench_with_input(BenchmarkId::new(family.provider, secrets), &case, |b, case| {
                b.iter(|| case.judge());
            });
        }
    }
}

/// One of each way to take a body in: as it is, in a template, by its digest, in pieces, not at all.
const SIZED: &[&str] =
    &["github", "stripe", "twilio", "rfc9421-hmac-sha256", "discord", "google-pubsub"];

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = families, sizes, secrets
}
criterion_main!(benches);
