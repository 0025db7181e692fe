//! What is signed verifies, what is changed does not, and no input makes the engine panic.

use proptest::prelude::*;

use super::*;
use crate::verify::definition::raw::{Many, RawSignature};

/// What is signed, of a body and an id.
type Content = fn(&[u8], &str) -> Vec<u8>;

/// A definition with its signed parts, for the laws.
fn shape(number: usize) -> (String, Content) {
    let algorithm = ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"][number % 4];
    let encodings = ["hex", "hex-any", "base64", "base64-any", "base64url"];
    let encoding = if number % 7 == 6 { "base64-percent" } else { encodings[number % 5] };
    let (template, content): (_, Content) = match number % 3 {
        0 => ("{body}", |body, _| body.to_vec()),
        1 => ("{header:x-id}.{header:x-ts}.{body}", |body, id| {
            [id.as_bytes(), b".1760000000.", body].concat()
        }),
        _ => ("{body}{header:x-ts}", |body, _| [body, b"1760000000"].concat()),
    };
    let timestamp = match number % 3 {
        0 => "",
        _ => "timestamp = { from = \"header:x-ts\" }",
    };
    let text = format!(
        "signature = {{ algorithm = \"{algorithm}\", from = \"header:x-sig\", \
         encoding = \"{encoding}\", signed = \"{template}\" }}\n{timestamp}"
    );
    (text, content)
}

fn signed_by(number: usize, key: &[u8], body: &[u8], id: &str) -> (Bench, Message) {
    let (text, content) = shape(number);
    let bench = Bench::new(&text, &[Secret::new("other", b"other"), Secret::new("a", key)]);
    let candidate = &bench.scheme.candidates()[0];
    let signature = mac(candidate.algorithm(), candidate.encoding, key, &content(body, id));
    let message =
        Message::new(body).with("x-sig", signature).with("x-id", id).with("x-ts", "1760000000");
    (bench, message)
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1..=255_u8, 1..80)
        .prop_filter("blank", |key| !key.iter().all(u8::is_ascii_whitespace))
}

proptest! {
    #[test]
    fn what_is_signed_verifies(
        number in 0..60_usize,
        key in key(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        id in "[a-z0-9_-]{1,20}",
    ) {
        let (bench, message) = signed_by(number, &key, &body, &id);
        prop_assert_eq!(&*bench.judge(&message).unwrap().key_id, "a");
    }

    #[test]
    fn one_flipped_bit_of_what_is_signed_fails(
        number in 0..60_usize,
        key in key(),
        body in proptest::collection::vec(any::<u8>(), 1..100),
        id in "[a-z0-9_-]{1,20}",
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let (bench, message) = signed_by(number, &key, &body, &id);
        let mut changed = message.clone();
        changed.body[at.index(body.len())] ^= 1 << bit;
        prop_assert!(bench.judge(&changed).is_err());
        for name in ["x-sig", "x-id", "x-ts"] {
            let part = bench.scheme.coverage().headers.contains(name) || name == "x-sig";
            let mut value = message.headers[name].as_bytes().to_vec();
            let at = at.index(value.len());
            value[at] ^= 1 << (bit % 7);
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let mut changed = message.clone();
            changed.headers.insert(name, value);
            let spelling = name == "x-sig" && (number % 5 == 1 || number % 7 == 6)
                && changed.headers[name].as_bytes()
                    .eq_ignore_ascii_case(message.headers[name].as_bytes());
            if part && !spelling {
                prop_assert!(bench.judge(&changed).is_err(), "{} {:?}", name, changed);
            }
        }
    }

    #[test]
    fn no_message_panics(
        number in 0..6_usize,
        sig in proptest::collection::vec(prop_oneof![32..127_u8, 128..=255_u8], 0..120),
        id in proptest::collection::vec(32..127_u8, 0..20),
        ts in "\\PC{0,16}",
        body in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let (text, _) = shape(number);
        let texts = [text.as_str(), BODY, TIMED, LIST];
        let bench = Bench::new(texts[number % 4], &secret(b"k"));
        let message = Message::new(&body).with("x-sig", &sig).with("x-id", &id).with("x-ts", ts.as_bytes());
        prop_assert!(bench.judge(&message).is_err());
        bench.scheme.event(message.head(), &body);
        bench.scheme.repeats(message.head(), &body);
    }

    #[test]
    fn no_definition_panics(template in "[{}a-z:|.\\PC]{0,40}", from in "[a-z:/*{}.]{0,20}") {
        let raw = RawDefinition {
            signature: Some(Many(vec![
                RawSignature {
                    algorithm: Some("hmac-sha256".to_owned()),
                    from: Some(from),
                    signed: Some(Many(vec![template])),
                    ..Default::default()
                },
            ])),
            ..Default::default()
        };
        drop(Definition::check("test", raw));
    }

    /// Two different divisions of the same bytes are never both accepted.
    #[test]
    fn parts_do_not_slide(id in "[a.]{0,4}", body in "[a.1]{0,4}", cut in 0..8_usize) {
        let all = format!("{id}.1760000000.{body}");
        let bench = Bench::new(
            r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{header:x-id}.{header:x-ts}.{body}" }
               timestamp = { from = "header:x-ts" }
               event = { id = "header:x-id" }"#,
            &secret(b"k"),
        );
        let sig = hex(b"k", all.as_bytes());
        let accepted = |id: &str, body: &str| {
            let message = Message::new(body.as_bytes()).with("x-sig", &sig).with("x-id", id).with("x-ts", "1760000000");
            bench.judge(&message).is_ok()
        };
        if let (true, Some((other_id, rest))) = (accepted(&id, &body), all.split_at_checked(cut))
            && let Some(other_body) = rest.strip_prefix(".1760000000.")
        {
            prop_assert!(other_id == id || !accepted(other_id, other_body));
        }
    }
}
