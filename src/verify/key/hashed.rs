//! Plain digests over a text that contains the secret, as some providers still sign.

use std::{borrow::Cow, fmt};

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::MacBytes;
use crate::verify::algorithm::Algorithm;

/// A secret that becomes part of what is hashed; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Hashed {
    algorithm: Algorithm,
    secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Hashed {
    /// Keys a digest; `None` for those that are none.
    pub(crate) fn new(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        let is_digest =
            matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512);
        is_digest.then(|| Self { algorithm, secret: Zeroizing::new(secret.to_vec()) })
    }

    /// The digest over the chunks as if they were one, the secret in the place of the one that
    /// stands for it.
    pub(crate) fn digest(&self, chunks: &[Cow<'_, [u8]>], secret_at: Option<usize>) -> MacBytes {
        match self.algorithm {
            Algorithm::Sha1 => self.over::<Sha1>(chunks, secret_at),
            Algorithm::Sha512 => self.over::<Sha512>(chunks, secret_at),
            _ => self.over::<Sha256>(chunks, secret_at),
        }
    }

    fn over<D: Digest>(&self, chunks: &[Cow<'_, [u8]>], secret_at: Option<usize>) -> MacBytes {
        let mut hasher = D::new();
        for (number, chunk) in chunks.iter().enumerate() {
            hasher.update(if secret_at == Some(number) { &self.secret } else { &**chunk });
        }
        MacBytes::new(&hasher.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stands_where_the_template_says() {
        let hashed = Hashed::new(Algorithm::Sha256, b"what do ya ").unwrap();
        let chunks = [Cow::Borrowed(&b""[..]), Cow::Borrowed(&b"want"[..])];
        let whole = Sha256::digest(b"what do ya want");
        assert_eq!(hashed.digest(&chunks, Some(0)).as_slice(), &*whole);
        let other = [Cow::Borrowed(&b"want"[..]), Cow::Borrowed(&b""[..])];
        assert_eq!(hashed.digest(&other, Some(1)).as_slice(), &*Sha256::digest(b"wantwhat do ya "));
        assert!(Hashed::new(Algorithm::HmacSha256, b"x").is_none());
        assert_eq!(format!("{hashed:?}"), "[redacted]");
    }
}
