//! Makes the proof of a request and puts it where the scheme wants it.

use http::header::HOST;

use super::{SignError, draft::Draft, key, message, place::Placer, token};
use crate::verify::{
    Head, Scheme, Secret,
    json::{self, Pointer},
    scheme::{Candidate, Form, Means},
    source::{Message, Source},
    template::Template,
};

/// Puts the signature, the signature of every element, or the token.
///
/// # Errors
///
/// What is missing, or has no place.
pub(super) fn put(
    scheme: &Scheme,
    candidate: &Candidate,
    secret: &Secret,
    placer: &mut Placer<'_>,
) -> Result<(), SignError> {
    let value = match (&candidate.means, &candidate.signed) {
        (Means::Nothing, _) => return Ok(()),
        (Means::Message(rules), _) => {
            return message::sign(placer, scheme, candidate, rules, secret);
        }
        (Means::Jws(rules), _) => {
            let token = token::make(scheme, candidate, rules, secret, placer)?;
            return placer.put("the token", &candidate.from, &spelled(candidate, secret, &token));
        }
        (_, None) => {
            let key = candidate.key.decode(&secret.bytes).map_err(SignError::Secret)?;
            String::from_utf8(key.to_vec())
                .map_err(|_| SignError::Secret("is not text".to_owned()))?
        }
        (_, Some(template)) => {
            if let Some(array) = &candidate.each {
                return elements(scheme, candidate, secret, (template, array), placer);
            }
            with_message(scheme, &placer.draft, |message| {
                signature(candidate, secret, template, message)
            })?
        }
    };
    if let Source::Header(header) = &candidate.from {
        let in_header = match &candidate.form {
            Form::Pairs { split, keys, prefix } => {
                Some((keys.first().map_or("", AsRef::as_ref), prefix, split))
            }
            Form::List { prefix, element: None, split } => Some(("", prefix, split)),
            Form::Bare { .. } | Form::List { .. } => None,
        };
        if let Some((key, prefix, split)) = in_header {
            placer.element(header, key, &format!("{prefix}{value}"), split);
            return Ok(());
        }
    }
    placer.put("the signature", &candidate.from, &spelled(candidate, secret, &value))
}

/// Signs every element of a batch.
fn elements(
    scheme: &Scheme,
    candidate: &Candidate,
    secret: &Secret,
    (template, array): (&Template, &Pointer),
    placer: &mut Placer<'_>,
) -> Result<(), SignError> {
    let fail = |why: &str| SignError::Place {
        what: "the signature",
        place: candidate.from.to_string(),
        why: why.to_owned(),
    };
    let Source::Item(inner, _) = &candidate.from else {
        return Err(fail("it is not in the element that it signs"));
    };
    let texts = with_message(scheme, &placer.draft, |message| {
        let document = scheme.document(message.head, message.body);
        let document = document.ok_or_else(|| fail("the body has no document"))?;
        let elements = json::elements(&document, array);
        let elements = elements.ok_or_else(|| fail("the body has no list of elements"))?;
        let sign = |element: &[u8]| {
            let found = json::extract(element, scheme.items());
            let found = found.map_err(|_| fail("an element is no JSON"))?;
            let message = Message { item: Some(&found), ..*message };
            let value = signature(candidate, secret, template, &message)?;
            Ok(spelled(candidate, secret, &value))
        };
        elements.into_iter().map(sign).collect::<Result<Vec<_>, _>>()
    })?;
    let path: Vec<_> = array.names().chain(inner.names()).collect();
    let mut texts = texts.into_iter();
    let mut next = |_: Option<&str>| texts.next().unwrap_or_default();
    placer.draft.member(&path, true, &mut next).map_err(|why| fail(&why))
}

/// What the request looks like to whoever verifies it.
pub(super) fn with_message<T>(
    scheme: &Scheme,
    draft: &Draft,
    use_it: impl FnOnce(&Message<'_>) -> Result<T, SignError>,
) -> Result<T, SignError> {
    let mut headers = draft.header_map().map_err(SignError::Request)?;
    if let (false, Ok(host)) = (headers.contains_key(HOST), draft.authority().parse()) {
        headers.insert(HOST, host);
    }
    let uri = draft.target().parse();
    let uri = uri.map_err(|_| SignError::Request("the path cannot be sent".to_owned()))?;
    let head = Head { method: &draft.method, uri: &uri, headers: &headers };
    let looked = scheme.look_into(head, &draft.body);
    use_it(&Message::new(head, &draft.body).with(&looked))
}

fn signature(
    candidate: &Candidate,
    secret: &Secret,
    template: &Template,
    message: &Message<'_>,
) -> Result<String, SignError> {
    let chunks = template.chunks(message).map_err(SignError::Unsignable)?;
    Ok(candidate.encoding.encode(&key::sign(candidate, secret, template, &chunks)?))
}

/// The signature as it stands in its place.
fn spelled(candidate: &Candidate, secret: &Secret, value: &str) -> String {
    match &candidate.form {
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
            format!("{key}{}{prefix}{value}", split.assign)
        }
    }
}
