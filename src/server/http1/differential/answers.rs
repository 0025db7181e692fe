//! What a sender reads of the bytes that it gets.

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: Vec<u8>,
    /// Sorted, without what says how the body and the connection end, and without `Date`.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) closes: bool,
    pub(super) framing: Framing,
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

/// How an answer's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads all answers to requests of these methods, and whether the connection `ended` properly
/// behind them; what is no whole head at their end is left out.
///
/// # Panics
///
/// If there is anything else between them.
pub(super) fn read(mut bytes: &[u8], methods: &[&str], ended: bool) -> Vec<Answer> {
    let (mut all, mut methods) = (Vec::new(), methods.iter());
    while let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") {
        let (head, rest) = bytes.split_at_checked(end + 4).unwrap_or_default();
        let mut answer = head_of(head);
        let to_head =
            answer.status >= 200 && methods.next().is_some_and(|method| *method == "HEAD");
        if to_head {
            answer.framing = Framing::None;
        }
        bytes = body_of(&mut answer, rest);
        answer.whole |= answer.framing == Framing::UntilClose && ended;
        all.push(answer);
    }
    assert!(b"HTTP/1.".starts_with(bytes.get(..7).unwrap_or(bytes)), "{:?}", bytes.escape_ascii());
    all
}

fn head_of(head: &[u8]) -> Answer {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut fields);
    let whole = parsed.parse(head).expect("an answer's head");
    assert!(whole.is_complete(), "{:?}", head.escape_ascii());
    let status = parsed.code.unwrap_or_default();
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut answer = Answer {
        status,
        // The parser shows no reason that is not ASCII.
        reason: line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().to_vec(),
        headers: Vec::new(),
        closes: false,
        framing: Framing::UntilClose,
        body: Vec::new(),
        whole: false,
    };
    let (mut length, mut chunked) = (None, false);
    for field in &*parsed.headers {
        let name = field.name.to_ascii_lowercase();
        let value = std::str::from_utf8(field.value).unwrap_or_default();
        match name.as_str() {
            "date" => {}
            "connection" => answer.closes |= value == "close",
            "content-length" if status == 304 => {
                answer.headers.push((name, field.value.to_vec()));
            }
            "content-length" => {
                let before = length.replace(value.parse().expect("a length"));
                assert_eq!(before, None, "two lengths: {:?}", head.escape_ascii());
            }
            "transfer-encoding" => {
                assert!(value == "chunked" && !chunked, "{:?}", head.escape_ascii());
                chunked = true;
            }
            _ => answer.headers.push((name, field.value.to_vec())),
        }
    }
    assert!(length.is_none() || !chunked, "two framings: {:?}", head.escape_ascii());
    let bodiless = matches!(status, 100..200 | 204);
    assert!(!bodiless || (length.is_none() && !chunked), "{:?}", head.escape_ascii());
    answer.headers.sort();
    answer.framing = match (status, length) {
        (100..200 | 204 | 304, _) => Framing::None,
        (_, Some(length)) => Framing::Length(length),
        _ if chunked => Framing::Chunked,
        _ => Framing::UntilClose,
    };
    answer
}

/// Reads the body; gives back what follows it.
fn body_of<'a>(answer: &mut Answer, bytes: &'a [u8]) -> &'a [u8] {
    match answer.framing {
        Framing::None => {
            answer.whole = true;
            bytes
        }
        Framing::UntilClose => {
            answer.body = bytes.to_vec();
            &[]
        }
        Framing::Length(length) => {
            let length = usize::try_from(length).expect("a length of this test");
            let (body, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
            answer.body = body.to_vec();
            answer.whole = body.len() == length;
            rest
        }
        Framing::Chunked => chunks_of(answer, bytes),
    }
}

fn chunks_of<'a>(answer: &mut Answer, mut bytes: &'a [u8]) -> &'a [u8] {
    while let Some(end) = memchr::memmem::find(bytes, b"\r\n") {
        let (line, rest) = bytes.split_at_checked(end).unwrap_or_default();
        let size = std::str::from_utf8(line).ok();
        let size = size.and_then(|line| usize::from_str_radix(line, 16).ok()).expect("a size");
        let rest = rest.get(2..).unwrap_or_default();
        let (data, rest) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        answer.body.extend_from_slice(data);
        let Some(rest) = rest.strip_prefix(b"\r\n") else {
            assert!(b"\r\n".starts_with(rest), "{:?}", rest.escape_ascii());
            return &[];
        };
        if size == 0 {
            answer.whole = true;
            return rest;
        }
        bytes = rest;
    }
    &[]
}
