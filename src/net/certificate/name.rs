//! Subjects as text (RFC 4514), and their attributes by object identifier.

use std::fmt::Write as _;

/// The short names that RFC 4514 section 3 requires, and those that certificates have besides.
const SHORT: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("S", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("E", "1.2.840.113549.1.9.1"),
];

/// What a plain name is taken for.
pub(super) const COMMON_NAME: &str = "2.5.4.3";

/// The object identifier of an attribute's name: a short one in any case, or the dotted form.
fn identifier(name: &str) -> Option<String> {
    if let Some((_, oid)) = SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)) {
        return Some((*oid).to_owned());
    }
    let arcs = name.split('.');
    let is_arc = |arc: &str| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
    (name.contains('.') && arcs.into_iter().all(is_arc)).then(|| name.to_owned())
}

/// Whether a text is meant as a distinguished name and not as a plain common name.
pub(super) fn is_distinguished(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    })
}

/// Reads a distinguished name: its attributes by identifier, in the order written.
///
/// # Errors
///
/// What is wrong with it, to be read after the text.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').ok_or("has a part without \"=\"")?;
        let oid = identifier(name.trim()).ok_or("names an attribute that is not known")?;
        let (value, separator) = value(after)?;
        if value.is_empty() {
            return Err("has an empty value");
        }
        parts.push((oid, value));
        match separator {
            Some(more) => rest = more,
            None => return Ok(parts),
        }
    }
}

/// An attribute's value without its escapes, and what stands behind the comma or plus sign.
fn value(text: &str) -> Result<(String, Option<&str>), &'static str> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('#') {
        return Err("has a value in hexadecimal form, which is not supported");
    }
    let mut bytes = Vec::new();
    // How much of the value is certain to stay: spaces at its end only do if they are escaped.
    let mut kept = 0;
    let mut chars = text.char_indices();
    let mut more = None;
    while let Some((at, c)) = chars.next() {
        match c {
            ',' | '+' => {
                more = text.get(at + 1..);
                break;
            }
            '\\' => {
                bytes.push(escaped(&mut chars)?);
                kept = bytes.len();
            }
            '"' | ';' | '<' | '>' | '\0' => {
                return Err("has a character that must be escaped with a backslash");
            }
            other => {
                bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                if other != ' ' {
                    kept = bytes.len();
                }
            }
        }
    }
    bytes.truncate(kept);
    let value = String::from_utf8(bytes).map_err(|_| "has a value that is not UTF-8")?;
    Ok((value, more))
}

/// One character behind a backslash, or one byte as two hexadecimal digits.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<u8, &'static str> {
    let wrong = "has a backslash that escapes nothing";
    let (_, first) = chars.next().ok_or(wrong)?;
    if matches!(first, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
        return u8::try_from(first).map_err(|_| wrong);
    }
    let digits = first.to_digit(16).zip(chars.next().and_then(|(_, second)| second.to_digit(16)));
    let (high, low) = digits.ok_or(wrong)?;
    u8::try_from(high * 16 + low).map_err(|_| wrong)
}

/// Writes a name's attributes for people, as RFC 4514 has them: the last one first.
pub(super) fn show<'a>(
    parts: impl DoubleEndedIterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let mut out = String::new();
    for (oid, value) in parts.rev() {
        if !out.is_empty() {
            out.push(',');
        }
        let short = SHORT.iter().find(|(_, known)| *known == oid).map(|(name, _)| *name);
        out.push_str(short.unwrap_or(oid));
        out.push('=');
        let Some(value) = value else {
            out.push('?');
            continue;
        };
        let last = value.chars().count().saturating_sub(1);
        for (at, c) in value.chars().enumerate() {
            let is_edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
            if is_edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
                out.push('\\');
            }
            if c.is_control() {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _infallible = write!(out, "\\{byte:02x}");
                }
            } else {
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap_or_else(|why| panic!("{text:?} {why}"))
    }

    fn part(oid: &str, value: &str) -> (String, String) {
        (oid.to_owned(), value.to_owned())
    }

    #[test]
    fn names_are_read_as_rfc_4514_writes_them() {
        assert_eq!(
            read("CN=a.example, o=Acme\\, Inc. ,2.5.4.97=x"),
            [part("2.5.4.3", "a.example"), part("2.5.4.10", "Acme, Inc."), part("2.5.4.97", "x")]
        );
        assert_eq!(read("OU=a+CN=b"), [part("2.5.4.11", "a"), part("2.5.4.3", "b")]);
        assert_eq!(read("CN=Lu\\C4\\8Di\\C4\\87"), [part("2.5.4.3", "Lučić")]);
        assert_eq!(read("CN=a=b"), [part("2.5.4.3", "a=b")]);
        assert_eq!(read("CN=a\\ "), [part("2.5.4.3", "a ")]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "", "CN", "CN=", "CN= ", "=a", "XX=a", "2..4=a", "CN=a,", "CN=a,b", "CN=\"a\"",
            "CN=a;b", "CN=#0403", "CN=a\\", "CN=a\\zz", "CN=a\\C", "CN=\\C3", "CN=<a>",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(is_distinguished("cn = a") && !is_distinguished("a b=c") && !is_distinguished("a"));
    }

    #[test]
    fn it_is_shown_from_the_last_part_to_the_first() {
        let parts = [("2.5.4.6", Some("IT")), ("2.5.4.3", Some(" a,b\n")), ("1.2.3", None)];
        assert_eq!(show(parts.into_iter()), "1.2.3=?,CN=\\ a\\,b\\0a,C=IT");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(values in proptest::collection::vec("\\PC{1,12}", 1..4)) {
            let parts: Vec<_> = values.iter().map(|v| ("2.5.4.3", Some(v.as_str()))).collect();
            let text = show(parts.into_iter());
            let read: Vec<_> = parse(&text).unwrap().into_iter().rev().map(|(_, v)| v).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn nothing_panics(text in ".{0,64}") {
            let _any = parse(&text);
        }
    }
}
