//! Where a request was sent to, which only the sender and the operator know for certain.

use std::borrow::Cow;

use crate::{
    decision::{Code, Refusal},
    verify::{Head, head::Read},
};

/// Scheme and authority of the URL that senders use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Box<str>,
    authority: Box<str>,
}

impl Origin {
    /// Of a registered URL; `None` if it is no `http` or `https` URL.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let authority = uri.authority()?.as_str();
        (!authority.contains('@'))
            .then(|| Self { scheme: scheme.into(), authority: authority.into() })
    }

    /// Of a request that is taken to have come over HTTPS to the host that it names: behind a
    /// proxy that ends TLS nothing better is known.
    ///
    /// # Errors
    ///
    /// It names none, or two.
    pub(super) fn of_head(head: Head<'_>) -> Result<Self, Refusal> {
        let refuse = |what| Refusal::new(Code::SignatureMismatch, what);
        let Read::Value(host) = head.host() else {
            return Err(refuse("the request names no host, or two"));
        };
        let host = std::str::from_utf8(&host).map_err(|_| refuse("the host is no text"))?;
        Ok(Self { scheme: "https".into(), authority: host.into() })
    }

    /// `@scheme`
    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// `@authority`: lower case, without the scheme's own port (RFC 9421, section 2.2.3).
    pub(super) fn authority(&self) -> String {
        let lower = self.authority.to_ascii_lowercase();
        let own = if &*self.scheme == "https" { ":443" } else { ":80" };
        lower.strip_suffix(own).map(str::to_owned).unwrap_or(lower)
    }

    /// `@target-uri`: as the sender wrote it.
    pub(super) fn uri(&self, target: &str) -> Cow<'static, [u8]> {
        format!("{}://{}{target}", self.scheme, self.authority).into_bytes().into()
    }
}
