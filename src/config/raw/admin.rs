use schemars::JsonSchema;
use serde::Deserialize;

/// `[admin]`: `/healthz`, `/readyz` and `/metrics`, and `hookward pair` from this machine.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The admin listener's address; a request's `Host` must be loopback or in `hosts`.
    pub listen: Option<String>,
    /// Host names accepted besides loopback ones.
    pub hosts: Option<Vec<String>>,
    /// Further listeners, for an orchestrator's probes and a metrics collector, with no check of
    /// `Host`.
    pub probes: Option<Vec<String>>,
}
