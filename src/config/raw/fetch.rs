use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Size, Time};

/// `[fetch]`: how key sets, certificates and address lists are fetched.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Whether private and loopback addresses may be fetched from. Default false.
    pub allow_private: Option<bool>,
    /// Authorities trusted besides the system's, PEM; relative to the configuration.
    pub ca: Option<PathBuf>,
    /// For the whole of a fetch. Default `"5s"`.
    pub timeout: Option<Time>,
    /// The largest answer. Default `"4MiB"`.
    pub max_bytes: Option<Size>,
    /// A directory for last good copies; relative to the configuration. Default: none are kept.
    pub cache: Option<PathBuf>,
}
