//! As much of HTTP/1.1 as the two ends of a measurement need: heads that the gateways under test
//! wrote, bodies with a length.

use memchr::{memchr, memmem};

/// Bytes of the head at the beginning, with its empty line; `None` while it is not whole.
pub fn head_length(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|end| end + 4)
}

/// The value of the first field of that name (in lower case).
pub fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = head;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at_checked(end + 1)?;
        rest = after;
        let Some((key, value)) = line.split_at_checked(name.len()) else { continue };
        if let Some((b':', value)) = value.split_first()
            && key.eq_ignore_ascii_case(name)
        {
            return Some(value.trim_ascii());
        }
    }
    None
}

/// How many bytes follow a head; none where it does not say.
///
/// # Errors
///
/// A body without a length: none of the gateways sends one here.
pub fn body_length(head: &[u8]) -> Result<usize, Unframed> {
    if field(head, b"transfer-encoding").is_some() {
        return Err(Unframed);
    }
    let Some(length) = field(head, b"content-length") else { return Ok(0) };
    str::from_utf8(length).ok().and_then(|text| text.parse().ok()).ok_or(Unframed)
}

/// A message whose body has no length.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("a message without Content-Length")]
pub struct Unframed;

/// The head of an answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Bytes of head and body.
    pub length: usize,
    /// The server will close the connection.
    pub last: bool,
}

impl Answer {
    /// The answer that begins here; `None` while its head is not whole.
    ///
    /// # Errors
    ///
    /// [`Unframed`], and what is no answer.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Unframed> {
        let Some(length) = head_length(bytes) else { return Ok(None) };
        let head = bytes.get(..length).unwrap_or_default();
        let status = head.get(9..12).and_then(|code| str::from_utf8(code).ok());
        let status = status.and_then(|code| code.parse().ok()).ok_or(Unframed)?;
        let last = field(head, b"connection").is_some_and(|value| value == b"close");
        Ok(Some(Self { status, length: length + body_length(head)?, last }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_or_not_yet() {
        let whole =
            b"HTTP/1.1 401 Unauthorized\r\ncontent-LENGTH: 5\r\nConnection: close\r\n\r\nwrong";
        let answer = Answer { status: 401, length: whole.len(), last: true };
        assert_eq!(Answer::parse(whole), Ok(Some(answer)));
        for cut in 0..whole.len() - 5 {
            assert_eq!(Answer::parse(&whole[..cut]), Ok(None), "{cut}");
        }
        let open = b"HTTP/1.1 204 No Content\r\n\r\n";
        let answer = Answer { status: 204, length: open.len(), last: false };
        assert_eq!(Answer::parse(open), Ok(Some(answer)));
    }

    #[test]
    fn a_body_without_a_length_is_no_answer() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(Answer::parse(chunked), Err(Unframed));
        assert_eq!(Answer::parse(b"HTTP/1.1 200 OK\r\nContent-Length: +\r\n\r\n"), Err(Unframed));
        assert_eq!(Answer::parse(b"\r\n\r\n"), Err(Unframed));
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let head = b"GET / HTTP/1.1\r\nX-Long: 1\r\nLong: 2\r\n\r\n";
        assert_eq!(field(head, b"long"), Some(&b"2"[..]));
        assert_eq!(field(head, b"x"), None);
    }
}
