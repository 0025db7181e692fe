//! The whole engine under every built-in definition: signatures, templates, forms, JSON, XML, tokens
//! and message signatures are read as a request brings them.
//!
//! An input is the number of a definition in two bytes, and a raw HTTP/1.1 request. The law: whoever
//! does not have the key gets no other body accepted where the signature covers the body.

use std::sync::{Arc, LazyLock};

use hookward::{
    clock::UnixMs,
    providers,
    verify::{
        Credentials, Definition, KeyRing, PublicKey, PublicKeys, Scheme, SchemeOptions, Secret,
        SigningKey,
        captured::Captured,
        read_public_keys,
        sign::{SignRequest, SignedRequest, sign},
    },
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);
const URL: &str = "https://hooks.example.com/in?x=1";
/// Text, hexadecimal and base64 at once.
const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct Route {
    scheme: Scheme,
    keys: KeyRing,
    genuine: Option<SignedRequest>,
}

static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| providers::all().iter().map(Route::new).collect());

/// One private key of each kind, made once.
static PRIVATE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let kinds = [
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_RSA_SHA256,
    ];
    let made = kinds.into_iter().map(|kind| rcgen::KeyPair::generate_for(kind));
    made.map(|key| key.expect("a key").serialize_pem()).collect()
});

/// Public keys in PEM, of every kind.
pub fn pems() -> Vec<String> {
    let key = |pem: &String| SigningKey::read(pem.as_bytes()).ok();
    PRIVATE.iter().filter_map(key).map(|key| key.public_pem()).collect()
}

impl Route {
    fn new(definition: &Arc<Definition>) -> Self {
        let mut options = SchemeOptions::default();
        for (key, expectation) in &definition.expect {
            if expectation.default.is_none() {
                let value = if key == "url" { URL.to_owned() } else { format!("expected-{key}") };
                options.expect.insert(key.clone(), value);
            }
        }
        let scheme = Scheme::compile(definition, &options).expect("a built-in definition");
        let mut secrets = vec![Secret::new("text", SECRET.as_bytes())];
        let private = PRIVATE.iter().map(|pem| Secret::new("private", pem.as_bytes()));
        secrets.extend(private);
        let request = SignRequest {
            at: NOW,
            body: None,
            headers: &[],
            id: None,
            kind: None,
            seed: 7,
            url: URL,
        };
        let made = secrets.iter().find_map(|secret| {
            sign(definition, &scheme, std::slice::from_ref(secret), &request).ok()
        });
        let credentials = Credentials {
            secrets: secrets.into_iter().take(1).collect(),
            public_keys: pems().iter().filter_map(|pem| public(pem)).collect(),
            certificates: None,
        };
        let keys = KeyRing::build(&scheme, &credentials).expect("keys that any scheme takes");
        Self { scheme, keys, genuine: made }
    }
}

fn public(pem: &str) -> Option<PublicKey> {
    let known = read_public_keys(pem.as_bytes()).ok()?;
    let (id, keys) = ("public".into(), PublicKeys::Known(known));
    Some(PublicKey { id, id_is_explicit: false, expires: None, keys })
}

/// Judges one request.
pub fn judge(bytes: &[u8]) {
    accepts(bytes);
}

fn accepts(bytes: &[u8]) -> bool {
    let Some(([high, low], raw)) = bytes.split_first_chunk::<2>() else { return false };
    let number = usize::from(u16::from_be_bytes([*high, *low])) % ROUTES.len();
    let (Some(route), Ok(request)) = (ROUTES.get(number), Captured::from_http(raw)) else {
        return false;
    };
    let (head, body) = (request.head(), request.body.as_slice());
    let _ = route.scheme.challenge(&route.keys, head, NOW);
    let Ok(claim) = route.scheme.claim(head) else { return false };
    let _ = route.scheme.wants(&route.keys, &claim, head, body);
    let Ok(verified) = route.scheme.verify(&route.keys, &claim, head, body, NOW) else {
        return false;
    };
    let _ = route.scheme.judge_time(&claim, Some(&verified), head, body, NOW);
    let _ = route.scheme.signed_handshake(&route.keys, &verified, head, body, NOW);
    let _ = route.scheme.event(head, body);
    let _ = route.scheme.repeats(head, body);
    let coverage = route.scheme.coverage();
    let Some(genuine) = route.genuine.as_ref().filter(|_| coverage.body && !coverage.token) else {
        return true;
    };
    assert!(genuine.body == body, "another body was accepted: definition {number}");
    true
}

/// What every provider would send.
pub fn seeds() -> Vec<Vec<u8>> {
    let numbered = ROUTES.iter().enumerate();
    numbered
        .filter_map(|(number, route)| {
            let request = route.genuine.as_ref()?;
            let number = u16::try_from(number).ok()?;
            let mut bytes = number.to_be_bytes().to_vec();
            let line = format!("{} {} HTTP/1.1\r\n", request.method, request.target());
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(format!("Host: {}\r\n", request.authority()).as_bytes());
            for (name, value) in &request.headers {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&request.body);
            Some(bytes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the law of the target would hold for want of anything that is accepted.
    #[test]
    fn what_providers_send_is_accepted() {
        let seeds = seeds();
        let accepted = seeds.iter().filter(|seed| accepts(seed)).count();
        assert!(accepted * 10 >= seeds.len() * 9, "{accepted} of {}", seeds.len());
    }
}
