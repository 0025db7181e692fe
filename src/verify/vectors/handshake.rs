//! Cases of handshakes: what a request must be answered with.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, RawCase};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Definition, KeyRing, Scheme, SchemeOptions, Secret,
        captured::{BadCapture, Captured, RawRequest},
        handshake::Reply,
    },
};

/// A request, and what it must be answered with.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    request: Captured,
    now: Option<UnixMs>,
    secrets: Vec<Secret>,
    expected: Expected,
}

/// `expected_response`; what is not there, or null, is not compared.
#[derive(Clone, Debug, Deserialize)]
struct Expected {
    status: u16,
    json: Option<Value>,
    body_b64: Option<String>,
    content_type: Option<String>,
    headers: Option<BTreeMap<String, String>>,
}

impl Handshake {
    /// Reads the members that only such cases have.
    pub(super) fn read(raw: &RawCase, line: &str) -> Result<Self, BadCapture> {
        #[derive(Deserialize)]
        struct Line {
            request: RawRequest,
            now: Option<i64>,
            expected_response: Expected,
        }
        let line: Line =
            serde_json::from_str(line).map_err(|error| BadCapture::Json(error.to_string()))?;
        let texts = raw.secret.iter().chain(&raw.extra_secrets);
        let named = texts.enumerate();
        Ok(Self {
            request: Captured::from_raw(&line.request)?,
            now: line.now.map(UnixMs::from_secs),
            secrets: named
                .map(|(n, text)| Secret::new(&format!("secret-{}", n + 1), text.as_bytes()))
                .collect(),
            expected: line.expected_response,
        })
    }

    /// Asks the definition, and compares.
    pub(super) fn judge(&self, definition: &Arc<Definition>) -> Outcome {
        let accept = self.expected.status < 400;
        match self.answer(definition) {
            Ok(reply) => match self.expected.differs(&reply) {
                None => Outcome::Agreed,
                Some(what) => {
                    let refusal = accept.then(|| Refusal::new(Code::Handshake, what));
                    Outcome::Disagreed { accept, refusal }
                }
            },
            Err(refusal) if accept => Outcome::Disagreed { accept, refusal: Some(refusal) },
            Err(_) => Outcome::Agreed,
        }
    }

    fn answer(&self, definition: &Arc<Definition>) -> Result<Reply, Refusal> {
        let setup = |text: String| Refusal::new(Code::InternalError, text);
        let options = SchemeOptions { expect: self.expect(definition), ..Default::default() };
        let scheme = Scheme::compile(definition, &options).map_err(|all| setup(all.join("; ")))?;
        let keys = KeyRing::build(&scheme, &self.secrets)
            .map_err(|_| setup("a secret cannot be decoded".to_owned()))?;
        let (head, body) = (self.request.head(), self.request.body.as_slice());
        let now = self.now.unwrap_or(UnixMs(0));
        if let Some(answer) = scheme.challenge(&keys, head, now)? {
            return Ok(answer.reply);
        }
        let claim = scheme.claim(head)?;
        let verified = scheme.verify(&keys, &claim, head, body, now)?;
        if self.now.is_some() {
            scheme.judge_time(&claim, head, body, now)?;
        }
        let answer = scheme.signed_handshake(&keys, &verified, head, body, now)?;
        let none = || setup("it is no handshake of the definition".to_owned());
        answer.map(|answer| answer.reply).ok_or_else(none)
    }

    /// What is compared with a text that a route may say, is compared with the case's secret.
    fn expect(&self, definition: &Definition) -> BTreeMap<String, String> {
        let secret = self.secrets.first().map(|secret| String::from_utf8_lossy(&secret.bytes));
        let open = definition.expect.iter().filter(|(_, known)| known.default.is_none());
        let said = open.map(|(key, _)| match (key.as_str(), &secret) {
            ("url", _) => (key.clone(), self.request.url()),
            (_, Some(secret)) => (key.clone(), secret.to_string()),
            (_, None) => (key.clone(), String::new()),
        });
        said.filter(|(_, value)| !value.is_empty()).collect()
    }
}

impl Expected {
    /// The first thing that is not as expected.
    fn differs(&self, reply: &Reply) -> Option<String> {
        let header = |wanted: &str| {
            let mut found = reply.headers.iter().filter(|(name, _)| name.as_str() == wanted);
            found.next().map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let media_type = header("content-type");
        let media_type = media_type.as_deref().map(|t| t.split(';').next().unwrap_or(t));
        let body = || String::from_utf8_lossy(&reply.body);
        if self.status != reply.status {
            return Some(format!("answered {}", reply.status));
        }
        if self.content_type.as_deref().is_some_and(|wanted| media_type != Some(wanted)) {
            return Some(format!("answered as {}", media_type.unwrap_or("nothing")));
        }
        for (name, wanted) in self.headers.iter().flatten() {
            if header(&name.to_ascii_lowercase()).as_deref() != Some(wanted) {
                return Some(format!("answered with another {name}"));
            }
        }
        if let Some(wanted) = &self.json
            && serde_json::from_slice::<Value>(&reply.body).ok().as_ref() != Some(wanted)
        {
            return Some(format!("answered {}", body()));
        }
        if let Some(wanted) = &self.body_b64
            && BASE64_STANDARD.decode(wanted).ok().as_ref() != Some(&reply.body)
        {
            return Some(format!("answered {}", body()));
        }
        None
    }
}
