//! The kinds of proof, and what each needs to be told besides.

use smallvec::SmallVec;

use super::{Compiler, Pairs};
use crate::verify::{
    algorithm::Algorithm,
    definition::raw::{RawCertificate, RawComponents, RawDigest, RawExpected, RawSignature},
    encoding::Encoding,
    httpsig::{self, Component},
    json::Pointer,
    jws::JoseAlgorithm,
    scheme::{
        Means,
        binding::{Binding, Digest, Expected},
        candidate::Jws,
        certificate::Certificate,
        is_host_pattern,
    },
    source::{BadText, Context, Source},
    template::{Role, Template},
};

/// The algorithms of a proof.
type Algorithms = SmallVec<[Algorithm; 1]>;

/// Kinds of proof that choose among algorithms.
const KINDS: &[&str] = &["jws", "rfc9421"];

impl Compiler<'_> {
    /// The kind of proof, and its algorithms.
    pub(super) fn means(&mut self, path: &str, raw: &RawSignature) -> Option<(Means, Algorithms)> {
        let at = |key: &str| format!("{path}.{key}");
        let Some(name) = raw.algorithm.as_deref() else {
            self.problem(&at("algorithm"), "is missing".to_owned());
            return None;
        };
        let (is_jws, is_message) = (name == "jws", name == "rfc9421");
        let only = [
            ("algorithms", raw.algorithms.is_some(), is_jws || is_message),
            ("components", raw.components.is_some(), is_message),
            ("payload", raw.payload.is_some(), is_jws),
            ("required", raw.required.is_some(), is_jws),
            ("reusable", raw.reusable.is_some(), is_jws),
            ("each", raw.each.is_some(), !is_jws && !is_message),
        ];
        for (key, _, _) in only.iter().filter(|(_, there, fits)| *there && !fits) {
            self.problem(&at(key), format!("`{name}` has no `{key}`"));
        }
        if is_jws {
            return self.jws(path, raw);
        }
        if is_message {
            return self.message(path, raw);
        }
        let known = Algorithm::ALL.iter().map(|a| a.as_str()).chain(KINDS.iter().copied());
        let known: Vec<_> = known.collect();
        let algorithm = self.word(&at("algorithm"), name, Algorithm::parse, &known)?;
        let means = match algorithm {
            Algorithm::None => Means::Nothing,
            Algorithm::Token => Means::Token,
            _ => Means::Signed,
        };
        Some((means, [algorithm].into_iter().collect()))
    }

    fn jws(&mut self, path: &str, raw: &RawSignature) -> Option<(Means, Algorithms)> {
        let at = format!("{path}.algorithms");
        let names = raw.algorithms.as_deref().unwrap_or_default();
        if names.is_empty() {
            let what = "is missing: a token must not choose its algorithm by itself".to_owned();
            self.problem(
                &at,
                BadText { message: what, suggestion: Some("algorithms = [\"ES256\"]".into()) },
            );
        }
        let known: Vec<_> = JoseAlgorithm::names().collect();
        let algorithms: Vec<_> = names
            .iter()
            .filter_map(|name| self.word(&at, name, JoseAlgorithm::parse, &known))
            .collect();
        if algorithms.len() != names.len() || algorithms.is_empty() {
            return None;
        }
        let own: Algorithms = algorithms.iter().map(|algorithm| algorithm.algorithm()).collect();
        self.refuse_mixed(&at, &own)?;
        let required = raw.required.clone().unwrap_or_else(|| vec!["exp".to_owned()]);
        let mut numbered = Vec::new();
        for name in required {
            let source = self.source(&format!("{path}.required"), &format!("claim:{name}"), None);
            if let Some(Source::Claim(_, number)) = source {
                numbered.push((name.into(), number));
            }
        }
        Some((
            Means::Jws(Jws {
                algorithms,
                required: numbered,
                reusable: raw.reusable == Some(true),
            }),
            own,
        ))
    }

    fn refuse_mixed(&mut self, at: &str, algorithms: &[Algorithm]) -> Option<()> {
        let symmetric = algorithms.iter().filter(|a| !a.is_asymmetric()).count();
        if symmetric == 0 || symmetric == algorithms.len() {
            return Some(());
        }
        let what = "holds algorithms with secrets and with public keys: a public key could be \
                    taken for a secret";
        self.problem(at, what.to_owned());
        None
    }

    /// A message signature: the receiver decides what it must cover.
    fn message(&mut self, path: &str, raw: &RawSignature) -> Option<(Means, Algorithms)> {
        let at = |key: &str| format!("{path}.{key}");
        let names = raw.algorithms.as_deref().unwrap_or_default();
        let registered = |a: &&Algorithm| httpsig::algorithm_name(**a).is_some();
        let known: Vec<_> = Algorithm::ALL.iter().filter(registered).map(|a| a.as_str()).collect();
        let parse = |name: &str| Algorithm::parse(name).filter(|a| registered(&a));
        let algorithms: Vec<_> = names
            .iter()
            .filter_map(|name| self.word(&at("algorithms"), name, parse, &known))
            .collect();
        if names.is_empty() {
            self.problem(&at("algorithms"), "is missing".to_owned());
        }
        self.refuse_mixed(&at("algorithms"), &algorithms)?;
        let mut rules = httpsig::Rules { algorithms, ..httpsig::Rules::default() };
        let mut component = |text: &String| {
            let parsed = Component::parse(text).map_err(|why| format!("`{text}` {why}"));
            self.keep(&at("components"), parsed)
        };
        for element in raw.components.as_deref().unwrap_or_default() {
            match element {
                RawComponents::One(text) => rules.required.extend(component(text)),
                RawComponents::Set(texts) => {
                    rules.one_of.push(texts.iter().filter_map(&mut component).collect());
                }
            }
        }
        if !rules.require(&Component::CONTENT_DIGEST) {
            let what =
                "leaves out \"content-digest\", without which a signature says nothing of the body";
            self.problem(&at("components"), what.to_owned());
        }
        let url = self.expect.get("url");
        rules.origin = url.and_then(|url| httpsig::Origin::of_url(url));
        if url.is_some() && rules.origin.is_none() {
            let what = "must be the whole URL, as in \"https://example.com/hook\"";
            self.problem("expect.url", what.to_owned());
        }
        let algorithms = rules.algorithms.iter().copied().collect();
        Some((Means::Message(rules), algorithms))
    }

    /// Where the proof stands.
    pub(super) fn from(&mut self, path: &str, raw: &RawSignature, means: &Means) -> Option<Source> {
        let at = format!("{path}.from");
        match (&raw.from, means) {
            (Some(_), Means::Nothing) => {
                self.problem(&at, "where nothing is proven, nothing stands anywhere".to_owned());
                None
            }
            // What is judged there is known with the body.
            (None, Means::Nothing) => Some(Source::Body),
            (None, Means::Message(_)) => self.source(&at, "header:signature-input", None),
            (Some(_), Means::Message(_)) => {
                self.problem(&at, "RFC 9421 says where its signatures stand".to_owned());
                None
            }
            (None, _) => {
                self.problem(&at, "is missing".to_owned());
                None
            }
            (Some(text), _) => self.source(&at, text, None),
        }
    }

    /// The array of which every element is signed.
    pub(super) fn each(&mut self, path: &str, text: &str) -> Option<Pointer> {
        let pointer = text.strip_prefix("json:").map(Pointer::parse);
        match pointer {
            Some(Ok(pointer)) if pointer.is_many() => Some(pointer),
            _ => {
                let example = "is no pointer to every element, such as \"json:/items/*\"";
                self.problem(path, format!("`{text}` {example}"));
                None
            }
        }
    }

    /// What must be equal.
    pub(super) fn bindings(
        &mut self,
        path: &str,
        raw: &RawSignature,
        pairs: Pairs<'_>,
        ids: &[Source],
    ) -> Vec<Binding> {
        let mut bindings = Vec::new();
        for (text, expected) in raw.matches.iter().flatten() {
            let at = format!("{path}.match.\"{text}\"");
            let Some(source) = self.source(&at, text, pairs) else { continue };
            let is_absent = |one: &&RawExpected| matches!(one, RawExpected::Digest(d) if d.absent == Some(true));
            let may_be_absent = expected.0.iter().any(|one| is_absent(&one));
            let any_of = expected.0.iter().filter(|one| !is_absent(one));
            let any_of: Vec<_> =
                any_of.filter_map(|one| self.expected(&at, one, pairs, ids)).collect();
            if any_of.is_empty() && !may_be_absent {
                self.problem(&at, "names nothing that it could be equal to".to_owned());
            }
            let elements = match &source {
                Source::Claim(pointer, _) if pointer.to_string() == "/aud" => {
                    self.source(&at, "claim:/aud/*", None)
                }
                _ => None,
            };
            bindings.push(Binding { source, elements, any_of, may_be_absent });
        }
        bindings
    }

    fn expected(
        &mut self,
        path: &str,
        raw: &RawExpected,
        pairs: Pairs<'_>,
        ids: &[Source],
    ) -> Option<Expected> {
        let table = match raw {
            RawExpected::Template(of) => RawDigest { of: Some(of.clone()), ..RawDigest::default() },
            RawExpected::Digest(table) => table.clone(),
        };
        let digest = match raw {
            RawExpected::Template(_) => None,
            RawExpected::Digest(table) => {
                let name = table.digest.as_deref().unwrap_or("sha256");
                let digest = self.word(path, name, Digest::parse, Digest::NAMES)?;
                let name = table.encoding.as_deref().unwrap_or("hex");
                Some((digest, self.word(path, name, Encoding::parse, Encoding::NAMES)?))
            }
        };
        let role = |source: &Source| if ids.contains(source) { Role::Id } else { Role::Plain };
        let mut context = Context { expect: self.expect, pairs, lookups: &mut self.lookups };
        let text = table.of.unwrap_or_default();
        let compiled = Template::compile_constant(&text, &mut context, role);
        Some(Expected { template: self.keep(path, compiled)?, digest })
    }

    /// Which certificates the message may name.
    pub(super) fn certificate(
        &mut self,
        path: &str,
        raw: Option<&RawCertificate>,
        pairs: Pairs<'_>,
    ) -> Option<Certificate> {
        let raw = raw?;
        let from = raw.from.as_deref().and_then(|text| self.source(path, text, pairs));
        let hosts = raw.hosts.as_deref().unwrap_or_default();
        if from.is_none() || hosts.is_empty() {
            self.problem(path, "needs `from` and `hosts`".to_owned());
        }
        for host in hosts.iter().filter(|host| !is_host_pattern(host)) {
            self.problem(path, format!("`{host}` is no host such as \"certs.example.com\""));
        }
        let hosts = hosts.iter().map(|host| host.as_str().into()).collect();
        let path = raw.path.as_deref().map(Into::into);
        Some(Certificate { from: from?, hosts, path })
    }
}
