//! What a sender does and what the service does with it, read from an input's bytes.

use crate::net::scripted::{Event, cut};

/// So many bytes of an input say how the rest is played.
pub(super) const CONTROL: usize = 20;

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// `header_bytes`.
    pub(super) limit: usize,
    /// How much of an answer one write takes.
    pub(super) window: usize,
    /// What the service does, by request; the last one's again for all that follow.
    pub(super) plans: Vec<Plan>,
    pub(super) events: Vec<Event>,
    /// After how many of them the connection is told to end.
    pub(super) drains: Option<usize>,
}

/// What the service does with a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) read: Read,
    /// Whether it lets something happen before it reads, and before it answers.
    pub(super) waits: (bool, bool),
    pub(super) status: u16,
    pub(super) body: Body,
    /// Whether the answer says that it is the connection's last.
    pub(super) closes: bool,
    /// Whether the answer has a reason of its own, and more headers.
    pub(super) adorned: bool,
}

/// How much of the request's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    All,
    /// It is dropped at once.
    Nothing,
    /// It is kept, unread, until the answer is there.
    Kept,
    /// So many bytes.
    Some(usize),
}

/// The answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Empty,
    /// So many bytes in one piece.
    Fixed(usize),
    /// So many pieces of so many bytes each.
    Pieces {
        count: usize,
        size: usize,
        /// Whether their length is known before.
        sized: bool,
        /// Whether something happens between them.
        waits: bool,
        ends: End,
    },
}

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// With an error.
    Broken,
    /// Before the length that was announced.
    Short,
}

const STATUSES: [u16; 8] = [200, 200, 200, 204, 304, 413, 500, 599];
const LIMITS: [usize; 4] = [4096, 256, 120, 64 * 1024];
const WINDOWS: [usize; 4] = [usize::MAX, 5000, 1000, 113];

impl Script {
    /// Reads an input; nothing if it is too short to be one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (control, stream) = bytes.split_first_chunk::<CONTROL>()?;
        let [limit, window, end, cuts @ .., _, _, _, _, _, _, _, _, _] = control;
        let plans = control.last_chunk::<9>()?.chunks_exact(3).filter_map(|bytes| match bytes {
            [read, status, body] => Some(Plan::of(*read, *status, *body)),
            _ => None,
        });
        let sizes: Vec<_> = cuts.iter().map(|size| piece(*size)).collect();
        let mut events = cut(stream, &sizes);
        events.extend(match end % 4 {
            0 | 1 => Some(Event::Finishes),
            2 => Some(Event::Breaks),
            _ => None,
        });
        let drains = (end & 0x18 == 0x18).then_some(usize::from(end >> 5));
        let (limit, window) = (pick(&LIMITS, *limit), pick(&WINDOWS, *window));
        Some(Self { limit, window, plans: plans.collect(), events, drains })
    }

    /// What the service does with the request of this number.
    pub(super) fn plan(&self, number: usize) -> Option<Plan> {
        self.plans.get(number).or(self.plans.last()).copied()
    }
}

impl Plan {
    fn of(read: u8, status: u8, body: u8) -> Self {
        let pieces = |sized, ends| Body::Pieces {
            count: usize::from(body >> 5) + 1,
            size: pick(&[1, 9, 300, 20_000], body >> 3),
            sized,
            waits: body & 4 != 0,
            ends,
        };
        Self {
            read: match read % 8 {
                0..=3 => Read::All,
                4 => Read::Nothing,
                5 => Read::Kept,
                _ => Read::Some(usize::from(read >> 5) * 3),
            },
            waits: (read & 8 != 0, read & 16 != 0),
            status: pick(&STATUSES, status),
            closes: status & 0xe0 == 0xe0,
            adorned: status & 8 != 0,
            body: match (status >> 4) % 8 {
                0 => Body::Empty,
                1 | 2 => Body::Fixed(usize::from(body) * 80),
                3 => pieces(true, End::Whole),
                4 | 5 => pieces(false, End::Whole),
                6 => pieces(body & 1 == 0, End::Broken),
                _ => pieces(true, End::Short),
            },
        }
    }
}

fn pick<T: Copy + Default>(all: &[T], number: u8) -> T {
    all.get(usize::from(number) % all.len()).copied().unwrap_or_default()
}

/// 0 is all the rest.
fn piece(size: u8) -> usize {
    let size = usize::from(size);
    if size < 200 { size } else { (size - 199) * 500 }
}
