//! What it costs to read a payload and to hold it against a schema: a push of 2 KiB.
//!
//! `cargo bench --bench schema`

use std::{hint::black_box, io, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hookward::{schema::Schema, verify::parse_strict};

const SCHEMA: &[u8] = include_bytes!("data/github-push.schema.json");
const PUSH: &[u8] = include_bytes!("data/github-push.json");

fn compile() -> Schema {
    let alone = |_: &Path| Err(io::Error::other("the schema is one file"));
    Schema::compile(Path::new("github-push.schema.json"), SCHEMA, &alone).expect("a schema").0
}

fn push(c: &mut Criterion) {
    let schema = compile();
    let payload = parse_strict(PUSH).expect("a payload");
    let mut group = c.benchmark_group("push");
    group.throughput(Throughput::Bytes(PUSH.len() as u64));
    group.bench_function("parse", |b| b.iter(|| parse_strict(black_box(PUSH)).expect("JSON")));
    group.bench_function("validate", |b| {
        b.iter(|| schema.validate(black_box(&payload)).expect("valid"));
    });
    group.bench_function("both", |b| {
        b.iter(|| schema.validate(&parse_strict(black_box(PUSH)).expect("JSON")).expect("valid"));
    });
    group.finish();
    c.bench_function("compile", |b| b.iter(compile));
}

criterion_group!(benches, push);
criterion_main!(benches);
