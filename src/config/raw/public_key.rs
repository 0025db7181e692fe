use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Inline, When};

/// One public key: exactly one of `env`, `file`, `jwks_url` and `value`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// The key itself: PEM, hex, base64 or a JWK. No private key belongs here.
    pub value: Option<Inline>,
    /// A file, relative to the configuration.
    pub file: Option<PathBuf>,
    /// The name of an environment variable.
    pub env: Option<String>,
    /// The `https://` URL of a JSON Web Key Set, which is fetched and kept fresh.
    pub jwks_url: Option<String>,
    /// Its name in records. Default: the variable's name, the file's stem, or the URL's host.
    pub id: Option<String>,
    /// When it stops being accepted. Default: with the certificate that it came in, else never.
    pub expires: Option<When>,
}
