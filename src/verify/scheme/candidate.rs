//! One way in which a message may be signed.

use std::collections::BTreeSet;

use memchr::memmem;
use smallvec::SmallVec;

use super::{binding::Binding, certificate::Certificate};
use crate::{
    decision::{Code, Refusal},
    verify::{
        Algorithm, EcdsaForm, Head,
        encoding::{Encoding, KeyCoding, SignatureBytes},
        head::Read,
        httpsig,
        json::Pointer,
        jws::JoseAlgorithm,
        pairs::{self, Split},
        source::{Message, Source},
        template::{Role, Template, refuse},
    },
};

/// More signatures than this in one message are refused.
pub(crate) const MAX_SIGNATURES: usize = 16;

/// One way in which a message may be signed.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The algorithms, of which a proof that names its own chooses one.
    pub(crate) algorithms: SmallVec<[Algorithm; 1]>,
    pub(crate) means: Means,
    /// Where the signature or the token stands.
    pub(crate) from: Source,
    pub(crate) form: Form,
    pub(crate) encoding: Encoding,
    pub(crate) ecdsa: EcdsaForm,
    pub(crate) key: KeyCoding,
    /// The index of the one secret that it takes.
    pub(crate) key_slot: Option<usize>,
    /// Where the message names its key.
    pub(crate) key_id: Option<Source>,
    /// Where the message names its certificate.
    pub(crate) certificate: Option<Certificate>,
    /// What is signed, where a template says so.
    pub(crate) signed: Option<Template>,
    /// The array of which every element is signed by itself.
    pub(crate) each: Option<Pointer>,
    /// It signs the registered URL.
    pub(crate) uses_url: bool,
    /// It looks into the document before it verifies.
    pub(crate) uses_document: bool,
    /// All must hold.
    pub(crate) when: Vec<Condition>,
    /// What must be equal; all of them.
    pub(crate) bindings: Vec<Binding>,
    /// The number of its group.
    pub(crate) group: usize,
}

/// What kind of proof a candidate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// A JSON Web Signature.
    Jws(Jws),
    /// An HTTP message signature.
    Message(httpsig::Rules),
    /// None at all, but for what must be equal.
    Nothing,
    /// A MAC, digest or signature over the template.
    Signed,
    /// The secret itself.
    Token,
}

/// What of a JSON Web Signature the definition decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jws {
    pub(crate) algorithms: Vec<JoseAlgorithm>,
    /// Claims that must be there, and their numbers among the scheme's.
    pub(crate) required: Vec<(Box<str>, usize)>,
    /// It says who calls, and comes again with other messages.
    pub(crate) reusable: bool,
}

/// How signatures stand in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One, after a prefix.
    Bare { prefix: Box<str> },
    /// Several, each after a prefix or in a shape of its own.
    List { split: Split, prefix: Box<str>, element: Option<Element> },
    /// Several, as values of these keys, each after a prefix.
    Pairs { split: Split, keys: Vec<Box<str>>, prefix: Box<str> },
}

/// The shape of a list's elements that carry a key id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) before: Box<str>,
    pub(crate) between: Box<str>,
    pub(crate) after: Box<str>,
    pub(crate) key_id_first: bool,
}

/// A condition on one part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) source: Source,
    pub(crate) test: Test,
}

/// What must hold of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equals(Box<str>),
    Exists(bool),
}

/// One signature of a message, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The number of its candidate.
    pub(crate) candidate: usize,
    pub(crate) signature: SignatureBytes,
    /// The key that its element names.
    pub(crate) key_id: Option<Box<[u8]>>,
}

/// The signatures of a message.
pub(crate) type Givens = SmallVec<[Given; 1]>;

impl Condition {
    /// Whether a look at the bytes shows that it cannot hold: its last member's name, or
    /// the text that must stand there, is nowhere.
    ///
    /// Spares most bodies a reading. A sender that spells them with escapes is taken for one whose
    /// condition does not hold.
    pub(crate) fn is_out_of_question(&self, body: &[u8]) -> bool {
        let Source::Json(pointer, _) = &self.source else { return false };
        if self.test == Test::Exists(false) {
            return false;
        }
        if let Test::Equals(text) = &self.test
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            && memmem::find(body, text.as_bytes()).is_none()
        {
            return true;
        }
        let is_index = |name: &&str| name.bytes().all(|b| b.is_ascii_digit());
        let name = pointer.names().last().flatten().filter(|name| !is_index(name));
        name.is_some_and(|name| memmem::find(body, name.as_bytes()).is_none())
    }

    /// Whether it holds; something that is there twice or cannot be read equals nothing.
    pub(crate) fn holds(&self, message: &Message<'_>) -> bool {
        let read = self.source.read(message);
        match &self.test {
            Test::Equals(text) => matches!(read, Read::Value(v) if *v == *text.as_bytes()),
            Test::Exists(there) => {
                let is_absent = matches!(read, Read::Absent | Read::Malformed(_));
                let found = match &self.source {
                    // Arrays and objects are there, although they have no text.
                    Source::Json(..) => message.found(&self.source).is_some_and(|f| f.reached),
                    _ => !is_absent,
                };
                found == *there
            }
        }
    }
}

impl Candidate {
    /// The algorithm of a proof that has no choice.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithms.first().copied().unwrap_or(Algorithm::None)
    }

    /// Takes algorithms away; whether any is left.
    pub(crate) fn forbid(&mut self, forbidden: &BTreeSet<Algorithm>) -> bool {
        self.algorithms.retain(|algorithm| !forbidden.contains(algorithm));
        match &mut self.means {
            Means::Jws(jws) => {
                jws.algorithms.retain(|algorithm| !forbidden.contains(&algorithm.algorithm()));
            }
            Means::Message(rules) => rules.algorithms.retain(|a| !forbidden.contains(a)),
            Means::Nothing | Means::Signed | Means::Token => {}
        }
        !self.algorithms.is_empty()
    }

    /// Whether its proof must say until when it holds.
    pub(crate) fn expires(&self) -> bool {
        match &self.means {
            Means::Jws(jws) => jws.required.iter().any(|(name, _)| **name == *"exp"),
            Means::Message(_) | Means::Nothing | Means::Signed | Means::Token => false,
        }
    }

    /// Whether its proof is verified with public keys.
    pub(crate) fn is_asymmetric(&self) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm.is_asymmetric())
    }

    /// Whether its proof is verified with secrets.
    pub(crate) fn takes_secrets(&self) -> bool {
        let takes = |a: &Algorithm| !a.is_asymmetric() && *a != Algorithm::None;
        self.algorithms.iter().any(takes)
    }

    /// Whether the head looks as if it were signed this way.
    pub(crate) fn is_present(&self, head: Head<'_>) -> bool {
        self.applies_to_head(head)
            && match &self.from {
                _ if self.means == Means::Nothing => true,
                Source::Headers(prefix) => numbered(head, prefix).next().is_some(),
                Source::Form(_) => head.has_form_type(),
                Source::Item(..) | Source::Json(..) | Source::Xml(..) => !head.has_form_type(),
                source => match source.read(&Message::new(head, &[])) {
                    Read::Absent | Read::Malformed(_) => false,
                    Read::Repeated => true,
                    Read::Value(value) => !value.is_empty(),
                },
            }
    }

    /// Whether its condition holds as far as the head tells.
    pub(crate) fn applies_to_head(&self, head: Head<'_>) -> bool {
        self.when.iter().all(|condition| {
            condition.source.is_in_body() || condition.holds(&Message::new(head, &[]))
        })
    }

    /// Whether its condition holds.
    pub(crate) fn applies_to(&self, message: &Message<'_>) -> bool {
        self.when.iter().all(|condition| condition.holds(message))
    }

    /// Adds every well-formed signature of the message; `number` is the candidate's own.
    ///
    /// # Errors
    ///
    /// There is none, or its place is there twice, or there are too many.
    pub(crate) fn gather(
        &self,
        number: usize,
        message: &Message<'_>,
        givens: &mut Givens,
    ) -> Result<(), Refusal> {
        let before = givens.len();
        let mut malformed = false;
        match &self.from {
            Source::Headers(prefix) => {
                for name in numbered(message.head, prefix) {
                    let read = message.head.header(name);
                    malformed |= self.gather_from(number, read, givens)?;
                }
            }
            source => malformed |= self.gather_from(number, source.read(message), givens)?,
        }
        match (givens.len() > before, malformed) {
            (true, _) => Ok(()),
            (false, true) => Err(self.refuse(&Read::Malformed("is not of the provider's form"))),
            (false, false) => Err(self.refuse(&Read::Absent)),
        }
    }

    /// Takes the signatures out of one place; says whether something there was malformed.
    fn gather_from(
        &self,
        number: usize,
        read: Read<'_>,
        givens: &mut Givens,
    ) -> Result<bool, Refusal> {
        let text = match read {
            Read::Value(text) => text,
            Read::Absent => return Ok(false),
            other => return Err(self.refuse(&other)),
        };
        let mut malformed = false;
        let mut take = |value: &[u8], key_id: Option<&[u8]>| {
            let decoded = match self.algorithm().output_bytes() {
                Some(expected) => self.encoding.decode(value, expected),
                None => self.encoding.decode_any(value),
            };
            match decoded {
                _ if givens.len() >= MAX_SIGNATURES => return false,
                Some(signature) => givens.push(Given {
                    candidate: number,
                    signature,
                    key_id: key_id.map(Into::into),
                }),
                None => malformed = true,
            }
            true
        };
        let few = match &self.form {
            Form::Bare { .. } if text.is_empty() => return Ok(false),
            Form::Bare { prefix } => match text.strip_prefix(prefix.as_bytes()) {
                Some(value) => take(value, None),
                None => return Ok(true),
            },
            Form::List { split, prefix, element } => split.elements(&text).all(|one| {
                let one = one.trim_ascii();
                match element {
                    Some(element) => {
                        element.parts(one).is_none_or(|(key_id, value)| take(value, Some(key_id)))
                    }
                    None if one.is_empty() => true,
                    None => {
                        one.strip_prefix(prefix.as_bytes()).is_none_or(|value| take(value, None))
                    }
                }
            }),
            Form::Pairs { split, keys, prefix } => split.elements(&text).all(|one| {
                let pair = split
                    .key_value(one)
                    .filter(|(key, _)| keys.iter().any(|wanted| wanted.as_bytes() == *key));
                let value = pair.and_then(|(_, value)| value.strip_prefix(prefix.as_bytes()));
                value.is_none_or(|value| take(value, None))
            }),
        };
        if few {
            return Ok(malformed);
        }
        Err(Refusal::new(Code::SignatureMalformed, "more than 16 signatures"))
    }

    /// The refusal for where the signature stands.
    pub(crate) fn refuse(&self, read: &Read<'_>) -> Refusal {
        refuse(&self.from, Role::Signature, read)
    }
}

impl Element {
    /// Key id and value of an element of this shape.
    pub(crate) fn parts<'a>(&self, element: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let inner = element.strip_prefix(self.before.as_bytes())?;
        let inner = inner.strip_suffix(self.after.as_bytes())?;
        let (first, second) = pairs::split_once(inner, self.between.as_bytes())?;
        Some(if self.key_id_first { (first, second) } else { (second, first) })
    }
}

/// The headers of this prefix with digits after it, at most one more than may be.
fn numbered<'a>(head: Head<'a>, prefix: &str) -> impl Iterator<Item = &'a http::HeaderName> {
    head.headers
        .keys()
        .filter(move |name| {
            let number = name.as_str().strip_prefix(prefix);
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
        .take(MAX_SIGNATURES + 1)
}
