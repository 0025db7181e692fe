//! Digests of content (RFC 9530).

use http::HeaderName;
use sfv::{BareItem, Item, ListEntry};
use sha2::{Digest, Sha256, Sha512};

use super::value::{dictionary, trim};
use crate::{
    decision::{Code, Detail, Refusal},
    verify::Head,
};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Whether the body is what `Content-Digest` says.
///
/// Every digest of a known algorithm must be the body's, and at least one must be there; those of
/// other algorithms, the broken ones among them, count for nothing (RFC 9530, section 5).
///
/// # Errors
///
/// It is not, or the header is missing or not of its form.
pub(crate) fn digests_hold(head: Head<'_>, body: &[u8]) -> Result<(), Refusal> {
    let refuse = |code, what| {
        let detail = Detail::Header { name: CONTENT_DIGEST, what };
        Err(Refusal { code, detail, retry_after_secs: None })
    };
    let lines: Vec<&[u8]> =
        head.headers.get_all(CONTENT_DIGEST).iter().map(|line| trim(line.as_bytes())).collect();
    if lines.is_empty() {
        return refuse(Code::SignatureMismatch, "is not there");
    }
    let Ok(digests) = dictionary(&lines.join(&b", "[..])) else {
        return refuse(Code::SignatureMalformed, "is no structured dictionary");
    };
    let mut known = 0;
    for (algorithm, digest) in &digests {
        let expected = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _ => continue,
        };
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(digest), .. }) = digest else {
            return refuse(Code::SignatureMalformed, "has a digest that is no byte sequence");
        };
        if *digest != expected {
            return refuse(Code::SignatureMismatch, "is not of this body");
        }
        known += 1;
    }
    match known {
        0 => refuse(Code::SignatureMismatch, "has no digest of a known algorithm"),
        _ => Ok(()),
    }
}

/// The value of `Content-Digest` for a body.
pub(crate) fn content_digest(body: &[u8]) -> String {
    let digest = Sha256::digest(body).to_vec();
    format!("sha-256={}", super::value::serialized(&ListEntry::Item(Item::new(digest))))
}
