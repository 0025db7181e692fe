use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, Scalar, Time};

/// `[ip_lists.NAME]`: addresses from a file, from a URL, or from a URL with a file until then.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpList {
    /// A JSON document, or a text with one network a line; relative to the configuration. With a
    /// `url`, what counts until the first answer.
    pub file: Option<PathBuf>,
    /// Where the list is published; `https://` only.
    pub url: Option<String>,
    /// JSON pointers to the networks in the document; `*` stands for every element of an array.
    pub pointer: Option<OneOrMany>,
    /// Which elements count: all of these must hold of what the pointer's last `*` stands for.
    pub filters: Option<Vec<ListFilter>>,
    /// How often the list is fetched. Default `"6h"`.
    pub refresh: Option<Time>,
}

/// One element of an address list's `filters`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListFilter {
    /// A JSON pointer below the element; `*` stands for every element of an array.
    pub json: Option<String>,
    /// One of the values there must be this.
    pub equals: Option<Scalar>,
}
