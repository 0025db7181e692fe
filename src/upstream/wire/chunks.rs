//! The chunked coding (RFC 9112 section 7.1), read strictly.

use bytes::Bytes;

/// The most that chunk extensions, or trailers, of one body may have in all, in bytes.
const MAX_ASIDE: usize = 8 * 1024;
/// The most trailers.
const MAX_TRAILERS: u8 = 100;
/// Digits of a chunk's size: more would not fit 64 bits.
const MAX_DIGITS: u8 = 16;

/// Where in a chunked body a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    state: State,
    /// Bytes of extensions and trailers so far.
    aside: usize,
    /// Trailers so far.
    trailers: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's size.
    Size {
        so_far: u64,
        digits: u8,
    },
    /// In white space behind it.
    Space {
        size: u64,
    },
    /// In what follows it on its line.
    Extension {
        size: u64,
    },
    /// Behind the CR of that line.
    SizeEnd {
        size: u64,
    },
    /// So many bytes of the chunk are to come.
    Data(u64),
    /// Behind a chunk.
    DataCr,
    DataLf,
    /// At the beginning of a trailer's line, or of the empty one.
    Trailer,
    TrailerName,
    InTrailer,
    TrailerEnd,
    /// In the empty line that ends all.
    End,
    Done,
}

/// The coding is broken, or carries too much that is not data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk is malformed")]
pub(in super::super) struct BadChunk;

impl Chunks {
    pub(super) const fn new() -> Self {
        Self { state: State::Size { so_far: 0, digits: 0 }, aside: 0, trailers: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The next data among these bytes, which are taken away as they are read; nothing if there is
    /// none. What follows the body's end is left.
    ///
    /// # Errors
    ///
    /// If the coding is broken.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, BadChunk> {
        while let Some(&byte) = input.first() {
            if let State::Data(left) = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let left = left - here as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data(left) };
                return Ok(Some(input.split_to(here)));
            }
            if self.is_done() {
                break;
            }
            self.state = self.after(byte)?;
            drop(input.split_to(1));
        }
        Ok(None)
    }

    fn after(&mut self, byte: u8) -> Result<State, BadChunk> {
        Ok(match (self.state, byte) {
            (State::Size { so_far, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if digits == MAX_DIGITS {
                    return Err(BadChunk);
                }
                let digit = char::from(byte).to_digit(16).ok_or(BadChunk)?;
                State::Size { so_far: so_far << 4 | u64::from(digit), digits: digits + 1 }
            }
            (State::Size { digits: 0, .. }, _) => return Err(BadChunk),
            (
                State::Size { so_far: size, .. }
                | State::Space { size }
                | State::Extension { size },
                b'\r',
            ) => State::SizeEnd { size },
            (State::Size { so_far: size, .. } | State::Space { size }, b';') => {
                State::Extension { size }
            }
            (State::Size { so_far: size, .. } | State::Space { size }, b' ' | b'\t') => {
                self.count()?;
                State::Space { size }
            }
            (State::Extension { size }, byte) if !is_control(byte) => {
                self.count()?;
                State::Extension { size }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::Trailer,
            (State::SizeEnd { size }, b'\n') => State::Data(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { so_far: 0, digits: 0 },
            (State::Trailer, b'\r') => State::End,
            (State::InTrailer, b'\r') => State::TrailerEnd,
            // A line without a name is none, but perhaps the next answer's first one.
            (State::Trailer | State::TrailerName, byte) if is_name(byte) => {
                self.count()?;
                State::TrailerName
            }
            (State::TrailerName, b':') => State::InTrailer,
            (State::InTrailer, byte) if !is_control(byte) => {
                self.count()?;
                State::InTrailer
            }
            (State::TrailerEnd, b'\n') if self.trailers < MAX_TRAILERS => {
                self.trailers += 1;
                State::Trailer
            }
            (State::End, b'\n') => State::Done,
            _ => return Err(BadChunk),
        })
    }

    const fn count(&mut self) -> Result<(), BadChunk> {
        self.aside += 1;
        if self.aside > MAX_ASIDE { Err(BadChunk) } else { Ok(()) }
    }
}

const fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// Whether a byte may stand in a field's name (RFC 9110 section 5.6.2).
const fn is_name(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The data, what is left behind it, and whether the end was seen; given in pieces.
    fn decoded(pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>, bool), BadChunk> {
        let (mut chunks, mut data, mut left) = (Chunks::new(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(some) = chunks.next(&mut input)? {
                assert!(!some.is_empty());
                data.extend_from_slice(&some);
            }
            left.extend_from_slice(&input);
        }
        Ok((data, left, chunks.is_done()))
    }

    #[test]
    fn data_comes_out_and_what_follows_is_left() {
        let ok = |text: &str| decoded(&[text.as_bytes()]).unwrap();
        assert_eq!(ok("0\r\n\r\n"), (vec![], vec![], true));
        assert_eq!(
            ok("3\r\none\r\n0A;x=\"y\"\r\n0123456789\r\n000\r\nX: y\r\n\r\nHTTP"),
            (b"one0123456789".to_vec(), b"HTTP".to_vec(), true)
        );
        assert_eq!(ok("5\r\nhel"), (b"hel".to_vec(), vec![], false));
        assert_eq!(ok("1 \t;\u{e9}\r\nx\r\n0 \r\na:\r\n\r\n"), (b"x".to_vec(), vec![], true));
        let most = format!("0\r\n{}\r\n", "a:\r\n".repeat(100));
        assert_eq!(ok(&most), (vec![], vec![], true));
    }

    #[test]
    fn nothing_but_the_grammar_passes() {
        let long = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(MAX_ASIDE + 1));
        let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(5000));
        for bad in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            "1\nx",
            "1\r\r\n",
            "1\r\nxx",
            "1\r\nx\n",
            "1\r\nx\r\r",
            "1;a\nb\r\n",
            "1;\0\r\n",
            "0\r\n\n",
            "0\r\n\r\r",
            "0\r\na\nb\r\n",
            "1 x\r\n",
            "1 1\r\n",
            "1;\x7f\r\n",
            "0\r\nno trailer\r\n",
            "0\r\n: b\r\n",
            "0\r\na : b\r\n",
            "0\r\n a: b\r\n",
            "0\r\na: \0\r\n",
            "0\r\nHTTP/1.1 200 OK\r\n",
            &format!("1{}", " ".repeat(MAX_ASIDE + 1)),
            "10000000000000000\r\n",
            &long,
            &trailers,
            &format!("0\r\n{}\r\n", "a:\r\n".repeat(101)),
        ] {
            assert_eq!(decoded(&[bad.as_bytes()]), Err(BadChunk), "{bad:.40?}");
        }
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_data_is_the_same(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            cuts in prop::collection::vec(1usize..9, 1..9),
        ) {
            let mut coded = Vec::new();
            for part in &parts {
                coded.extend(format!("{:x}\r\n", part.len()).bytes());
                coded.extend(part);
                coded.extend(b"\r\n");
            }
            coded.extend(b"0\r\n\r\nrest");
            let (mut pieces, mut at) = (Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                if at == coded.len() { break; }
                let end = (at + cut).min(coded.len());
                pieces.push(&coded[at..end]);
                at = end;
            }
            prop_assert_eq!(decoded(&pieces).unwrap(), (parts.concat(), b"rest".to_vec(), true));
        }
    }
}
