//! Requests as providers sign them: what the benches of engine and stack are fed with.

use std::sync::Arc;

use hookward::{
    clock::UnixMs,
    providers,
    verify::{
        Definition, Scheme, SchemeOptions, Secret,
        sign::{SignRequest, sign},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// Where deliveries go.
pub(crate) const URL: &str = "http://127.0.0.1:8080/hook";

/// A provider as a route knows it.
pub(crate) struct Sender {
    pub(crate) definition: &'static Arc<Definition>,
    pub(crate) scheme: Scheme,
}

/// A request, signed.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Sender {
    /// A built-in provider, told what a route has to tell it.
    pub(crate) fn new(provider: &str, expect: &[(&str, &str)]) -> Self {
        let definition = providers::builtin(provider).expect("a built-in provider");
        let expect = expect.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let options = SchemeOptions { expect: expect.collect(), ..SchemeOptions::default() };
        let scheme = Scheme::compile(definition, &options).expect("a scheme that compiles");
        Self { definition, scheme }
    }

    /// Signs a body, or the provider's sample.
    pub(crate) fn sign(&self, secret: &Secret, body: Option<&[u8]>, at: UnixMs) -> Signed {
        let request =
            SignRequest { at, body, headers: &[], id: None, kind: None, seed: 1, url: URL };
        let secrets = std::slice::from_ref(secret);
        let signed = sign(self.definition, &self.scheme, secrets, &request).expect("a signature");
        let mut headers = HeaderMap::new();
        for (name, value) in &signed.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let host = HeaderValue::from_str(signed.authority()).expect("a host");
        headers.entry(http::header::HOST).or_insert(host);
        let uri = signed.target().parse().expect("a path");
        Signed { method: signed.method, uri, headers, body: signed.body }
    }
}
