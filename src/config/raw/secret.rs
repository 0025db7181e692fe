use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::When;

/// One secret: exactly one of `env`, `file` and `value`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name of an environment variable.
    pub env: Option<String>,
    /// A file, relative to the configuration.
    pub file: Option<PathBuf>,
    /// The secret itself; anybody who reads the configuration then knows it.
    pub value: Option<Inline>,
    /// Its name in records. Default: the variable's name or the file's stem.
    pub id: Option<String>,
    /// When it stops being accepted.
    pub expires: Option<When>,
}

/// A secret written into the configuration; wiped when dropped.
#[derive(Clone, JsonSchema)]
#[schemars(transparent)]
pub struct Inline(#[schemars(with = "String")] Zeroizing<String>);

impl Inline {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Inline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_it() {
        let secret: Secret = toml::from_str("value = \"hunter2\"").unwrap();
        assert_eq!(secret.value.as_ref().unwrap().expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
