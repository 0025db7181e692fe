//! Senders that sign with a private key: Ed25519 and ECDSA over a template.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

use crate::support::{Gateway, Upstream, standard_webhooks};

const BODY: &[u8] = br#"{"id":"1","type":2,"data":{"name":"hello"}}"#;

fn ed25519() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap()
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

fn gateway(upstream: &Upstream, provider: &str, keys: &str) -> Gateway {
    Gateway::start(&config(upstream, provider, keys))
}

fn config(upstream: &Upstream, provider: &str, keys: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
         [routes.r]\npath = \"/r\"\nprovider = \"{provider}\"\n{keys}\nupstream = \"{}\"\n",
        upstream.url("")
    )
}

fn public_keys(keys: &[&KeyPair]) -> String {
    let each = keys
        .iter()
        .enumerate()
        .map(|(n, key)| format!("{{ value = '''{}''', id = \"k{n}\" }}", key.public_key_pem()));
    format!("public_keys = [{}]", each.collect::<Vec<_>>().join(", "))
}

struct Discord<'g> {
    gateway: &'g Gateway,
    at: i64,
}

impl Discord<'_> {
    fn sign(&self, key: &KeyPair, body: &[u8]) -> String {
        hex::encode(key.sign(&[self.at.to_string().as_bytes(), body].concat()).unwrap())
    }

    fn send(&self, signatures: &[&str], body: &[u8]) -> (u16, String) {
        let at = self.at.to_string();
        let mut headers = vec![("X-Signature-Timestamp", at.as_str())];
        headers.extend(signatures.iter().map(|signature| ("X-Signature-Ed25519", *signature)));
        let answer = self.gateway.post("/r", &headers, body);
        let code = if answer.body.starts_with(b"{") { answer.code() } else { String::new() };
        (answer.status, code)
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn what_the_key_signed_is_delivered_and_nothing_else() {
    let (upstream, key) = (Upstream::start(), ed25519());
    let gateway = gateway(&upstream, "discord", &public_keys(&[&key]));
    let sender = Discord { gateway: &gateway, at: gateway.clock.unix().secs() };
    let good = sender.sign(&key, BODY);
    let mismatch = refused(401, "signature_mismatch");
    let malformed = refused(400, "signature_malformed");

    let other_key = sender.sign(&ed25519(), BODY);
    let mut other_bit = good.clone().into_bytes();
    other_bit[70] = if other_bit[70] == b'0' { b'1' } else { b'0' };
    let other_bit = String::from_utf8(other_bit).unwrap();
    let other_time = Discord { gateway: &gateway, at: sender.at + 1 };
    assert_eq!(sender.send(&[&good], b"{}"), mismatch);
    assert_eq!(sender.send(&[&good], b""), mismatch);
    assert_eq!(sender.send(&[&other_key], BODY), mismatch);
    assert_eq!(sender.send(&[&other_bit], BODY), mismatch);
    assert_eq!(sender.send(&[&"00".repeat(64)], BODY), mismatch);
    assert_eq!(other_time.send(&[&good], BODY), mismatch);
    let spelled = good.to_uppercase();
    let base64 = STANDARD.encode(hex::decode(&good).unwrap());
    assert_eq!(sender.send(&[""], BODY), refused(401, "signature_missing"));
    for bad in ["00", &good[..126], &format!("{good}00"), &spelled, &base64, &"f".repeat(7000)] {
        assert_eq!(sender.send(&[bad], BODY), malformed, "{bad}");
    }
    assert_eq!(sender.send(&[&good, &good], BODY), refused(400, "ambiguous_header"));
    assert_eq!(sender.send(&[], BODY), refused(401, "signature_missing"));
    assert_eq!(upstream.count(), 0);

    assert_eq!(sender.send(&[&good], BODY).0, 200);
    let seen = upstream.last();
    assert_eq!(seen.body, BODY);
    assert_eq!(seen.header("hookward-key-id"), Some("k0"));
    assert_eq!(seen.header("hookward-verified"), Some("signature, timestamp, replay"));
    assert_eq!(seen.header("hookward-event-id"), Some("1"));
    assert_eq!(sender.send(&[&good], BODY), refused(409, "replayed"));

    for (at, code) in [(-301, "timestamp_expired"), (301, "timestamp_in_future")] {
        let sender = Discord { gateway: &gateway, at: sender.at + at };
        assert_eq!(sender.send(&[&sender.sign(&key, b"{}")], b"{}"), refused(401, code));
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn keys_rotate_end_and_are_read_again() {
    let (upstream, old, new) = (Upstream::start(), ed25519(), ed25519());
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("new.pem"), new.public_key_pem()).unwrap();
    let raw = hex::encode(old.der_bytes());
    let keys = format!(
        "public_keys = [{{ file = \"new.pem\" }}, \
         {{ value = \"{raw}\", id = \"old\", expires = 2025-10-09T09:00:00Z }}]"
    );
    let config = config(&upstream, "discord", &keys);
    let gateway = Gateway::start_in(dir, &config);
    let send = |key: &KeyPair, body: &str| {
        let sender = Discord { gateway: &gateway, at: gateway.clock.unix().secs() };
        sender.send(&[&sender.sign(key, body.as_bytes())], body.as_bytes())
    };
    assert_eq!(send(&old, r#"{"id":"1"}"#).0, 200);
    assert_eq!(upstream.last().header("hookward-key-id"), Some("old"));
    assert_eq!(send(&new, r#"{"id":"2"}"#).0, 200);
    assert_eq!(upstream.last().header("hookward-key-id"), Some("new"));

    // 400 s later it is past nine o'clock.
    gateway.clock.advance(std::time::Duration::from_secs(400));
    assert_eq!(send(&old, r#"{"id":"3"}"#), refused(401, "signature_mismatch"));
    assert_eq!(send(&new, r#"{"id":"4"}"#).0, 200);

    // A private key in the file's place changes nothing, and another public one does.
    let path = gateway.dir.path().join("new.pem");
    std::fs::write(&path, new.serialize_pem()).unwrap();
    assert!(!gateway.reload(&config));
    assert_eq!(send(&new, r#"{"id":"5"}"#).0, 200);
    let newest = ed25519();
    std::fs::write(&path, newest.public_key_pem()).unwrap();
    assert!(gateway.reload(&config));
    assert_eq!(send(&new, r#"{"id":"6"}"#), refused(401, "signature_mismatch"));
    assert_eq!(send(&newest, r#"{"id":"7"}"#).0, 200);
}

/// The two numbers of an ECDSA signature in DER, without leading zeros.
fn numbers(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let r_len = usize::from(der[3]);
    let (r, s) = (&der[4..4 + r_len], &der[6 + r_len..]);
    let plain = |n: &[u8]| n.iter().copied().skip_while(|b| *b == 0).collect();
    (plain(r), plain(s))
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |n: &[u8]| {
        let zero: &[u8] = if n[0] > 0x7f { &[0] } else { &[] };
        [&[2, u8::try_from(zero.len() + n.len()).unwrap()], zero, n].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &*both].concat()
}

/// The order of P-256 less a number.
fn complement(s: &[u8]) -> Vec<u8> {
    let order =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let s = [vec![0; 32 - s.len()], s.to_vec()].concat();
    let mut borrow = 0;
    let mut out = Vec::new();
    for (n, s) in order.iter().zip(&s).rev() {
        let value = i16::from(*n) - i16::from(*s) - borrow;
        borrow = i16::from(value < 0);
        out.push(u8::try_from(value.rem_euclid(256)).unwrap());
    }
    out.reverse();
    out.into_iter().skip_while(|b| *b == 0).collect()
}

#[test]
fn the_other_form_of_an_ecdsa_signature_is_a_replay() {
    let (upstream, key) = (Upstream::start(), p256());
    let gateway = gateway(&upstream, "sendgrid", &public_keys(&[&key]));
    let now = gateway.clock.unix().secs().to_string();
    let body = b"[{\"sg_event_id\":\"a\",\"event\":\"open\"}]\r\n";
    let send = |signature: &[u8], body: &[u8]| {
        let signature = STANDARD.encode(signature);
        let headers = [
            ("X-Twilio-Email-Event-Webhook-Signature", signature.as_str()),
            ("X-Twilio-Email-Event-Webhook-Timestamp", &now),
        ];
        let answer = gateway.post("/r", &headers, body);
        (answer.status, if answer.status == 200 { String::new() } else { answer.code() })
    };
    let good = key.sign(&[now.as_bytes(), body].concat()).unwrap();
    let (r, s) = numbers(&good);
    assert_eq!(der(&r, &s), good);
    let raw = [vec![0; 32 - r.len()], r.clone(), vec![0; 32 - s.len()], s.clone()].concat();
    let mismatch = refused(401, "signature_mismatch");
    assert_eq!(send(&raw, body), mismatch);
    assert_eq!(send(&[&good[..], &[0]].concat(), body), mismatch);
    assert_eq!(send(&good[..good.len() - 1], body), mismatch);
    assert_eq!(send(&der(&[1], &[1]), body), mismatch);
    assert_eq!(send(&good, body.trim_ascii_end()), mismatch);
    assert_eq!(send(&good, body).0, 200);
    assert_eq!(send(&der(&r, &complement(&s)), body), refused(409, "replayed"));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_scheme_of_both_kinds_takes_either_signature() {
    let (upstream, key) = (Upstream::start(), ed25519());
    let secret = [7; 32];
    let whpk = STANDARD.encode(key.der_bytes());
    let secrets = format!("secrets = [{{ value = \"whsec_{}\" }}]", STANDARD.encode(secret));
    let public = format!("public_keys = [{{ value = \"whpk_{whpk}\", id = \"pk\" }}]");
    let both = format!("{secrets}\n{public}");
    for (keys, v1, v1a) in [(&secrets, 200, 401), (&public, 401, 200), (&both, 200, 200)] {
        let gateway = gateway(&upstream, "standard-webhooks", keys);
        let now = gateway.clock.unix().secs();
        let send = |id: &str, sign: &dyn Fn(&str) -> String| {
            let headers = [
                ("webhook-id", id),
                ("webhook-timestamp", &now.to_string()),
                ("webhook-signature", &sign(id)),
            ];
            gateway.post("/r", &headers, BODY).status
        };
        let by_secret = |id: &str| standard_webhooks(&secret, id, now, BODY);
        let by_key = |id: &str| {
            let text = [format!("{id}.{now}.").as_bytes(), BODY].concat();
            format!("v1a,{}", STANDARD.encode(key.sign(&text).unwrap()))
        };
        assert_eq!(send("a", &by_secret), v1);
        assert_eq!(send("b", &by_key), v1a);
        assert_eq!(send("c", &|id| format!("{} {}", by_secret(id), by_key(id))), 200);
        // The kinds are not mixed up: what is under one version is not tried as the other.
        assert_eq!(send("d", &|id| by_secret(id).replace("v1,", "v1a,")), 400);
        assert_eq!(send("e", &|id| by_key(id).replace("v1a,", "v1,")), 400);
    }
}
