//! Which certificates a message may name.

use crate::{
    decision::{Code, Refusal},
    verify::{
        head::Read,
        source::{Message, Source},
        template::{Role, refuse},
    },
    wildcard,
};

/// Where a message names its certificate, and which it may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) from: Source,
    /// In lower case; `*` stands for one label.
    pub(crate) hosts: Vec<Box<str>>,
    /// `*` stands for anything.
    pub(crate) path: Option<Box<str>>,
}

/// Longer URLs are no certificate's.
const MAX_URL: usize = 512;

impl Certificate {
    /// The URL that the message names, if it may.
    ///
    /// # Errors
    ///
    /// It is missing, or names another place than the definition allows.
    pub(crate) fn url<'a>(&self, message: &Message<'a>) -> Result<Box<str>, Refusal> {
        let value = match self.from.read(message) {
            Read::Value(value) if !value.is_empty() => value,
            Read::Value(_) => return Err(refuse(&self.from, Role::Signature, &Read::Absent)),
            other => return Err(refuse(&self.from, Role::Signature, &other)),
        };
        let url = std::str::from_utf8(&value).ok().filter(|url| self.allows(url));
        url.map(Into::into).ok_or_else(|| {
            let detail = "the message names a certificate elsewhere than the definition allows";
            Refusal::new(Code::SignatureMismatch, detail)
        })
    }

    /// Only the plainest spelling of a URL is taken, so that no two readers disagree on its host.
    fn allows(&self, url: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/".contains(&b);
        let Some(rest) = url.strip_prefix("https://") else { return false };
        let Some((host, path)) = rest.split_once('/') else { return false };
        let is_plain = url.len() <= MAX_URL
            && rest.bytes().all(plain)
            && !host.is_empty()
            && !path.split('/').any(|segment| matches!(segment, "" | "." | ".."));
        let path = format!("/{path}");
        is_plain
            && self.hosts.iter().any(|pattern| host_matches(pattern, host))
            && self.path.as_deref().is_none_or(|pattern| wildcard::matches(pattern, &path))
    }
}

/// Whether a pattern of hosts is one: `*` stands for a whole label, but for none of the last two,
/// which would make it a domain of anybody's.
pub(crate) fn is_host_pattern(host: &str) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let fixed = labels.iter().rev().take(2).all(|label| !label.contains('*'));
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.*".contains(&b);
    let whole = labels.iter().all(|label| *label == "*" || !label.contains('*'));
    labels.len() >= 2 && fixed && whole && host.bytes().all(plain)
}

/// Whether a host is the pattern's, label by label.
pub(crate) fn host_matches(pattern: &str, host: &str) -> bool {
    let mut labels = host.split('.');
    let each = pattern.split('.').all(|wanted| match labels.next() {
        Some("") | None => false,
        Some(label) => wanted == "*" || wanted == label,
    });
    each && labels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_hosts_in_their_plainest_spelling() {
        let rule = Certificate {
            from: Source::Body,
            hosts: vec!["sns.*.example.com".into(), "certs.example.com".into()],
            path: Some("/*.pem".into()),
        };
        for good in
            ["https://sns.eu-west-1.example.com/a.pem", "https://certs.example.com/dir/a-b_c.pem"]
        {
            assert!(rule.allows(good), "{good}");
        }
        for bad in [
            "",
            "a.pem",
            "http://certs.example.com/a.pem",
            "HTTPS://certs.example.com/a.pem",
            "https:/certs.example.com/a.pem",
            "https://certs.example.com",
            "https://certs.example.com/",
            "https://certs.example.com/a.crt",
            "https://certs.example.com./a.pem",
            "https://certs.example.com:443/a.pem",
            "https://certs.example.com:8443/a.pem",
            "https://user@certs.example.com/a.pem",
            "https://evil.com@certs.example.com/a.pem",
            "https://certs.example.com@evil.com/a.pem",
            "https://certs.example.com.evil.com/a.pem",
            "https://evil.com/certs.example.com/a.pem",
            "https://sns.a.b.example.com/a.pem",
            "https://sns..example.com/a.pem",
            "https://sns.example.com/a.pem",
            "https://CERTS.example.com/a.pem",
            "https://certs.example.com/../a.pem",
            "https://certs.example.com//a.pem",
            "https://certs.example.com/%2e%2e/a.pem",
            "https://certs.example.com/a.pem?x.pem",
            "https://certs.example.com/a#.pem",
            "https://certs.example.com\\.evil.com/a.pem",
            "https://certs.example.com/a .pem",
            "https://certs.example.com/a.pem\n",
            "https://certs.\u{e9}xample.com/a.pem",
            "https://127.0.0.1/a.pem",
            "https://[::1]/a.pem",
            &format!("https://certs.example.com/{}.pem", "a".repeat(600)),
        ] {
            assert!(!rule.allows(bad), "{bad}");
        }
    }
}
