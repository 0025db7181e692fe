//! One route's pairing: armed for a while, then done.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::keyfile;
use crate::{
    clock::{Mono, UnixMs},
    verify::Secret,
};

/// Where a captured key goes: one of the route's `secrets`, whose file holds none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub file: PathBuf,
    /// The key's name in records.
    pub id: Arc<str>,
    /// Whether the operator wrote that name.
    pub id_is_explicit: bool,
    /// When the key stops being accepted.
    pub expires: Option<UnixMs>,
    /// Before which of the route's other secrets it stands, counted from 0.
    pub position: usize,
    /// The shortest key that the policy allows, in bytes after decoding.
    pub min_bytes: usize,
}

/// One route's pairing; survives reloads.
#[derive(Debug)]
pub struct Pairing {
    target: Target,
    /// When arming ends; held while a key is taken, so that one of two takes it.
    armed_until: Mutex<Option<Mono>>,
    captured: OnceLock<Secret>,
}

/// How far a pairing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A key is taken for this much longer.
    Armed(Duration),
    /// A key was taken.
    Captured,
    /// No key is taken.
    Unarmed,
}

/// Why a route cannot be armed.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// A key is never replaced.
    #[error("{} holds a key already; to have another one, remove the file and reload first", .0.display())]
    HasKey(PathBuf),
    /// The key could not be kept.
    #[error("{} cannot be written: {error}", .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Why a key that is offered is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Nobody has asked for one, or not long enough ago.
    #[error("no operator has armed the route")]
    NotArmed,
    /// A key is never replaced.
    #[error("the route has its key, and a key is never replaced")]
    HasKey,
    /// It is no key that the route could verify with.
    #[error("the key that is offered {0}")]
    Unfit(String),
    /// It could not be kept.
    #[error("the key cannot be written: {0}")]
    Unwritable(io::Error),
}

impl Pairing {
    pub(super) fn new(target: Target) -> Self {
        Self { target, armed_until: Mutex::default(), captured: OnceLock::new() }
    }

    /// Where a key goes.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The key that was taken.
    pub fn captured(&self) -> Option<&Secret> {
        self.captured.get()
    }

    /// Has one key taken, if it is offered before this time is over. Arming again begins anew.
    ///
    /// # Errors
    ///
    /// If there is a key already, or the file could not be written.
    pub fn arm(&self, now: Mono, time: Duration) -> Result<(), ArmError> {
        let mut armed = self.armed_until.lock().unwrap_or_else(PoisonError::into_inner);
        let file = &self.target.file;
        let unwritable = |error| ArmError::Unwritable { file: file.clone(), error };
        if self.captured.get().is_some() || !keyfile::is_vacant(file).map_err(unwritable)? {
            return Err(ArmError::HasKey(file.clone()));
        }
        keyfile::try_out(file).map_err(unwritable)?;
        *armed = Some(now.saturating_add(time));
        Ok(())
    }

    /// How far it has come.
    pub fn status(&self, now: Mono) -> Status {
        let armed = self.armed_until.lock().unwrap_or_else(PoisonError::into_inner);
        match *armed {
            _ if self.captured.get().is_some() => Status::Captured,
            Some(end) if now < end => Status::Armed(end.saturating_sub(now)),
            _ => Status::Unarmed,
        }
    }

    /// Takes the key that is offered: it is in its file when this returns.
    ///
    /// # Errors
    ///
    /// If nobody asked for one, there is one, `judge` finds it unfit, or it cannot be written. Then
    /// nothing was changed, and an armed route stays armed.
    pub fn capture(
        &self,
        now: Mono,
        offered: &[u8],
        judge: impl FnOnce(&Secret) -> Result<(), String>,
    ) -> Result<(), CaptureError> {
        let mut armed = self.armed_until.lock().unwrap_or_else(PoisonError::into_inner);
        if self.captured.get().is_some() {
            return Err(CaptureError::HasKey);
        }
        if armed.is_none_or(|end| end <= now) {
            return Err(CaptureError::NotArmed);
        }
        let Target { file, id, id_is_explicit, expires, .. } = &self.target;
        // A file loses its newlines when it is read again, and would hold another key then.
        if offered.iter().all(u8::is_ascii_whitespace) || offered.contains(&b'\n') {
            return Err(CaptureError::Unfit("is blank or no single line".to_owned()));
        }
        let secret = Secret {
            id_is_explicit: *id_is_explicit,
            expires: *expires,
            ..Secret::new(id, offered)
        };
        judge(&secret).map_err(CaptureError::Unfit)?;
        keyfile::write(file, offered).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CaptureError::HasKey,
            _ => CaptureError::Unwritable(error),
        })?;
        self.captured.get_or_init(|| secret);
        *armed = None;
        Ok(())
    }
}
