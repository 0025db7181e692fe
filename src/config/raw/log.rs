use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::model::LogFormat;

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `"json"`, one object a line, or `"text"`, for people. Default `"json"`.
    pub format: Option<LogFormat>,
    /// `"error"`, `"warn"`, `"info"`, `"debug"`, `"trace"`, or directives such as
    /// `"info,hookward::replay=debug"`. Default `"info"`.
    pub level: Option<String>,
    /// A file that takes one line per decision (mode 0600, reopened on reload), or `"-"` for
    /// standard output. Left out: none, and refusals are logged.
    pub audit: Option<String>,
}
