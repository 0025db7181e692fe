//! Texts that stand where a secret was to be put.

/// Whether somebody forgot to put the secret in.
///
/// Only texts that no one would choose are taken for placeholders: this is an error, and refusing
/// a secret that was meant would be worse than missing one that was not.
pub(super) fn is_placeholder(secret: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(secret) else { return false };
    let text = text.trim();
    let enclosed = |open: &str, close: &str| {
        text.len() > open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
    };
    if enclosed("${", "}") || enclosed("{{", "}}") || enclosed("<", ">") || enclosed("$(", ")") {
        return true;
    }
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let dots = !text.is_empty() && text.chars().all(|c| matches!(c, '.' | '…' | '*'));
    let exes = plain.len() >= 3 && plain.bytes().all(|b| b == b'x');
    dots || exes || KNOWN.contains(&plain.as_str())
}

/// Without case and punctuation.
const KNOWN: &[&str] = &[
    "changeit",
    "changeme",
    "fixme",
    "insertsecrethere",
    "mysecrethere",
    "placeholder",
    "putsecrethere",
    "replaceme",
    "replacewithyoursecret",
    "secret",
    "secrethere",
    "todo",
    "whsec",
    "yoursecret",
    "yoursecrethere",
    "yoursecretkey",
    "yoursigningsecret",
    "yourtoken",
    "yourwebhooksecret",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_be_replaced_is_found() {
        for text in [
            "${STRIPE_SECRET}",
            "$(cat secret)",
            "{{ .Values.secret }}",
            "<your secret>",
            "changeme",
            "CHANGE-ME",
            "change_me",
            "Your-Secret",
            "your_webhook_secret",
            "secret",
            "whsec_...",
            "xxxxxxxx",
            "...",
            "********",
            " TODO\n",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_may_be_meant_is_left_alone() {
        for text in [
            "It's a Secret to Everybody",
            "my-secret-42",
            "s3cr3t",
            "user:password",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "todo-list-7f3a",
            "$2b$10$abcdef",
            "<",
            "",
            "xx",
        ] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
        assert!(!is_placeholder(b"\xff\xfe"));
    }
}
