//! An event in words: one line of JSON.

use std::{
    io::{self, Write},
    sync::LazyLock,
};

use serde::{
    Serialize,
    ser::{Error as _, SerializeSeq as _},
};
use serde_json::value::{RawValue, to_raw_value};

use super::AuditEvent;
use crate::{
    clock::UnixMs,
    config::model::Check,
    decision::{Code, Detail, Refusal},
    delivery::CheckOutcome,
};

/// Appends the event as one line.
pub(super) fn append(event: &AuditEvent, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(&mut *buffer, Plain);
    Line::from(event).serialize(&mut json)?;
    buffer.push(b'\n');
    Ok(())
}

/// The fields, in the order in which they are written.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    request_id: &'a str,
    config: &'a str,
    version: &'static str,
    route: Option<&'a str>,
    provider: Option<&'a str>,
    decision: &'static str,
    status: u16,
    checks: Checks<'a>,
    would_be: Option<Vec<&'static str>>,
    key_id: Option<&'a str>,
    event_id: Option<&'a str>,
    event_type: Option<&'a str>,
    source: std::net::IpAddr,
    bytes: u64,
    body_sha256: Option<Hex<'a>>,
    took_us: u64,
    upstream_status: Option<u16>,
    upstream_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    near_miss: Option<String>,
}

impl<'a> From<&'a AuditEvent> for Line<'a> {
    fn from(event: &'a AuditEvent) -> Self {
        let would_be: Vec<_> =
            event.checks.waived().map(|(_, refusal)| refusal.code.as_str()).collect();
        Self {
            time: rfc3339(event.time),
            request_id: event.request_id.as_str(),
            config: &event.identity.config,
            version: env!("CARGO_PKG_VERSION"),
            route: event.identity.name(),
            provider: event.identity.provider(),
            decision: event.code.as_str(),
            status: event.status,
            checks: Checks(event),
            would_be: (!would_be.is_empty()).then_some(would_be),
            key_id: event.key_id.as_deref().map(bounded),
            event_id: event.event_id.as_deref().map(bounded),
            event_type: event.event_type.as_deref().map(bounded),
            source: event.source,
            bytes: event.bytes,
            body_sha256: event.body_sha256.as_ref().map(Hex),
            took_us: event.took_us,
            upstream_status: event.upstream_status,
            upstream_us: event.upstream_us,
            near_miss: event.near_miss.as_ref().and_then(|find| (find.0)()),
        }
    }
}

/// A digest in hexadecimal digits.
struct Hex<'a>(&'a [u8; 32]);

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; 64];
        hex::encode_to_slice(self.0, &mut text).map_err(S::Error::custom)?;
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Every check as most lines have it, written once and not for each delivery.
static PASSED: LazyLock<Vec<Box<RawValue>>> = LazyLock::new(|| {
    let passed = |check: &Check| one_check(check.as_str(), &CheckOutcome::Pass, None);
    let written = Check::ALL.iter().map(|check| to_raw_value(&passed(check)));
    // Two words that JSON can express.
    written.map_while(Result::ok).collect()
});

/// What came of each check, and of the steps that are no check if one of them refused.
struct Checks<'a>(&'a AuditEvent);

#[derive(Serialize)]
struct OneCheck<'a> {
    check: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Serialize for Checks<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut list = serializer.serialize_seq(None)?;
        // The remark is about how the source was found: it explains the check that failed for it,
        // or else goes with the first that passed by it.
        let judged: Vec<_> = event.checks.iter().collect();
        let by_source = |(check, _): &&_| matches!(check, Check::Source | Check::Transport);
        let failed = |(_, outcome): &&(_, &CheckOutcome)| *outcome != &CheckOutcome::Pass;
        let mut candidates = judged.iter().filter(by_source);
        let about = candidates.clone().find(failed).or_else(|| candidates.next());
        let about = about.map(|(check, _)| *check);
        let remark = event.remark.map(|remark| remark.to_string());
        for (check, outcome) in judged {
            let remark = remark.as_deref().filter(|_| about == Some(check));
            let ready = PASSED.get(check as usize);
            if let (CheckOutcome::Pass, None, Some(ready)) = (outcome, remark, ready) {
                list.serialize_element(ready)?;
                continue;
            }
            list.serialize_element(&one_check(check.as_str(), outcome, remark))?;
        }
        if let (None, Some(remark)) = (about, &remark) {
            let source = one_check(Check::Source.as_str(), &CheckOutcome::Pass, Some(remark));
            list.serialize_element(&source)?;
        }
        if let Some(refusal) = &event.refusal {
            let step = step(refusal.code);
            if refusal.code == Code::Handshake {
                let which = refusal.detail.to_string();
                list.serialize_element(&one_check(step, &CheckOutcome::Pass, Some(&which)))?;
            } else {
                let outcome = CheckOutcome::Fail(refusal.clone());
                list.serialize_element(&one_check(step, &outcome, None))?;
            }
        }
        list.end()
    }
}

fn one_check<'a>(check: &'a str, outcome: &CheckOutcome, remark: Option<&str>) -> OneCheck<'a> {
    let (name, refusal) = match outcome {
        CheckOutcome::Pass => ("pass", None),
        CheckOutcome::Fail(refusal) => ("fail", Some(refusal)),
        CheckOutcome::Waived(refusal) => ("waived", Some(refusal)),
    };
    let told = refusal.filter(|r| r.detail != Detail::None).map(|r: &Refusal| r.detail.to_string());
    let detail = match (told, remark) {
        (Some(detail), Some(remark)) => Some(format!("{detail}; {remark}")),
        (detail, remark) => detail.or_else(|| remark.map(str::to_owned)),
    };
    let detail = detail.map(|detail| bounded(&detail).to_owned());
    OneCheck { check, outcome: name, code: refusal.map(|r| r.code.as_str()), detail }
}

/// The step that a refusal comes from which no check made.
const fn step(code: Code) -> &'static str {
    match code {
        Code::BadRequest => "http",
        Code::NoRoute | Code::MethodNotAllowed => "route",
        Code::InsecureTransport => "transport",
        Code::SourceNotAllowed | Code::SourceListUnavailable => "source",
        Code::RateLimited => "rate_limit",
        Code::Handshake | Code::HandshakeRefused => "handshake",
        Code::AmbiguousHeader
        | Code::IdMissing
        | Code::KeyUnavailable
        | Code::SignatureMalformed
        | Code::SignatureMismatch
        | Code::SignatureMissing => "signature",
        Code::TimestampExpired
        | Code::TimestampInFuture
        | Code::TimestampMalformed
        | Code::TimestampMissing => "timestamp",
        Code::Duplicate | Code::InFlight | Code::Replayed | Code::StoreUnavailable => "replay",
        Code::EventIgnored | Code::EventNotAllowed => "events",
        Code::PayloadMalformed
        | Code::SchemaViolation
        | Code::UnsupportedEncoding
        | Code::UnsupportedMediaType => "schema",
        Code::BodyTimeout | Code::BodyTooLarge | Code::Overloaded => "body",
        Code::Forwarded
        | Code::UpstreamError
        | Code::UpstreamTimeout
        | Code::UpstreamUnhealthy
        | Code::UpstreamUnreachable => "upstream",
        Code::InternalError | Code::SenderGone => "gateway",
    }
}

fn rfc3339(time: UnixMs) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(time.0).unwrap_or_default();
    jiff::fmt::temporal::DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&timestamp)
}

/// What a sender may choose is cut to a length that is enough to recognise it by.
fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at_checked(end).map_or(text, |(head, _)| head)
}

const MAX_TEXT: usize = 1024;

/// Compact JSON in which no character can act on a terminal or a line reader: beyond what JSON
/// demands, it escapes DEL, C1 controls, line separators, and what reorders or hides text.
struct Plain;

impl serde_json::ser::Formatter for Plain {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        // Without a branch for each byte, so that it is vectorised: nearly all text is plain.
        let odd = |byte: &u8| u8::from(!(b' '..0x7f).contains(byte));
        if fragment.as_bytes().iter().map(odd).fold(0, |any, odd| any | odd) == 0 {
            return writer.write_all(fragment.as_bytes());
        }
        for char in fragment.chars() {
            if acts(char) {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(char.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }
}

const fn acts(char: char) -> bool {
    matches!(char,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::testing;

    fn line(event: &AuditEvent) -> String {
        let mut buffer = Vec::new();
        append(event, &mut buffer).unwrap();
        let version = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");
        String::from_utf8(buffer).unwrap().replace(version, "\"VERSION\"")
    }

    #[test]
    fn a_forwarded_request() {
        insta::assert_snapshot!(line(&testing::forwarded()), @r#"{"time":"2025-10-09T08:53:20.123Z","request_id":"req-1","config":"abababababab","version":"VERSION","route":"stripe","provider":"stripe","decision":"forwarded","status":204,"checks":[{"check":"transport","outcome":"pass"},{"check":"source","outcome":"pass"},{"check":"signature","outcome":"pass"},{"check":"replay","outcome":"pass"}],"would_be":null,"key_id":"2026","event_id":"evt_1","event_type":"invoice.paid","source":"192.0.2.7","bytes":1024,"body_sha256":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","took_us":87,"upstream_status":204,"upstream_us":1500}"#);
    }

    #[test]
    fn a_mismatch_beside_a_waived_check() {
        insta::assert_snapshot!(line(&testing::mismatch()), @r#"{"time":"2025-10-09T08:53:20.123Z","request_id":"req-1","config":"abababababab","version":"VERSION","route":"stripe","provider":"stripe","decision":"signature_mismatch","status":401,"checks":[{"check":"transport","outcome":"pass"},{"check":"source","outcome":"waived","code":"source_not_allowed","detail":"192.0.2.7 is on no list; peer 10.244.1.7 sent X-Forwarded-For but is not in trusted_proxies"},{"check":"signature","outcome":"fail","code":"signature_mismatch"}],"would_be":["source_not_allowed"],"key_id":null,"event_id":null,"event_type":null,"source":"192.0.2.7","bytes":0,"body_sha256":null,"took_us":87,"upstream_status":null,"upstream_us":null,"near_miss":"the secret with its trailing newline matches"}"#);
    }

    #[test]
    fn a_refusal_before_any_check() {
        insta::assert_snapshot!(line(&testing::no_route()), @r#"{"time":"2025-10-09T08:53:20.123Z","request_id":"req-1","config":"","version":"VERSION","route":null,"provider":null,"decision":"no_route","status":404,"checks":[{"check":"route","outcome":"fail","code":"no_route","detail":"no route for host hooks.example.com"}],"would_be":null,"key_id":null,"event_id":null,"event_type":null,"source":"192.0.2.7","bytes":0,"body_sha256":null,"took_us":12,"upstream_status":null,"upstream_us":null}"#);
    }

    #[test]
    fn a_sender_cannot_forge_a_line() {
        let mut event = testing::forwarded();
        let nasty =
            "x\"}\n{\"decision\":\"forwarded\"}\r\u{1b}[2K\u{9b}2K\u{2028}\u{202e}\u{7f}\u{e0041}é";
        event.event_id = Some(nasty.into());
        event.event_type = Some("y".repeat(100_000).into());
        let text = line(&event);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.trim_end().chars().all(|c| !c.is_control() && !acts(c)), "{text}");
        assert!(text.len() < 4000);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["event_id"], nasty);
        assert_eq!(json["decision"], "forwarded");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_one_line_that_reads_back(id: String, detail in "\\PC*|(?s).*") {
            let mut event = testing::no_route();
            event.event_id = Some(id.as_str().into());
            event.refusal = Some(Refusal::new(Code::NoRoute, detail.clone()));
            let text = line(&event);
            proptest::prop_assert_eq!(text.matches('\n').count(), 1);
            proptest::prop_assert!(text.trim_end().chars().all(|c| !acts(c)));
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            proptest::prop_assert_eq!(json["event_id"].as_str(), Some(bounded(&id)));
            proptest::prop_assert_eq!(json["checks"][0]["detail"].as_str(), Some(bounded(&detail)));
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(bounded(&"é".repeat(600)).len(), 1024);
        assert_eq!(bounded(&format!("a{}", "é".repeat(600))).len(), 1023);
        assert_eq!(bounded("short"), "short");
    }
}
