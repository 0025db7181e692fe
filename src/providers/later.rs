//! Providers whose schemes are not built yet, so that asking for one is answered with when, not
//! with a guess.

/// Whether this version knows the provider by name only: it comes with a later one.
pub fn comes_later(name: &str) -> bool {
    LATER.contains(&name.to_ascii_lowercase().as_str())
}

/// Names that people try, sorted.
const LATER: &[&str] = &[
    "adyen",
    "atlassian-connect",
    "aws-sns",
    "braintree",
    "cloudinary",
    "contentful",
    "fatture-in-cloud",
    "fattureincloud",
    "fireblocks",
    "fusionauth",
    "google-pubsub",
    "mandrill",
    "messagebird",
    "netlify",
    "paypal",
    "plaid",
    "plivo",
    "rfc9421",
    "salesforce-outbound",
    "sns",
    "twilio",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_does_not_come_later() {
        assert!(comes_later("Plaid"));
        assert!(LATER.iter().all(|name| crate::providers::raw(name).is_none()));
    }
}
