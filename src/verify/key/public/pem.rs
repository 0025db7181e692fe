//! PEM (RFC 7468): labelled blocks of base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// One block.
pub(super) struct Block<'t> {
    pub(super) label: &'t str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Whether a text is meant to be PEM.
pub(super) fn is_meant(text: &str) -> bool {
    text.contains(BEGIN)
}

/// All blocks of a text. What stands around them is explanation and is not read.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once(BEGIN) {
        let (label, inside) = from.split_once(DASHES).ok_or(BROKEN)?;
        let end = format!("{END}{label}{DASHES}");
        let (content, behind) = inside
            .split_once(&end)
            .ok_or_else(|| format!("is PEM whose {} has no end", shown(label)))?;
        if content.contains(':') {
            return Err(format!("is PEM whose {} is encrypted or has headers", shown(label)));
        }
        // Variables cannot hold a line's end everywhere, so that people write it as `\n`.
        let content = content.replace("\\n", "").replace("\\r", "");
        let base64 = content.split_ascii_whitespace().collect::<String>();
        let der = STANDARD
            .decode(Zeroizing::new(base64).as_bytes())
            .map_err(|_| format!("is PEM whose {} is not base64", shown(label)))?;
        found.push(Block { label, der: Zeroizing::new(der) });
        rest = behind;
    }
    Ok(found)
}

/// A label if it is one: what stands there is otherwise not known to be harmless.
fn shown(label: &str) -> &str {
    let is_label = label.len() <= 40 && label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
    if is_label { label } else { "block" }
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const BROKEN: &str = "is PEM whose first line is broken";
