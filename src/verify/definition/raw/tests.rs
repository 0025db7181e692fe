use super::*;

#[test]
fn one_value_or_an_array_of_them() {
    let raw: RawDefinition = toml::from_str(
        r#"
        signature = { algorithm = "hmac-sha256", value = ["v1", "v2"], key = "hex" }
        timestamp = { from = "pair:t" }
        repeats = { json = "/n", equals = 3 }
        "#,
    )
    .unwrap();
    let signature = &raw.signature.unwrap().0[0];
    assert_eq!(signature.value.as_ref().unwrap().0, ["v1", "v2"]);
    assert!(matches!(&signature.key, Some(RawKey::Encoding(e)) if e == "hex"));
    assert_eq!(raw.timestamp.unwrap().from.unwrap().0, ["pair:t"]);
    assert!(
        matches!(raw.repeats, Some(RawRepeats::When(c)) if c.equals == Some(Scalar("3".into())))
    );

    let raw: RawDefinition =
        toml::from_str("[[signature]]\nalgorithm = \"token\"\n[[signature]]\n").unwrap();
    assert_eq!(raw.signature.unwrap().0.len(), 2);
}

#[test]
fn an_unknown_key_is_located() {
    let error =
        toml::from_str::<RawDefinition>("title = 'x'\nsignature = { algoritm = 'y' }").unwrap_err();
    assert!(error.message().contains("unknown field `algoritm`"), "{error}");
    assert_eq!(error.span().unwrap().start, 26);
}

#[test]
fn what_must_be_equal_is_a_template_or_a_digest() {
    let text = "signature = { match = { 'claim:a' = '{body}', 'claim:b' = ['x', { of = 'y' }] } }";
    let raw: RawDefinition = toml::from_str(text).unwrap();
    let matches = raw.signature.unwrap().0.remove(0).matches.unwrap();
    assert!(matches!(&matches["claim:a"].0[..], [RawExpected::Template(t)] if t == "{body}"));
    assert!(matches!(&matches["claim:b"].0[..], [_, RawExpected::Digest(d)] if d.digest.is_none()));
}
