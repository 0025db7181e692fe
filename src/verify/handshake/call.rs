//! URLs that a handshake asks the receiver to call.

use crate::{
    decision::{Code, Refusal},
    verify::{
        head::Read,
        scheme::host_matches,
        source::{Message, Source},
    },
};

/// Where a message names the URL, and whose it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) from: Source,
    /// In lower case; `*` stands for one label.
    pub(super) hosts: Vec<Box<str>>,
}

/// Longer URLs are not called.
const MAX_URL: usize = 2048;

impl Call {
    /// The URL, if it may be called.
    ///
    /// # Errors
    ///
    /// `handshake_refused`: it is missing, or another than the definition allows.
    pub(super) fn url(&self, message: &Message<'_>) -> Result<Box<str>, Refusal> {
        let refused =
            |what: &str| Err(Refusal::new(Code::HandshakeRefused, format!("{} {what}", self.from)));
        let Read::Value(value) = self.from.read(message) else {
            return refused("is not there exactly once");
        };
        match std::str::from_utf8(&value).ok().filter(|url| self.allows(url)) {
            Some(url) => Ok(url.into()),
            None => refused("names a place that the definition does not allow"),
        }
    }

    /// Only the plainest spelling of a URL is taken, so that no two readers disagree on its host.
    fn allows(&self, url: &str) -> bool {
        let Some(rest) = url.strip_prefix("https://") else { return false };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let Some((host, _)) = rest.split_at_checked(end) else { return false };
        let in_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let in_rest = |b: u8| b.is_ascii_graphic() && !b"\\\"<>`{}|^#".contains(&b);
        url.len() <= MAX_URL
            && host.bytes().all(in_host)
            && rest.bytes().all(in_rest)
            && self.hosts.iter().any(|pattern| host_matches(pattern, host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_hosts_are_called() {
        let rule = Call {
            from: Source::Body,
            hosts: vec!["sns.*.example.com".into(), "b.example".into()],
        };
        let long = format!("https://b.example/?{}", "a".repeat(MAX_URL));
        for good in [
            "https://sns.eu-west-1.example.com/?Action=Confirm&TopicArn=arn:aws:sns:x:1:T&Token=a%20b",
            "https://b.example/a",
            "https://b.example?a=b",
            "https://b.example/?next=https://evil.example/",
            "https://b.example/?at=@evil.example",
        ] {
            assert!(rule.allows(good), "{good}");
        }
        for bad in [
            "",
            "http://b.example/",
            "HTTPS://b.example/",
            "https:b.example/",
            "https:///b.example/",
            "https://b.example:443/",
            "https://b.example:8443/",
            "https://b.example./",
            "https://B.example/",
            "https://u@b.example/",
            "https://b.example@evil.example/",
            "https://b.example%40evil.example/",
            "https://evil.example/b.example/",
            "https://evil.example?b.example",
            "https://evil.example#b.example",
            "https://b.example/#a",
            "https://b.example\\.evil.example/",
            "https://b.example/a b",
            "https://b.example/\r\nHost: x",
            "https://sns.a.b.example.com/",
            "https://sns..example.com/",
            "https://sns.example.com/",
            "https://b.\u{e9}xample/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://",
            &long,
        ] {
            assert!(!rule.allows(bad), "{bad}");
        }
    }
}
