//! The catalogue: every built-in definition, one TOML file each.
