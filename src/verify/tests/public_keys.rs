//! Keys by name, here and fetched.

use super::*;
use crate::verify::{
    Credentials, EcdsaForm, NamedKey, Origin, PublicKey, PublicKeys, RemoteKeys, SigningKey,
    VerifyingKey,
};

const NAMED: &str = r#"
    signature = { algorithm = "ed25519", from = "header:x-sig", key_id = "header:x-key", signed = "{body}" }
"#;

fn pair() -> (SigningKey, VerifyingKey) {
    let signing = SigningKey::generate(Algorithm::Ed25519).unwrap();
    let verifying = signing.verifying_key().unwrap();
    (signing, verifying)
}

fn named(kid: &str, key: &VerifyingKey) -> NamedKey {
    NamedKey { kid: Some(kid.into()), algorithm: None, not_after: None, key: key.clone() }
}

fn element(id: &str, keys: PublicKeys) -> PublicKey {
    PublicKey { id: id.into(), id_is_explicit: false, expires: None, keys }
}

fn cell(host: &str) -> Arc<RemoteKeys> {
    RemoteKeys::new(Origin::Jwks { url: format!("https://{host}/").into() })
}

fn bench(public_keys: Vec<PublicKey>) -> Bench {
    let scheme = Scheme::compile(&check(NAMED).unwrap(), &SchemeOptions::default()).unwrap();
    let credentials = Credentials { public_keys, ..Credentials::default() };
    let keys = KeyRing::build(&scheme, &credentials).unwrap();
    Bench { scheme, keys }
}

fn signed(key: &SigningKey, kid: &'static str) -> Message {
    let signature = key.sign(Algorithm::Ed25519, EcdsaForm::Der, b"{}").unwrap();
    Message::new(b"{}").with("x-sig", ::hex::encode(signature)).with("x-key", kid)
}

/// Where a message's key must be looked for, and by which name.
fn wanted(bench: &Bench, message: &Message) -> Option<(String, String)> {
    let claim = bench.scheme.claim(message.head()).unwrap();
    let wanted = bench.scheme.wants(&bench.keys, &claim, message.head(), &message.body)?;
    let Origin::Jwks { url } = wanted.remote.origin().clone() else { panic!("{wanted:?}") };
    Some((url.into(), wanted.name.into()))
}

#[test]
fn a_key_is_fetched_once_and_found_by_its_name_alone() {
    let ((a, a_public), (b, _)) = (pair(), pair());
    let set = cell("one.example");
    let bench = bench(vec![element("set", PublicKeys::Remote(Arc::clone(&set)))]);
    let good = signed(&a, "a");
    let at_one = |name: &str| Some(("https://one.example/".to_owned(), name.to_owned()));
    assert_eq!(wanted(&bench, &good), at_one("a"));
    assert_eq!(bench.code(&good), Some(Code::KeyUnavailable));

    set.replace(vec![named("a", &a_public)]);
    assert_eq!(wanted(&bench, &good), None);
    assert_eq!(&*bench.judge(&good).unwrap().key_id, "set");
    // The right key under another name, and another key under the right one.
    let renamed = signed(&a, "b");
    assert_eq!(wanted(&bench, &renamed), at_one("b"));
    assert_eq!(bench.code(&renamed), Some(Code::SignatureMismatch));
    assert_eq!(bench.code(&signed(&b, "a")), Some(Code::SignatureMismatch));

    // What has vanished from the set verifies nothing.
    set.replace(vec![named("c", &a_public)]);
    assert_eq!(bench.code(&good), Some(Code::SignatureMismatch));
}

#[test]
fn a_name_that_one_source_knows_is_not_looked_for_in_another() {
    let ((a, a_public), (b, b_public), (c, _)) = (pair(), pair(), pair());
    let (empty, set) = (cell("empty.example"), cell("set.example"));
    set.replace(vec![named("b", &b_public)]);
    let bench = bench(vec![
        element("empty", PublicKeys::Remote(empty)),
        element("pinned", PublicKeys::Known(vec![named("a", &a_public)])),
        element("set", PublicKeys::Remote(set)),
    ]);
    for (message, id) in [(signed(&a, "a"), "pinned"), (signed(&b, "b"), "set")] {
        assert_eq!(wanted(&bench, &message), None, "{id}");
        assert_eq!(&*bench.judge(&message).unwrap().key_id, id);
    }
    // A source that was never read may have it: that is no verdict on the message.
    let unknown = signed(&c, "c");
    assert_eq!(wanted(&bench, &unknown).unwrap().0, "https://empty.example/");
    assert_eq!(bench.code(&unknown), Some(Code::KeyUnavailable));
}

#[test]
fn a_key_ends_with_its_certificate() {
    let (signing, public) = pair();
    let ends = |not_after| NamedKey { not_after, ..named("a", &public) };
    let bench = |not_after| {
        bench(vec![element("pinned", PublicKeys::Known(vec![ends(not_after)]))])
            .code(&signed(&signing, "a"))
    };
    assert_eq!(bench(None), None);
    assert_eq!(bench(Some(UnixMs(NOW.0 + 1))), None);
    assert_eq!(bench(Some(NOW)), Some(Code::SignatureMismatch));
}
