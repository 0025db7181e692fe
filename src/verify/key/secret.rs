//! One secret as configured.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::clock::UnixMs;

/// One secret as configured, before the scheme's key decoding; wiped when dropped.
#[derive(Clone)]
pub struct Secret {
    /// Its name in records: configured, or variable name, or file stem.
    pub id: Arc<str>,
    /// Whether `id` was written by the operator.
    pub id_is_explicit: bool,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// When it stops being accepted.
    pub expires: Option<UnixMs>,
}

impl Secret {
    /// A secret that never expires and whose id is not one that messages name.
    pub fn new(id: &str, bytes: &[u8]) -> Self {
        Self {
            id: id.into(),
            id_is_explicit: false,
            bytes: Zeroizing::new(bytes.to_vec()),
            expires: None,
        }
    }

    /// Whether it is accepted at this time; the instant of expiry is not.
    pub fn is_active(&self, now: UnixMs) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::new("2026", b"hunter2");
        assert_eq!(format!("{secret:?}"), "Secret { id: \"2026\", .. }");
    }

    #[test]
    fn a_secret_ends_at_its_expiry() {
        let secret = Secret { expires: Some(UnixMs(10)), ..Secret::new("a", b"b") };
        assert!(secret.is_active(UnixMs(9)) && !secret.is_active(UnixMs(10)));
    }
}
