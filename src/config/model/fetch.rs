//! `[fetch]` and `[ip_lists.*]`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::net::{Shape, Target};

/// `[fetch]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Whether private and loopback addresses may be fetched from.
    pub allow_private: bool,
    /// Authorities trusted besides the system's, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// For the whole of a fetch.
    pub timeout: Duration,
    /// The largest answer, in bytes.
    pub max_bytes: usize,
    /// Where last good copies are kept, if anywhere.
    pub cache: Option<PathBuf>,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            allow_private: false,
            ca_pem: None,
            timeout: Duration::from_secs(5),
            // The largest list that is built in has 2 MiB.
            max_bytes: 4 << 20,
            cache: None,
        }
    }
}

/// An address list that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpList {
    /// Its name behind the `@`.
    pub name: Arc<str>,
    /// Where it is published.
    pub url: Target,
    /// Where the networks stand in it.
    pub shape: Shape,
    /// How often it is fetched.
    pub refresh: Duration,
    /// What counts until the first answer.
    pub file: Option<Vec<IpNet>>,
}

/// `allow_from`, its names looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowFrom {
    /// Networks that are written down, here or in a file.
    pub networks: Vec<IpNet>,
    /// Lists that are fetched.
    pub lists: Vec<Arc<IpList>>,
}
