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

    /// A URL that a message names, once its definition allows the host: the port is 443.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after the URL.
    pub fn named(url: &str) -> Result<Self, TargetError> {
        let target = Self::read(url)?;
        // A port in the URL is refused even if it is 443: nobody sends one.
        if target.authority().len() > target.host.len() {
            return Err(TargetError::Port);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_may_name() {
        for fine in [
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
            "https://SNS.us-east-1.AMAZONAWS.com/x.pem?y=1",
            "https://api.paypal.com",
        ] {
            assert!(Target::named(fine).is_ok(), "{fine}");
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
        ] {
            assert_eq!(Target::named(wrong).unwrap_err(), why, "{wrong}");
        }
        assert_eq!(
            Target::named(&format!("https://a/{}", "x".repeat(2048))),
            Err(TargetError::NotAUrl)
        );
    }

    proptest::proptest! {
        #[test]
        fn a_target_goes_where_its_text_says(url in "https?://[a-z0-9.:@\\[\\]/?#%\\\\-]{0,30}") {
            let Ok(target) = Target::named(&url) else { return Ok(()) };
            let rest = url.strip_prefix("https://").unwrap();
            let host = rest.split(['/', '?']).next().unwrap();
            proptest::prop_assert_eq!((target.host(), target.port()), (host, 443));
            proptest::prop_assert!(target.path().starts_with('/'));
        }
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
}
