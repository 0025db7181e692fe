use super::*;

#[test]
fn definitions_that_would_not_protect_are_refused() {
    let signature = |rest: &str| {
        format!(r#"signature = {{ algorithm = "hmac-sha256", from = "header:x-sig", {rest} }}"#)
    };
    let signed = |template: &str| signature(&format!("signed = \"{template}\""));
    let two = r#"
        signature = [
            { algorithm = "hmac-sha256", from = "header:a", signed = "{body}" },
            { algorithm = "hmac-sha256", from = "header:b", signed = "{body}" },
        ]
    "#;
    for (text, path, says) in [
        (format!("{BODY}\nevent = {{ id = \"header:x-id\" }}"), "event.id", "not covered"),
        (
            format!("{BODY}\nevent = {{ id = [\"json:/id\", \"header:x-id\"] }}"),
            "event.id",
            "`header:x-id`",
        ),
        (
            format!("{BODY}\ntimestamp = {{ from = \"header:x-ts\" }}"),
            "timestamp.from",
            "not covered",
        ),
        (
            format!("{BODY}\nrepeats = {{ header = \"x\", exists = true }}"),
            "repeats",
            "not covered",
        ),
        (
            format!("{}\nevent = {{ id = \"json:/id\" }}", signed("{body|sha1}")),
            "event.id",
            "not covered",
        ),
        (
            format!("{}\nevent = {{ id = \"header:i\" }}", signed("{header:i|lower}.{body}")),
            "event.id",
            "not covered",
        ),
        (
            r#"
            signature = [
                { algorithm = "hmac-sha256", from = "header:a", signed = "{header:i}.{body}" },
                { algorithm = "hmac-sha1", from = "header:b", signed = "{body}" },
            ]
            event = { id = "header:i" }
            "#
            .into(),
            "event.id",
            "not covered",
        ),
        (signed("{header:a}{body}"), "signature.signed", "slide"),
        (signed("{bdy}"), "signature.signed", "`body`"),
        (signed("{url}{body}"), "signature.signed", "`[expect.url]`"),
        (signature("prefix = \"x\""), "signature.signed", "missing"),
        (signature("signed = \"{body}\", encoding = \"hx\""), "signature.encoding", "`hex`"),
        (signature("signed = \"{body}\", value = \"v1\""), "signature.value", "for pairs only"),
        (signature("signed = \"{body}\", key_slot = 0"), "signature.key_slot", "from 1"),
        (signature("signed = \"{body}\", format = \"pairs\""), "signature.value", "no key"),
        (
            signature("signed = \"{secret}{body}\""),
            "signature.signed",
            "plain digest",
        ),
        (
            r#"signature = { algorithm = "sha256", from = "header:s", signed = "{body}" }"#.into(),
            "signature.signed",
            "anybody can make it",
        ),
        (
            r#"signature = { algorithm = "jws", from = "bearer" }"#.into(),
            "signature.algorithms",
            "must not choose",
        ),
        (
            r#"signature = { algorithm = "jws", from = "bearer", algorithms = ["none"] }"#.into(),
            "signature.algorithms",
            "`none`",
        ),
        (
            r#"signature = { algorithm = "jws", from = "bearer", algorithms = ["HS256", "ES256"] }"#
                .into(),
            "signature.algorithms",
            "taken for a secret",
        ),
        (
            r#"
            signature = { algorithm = "jws", from = "bearer", algorithms = ["ES256"] }
            event = { id = "header:ce-id" }
            "#
            .into(),
            "event.id",
            "not covered",
        ),
        (
            r#"signature = { algorithm = "rsa-sha256", from = "json:/s", signed = "{body}", certificate = { from = "json:/u", hosts = ["*.com"] } }"#
                .into(),
            "signature.certificate",
            "no host",
        ),
        (
            r#"signature = { algorithm = "hmac-sha256", from = "item:/s", each = "json:/a", signed = "{item:/x}" }"#
                .into(),
            "signature.each",
            "every element",
        ),
        (
            r#"signature = { algorithm = "token", from = "body" }"#.into(),
            "signature.from",
            "no signature",
        ),
        (
            r#"signature = { algorithm = "token", from = "bearer", signed = "{body}" }"#.into(),
            "signature.signed",
            "no template",
        ),
        (
            r#"signature = { algorithm = "hmac-sha256", from = "json:/a/*/b", signed = "{body}" }"#
                .into(),
            "signature.from",
            "needs `each`",
        ),
        (format!("{BODY}\nhandshake = [{{}}]"), "handshake[0].name", "missing"),
        (format!("{BODY}\ndeadline = \"soon\""), "deadline", "no duration"),
        (format!("{BODY}\nmethods = [\"PSOT\"]"), "methods", "`POST`"),
        (format!("{BODY}\nfinal = [\"4x\"]"), "final", "\"4xx\""),
        (
            format!("{BODY}\nacknowledgement = {{ status = 204, body = \"x\" }}"),
            "acknowledgement.body",
            "no body with status 204",
        ),
        (String::new(), "signature", "missing"),
        (
            format!("{two}timestamp = {{ from = \"pair:t\" }}"),
            "timestamp.from",
            "needs a signature in pairs",
        ),
        (format!("{two}event = {{ id = \"pair:t\" }}"), "event.id", "needs a signature in pairs"),
        (format!("{two}timestamp = {{ from = \"header:t\" }}"), "timestamp.from", "not covered"),
    ] {
        let problems = check(&text).unwrap_err();
        let found = problems.iter().any(|p| p.starts_with(&format!("{path}:")) && p.contains(says));
        assert!(found, "{text}\n{problems:?}");
    }
    // What a token vouches for needs no cover.
    let token = r#"
        signature = { algorithm = "token", from = "header:t" }
        event = { id = "header:x-id" }
    "#;
    assert!(check(token).is_ok());
}

/// Every example of the documentation reads.
#[test]
fn the_documentation_speaks_the_language() {
    let page = include_str!("../../../docs/definitions.md");
    let (_, families) = page.split_once("## The ten families").unwrap();
    let (families, handshakes) = families.split_once("## Handshakes").unwrap();
    let examples: Vec<_> = handshakes.split("```toml\n").skip(1).collect();
    for example in &examples {
        let text = format!("{BODY}\n{}", example.split("```").next().unwrap());
        assert!(check(&text).is_ok(), "{text}");
    }
    assert_eq!(examples.len(), 2);
    let mut seen = 0;
    for example in families.split("```toml\n").skip(1) {
        let text = example.split("```").next().unwrap();
        if let Err(problems) = check(text) {
            panic!("{text}\n{problems:?}");
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
