//! The vector format: cases with a verdict, one JSON object a line.
//!
//! What the members mean is told in `tests/vectors/README.md`. Replay is out of scope: each case is
//! judged alone.

mod expect;
mod handshake;
mod keys;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Deserialize;

use super::{
    Credentials, Definition, KeyRing, Scheme, SchemeOptions,
    captured::{BadCapture, Captured, RawRequest},
};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
};

/// One case, read.
#[derive(Clone, Debug)]
pub struct Case {
    /// The provider it is about.
    pub provider: String,
    /// Its name, unique within a file.
    pub name: String,
    /// Which form of the provider's scheme.
    pub variant: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Handshake(Box<handshake::Handshake>),
    Message(Box<Message>),
}

#[derive(Clone, Debug)]
struct Message {
    /// What no HTTP request can be is refused like everything that is none.
    request: Result<Captured, BadCapture>,
    url: String,
    credentials: Result<Credentials, String>,
    /// So long that it means nothing where the case sets none.
    tolerance: Duration,
    expected: BTreeMap<String, String>,
    accept: bool,
    probe: bool,
}

/// Where a case's definition is found: by provider and variant.
pub type Lookup<'l> = &'l dyn Fn(&str, Option<&str>) -> Option<Arc<Definition>>;

/// What judging a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The verdict is the case's, or stricter where it is a probe.
    Agreed,
    /// The verdict is another.
    Disagreed {
        /// Whether the case says that the message is to be accepted.
        accept: bool,
        /// Why it was refused; `None`: it was accepted.
        refusal: Option<Refusal>,
    },
    /// Nothing here knows this provider's scheme; the name says whose.
    Unsupported(String),
}

/// A thousand years.
const FOREVER_SECS: u64 = 31_556_952_000;

#[derive(Deserialize)]
struct RawCase {
    provider: String,
    case: String,
    variant: Option<String>,
    secret: Option<String>,
    #[serde(default)]
    extra_secrets: Vec<String>,
    public_key: Option<keys::RawPublicKey>,
    key_id: Option<String>,
    tolerance_s: Option<u64>,
    #[serde(default)]
    expected: BTreeMap<String, serde_json::Value>,
    verdict: Option<String>,
    #[serde(default)]
    probe: bool,
    request: Option<serde::de::IgnoredAny>,
}

impl Case {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Self, BadCapture> {
        let bad = |text: String| BadCapture::Json(text);
        let raw: RawCase = serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
        let kind = match raw.request {
            Some(_) => Kind::Handshake(Box::new(handshake::Handshake::read(&raw, line)?)),
            None => {
                let request: RawRequest =
                    serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
                Kind::Message(Box::new(message(&raw, &request)?))
            }
        };
        Ok(Self { provider: raw.provider, name: raw.case, variant: raw.variant, kind })
    }

    /// Judges the case by the definition that it is about.
    pub fn judge(&self, lookup: Lookup<'_>) -> Outcome {
        let variant = self.variant.as_deref();
        let definition = lookup(&self.provider, variant);
        let Some(definition) = definition else {
            return Outcome::Unsupported(match variant {
                Some(variant) => format!("{}/{variant}", self.provider),
                None => self.provider.clone(),
            });
        };
        let message = match &self.kind {
            Kind::Handshake(handshake) => return handshake.judge(&definition),
            Kind::Message(message) => message,
        };
        let refusal = message.judge(&definition).err();
        match (message.accept, &refusal) {
            (true, None) | (false, Some(_)) => Outcome::Agreed,
            (true, Some(_)) if message.probe => Outcome::Agreed,
            (accept, _) => Outcome::Disagreed { accept, refusal },
        }
    }
}

fn message(raw: &RawCase, request: &RawRequest) -> Result<Message, BadCapture> {
    let bad = |text: &str| BadCapture::Json(text.to_owned());
    let accept = match raw.verdict.as_deref() {
        Some("accept") => true,
        Some("reject") => false,
        _ => return Err(bad("verdict is neither accept nor reject")),
    };
    let captured = match Captured::from_raw(request) {
        Err(bad @ BadCapture::Body) => return Err(bad),
        captured => captured,
    };
    if request.now.is_none() {
        return Err(bad("now is missing"));
    }
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let expected = raw.expected.iter().filter_map(|(k, v)| Some((k.clone(), text(v)?)));
    Ok(Message {
        request: captured,
        url: request.url.clone(),
        credentials: keys::credentials(
            raw.secret.iter().chain(&raw.extra_secrets),
            raw.public_key.as_ref(),
            raw.key_id.as_deref(),
        ),
        tolerance: Duration::from_secs(raw.tolerance_s.unwrap_or(FOREVER_SECS)),
        expected: expected.collect(),
        accept,
        probe: raw.probe,
    })
}

impl Message {
    fn judge(&self, definition: &Arc<Definition>) -> Result<(), Refusal> {
        let setup = |text: String| Refusal::new(Code::InternalError, text);
        let credentials = self.credentials.as_ref().map_err(|text| setup(text.clone()))?;
        let no_request = |bad: &BadCapture| Refusal::new(Code::BadRequest, bad.to_string());
        let request = self.request.as_ref().map_err(no_request)?;
        let mut expect = self.expected.clone();
        expect.insert("url".to_owned(), self.url.clone());
        expect.retain(|key, _| definition.expect.contains_key(key));
        expect::fill(definition, request.head(), &request.body, &mut expect);
        let tolerance = Some(self.tolerance);
        let options = SchemeOptions { expect, tolerance, ..Default::default() };
        let scheme = Scheme::compile(definition, &options).map_err(|all| setup(all.join("; ")))?;
        // A secret that the gateway would not take at start lets nothing through.
        let keys = KeyRing::build(&scheme, credentials).map_err(|problems| {
            let texts = problems.iter().map(|(n, text)| format!("secret {} {text}", n + 1));
            setup(texts.collect::<Vec<_>>().join("; "))
        })?;
        let now = request.at.unwrap_or(UnixMs(0));
        let (head, body) = (request.head(), request.body.as_slice());
        let claim = scheme.claim(head)?;
        let verified = scheme.verify(&keys, &claim, head, body, now)?;
        scheme.judge_time(&claim, Some(&verified), head, body, now)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::providers;

    fn lookup(provider: &str, variant: Option<&str>) -> Option<Arc<Definition>> {
        providers::by_case(provider, variant).map(Arc::clone)
    }

    #[test]
    fn what_cannot_be_sent_is_rejected_and_does_not_end_the_file() {
        let case = |header: &str| {
            let line = format!(
                r#"{{"provider":"github","case":"c","secret":"s","method":"POST","url":"https://h/",
                "headers":{{{header}}},"body_b64":"","now":1,"verdict":"reject"}}"#
            );
            Case::read(&line).unwrap().judge(&lookup)
        };
        assert_eq!(case(r#""X-A":"1\u0000""#), Outcome::Agreed);
        assert_eq!(case(r#""X A":"1""#), Outcome::Agreed);
    }

    #[test]
    fn every_case_agrees() {
        let mut agreed = 0;
        let mut unsupported = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_none_or(|e| e != "jsonl") {
                continue;
            }
            for line in fs::read_to_string(&file).unwrap().lines() {
                let case = Case::read(line).unwrap();
                match case.judge(&lookup) {
                    Outcome::Agreed => agreed += 1,
                    Outcome::Unsupported(name) => drop(unsupported.insert(name)),
                    Outcome::Disagreed { accept, refusal } => {
                        panic!("{} {}: accept {accept}, got {refusal:?}", case.provider, case.name)
                    }
                }
            }
        }
        assert!(agreed >= 465, "{agreed}");
        assert_eq!(unsupported, BTreeSet::new());
    }
}
