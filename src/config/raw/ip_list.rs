use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// `[ip_lists.NAME]`: addresses from a file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpList {
    /// A JSON document, or a text with one network a line; relative to the configuration.
    pub file: Option<PathBuf>,
    /// A JSON pointer to the array of networks in that document.
    pub pointer: Option<String>,
}
