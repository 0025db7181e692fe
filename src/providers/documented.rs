//! Examples that providers publish: a secret, a body and the signature that they make.

use http::{HeaderMap, HeaderName, Uri};

use super::builtin;
use crate::{
    clock::UnixMs,
    decision::Refusal,
    verify::{Head, KeyRing, Scheme, SchemeOptions, Secret},
};

/// The definition, the secret, the header and its value, and the body.
const EXAMPLES: &[(&str, &str, (&str, &str), &str)] = &[
    // https://docs.aiprise.com/docs/callbacks-authentication
    (
        "aiprise",
        "abcdef12-pqrs-abcd-pqrs-abcde0123456",
        ("x-hmac-signature", "f8bf141ba610974d65f5dd603f7388474c366d1b95a13799748f92261610ba86"),
        r#"{"verification_session_id": "123408f2-2bbb-415f-aafc-92212341234", "template_id": "123456-3434-2342-3453-b4218a4fb333", "client_reference_id": null, "aiprise_summary": {"tags": [], "reasons": [], "notes": [], "verification_result": "APPROVED"}, "created_at": 1668974142818}"#,
    ),
    // https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/, as others quote it.
    (
        "bitbucket",
        "It's a Secret to Everybody",
        (
            "x-hub-signature",
            "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
        ),
        "Hello World!",
    ),
    // https://circleci.com/docs/guides/integration/outbound-webhooks/
    (
        "circleci",
        "secret",
        (
            "circleci-signature",
            "v1=734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a",
        ),
        "hello world",
    ),
    (
        "circleci",
        "another-secret",
        (
            "circleci-signature",
            "v1=daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00",
        ),
        "lalala",
    ),
    (
        "circleci",
        "hunter123",
        (
            "circleci-signature",
            "v1=9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa,v2=...,v3=...",
        ),
        "an-important-request-payload",
    ),
    // https://developer.atlassian.com/cloud/jira/platform/webhooks/, as others quote it.
    (
        "jira",
        "It's a Secret to Everybody",
        (
            "x-hub-signature",
            "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
        ),
        "Hello World!",
    ),
    // https://sendcloud.dev/api/v2/webhooks
    (
        "sendcloud",
        "secretkey",
        ("sendcloud-signature", "1eed4b3d41f4653ac64fd56f1bf1cbfd349e4482cbc11dff7134bd93e5da4b0a"),
        r#"{"key": "value"}"#,
    ),
];

fn judge(
    name: &str,
    secret: &str,
    (header, value): (&str, &str),
    body: &[u8],
) -> Result<(), Refusal> {
    let scheme = Scheme::compile(builtin(name).unwrap(), &SchemeOptions::default()).unwrap();
    let secrets = [Secret::new("1", secret.as_bytes())];
    let keys = KeyRing::build(&scheme, &secrets.as_slice().into()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    let uri = Uri::from_static("/in");
    let head = Head { method: &http::Method::POST, uri: &uri, headers: &headers };
    let claim = scheme.claim(head)?;
    scheme.verify(&keys, &claim, head, body, UnixMs::from_secs(1_760_000_000)).map(drop)
}

#[test]
fn published_examples_verify_and_nothing_else() {
    for (name, secret, header, body) in EXAMPLES {
        let judged = judge(name, secret, *header, body.as_bytes());
        assert!(judged.is_ok(), "{name}: {:?}", judged.err());
        assert!(judge(name, secret, *header, format!("{body} ").as_bytes()).is_err(), "{name}");
        assert!(judge(name, &format!("{secret}x"), *header, body.as_bytes()).is_err(), "{name}");
    }
}
