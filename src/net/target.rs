//! Which URLs may be fetched at all.

use std::fmt;

use http::Uri;

/// No URL is longer, in bytes.
const LONGEST: usize = 2048;

/// An `https://` URL that may be fetched.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    url: Box<str>,
    host: Box<str>,
    port: u16,
    path: Box<str>,
}

/// A host name in which `*` stands for exactly one label, such as `sns.*.amazonaws.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern(Box<str>);

/// Why a URL is not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Longer than 2048 bytes, or with bytes that a URL cannot hold.
    #[error("is not a URL")]
    NotAUrl,
    /// Not `https`.
    #[error("is not an https:// URL")]
    NotHttps,
    /// With a user or a password.
    #[error("holds a user name")]
    UserInfo,
    /// With a fragment.
    #[error("has a fragment")]
    Fragment,
    /// The host is not on the list.
    #[error("names a host that is not on the list")]
    Host,
    /// Named by a message with a port.
    #[error("names a port")]
    Port,
}

impl Target {
    /// A URL that the operator or the catalogue has written; it may name a port.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after the URL.
    pub fn configured(url: &str) -> Result<Self, TargetError> {
        Self::read(url)
    }

    /// A URL that a message names: its host must be on the list, and the port is 443.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after the URL.
    pub fn named(url: &str, hosts: &[HostPattern]) -> Result<Self, TargetError> {
        let target = Self::read(url)?;
        // A port in the URL is refused even if it is 443: nobody sends one.
        if target.port_is_written() {
            return Err(TargetError::Port);
        }
        if !hosts.iter().any(|pattern| pattern.matches(&target.host)) {
            return Err(TargetError::Host);
        }
        Ok(target)
    }

    fn read(url: &str) -> Result<Self, TargetError> {
        // Parsers disagree about backslashes, blanks and what is not ASCII.
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'`');
        if url.len() > LONGEST || !url.bytes().all(plain) {
            return Err(TargetError::NotAUrl);
        }
        if !url.starts_with("https://") {
            return Err(TargetError::NotHttps);
        }
        if url.contains('#') {
            return Err(TargetError::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| TargetError::NotAUrl)?;
        let authority = uri.authority().ok_or(TargetError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::UserInfo);
        }
        if !super::host::is_host(authority.as_str().as_bytes()) {
            return Err(TargetError::NotAUrl);
        }
        let port = match authority.port() {
            // Too large a number is no port to the parser, and nothing at all would be 443.
            None if authority.as_str().len() > authority.host().len() => {
                return Err(TargetError::NotAUrl);
            }
            None => 443,
            Some(port) => Some(port.as_u16()).filter(|p| *p != 0).ok_or(TargetError::NotAUrl)?,
        };
        Ok(Self {
            host: authority.host().to_ascii_lowercase().into(),
            port,
            path: match uri.query() {
                Some(query) => format!("{}?{query}", uri.path()).into(),
                None => uri.path().into(),
            },
            url: url.into(),
        })
    }

    fn port_is_written(&self) -> bool {
        self.authority().len() > self.host.len()
    }

    /// Host, and the port if one is written.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.url.strip_prefix("https://").unwrap_or_default();
        rest.split(['/', '?']).next().unwrap_or_default()
    }

    /// The URL as it was written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host, lower case; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Without its query, which may hold a token.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.split('?').next().unwrap_or_default())
    }
}

impl HostPattern {
    /// Reads a pattern: labels of lower-case letters, digits and hyphens, or `*` for one label.
    /// The last two labels must be written out.
    pub fn parse(text: &str) -> Option<Self> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let label = |label: &str| label == "*" || !label.is_empty() && label.bytes().all(letter);
        let ends = text.rsplit('.').take(2).filter(|label| *label != "*").count() == 2;
        (ends && text.len() <= 253 && text.split('.').all(label)).then(|| Self(text.into()))
    }

    /// Whether the host is of this pattern; upper and lower case are the same.
    pub fn matches(&self, host: &str) -> bool {
        let mut labels = host.split('.');
        let fits = self.0.split('.').all(|wanted| {
            labels.next().is_some_and(|label| {
                !label.is_empty() && (wanted == "*" || wanted.eq_ignore_ascii_case(label))
            })
        });
        fits && labels.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(patterns: &[&str]) -> Vec<HostPattern> {
        patterns.iter().map(|pattern| HostPattern::parse(pattern).unwrap()).collect()
    }

    #[test]
    fn what_a_message_may_name() {
        let list = hosts(&["sns.*.amazonaws.com", "api.paypal.com"]);
        let named = |url: &str| Target::named(url, &list);
        for fine in [
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
            "https://SNS.us-east-1.AMAZONAWS.com/x.pem?y=1",
            "https://api.paypal.com",
        ] {
            assert!(named(fine).is_ok(), "{fine}");
        }
        for (wrong, why) in [
            ("http://api.paypal.com/x", TargetError::NotHttps),
            ("HTTPS://api.paypal.com/x", TargetError::NotHttps),
            ("//api.paypal.com/x", TargetError::NotHttps),
            ("file:///etc/passwd", TargetError::NotHttps),
            ("", TargetError::NotHttps),
            ("https://", TargetError::NotAUrl),
            ("https:///x", TargetError::NotAUrl),
            ("https://api.paypal.com:443/x", TargetError::Port),
            ("https://api.paypal.com:8443/x", TargetError::Port),
            ("https://api.paypal.com:/x", TargetError::NotAUrl),
            ("https://api.paypal.com:99999/x", TargetError::NotAUrl),
            ("https://api.paypal.com@evil.example/x", TargetError::UserInfo),
            ("https://u:p@api.paypal.com/x", TargetError::UserInfo),
            ("https://api.paypal.com#@evil.example/", TargetError::Fragment),
            ("https://evil.example/#api.paypal.com", TargetError::Fragment),
            ("https://evil.example\\@api.paypal.com/", TargetError::NotAUrl),
            ("https://api.paypal.com\\.evil.example/", TargetError::NotAUrl),
            ("https://api.paypal.com\u{3002}evil/", TargetError::NotAUrl),
            ("https://api.paypal.com/ x", TargetError::NotAUrl),
            ("https://api.paypal.com/\r\nHost: x", TargetError::NotAUrl),
            ("https://api.paypal.com./x", TargetError::Host),
            ("https://evil.example/x", TargetError::Host),
            ("https://xapi.paypal.com/x", TargetError::Host),
            ("https://api.paypal.com.evil.example/x", TargetError::Host),
            ("https://sns.amazonaws.com/x", TargetError::Host),
            ("https://sns..amazonaws.com/x", TargetError::Host),
            ("https://sns.a.b.amazonaws.com/x", TargetError::Host),
            ("https://sns.evil.example/.amazonaws.com/x", TargetError::Host),
            ("https://127.0.0.1/x", TargetError::Host),
            ("https://[::1]/x", TargetError::Host),
        ] {
            assert_eq!(named(wrong).unwrap_err(), why, "{wrong}");
        }
        assert_eq!(named(&format!("https://a/{}", "x".repeat(2048))), Err(TargetError::NotAUrl));
    }

    #[test]
    fn an_operator_may_name_a_port() {
        let target = Target::configured("https://keys.internal:8443/a?b=c").unwrap();
        assert_eq!(
            (target.host(), target.port(), target.path()),
            ("keys.internal", 8443, "/a?b=c")
        );
        assert_eq!(target.authority(), "keys.internal:8443");
        let bare = Target::configured("https://Keys.internal?x").unwrap();
        assert_eq!((bare.host(), bare.port(), bare.path()), ("keys.internal", 443, "/?x"));
        assert_eq!(Target::configured("https://[::1]:1/").unwrap().host(), "[::1]");
        assert_eq!(Target::configured("https://a:0/"), Err(TargetError::NotAUrl));
        assert_eq!(Target::configured("http://a/"), Err(TargetError::NotHttps));
    }

    #[test]
    fn patterns_stand_for_one_label_each() {
        for wrong in ["", "*", "*.com", "a.*", "a..b", ".a.b", "a.b.", "a.b/c", "A.b", "a*.b.c"] {
            assert_eq!(HostPattern::parse(wrong), None, "{wrong}");
        }
        assert!(HostPattern::parse("*.example.com").unwrap().matches("x.example.com"));
        assert!(!HostPattern::parse("*.example.com").unwrap().matches("example.com"));
    }
}
