//! Makes requests as a provider would: the inverse of verifying.

mod draft;
mod similar;
mod splice;

use http::Method;

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The method that the provider uses.
    pub method: Method,
    /// Where it goes, path and query included.
    pub url: String,
    /// Every header but `Host` and `Content-Length`, in order, as the provider spells them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.split().1
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.split().0
    }

    /// Whether there is such a header, in any case.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    fn split(&self) -> (&str, &str) {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"))
    }
}
