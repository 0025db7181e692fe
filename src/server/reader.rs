//! Follows HTTP/1 through a connection's bytes: head, body, next head.
//!
//! Pure: says how many bytes may go on to the HTTP library, and what stands in the way of the rest.

use super::{
    fault::HeadFault,
    head::{Found, Framing, find, judge},
};

/// Where in the stream of requests a connection is.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    /// `header_bytes`.
    limit: usize,
    /// Heads that passed.
    heads: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a head or within one.
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// In a chunked body, the last that is read of this connection.
    Last,
    /// Behind a refused head.
    Refused,
}

/// How far the bytes are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// So many may go on.
    pub(super) pass: usize,
    /// Why the rest may not, if there is one.
    pub(super) stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The rest is an incomplete head.
    Incomplete,
    /// The rest is a head that is refused, and what came behind it.
    Refused(HeadFault),
}

impl Reader {
    pub(super) const fn new(limit: usize) -> Self {
        Self { state: State::Head, limit, heads: 0 }
    }

    /// Heads that passed so far.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the last head that passed is the last that will.
    pub(super) const fn is_last(&self) -> bool {
        matches!(self.state, State::Last)
    }

    /// Whether a refused head was met.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused)
    }

    /// Whether the next byte belongs to a head.
    pub(super) const fn is_between(&self) -> bool {
        matches!(self.state, State::Head)
    }

    /// Judges the bytes that follow what was passed before. Those that were not passed must come
    /// again, with more behind them; `searched` says how many of them came before.
    pub(super) fn judge(&mut self, bytes: &[u8], searched: usize) -> Judged {
        let mut pass = 0;
        loop {
            let rest = bytes.get(pass..).unwrap_or_default();
            if rest.is_empty() {
                return Judged { pass, stop: None };
            }
            match self.state {
                State::Last => return Judged { pass: bytes.len(), stop: None },
                State::Refused => return Judged { pass, stop: Some(Stop::Incomplete) },
                State::Body(left) => {
                    let all = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                    pass += usize::try_from(left.min(all)).unwrap_or(rest.len());
                    self.state = match left.saturating_sub(all) {
                        0 => State::Head,
                        left => State::Body(left),
                    };
                }
                State::Head => match self.head(rest, if pass == 0 { searched } else { 0 }) {
                    Ok(Some(end)) => pass += end,
                    Ok(None) => return Judged { pass, stop: Some(Stop::Incomplete) },
                    Err(fault) => {
                        self.state = State::Refused;
                        return Judged { pass, stop: Some(Stop::Refused(fault)) };
                    }
                },
            }
        }
    }

    /// Where the head ends, if it is complete and good.
    fn head(&mut self, bytes: &[u8], searched: usize) -> Result<Option<usize>, HeadFault> {
        let Found::Complete { blank, end } = find(bytes, searched)? else {
            return if bytes.len() > self.limit { Err(HeadFault::TooLarge) } else { Ok(None) };
        };
        if end > self.limit {
            return Err(HeadFault::TooLarge);
        }
        self.state = match judge(bytes.get(blank..end).unwrap_or_default())? {
            Framing::Chunked => State::Last,
            Framing::Length(0) => State::Head,
            Framing::Length(length) => State::Body(length),
        };
        self.heads += 1;
        Ok(Some(end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    const TWO: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn pipelined_requests_are_all_judged() {
        let mut reader = Reader::new(1000);
        assert_eq!(reader.judge(TWO.as_bytes(), 0), Judged { pass: TWO.len(), stop: None });
        assert_eq!((reader.heads(), reader.is_between()), (2, true));
        let bad = format!("{TWO}GET /#x HTTP/1.1\r\nHost: a\r\n\r\n{HEAD}");
        let judged = Reader::new(1000).judge(bad.as_bytes(), 0);
        assert_eq!(
            judged,
            Judged { pass: TWO.len(), stop: Some(Stop::Refused(HeadFault::Fragment)) }
        );
    }

    #[test]
    fn nothing_is_judged_behind_a_refusal_or_a_chunked_head() {
        let mut reader = Reader::new(1000);
        reader.judge(b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 0);
        assert!(reader.is_refused());
        assert_eq!(reader.judge(HEAD.as_bytes(), 0).pass, 0);
        let mut reader = Reader::new(1000);
        reader
            .judge(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0);
        assert!(reader.is_last());
        reader.judge(TWO.as_bytes(), 0);
        assert_eq!(reader.heads(), 1);
    }

    #[test]
    fn the_limit_counts_whole_and_partial_heads() {
        let fits = HEAD.len();
        assert_eq!(Reader::new(fits).judge(HEAD.as_bytes(), 0).stop, None);
        let too_large = Some(Stop::Refused(HeadFault::TooLarge));
        assert_eq!(Reader::new(fits - 1).judge(HEAD.as_bytes(), 0).stop, too_large);
        let partial = "POST / HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaa";
        assert_eq!(Reader::new(20).judge(partial.as_bytes(), 0).stop, too_large);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_verdict_is_the_same(
            cuts in proptest::collection::vec(1usize..40, 1..30),
            end in prop::sample::select(vec!["", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nX"]),
        ) {
            let text = format!("{TWO}{HEAD}12345{TWO}{end}");
            let whole = Reader::new(1000).judge(text.as_bytes(), 0);
            let mut reader = Reader::new(1000);
            let (mut passed, mut seen, mut stop, mut searched) = (0, 0, None, 0);
            for cut in cuts.iter().cycle() {
                seen = (seen + cut).min(text.len());
                let judged = reader.judge(&text.as_bytes()[passed..seen], searched);
                passed += judged.pass;
                (searched, stop) = (seen - passed, judged.stop);
                if seen == text.len() || reader.is_refused() {
                    break;
                }
            }
            prop_assert_eq!(Judged { pass: passed, stop }, whole);
        }
    }
}
