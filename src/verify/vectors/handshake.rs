//! Cases of handshakes: what a request must be answered with.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{Outcome, RawCase, keys};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Credentials, Definition, KeyRing, Scheme, SchemeOptions,
        captured::{BadCapture, Captured, RawRequest},
        handshake::Reply,
    },
};

/// A request, and what it must be answered with.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    request: Captured,
    now: Option<UnixMs>,
    secret: Option<String>,
    credentials: Result<Credentials, String>,
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
        Ok(Self {
            request: Captured::from_raw(&line.request)?,
            now: line.now.map(UnixMs::from_secs),
            secret: raw.secret.clone(),
            credentials: keys::credentials(
                raw.secret.iter().chain(&raw.extra_secrets),
                raw.public_key.as_ref(),
                raw.key_id.as_deref(),
            ),
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
        let credentials = self.credentials.as_ref().map_err(|text| setup(text.clone()))?;
        let keys = KeyRing::build(&scheme, credentials)
            .map_err(|_| setup("a secret cannot be decoded".to_owned()))?;
        let (head, body) = (self.request.head(), self.request.body.as_slice());
        let now = self.now.unwrap_or(UnixMs(0));
        if let Some(answer) = scheme.challenge(&keys, head, now)? {
            return Ok(answer.reply);
        }
        let claim = scheme.claim(head)?;
        let verified = scheme.verify(&keys, &claim, head, body, now)?;
        if self.now.is_some() {
            scheme.judge_time(&claim, Some(&verified), head, body, now)?;
        }
        let answer = scheme.signed_handshake(&keys, &verified, head, body, now)?;
        let none = || setup("it is no handshake of the definition".to_owned());
        answer.map(|answer| answer.reply).ok_or_else(none)
    }

    /// What is compared with a text that a route may say, is compared with the case's secret.
    fn expect(&self, definition: &Definition) -> BTreeMap<String, String> {
        let open = definition.expect.iter().filter(|(_, known)| known.default.is_none());
        let said = open.map(|(key, _)| match key.as_str() {
            "url" => (key.clone(), self.request.url()),
            _ => (key.clone(), self.secret.clone().unwrap_or_default()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Case, Outcome};
    use crate::{providers, verify::Definition};

    const CASES: &str = include_str!("../../../tests/vectors/handshakes.jsonl");

    fn judge(line: &str) -> Outcome {
        let lookup = |provider: &str, variant: Option<&str>| -> Option<Arc<Definition>> {
            providers::by_case(provider, variant).map(Arc::clone)
        };
        Case::read(line).unwrap().judge(&lookup)
    }

    #[test]
    fn every_handshake_agrees() {
        assert_eq!(CASES.lines().count(), 11);
        for line in CASES.lines() {
            assert_eq!(judge(line), Outcome::Agreed, "{line}");
        }
    }

    #[test]
    fn another_answer_disagrees() {
        let differs = |case: &str, from: &str, to: &str| {
            let line = CASES.lines().find(|line| line.contains(case)).unwrap();
            assert!(line.contains(from), "{line}");
            let outcome = judge(&line.replacen(from, to, 1));
            assert!(matches!(outcome, Outcome::Disagreed { .. }), "{case}: {outcome:?}");
        };
        differs("challenge-echo-plain", "YWJjMTIz", "YWJjMTI0");
        differs("challenge-echo-plain", "text/plain", "text/html");
        differs("challenge-echo-plain", "nosniff", "sniff");
        differs("challenge-echo-plain", "\"status\": 200", "\"status\": 204");
        differs("challenge-echo-plain", "\"status\": 200", "\"status\": 403");
        differs("challenge-echo-plain", "GET", "POST");
        differs("url-verification-valid", "{\"challenge\"", "{\"other\"");
        differs("\"url-validation\"", "7a3ce8d3", "7a3ce8d4");
        differs("url-verification-bad-signature", "\"status\": 401", "\"status\": 200");
    }
}
