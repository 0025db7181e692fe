//! Certificates made for these tests, and what rules say of them.

use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::*;
use crate::clock::UnixMs;

/// A self-signed certificate of these common names and organisations, with these alternative names.
fn made(subject: &[(DnType, &str)], names: Vec<SanType>) -> ClientCertificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.subject_alt_names = names;
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    ClientCertificate::read(made.der(), None).unwrap()
}

fn acme() -> ClientCertificate {
    let subject = [
        (DnType::CountryName, "IT"),
        (DnType::OrganizationName, "Acme, Inc."),
        (DnType::CommonName, "hooks.acme.example"),
    ];
    let names = vec![
        SanType::DnsName("Hooks.Acme.example".try_into().unwrap()),
        SanType::DnsName("*.wild.example".try_into().unwrap()),
        SanType::Rfc822Name("ops@acme.example".try_into().unwrap()),
        SanType::URI("spiffe://acme/hooks".try_into().unwrap()),
        SanType::IpAddress("192.0.2.7".parse().unwrap()),
    ];
    made(&subject, names)
}

fn rule(subjects: &[&str], names: &[&str], prints: &[&str]) -> CertificateRule {
    let mut rule = CertificateRule::default();
    for text in subjects {
        rule.subject(text).unwrap_or_else(|why| panic!("{text:?} {why}"));
    }
    for text in names {
        rule.san(text).unwrap_or_else(|why| panic!("{text:?} {why}"));
    }
    for text in prints {
        rule.sha256(text).unwrap_or_else(|why| panic!("{text:?} {why}"));
    }
    rule
}

#[test]
fn subjects_are_compared_part_by_part() {
    let acme = acme();
    assert_eq!(acme.subject(), "CN=hooks.acme.example,O=Acme\\, Inc.,C=IT");
    for right in [
        "hooks.acme.example",
        "CN=hooks.acme.example",
        "cn=hooks.acme.example, C=IT",
        "C=IT,O=Acme\\, Inc.,CN=hooks.acme.example",
        "2.5.4.3=hooks.acme.example",
        "O=Acme\\2c Inc.",
    ] {
        assert_eq!(rule(&[right], &[], &[]).judge(&acme), Ok(()), "{right}");
    }
    for wrong in [
        "acme.example",
        "Hooks.acme.example",
        "*",
        "hooks.acme.example ",
        "O=Acme",
        "CN=hooks.acme.example,OU=x",
        "CN=hooks.acme.example,C=DE",
        "CN=hooks.acme.example,CN=hooks.acme.example",
    ] {
        assert_eq!(rule(&[wrong], &[], &[]).judge(&acme), Err(Mismatch::Subject), "{wrong}");
    }
    assert_eq!(rule(&["CN=nobody", "hooks.acme.example"], &[], &[]).judge(&acme), Ok(()));
}

#[test]
fn nobody_is_two() {
    // rcgen's names hold each kind once, so the second common name is written by its identifier.
    let second = DnType::CustomDnType(vec![2, 5, 4, 3]);
    let two = made(&[(DnType::CommonName, "a.example"), (second, "b.example")], Vec::new());
    assert_eq!(two.subject(), "CN=b.example,CN=a.example");
    for name in ["a.example", "b.example"] {
        assert_eq!(rule(&[name], &[], &[]).judge(&two), Err(Mismatch::Subject));
    }
    assert_eq!(rule(&["CN=a.example,CN=b.example"], &[], &[]).judge(&two), Ok(()));
    let none = made(&[], Vec::new());
    assert_eq!(rule(&["a.example"], &[], &[]).judge(&none), Err(Mismatch::Subject));
    assert_eq!(rule(&[], &["a.example"], &[]).judge(&none), Err(Mismatch::San));
}

#[test]
fn alternative_names_are_compared_by_their_kind() {
    let acme = acme();
    for right in [
        "hooks.acme.example",
        "HOOKS.acme.example",
        "*.acme.example",
        "*.wild.example",
        "ops@acme.example",
        "spiffe://acme/hooks",
        "192.0.2.7",
    ] {
        assert_eq!(rule(&[], &[right], &[]).judge(&acme), Ok(()), "{right}");
    }
    for wrong in [
        "acme.example",
        "*.example",
        "*.hooks.acme.example",
        "a.wild.example",
        "ops@ACME.example",
        "spiffe://acme/hooks/",
        "192.0.2.8",
    ] {
        assert_eq!(rule(&[], &[wrong], &[]).judge(&acme), Err(Mismatch::San), "{wrong}");
    }
}

#[test]
fn every_kind_that_is_given_must_hold() {
    let acme = acme();
    let print = hex::encode(acme.sha256());
    let spaced: Vec<_> = acme.sha256().iter().map(|byte| format!("{byte:02X}")).collect();
    let all = |print| rule(&["hooks.acme.example"], &["hooks.acme.example"], &[print]);
    assert_eq!(all(&print).judge(&acme), Ok(()));
    let spaced = spaced.join(":");
    assert_eq!(all(&spaced).judge(&acme), Ok(()));
    let zeros = "00".repeat(32);
    assert_eq!(all(&zeros).judge(&acme), Err(Mismatch::Sha256));
    let other = rule(&["hooks.acme.example"], &["other.example"], &[&print]);
    assert_eq!(other.judge(&acme), Err(Mismatch::San));
}

#[test]
fn what_is_no_rule_is_refused() {
    let mut rule = CertificateRule::default();
    for bad in ["", " ", "CN=", "CN=a,b"] {
        assert!(rule.subject(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "*", "*.", "a*.example", "*a.example", "a..b", "a b", "*.*.example", "a/b"] {
        assert!(rule.san(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "00", &"0".repeat(63), &"00".repeat(33), &"zz".repeat(32)] {
        assert!(rule.sha256(bad).is_err(), "{bad:?}");
    }
    assert!(rule.is_empty());
}

#[test]
fn it_is_valid_when_it_says() {
    let acme = acme();
    // 2025-01-01 and 2026-01-01.
    let (begin, end) = (1_735_689_600, 1_767_225_600);
    for (at, valid) in [(begin - 1, false), (begin, true), (end, true), (end + 1, false)] {
        assert_eq!(acme.is_valid_at(UnixMs::from_secs(at)), valid, "{at}");
    }
}

#[test]
fn what_was_shown_to_one_name_says_nothing_to_another() {
    let der = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let shown_to = |name| ClientCertificate::read(der.cert.der(), name).unwrap();
    assert!(shown_to(None).counts_for("b.example") && shown_to(None).counts_for(""));
    assert!(shown_to(Some("a.example")).counts_for("a.example"));
    assert!(!shown_to(Some("a.example")).counts_for("b.example"));
    assert!(!shown_to(Some("")).counts_for("") && !shown_to(Some("")).counts_for("a.example"));
}

#[test]
fn what_is_no_certificate_is_none() {
    let der = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let der = der.cert.der().to_vec();
    assert!(ClientCertificate::read(&[], None).is_none());
    assert!(ClientCertificate::read(&der[..der.len() - 1], None).is_none());
    assert!(ClientCertificate::read(&[der.as_slice(), b"x"].concat(), None).is_none());
}
