//! Makes the proof of a request, whichever kind the scheme has.

use serde_json::{Map, Value};

use super::{SignError, key, place::Placer, read};
use crate::{
    clock::UnixMs,
    verify::{
        Algorithm, EcdsaForm, Scheme, Secret,
        httpsig::{self, Component, Parameters, Rules},
        json,
        jws::{self, JoseAlgorithm},
        scheme::{Candidate, Form, Means, candidate::Jws},
        source::{Message, Source},
    },
};

/// How long a token is made to hold, in seconds.
const TOKEN_SECS: i64 = 3600;

/// What makes the proof of one candidate.
pub(super) struct Maker<'m> {
    pub(super) scheme: &'m Scheme,
    pub(super) candidate: &'m Candidate,
    pub(super) secret: &'m Secret,
    /// The time at which it claims to be made.
    pub(super) at: UnixMs,
}

impl Maker<'_> {
    /// Makes the proof and puts it into the request.
    ///
    /// # Errors
    ///
    /// What is missing, has no place, or cannot be made with this secret.
    pub(super) fn prove(&self, placer: &mut Placer<'_>) -> Result<(), SignError> {
        match &self.candidate.means {
            Means::Nothing => Ok(()),
            Means::Token => {
                let key = self.candidate.key.decode(&self.secret.bytes);
                let key = key.map_err(SignError::Secret)?;
                let text = String::from_utf8(key.to_vec());
                let text = text.map_err(|_| SignError::Secret("is not text".to_owned()))?;
                self.place(placer, &text)
            }
            Means::Signed if self.candidate.each.is_some() => self.each(placer),
            Means::Signed => {
                let value = read(self.scheme, &placer.draft, |message| self.signature(message))?;
                self.place(placer, &value)
            }
            Means::Jws(rules) => {
                let token = self.token(rules, placer)?;
                self.place(placer, &token)
            }
            Means::Message(rules) => self.message(rules, placer),
        }
    }

    fn signature(&self, message: &Message<'_>) -> Result<String, SignError> {
        let Some(template) = &self.candidate.signed else { return Err(SignError::NoSecret) };
        let chunks = template.chunks(message).map_err(SignError::Unsignable)?;
        let bytes = key::sign(self.candidate, self.secret, template, &chunks)?;
        Ok(self.candidate.encoding.encode(&bytes))
    }

    /// Signs every element of the list by itself.
    fn each(&self, placer: &mut Placer<'_>) -> Result<(), SignError> {
        let (Some(array), Source::Item(place, _)) = (&self.candidate.each, &self.candidate.from)
        else {
            return Err(SignError::NoSecret);
        };
        let elements = json::elements(&placer.draft.body, array).unwrap_or_default();
        let mut signatures = Vec::new();
        for element in elements {
            let found = json::extract(element, self.scheme.item_lookups()).unwrap_or_default();
            signatures.push(read(self.scheme, &placer.draft, |message| {
                self.signature(&Message { item: Some(&found), ..*message })
            })?);
        }
        let path: Vec<_> = array.names().chain(place.names()).collect();
        let mut signatures = signatures.into_iter();
        let mut next = |_: Option<&str>| signatures.next().unwrap_or_default();
        placer.draft.member(&path, true, &mut next).map_err(|why| SignError::Place {
            what: "the signature",
            place: self.candidate.from.to_string(),
            why,
        })
    }

    fn token(&self, rules: &Jws, placer: &mut Placer<'_>) -> Result<String, SignError> {
        let fits = |jose: &&JoseAlgorithm| key::fits_algorithm(self.secret, jose.algorithm());
        let algorithm = rules.algorithms.iter().find(fits).or(rules.algorithms.first());
        let Some(algorithm) = algorithm.copied() else { return Err(SignError::NoSecret) };
        let detached = self.candidate.signed.is_some();
        let payload = if detached {
            read(self.scheme, &placer.draft, |message| {
                let payload = self.candidate.payload(message).map_err(SignError::Unsignable)?;
                Ok(payload.unwrap_or_default())
            })?
        } else {
            Value::Object(self.claims(rules, placer)?).to_string().into_bytes()
        };
        let kid = self.secret.id_is_explicit.then_some(&*self.secret.id);
        let draft = jws::Draft { algorithm, kid, payload: &payload, detached };
        let mut problem = None;
        let sign = |input: &[u8]| {
            let made = self.bytes(algorithm.algorithm(), EcdsaForm::Raw, input);
            made.map_err(|error| problem = Some(error)).ok()
        };
        let token = jws::build(&draft, sign);
        token.ok_or_else(|| problem.unwrap_or(SignError::NoSecret))
    }

    /// What the token says: what must be equal, its times, and what stands in no other place.
    fn claims(
        &self,
        rules: &Jws,
        placer: &mut Placer<'_>,
    ) -> Result<Map<String, Value>, SignError> {
        let mut claims = Map::new();
        let now = self.at.secs();
        for (name, _) in &rules.required {
            let value = match &**name {
                "exp" => Value::from(now + TOKEN_SECS),
                "iat" | "nbf" => Value::from(now),
                _ => Value::from(placer.fresh()),
            };
            claims.insert(name.to_string(), value);
        }
        let mut set = |pointer: &json::Pointer, value: Value| {
            let mut names = pointer.names().flatten();
            let Some(name) = names.next() else { return };
            let nested = names.next().map(str::to_owned);
            match nested {
                None => drop(claims.insert(name.to_owned(), value)),
                Some(nested) => {
                    let own = claims.entry(name).or_insert_with(|| Value::Object(Map::new()));
                    if let Some(own) = own.as_object_mut() {
                        own.insert(nested, value);
                    }
                }
            }
        };
        if let Some((Source::Claim(pointer, _), unit)) = self.scheme.timestamp_of(self.candidate) {
            let text = unit.write(self.at);
            let number = text.parse::<i64>().map(Value::from);
            set(pointer, number.unwrap_or_else(|_| text.into()));
        }
        for source in self.scheme.ids_of(self.candidate) {
            if let Source::Claim(pointer, _) = source {
                set(pointer, placer.id().into());
            }
        }
        for binding in &self.candidate.bindings {
            let (Source::Claim(pointer, _), Some(expected)) =
                (&binding.source, binding.any_of.first())
            else {
                continue;
            };
            let text = read(self.scheme, &placer.draft, |message| {
                expected.bytes(message).map_err(SignError::Unsignable)
            })?;
            set(pointer, scalar(&String::from_utf8_lossy(&text)));
        }
        Ok(claims)
    }

    fn message(&self, rules: &Rules, placer: &mut Placer<'_>) -> Result<(), SignError> {
        let fits = |a: &&Algorithm| key::fits_algorithm(self.secret, **a);
        let algorithm = rules.algorithms.iter().find(fits).or(rules.algorithms.first()).copied();
        let Some(algorithm) = algorithm else { return Err(SignError::NoSecret) };
        let sets = rules.one_of.first().into_iter().flatten();
        let components: Vec<Component> = rules.required.iter().chain(sets).cloned().collect();
        if components.contains(&Component::CONTENT_DIGEST) {
            let digest = httpsig::content_digest(&placer.draft.body);
            placer.draft.header("Content-Digest", digest);
        }
        let parameters = Parameters {
            alg: Some(algorithm),
            created: Some(self.at),
            keyid: self.secret.id_is_explicit.then(|| (*self.secret.id).into()),
            nonce: Some(placer.id().into()),
            ..Parameters::default()
        };
        let unsigned = read(self.scheme, &placer.draft, |message| {
            let origin = rules.origin.as_ref();
            httpsig::prepare(message.head, origin, "sig1", &components, &parameters)
                .map_err(SignError::Unsignable)
        })?;
        let signature = self.bytes(algorithm, EcdsaForm::Raw, &unsigned.base)?;
        placer.draft.header("Signature-Input", unsigned.input());
        placer.draft.header("Signature", unsigned.signature(&signature));
        Ok(())
    }

    fn bytes(
        &self,
        algorithm: Algorithm,
        form: EcdsaForm,
        text: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        key::sign_bytes(self.candidate, self.secret, algorithm, form, text)
    }

    /// Puts a signature where and how the provider does.
    fn place(&self, placer: &mut Placer<'_>, value: &str) -> Result<(), SignError> {
        let (candidate, secret) = (self.candidate, self.secret);
        let text = match &candidate.form {
            Form::Bare { prefix } | Form::List { prefix, element: None, .. } => {
                format!("{prefix}{value}")
            }
            Form::List { element: Some(element), .. } => {
                let (first, second) =
                    if element.key_id_first { (&*secret.id, value) } else { (value, &*secret.id) };
                format!("{}{first}{}{second}{}", element.before, element.between, element.after)
            }
            Form::Pairs { split, keys, prefix } => {
                let key = keys.first().map_or("", AsRef::as_ref);
                if let Source::Header(header) = &candidate.from {
                    placer.element(header, key, &format!("{prefix}{value}"), split);
                    return Ok(());
                }
                format!("{key}{}{prefix}{value}", split.assign)
            }
        };
        placer.put("the signature", &candidate.from, &text)
    }
}

/// A claim's value: truth is no text.
fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => Value::from(text),
    }
}
