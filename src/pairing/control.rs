//! What an operator may do with pairings, from outside.

use std::{fmt, sync::Arc, time::Duration};

use super::state::{ArmError, Status};

/// Arms routes and says how far they have come.
pub trait Pairs: fmt::Debug + Send + Sync {
    /// Has the route take one key from its provider, if it is handed over before `time` is over.
    ///
    /// # Errors
    ///
    /// If there is nothing to be taken, or no place to keep it.
    fn arm(&self, route: &str, time: Duration) -> Result<(), PairError>;

    /// How far the route's pairing has come.
    ///
    /// # Errors
    ///
    /// If it has none.
    fn status(&self, route: &str) -> Result<Status, PairError>;
}

/// Why a route has no pairing that could be armed.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The pairing cannot be armed.
    #[error(transparent)]
    Arm(#[from] ArmError),
    /// The configuration has every key, or names no file for one.
    #[error(
        "every secret of the route is there already, and a key is never replaced; to have another \
         one, remove its file and reload first"
    )]
    HasKeys,
    /// No route has this name.
    #[error("there is no route {0:?}")]
    NoRoute(String),
    /// The provider shows its keys to people.
    #[error("{0} hands no key over: put it into the route's secrets")]
    NothingToTake(Arc<str>),
}
