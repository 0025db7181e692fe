//! What a delivery costs from the first layer to the last, without network: the layers as an
//! application embeds them, before a service that answers at once.
//!
//! `cargo bench --bench stack`

mod support;

use std::{cell::Cell, convert::Infallible, hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hookward::{
    clock::Clock,
    gateway::Gateway,
    layer::{Peer, VerifyLayer},
    verify::Secret,
};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt, service_fn};

use support::{Sender, Signed};

const SECRET: &str = "bench-secret-bench-secret";

/// Everything on, and nothing of it near its limits.
const ROUTE: &str = r#"
[server]
listen = ["127.0.0.1:0"]
[replay]
max_entries = 100_000_000
[routes.bench]
path = "/hook"
provider = "github"
secrets = [{ value = "bench-secret-bench-secret", id = "bench" }]
upstream = "builtin:echo"
[routes.bench.rate_limit]
per_source = { rate = "1000000000/1m", burst = 10000000 }
failures = { rate = "1000000000/1m", burst = 10000000 }
per_route = { rate = "1000000000/1m", burst = 10000000 }
[routes.bench.body]
content_types = ["application/json"]
"#;

/// What a receiver of such deliveries would want of them.
const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["id", "type", "number"],
    "properties": {
        "id": { "type": "string", "pattern": "^evt_[0-9]+$" },
        "type": { "enum": ["x", "y"] },
        "number": { "type": "integer", "minimum": 0 },
        "pad": { "type": "string", "maxLength": 4096 }
    }
}"#;

/// A gateway and someone who signs for it.
struct Bench {
    gateway: std::sync::Arc<Gateway>,
    sender: Sender,
    number: Cell<u64>,
    runtime: Runtime,
}

impl Bench {
    /// With more keys for `[routes.bench.body]`.
    fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hookward.toml");
        std::fs::write(folder.path().join("schema.json"), SCHEMA).expect("a file");
        std::fs::write(&path, format!("{ROUTE}{body}")).expect("a file");
        Self {
            gateway: Gateway::from_file(&path).expect("a gateway"),
            sender: Sender::new("github", &[]),
            number: Cell::new(0),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("one"),
        }
    }

    /// A delivery that was never sent before.
    fn delivery(&self) -> Signed {
        let number = self.number.replace(self.number.get() + 1);
        let pad = "x".repeat(960);
        let body = format!(r#"{{"id":"evt_{number}","type":"x","number":{number},"pad":"{pad}"}}"#);
        let secret = Secret::new("bench", SECRET.as_bytes());
        self.sender.sign(&secret, Some(body.as_bytes()), Clock::system().unix())
    }

    /// Measures what each of these deliveries costs; they all end alike.
    fn measure(&self, c: &mut Criterion, name: &str, status: u16, make: impl Fn() -> Signed) {
        let _entered = self.runtime.enter();
        let layer = VerifyLayer::<Full<Bytes>>::new(std::sync::Arc::clone(&self.gateway));
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            black_box(request);
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let status = StatusCode::from_u16(status).expect("a status");
        c.bench_function(name, |b| {
            b.iter_batched(
                || request(make()),
                |request| {
                    let answered = self.runtime.block_on(service.clone().oneshot(request));
                    let answered = answered.unwrap_or_else(|never| match never {});
                    assert_eq!(answered.status(), status);
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn request(signed: Signed) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::from(signed.body));
    *request.method_mut() = signed.method;
    *request.uri_mut() = signed.uri;
    *request.headers_mut() = signed.headers;
    request.extensions_mut().insert(Peer { address: [127, 0, 0, 1].into(), tls: false });
    request
}

fn outcomes(c: &mut Criterion) {
    let bench = Bench::new("");
    bench.measure(c, "genuine", 200, || bench.delivery());

    let bench = Bench::new("");
    let mut forged = bench.delivery();
    forged.body.push(b' ');
    bench.measure(c, "forged", 401, || forged.clone());

    let bench = Bench::new("");
    let copy = bench.delivery();
    let once = bench.runtime.block_on(async {
        let layer = VerifyLayer::<Full<Bytes>>::new(std::sync::Arc::clone(&bench.gateway));
        let mut service = layer.layer(service_fn(async |_| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        service.call(request(copy.clone())).await
    });
    assert_eq!(once.map(|answer| answer.status().as_u16()), Ok(200));
    bench.measure(c, "replayed", 409, || copy.clone());

    let bench = Bench::new("schema = \"schema.json\"\n");
    bench.measure(c, "schema", 200, || bench.delivery());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = outcomes
}
criterion_main!(benches);
