//! Values that others published or made.

use super::*;

/// RFC 8032, section 7.1, tests 1 and 2.
#[test]
fn rfc_8032() {
    for (key, message, signature) in [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            &b""[..],
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            b"\x72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ] {
        let signature = hex::decode(signature).unwrap();
        let key = only(key.as_bytes());
        assert!(key.verifies(Algorithm::Ed25519, EcdsaForm::Der, message, &signature));
        assert!(key.verifies(Algorithm::Ed25519, EcdsaForm::Raw, message, &signature));
        assert!(!key.verifies(Algorithm::Ed25519, EcdsaForm::Der, b"other", &signature));
    }
}

/// RFC 7515, appendix A.2: RS256.
#[test]
fn rfc_7515_rsa() {
    let jwk = r#"{"kty":"RSA","alg":"RS256","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
    let input = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}");
    let signature = url(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    let key = only(jwk.as_bytes());
    let verifies =
        |algorithm| key.verifies(algorithm, EcdsaForm::Raw, input.as_bytes(), &signature);
    assert!(verifies(Algorithm::RsaSha256));
    assert!(!verifies(Algorithm::RsaSha512) && !verifies(Algorithm::RsaPssSha256));
}

/// RFC 7515, appendix A.3: ES256.
#[test]
fn rfc_7515_ecdsa() {
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let input = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
    let signature = url(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    let key = only(jwk.as_bytes());
    let verifies =
        |form| key.verifies(Algorithm::EcdsaP256Sha256, form, input.as_bytes(), &signature);
    assert!(verifies(EcdsaForm::Raw) && !verifies(EcdsaForm::Der));
}

#[test]
fn openssl() {
    let key = only(PKCS1.as_bytes());
    assert_eq!(key.key.key_type(), KeyType::Rsa { bits: 2048 });
    let verifies = |algorithm, signature: &str| {
        let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
        key.verifies(algorithm, EcdsaForm::Der, MESSAGE, &signature)
    };
    assert!(verifies(Algorithm::RsaSha1, RSA_SHA1));
    assert!(verifies(Algorithm::RsaPssSha256, RSA_PSS_SHA256));
    assert!(!verifies(Algorithm::RsaSha256, RSA_SHA1));
    assert!(!verifies(Algorithm::RsaPssSha384, RSA_PSS_SHA256));
}

/// The payload of RFC 7515, appendix A.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const MESSAGE: &[u8] = b"what do ya want for nothing?";
/// An `RSAPublicKey` of 2048 bits, made for this test with OpenSSL; base64.
const PKCS1: &str = "\
    MIIBCgKCAQEAnPXqHb+FsfaaH0OZ/zFK8OLIZU1wlB5usSuI1F6TNA00d43zTm/Jma0wdJwJhj9P5fS72Y3ppA6c\
    nTtSWBzUJARMLv6cV0jKbqRiHS97/Hiz8RhbhpYECEiQwO0zDiot5zHGrcZhBQgGZKgfaleXOrnCI35IilTsFvsx\
    T7gRPdeS29sAII6WOzpePfTXqv7CATrNwqcN3Ar5sa+cWwMetEJLk8C/o/umvG04guFGSTJYaavCBM9as7uaneAl\
    peg/iKURcruNq7dJEMxwbpzlgJc1tI7OQ5KBsPTIhCYFMiqxOCMX7yxXk9IXJQLKKL3ylXy7sMy6wh/dyfhPki3Y\
    IQIDAQAB\
    ";
/// OpenSSL's PKCS #1 v1.5 signature with SHA-1 over [`MESSAGE`].
const RSA_SHA1: &str = "\
    Rrc9arv+ZMnMFTkyPBDqsavkwepozVMT7T/CeBsQ1tFqfC53hvCRZetgG8xuXDX9/qX84yfBqFsepX2SvVjHkDL8\
    hx8uEIm26KwN9ov920hLFo+KsCT3lwm5+tHC8lzPc34jRkJwH40y+D65ZWswVvM8EUHI8PGNbf7LA4xlFX+zdFSZ\
    tQpijgP3UyqoH7f22kBcDmmlCqu7ibbT8Xb8itGrNqocMpNha8IxZo5Rypnqbcl4VP8lBHTwmyushDrRcAbe2wNo\
    Cmhe0HopxEFLoInksGHxvLrX6w6jpG4K84DJWspk56Wj/CLLoKNweOgogwAYKB3py4FhnvB5hnU2ow==\
    ";
/// OpenSSL's PSS signature with SHA-256 and a salt of 32 bytes over [`MESSAGE`].
const RSA_PSS_SHA256: &str = "\
    JkqOnUKTnG7oXOBPuCDT+lt/+5q9XXj1MwqdFEGcGV2rG08DUrNvwpBSWApEAvdPV2RZl//6uCbgXBdtNch/kfml\
    7OHCnJU2Jf0QcubCinbWmDekXvn0lOAEWXv34XWkXPPaNoHP7pGUhOJ9jXrwp8jnLYVCJ/YbKP4WourfXPfDAKKk\
    bCFIVQWNQ+iPMvKNRB2b3U/ts3hsI8lmxx3QA3IWWGSMlIT0dVJ2x6liresIKF/Up5I53jwRYMitZ/VyRM7tsZE/\
    m5zhoHLwXey/XuzXaRFTVT/X+W4m1Ctz/eEGbO+JWp7MtQxbYU38HqnLcU81JJJ7pEu7opG+R70uOA==\
    ";
