//! The examples of RFC 9421, section 2 and appendix B.

use super::*;

#[test]
fn the_published_bases() {
    let created = ";created=1618884473";
    let params = format!("(){created};keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"");
    let base = published().signed(&format!("sig-b21={params}"), "sig-b21=:AA==:").base();
    assert_eq!(base, format!("\"@signature-params\": {params}"));

    let params = format!(
        "(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\"){created};\
         keyid=\"test-key-rsa-pss\";tag=\"header-example\""
    );
    let base = published().signed(&format!("sig-b22={params}"), "sig-b22=:AA==:").base();
    assert_eq!(
        base,
        format!(
            "\"@authority\": example.com\n\"content-digest\": {DIGEST}\n\
             \"@query-param\";name=\"Pet\": dog\n\"@signature-params\": {params}"
        )
    );

    let params = format!(
        "(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \
         \"content-digest\" \"content-length\"){created};keyid=\"test-key-rsa-pss\""
    );
    let base = published().signed(&format!("sig-b23={params}"), "sig-b23=:AA==:").base();
    assert_eq!(
        base,
        format!(
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
             \"@query\": ?param=Value&Pet=dog\n\"@authority\": example.com\n\
             \"content-type\": application/json\n\"content-digest\": {DIGEST}\n\
             \"content-length\": 18\n\"@signature-params\": {params}"
        )
    );
    assert_eq!(digests_hold(published().head(), BODY), Ok(()));
}

/// RFC 9421, appendix B.2.5.
#[test]
fn the_published_hmac() {
    let secret = BASE64_STANDARD
        .decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
        .unwrap();
    let request = published().signed(
        "sig-b25=(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"",
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    );
    let inputs = request.read(&anything()).unwrap();
    let keyed = Keyed::new(Algorithm::HmacSha256, &secret).unwrap();
    let mac = keyed.mac(&[Cow::Borrowed(&inputs[0].base)]);
    assert_eq!(mac.as_slice(), inputs[0].signature);
    assert_eq!(inputs[0].parameters.keyid.as_deref(), Some("test-shared-secret"));
    assert_eq!(inputs[0].parameters.created, Some(UnixMs::from_secs(1_618_884_473)));
}

/// The examples of RFC 9421, sections 2.1, 2.1.1 to 2.1.3 and 2.2.
#[test]
fn every_component_has_the_value_of_the_standard() {
    let request = Request::new(
        Method::POST,
        "/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something",
        &[
            ("host", "WWW.Example.com:443"),
            ("x-ows-header", "  Leading and trailing whitespace.  "),
            ("cache-control", "max-age=60"),
            ("cache-control", "   must-revalidate"),
            ("x-empty-header", ""),
            ("example-dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
            ("example-header", "value, with, lots"),
            ("example-header", "of, commas"),
            ("priority", "i,  u=1"),
        ],
    );
    for (name, value) in [
        ("x-ows-header", "Leading and trailing whitespace."),
        ("cache-control", "max-age=60, must-revalidate"),
        ("x-empty-header", ""),
        ("example-dict", "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
        ("example-dict;key=\"a\"", "1"),
        ("example-dict;key=\"b\"", "2;x=1;y=2"),
        ("example-dict;key=\"c\"", "(a b c)"),
        ("example-dict;key=\"d\"", "?1"),
        ("example-header;bs", ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"),
        ("priority;sf", "i, u=1"),
        ("@method", "POST"),
        ("@authority", "www.example.com"),
        ("@scheme", "https"),
        ("@path", "/parameters"),
        ("@query-param;name=\"var\"", "this%20is%20a%20big%0Amultiline%20value"),
        ("@query-param;name=\"bar\"", "with%20plus%20whitespace"),
        ("@query-param;name=\"fa%C3%A7ade%22%3A%20\"", "something"),
    ] {
        let component = component(name);
        let origin = Origin::of_head(request.head()).unwrap();
        let found = component.value(request.head(), &origin).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), value, "{name}");
        assert_eq!(component.to_string(), name);
    }
    let bare = Request::new(Method::GET, "/path", &[("host", "h:8443")]);
    let origin = Origin::of_head(bare.head()).unwrap();
    for (name, value) in [
        ("@query", "?"),
        ("@request-target", "/path"),
        ("@authority", "h:8443"),
        ("@target-uri", "https://h:8443/path"),
    ] {
        assert_eq!(*component(name).value(bare.head(), &origin).unwrap(), *value.as_bytes());
    }
}
