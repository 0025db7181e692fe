//! The origins in use: routes whose receivers share an address share its connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{
    build::BuildError,
    connect::{Origin, Settings},
};

/// Every origin that some upstream uses, over all configurations: a reload that leaves an address
/// and its timeouts alone keeps its connections.
#[derive(Debug, Default)]
pub struct Origins(Mutex<HashMap<Settings, Weak<Origin>>>);

impl Origins {
    /// The origin with these settings, made if it is not there.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub(super) fn get(
        &self,
        settings: Settings,
        make: impl FnOnce(Settings) -> Result<Origin, BuildError>,
    ) -> Result<Arc<Origin>, BuildError> {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = origins.get(&settings).and_then(Weak::upgrade) {
            return Ok(origin);
        }
        // Before the map would grow, so that what is gone costs each new one little.
        if origins.len() == origins.capacity() {
            origins.retain(|_, origin| origin.strong_count() > 0);
        }
        let origin = Arc::new(make(settings.clone())?);
        origins.insert(settings, Arc::downgrade(&origin));
        Ok(origin)
    }
}
