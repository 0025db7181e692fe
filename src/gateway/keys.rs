//! The keys of a running route.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use crate::{
    clock::Mono,
    config::model,
    pairing::{CaptureError, Pairing},
    verify::{Credentials, KeyRing, Scheme, Secret},
};

/// The keys that a route verifies with: as configured, and the one that was captured since.
pub struct RouteKeys {
    configured: Arc<KeyRing>,
    paired: Option<Box<Paired>>,
}

/// What a route is that takes a key from its provider.
struct Paired {
    pairing: Arc<Pairing>,
    scheme: Arc<Scheme>,
    configured: Credentials,
    /// Made when the captured key is used first.
    ring: OnceLock<KeyRing>,
}

impl RouteKeys {
    pub(super) fn new(route: &model::Route, pairing: Option<Arc<Pairing>>) -> Self {
        let paired = pairing.map(|pairing| {
            Box::new(Paired {
                pairing,
                scheme: Arc::clone(&route.scheme),
                configured: Credentials {
                    secrets: route.secrets.clone(),
                    public_keys: route.public_keys.clone(),
                    certificates: None,
                },
                ring: OnceLock::new(),
            })
        });
        Self { configured: Arc::clone(&route.keys), paired }
    }

    /// Those of the configuration alone.
    pub const fn configured(&self) -> &Arc<KeyRing> {
        &self.configured
    }

    /// The pairing of a route whose configuration lacks a key.
    pub fn pairing(&self) -> Option<&Arc<Pairing>> {
        self.paired.as_ref().map(|paired| &paired.pairing)
    }

    /// Whether there is nothing to verify with until a key is captured.
    pub fn is_waiting(&self) -> bool {
        let waits = |paired: &Paired| {
            paired.configured.secrets.is_empty() && paired.pairing.captured().is_none()
        };
        self.paired.as_deref().is_some_and(waits)
    }

    /// Takes the key that a provider hands over, if an operator has armed the route; it is in force
    /// when this returns.
    ///
    /// # Errors
    ///
    /// If none is to be taken, or not this one, or it cannot be kept.
    pub fn capture(&self, now: Mono, offered: &[u8]) -> Result<(), CaptureError> {
        let Some(paired) = &self.paired else { return Err(CaptureError::HasKey) };
        paired.pairing.capture(now, offered, |secret| paired.judge(secret))
    }
}

impl Paired {
    /// Keys the route's secrets together with a captured one.
    fn with(&self, captured: &Secret) -> Result<KeyRing, Vec<(usize, String)>> {
        let mut all = self.configured.clone();
        let position = self.pairing.target().position.min(all.secrets.len());
        all.secrets.insert(position, captured.clone());
        KeyRing::build(&self.scheme, &all)
    }

    /// Whether the route could verify with it, and would load with it the next time.
    fn judge(&self, secret: &Secret) -> Result<(), String> {
        let ring = self.with(secret).map_err(|problems| {
            problems.into_iter().map(|(_, why)| why).next().unwrap_or_default()
        })?;
        let least = self.pairing.target().min_bytes;
        let own = ring.lengths().filter(|(id, _)| *id == &*secret.id).map(|(_, length)| length);
        match own.min() {
            Some(length) if length >= least => Ok(()),
            Some(length) => Err(format!("has {length} bytes, and the policy asks for {least}")),
            None => Err("is of no use to the route".to_owned()),
        }
    }
}

impl Deref for RouteKeys {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        let Some(paired) = &self.paired else { return &self.configured };
        if let Some(ring) = paired.ring.get() {
            return ring;
        }
        let ring = paired.pairing.captured().and_then(|captured| paired.with(captured).ok());
        match ring {
            Some(ring) => paired.ring.get_or_init(|| ring),
            None => &self.configured,
        }
    }
}

impl fmt::Debug for RouteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteKeys").field("configured", &self.configured).finish_non_exhaustive()
    }
}
