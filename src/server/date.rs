//! `Date` (RFC 9110 section 6.6.1), written once a second and not once an answer.

use std::cell::{Cell, RefCell};

use http::HeaderValue;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};

thread_local! {
    static SECOND: Cell<i64> = const { Cell::new(i64::MIN) };
    static DATE: RefCell<HeaderValue> = const { RefCell::new(HeaderValue::from_static("")) };
}

/// Brings this thread's date up to date; each core's sweep does so, several times a second.
pub(super) fn refresh() {
    let now = Timestamp::now();
    if SECOND.replace(now.as_second()) == now.as_second() {
        return;
    }
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    // Years after 9999 have no such date.
    let value = text.ok().and_then(|text| HeaderValue::try_from(text).ok());
    DATE.set(value.unwrap_or(HeaderValue::from_static("")));
}

/// Writes this thread's date, if there is one yet.
pub(super) fn write(bytes: &mut Vec<u8>) {
    DATE.with_borrow(|date| {
        if !date.is_empty() {
            bytes.extend_from_slice(b"date: ");
            bytes.extend_from_slice(date.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_the_standard() {
        refresh();
        let mut bytes = Vec::new();
        write(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let date = text.strip_prefix("date: ").unwrap().strip_suffix(" GMT\r\n").unwrap();
        // Such as `Sun, 06 Nov 1994 08:49:37`.
        let shape: String = date
            .chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'a'..='z' | 'A'..='Z' => 'a',
                other => other,
            })
            .collect();
        assert_eq!(shape, "aaa, 00 aaa 0000 00:00:00");
    }
}
