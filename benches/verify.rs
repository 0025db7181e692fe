//! What verifying costs, without network: head and body in, verdict out.
//!
//! `cargo bench --bench verify`

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookward::{
    clock::UnixMs,
    providers,
    verify::{
        Head, KeyRing, Scheme, SchemeOptions, Secret,
        sign::{SignRequest, sign},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);

/// One signed message and everything that it is judged by.
struct Case {
    scheme: Scheme,
    keys: KeyRing,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Case {
    /// Signed with the last of so many secrets.
    fn new(provider: &str, bytes: usize, secrets: usize) -> Self {
        let definition = providers::builtin(provider).expect("a built-in provider");
        let scheme = Scheme::compile(definition, &SchemeOptions::default()).expect("compiles");
        let secrets: Vec<_> = (0..secrets).map(secret).collect();
        let keys = KeyRing::build(&scheme, &secrets.as_slice().into())
            .expect("secrets that the scheme takes");
        let body = format!("{{\"id\":\"evt_1\",\"type\":\"x\",\"pad\":\"{}\"}}", "x".repeat(bytes));
        let request = SignRequest {
            at: NOW,
            body: Some(body.as_bytes()),
            headers: &[],
            id: None,
            kind: None,
            seed: 1,
            url: "http://127.0.0.1:8080/hook",
        };
        let last = secrets.last().map(std::slice::from_ref).expect("a secret");
        let signed = sign(definition, &scheme, last, &request).expect("signs");
        let mut headers = HeaderMap::new();
        for (name, value) in &signed.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let uri = Uri::from_static("/hook");
        Self { scheme, keys, method: signed.method, uri, headers, body: signed.body }
    }

    fn judge(&self) {
        let head = Head { method: &self.method, uri: &self.uri, headers: &self.headers };
        let claim = self.scheme.claim(head).expect("a well-formed head");
        let verified = self.scheme.verify(&self.keys, &claim, head, &self.body, NOW);
        let verified = verified.expect("a signature that holds");
        let fresh = self.scheme.judge_time(&claim, Some(&verified), head, &self.body, NOW);
        black_box((fresh.expect("in time"), &verified, self.scheme.event(head, &self.body)));
    }
}

fn secret(number: usize) -> Secret {
    Secret {
        id: Arc::from(format!("key-{number}")),
        id_is_explicit: true,
        bytes: format!("whsec_{}{number:04}", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY")
            .into_bytes()
            .into(),
        expires: None,
    }
}

fn sizes(c: &mut Criterion) {
    let mut group = c.benchmark_group("size");
    for bytes in [256, 1024, 16 * 1024, 256 * 1024] {
        group.throughput(Throughput::Bytes(bytes as u64));
        let case = Case::new("github", bytes, 1);
        group.bench_with_input(BenchmarkId::new("github", bytes), &case, |b, case| {
            b.iter(|| case.judge());
        });
    }
}

fn schemes(c: &mut Criterion) {
    let mut group = c.benchmark_group("scheme");
    for provider in ["github", "stripe", "slack", "shopify", "standard-webhooks"] {
        let case = Case::new(provider, 1024, 1);
        group.bench_function(provider, |b| b.iter(|| case.judge()));
    }
}

fn rotation(c: &mut Criterion) {
    let mut group = c.benchmark_group("secrets");
    for secrets in [1, 2, 8] {
        let case = Case::new("github", 1024, secrets);
        group.bench_with_input(BenchmarkId::from_parameter(secrets), &case, |b, case| {
            b.iter(|| case.judge());
        });
    }
}

criterion_group!(benches, sizes, schemes, rotation);
criterion_main!(benches);
