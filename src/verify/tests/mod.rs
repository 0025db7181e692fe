//! The engine as a whole, by definitions made for the purpose.

mod definitions;
mod forms;
mod head;
mod laws;
mod proofs;
mod public_keys;
mod tokens;
mod verdicts;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{
    Algorithm, Definition, Head, KeyRing, RawDefinition, Scheme, SchemeOptions, Secret, Verified,
    encoding::Encoding, key::Keyed,
};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);

/// A scheme with its keys.
struct Bench {
    scheme: Scheme,
    keys: KeyRing,
}

/// A message under way.
#[derive(Clone, Debug)]
struct Message {
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bench {
    fn new(definition: &str, secrets: &[Secret]) -> Self {
        Self::with(definition, secrets, &SchemeOptions::default())
    }

    fn with(definition: &str, secrets: &[Secret], options: &SchemeOptions) -> Self {
        let scheme = Scheme::compile(&check(definition).unwrap(), options).unwrap();
        let keys = KeyRing::build(&scheme, &secrets.into()).unwrap();
        Self { scheme, keys }
    }

    fn judge(&self, message: &Message) -> Result<Verified, Refusal> {
        self.judge_at(message, NOW)
    }

    fn judge_at(&self, message: &Message, now: UnixMs) -> Result<Verified, Refusal> {
        let claim = self.scheme.claim(message.head())?;
        let verified =
            self.scheme.verify(&self.keys, &claim, message.head(), &message.body, now)?;
        self.scheme.judge_time(&claim, Some(&verified), message.head(), &message.body, now)?;
        Ok(verified)
    }

    fn code(&self, message: &Message) -> Option<Code> {
        self.judge(message).err().map(|refusal| refusal.code)
    }
}

impl Message {
    fn new(body: &[u8]) -> Self {
        let uri = Uri::from_static("/hook?x=1");
        Self { uri, headers: HeaderMap::new(), body: body.to_vec() }
    }

    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    fn head(&self) -> Head<'_> {
        Head { method: &Method::POST, uri: &self.uri, headers: &self.headers }
    }
}

fn check(definition: &str) -> Result<Arc<Definition>, Vec<String>> {
    let raw: RawDefinition = toml::from_str(definition).unwrap();
    Definition::check("test", raw)
        .map(Arc::new)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn hex(key: &[u8], content: &[u8]) -> String {
    mac(Algorithm::HmacSha256, Encoding::Hex, key, content)
}

fn mac(algorithm: Algorithm, encoding: Encoding, key: &[u8], content: &[u8]) -> String {
    encoding.encode(Keyed::new(algorithm, key).unwrap().mac(&[content.into()]).as_slice())
}

fn secret(bytes: &[u8]) -> [Secret; 1] {
    [Secret::new("a", bytes)]
}

const BODY: &str = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", prefix = "v1=", signed = "{body}" }"#;
const TIMED: &str = r#"
    signature = { algorithm = "hmac-sha256", from = "header:x-sig", format = "pairs", value = "v1", signed = "{pair:t}.{header:x-id}.{body}" }
    timestamp = { from = "pair:t" }
    event = { id = "header:x-id", type = "header:x-type" }
"#;
const LIST: &str = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", format = "list", prefix = "v1=", signed = "{body}" }"#;

fn timed(at: &str, id: &str, body: &[u8]) -> Message {
    let content = [at.as_bytes(), b".", id.as_bytes(), b".", body].concat();
    Message::new(body).with("x-sig", format!("t={at},v1={}", hex(b"k", &content))).with("x-id", id)
}
