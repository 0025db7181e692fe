//! What a connection is doing, and since when: written by the connection, read by its core's sweep.
//!
//! A timer for every request would cost more than the rest of the connection's bookkeeping; so the
//! connection only says which phase it is in, and one sweep a core looks who has been in his for
//! too long.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Waker},
    time::Duration,
};

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Accepted, or shaken hands; nothing of a request yet.
    Silent,
    /// Part of a PROXY header, a TLS handshake or a head is there.
    Head,
    /// HTTP/1 between requests.
    Idle,
    /// HTTP/2 without a stream.
    Streamless,
    /// A request is being read, judged or answered.
    Busy,
    /// Answered for the last time; what the sender still sends is thrown away.
    Linger,
}

const PHASES: [Phase; 6] =
    [Phase::Silent, Phase::Head, Phase::Idle, Phase::Streamless, Phase::Busy, Phase::Linger];

/// Bits of [`Watch::state`] that hold the phase; the rest counts the phases entered.
const PHASE_BITS: u32 = 3;

/// For how long a connection may be in its phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Silent and Head.
    pub(super) head: Duration,
    /// Idle and Streamless.
    pub(super) idle: Duration,
}

/// One connection's phase, and what its sweep tells it.
#[derive(Debug)]
pub(super) struct Watch {
    state: AtomicU64,
    /// 0 while nothing waits to be written, else a number that moves with every byte written.
    blocked: AtomicU64,
    draining: AtomicBool,
    /// The epoch that the connection is to be closed in, if it is still in it; else [`NONE`].
    doomed: AtomicU64,
    waker: OnceLock<Waker>,
    pub(super) patience: Patience,
}

/// No epoch: they have [`PHASE_BITS`] fewer bits.
const NONE: u64 = u64::MAX;

impl Watch {
    pub(super) const fn new(patience: Patience) -> Self {
        Self {
            state: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            doomed: AtomicU64::new(NONE),
            waker: OnceLock::new(),
            patience,
        }
    }

    /// Begins a phase: its time starts to count.
    pub(super) fn enter(&self, phase: Phase) {
        // One task writes, so there is nothing to lose between load and store.
        let epoch = self.epoch().wrapping_add(1);
        self.state.store(epoch << PHASE_BITS | phase as u64, Relaxed);
    }

    /// Changes the phase but lets its time run on: a first head is late from the accept on.
    pub(super) fn shift(&self, phase: Phase) {
        self.state.store(self.epoch() << PHASE_BITS | phase as u64, Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        let bits = self.state.load(Relaxed) & ((1 << PHASE_BITS) - 1);
        usize::try_from(bits).ok().and_then(|i| PHASES.get(i)).copied().unwrap_or(Phase::Busy)
    }

    /// Changes whenever a phase is entered.
    pub(super) fn epoch(&self) -> u64 {
        self.state.load(Relaxed) >> PHASE_BITS
    }

    /// Notes how a write went, `wrote` being false when the peer takes nothing more for now.
    pub(super) fn note_write(&self, wrote: bool, number: u64) {
        self.blocked.store(if wrote { 0 } else { number.max(1) }, Relaxed);
    }

    /// 0, or a number that stays the same while nothing can be written.
    pub(super) fn blocked(&self) -> u64 {
        self.blocked.load(Relaxed)
    }

    /// Remembers the connection's task, so that an order reaches it.
    pub(super) fn follow(&self, cx: &Context<'_>) {
        self.waker.get_or_init(|| cx.waker().clone());
    }

    /// Tells the connection to end once its requests are answered.
    pub(super) fn drain(&self) {
        self.draining.store(true, Relaxed);
        self.wake();
    }

    /// Tells the connection to end at once, unless it has gone on to another phase by the time that
    /// it hears this: what arrived while its core had no time must not count as late.
    pub(super) fn close(&self) {
        self.doomed.store(self.epoch(), Relaxed);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    pub(super) fn must_drain(&self) -> bool {
        self.draining.load(Relaxed)
    }

    pub(super) fn must_close(&self) -> bool {
        self.doomed.load(Relaxed) == self.epoch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_entered_is_a_new_epoch_and_one_shifted_to_is_not() {
        let second = Duration::from_secs(1);
        let watch = Watch::new(Patience { head: second, idle: second });
        for phase in PHASES {
            let epoch = watch.epoch();
            watch.shift(phase);
            assert_eq!((watch.phase(), watch.epoch()), (phase, epoch));
            watch.enter(phase);
            assert_eq!((watch.phase(), watch.epoch()), (phase, epoch + 1));
        }
    }

    #[test]
    fn who_went_on_is_not_closed() {
        let watch = Watch::new(Patience { head: Duration::ZERO, idle: Duration::ZERO });
        assert!(!watch.must_close());
        watch.close();
        watch.shift(Phase::Head);
        assert!(watch.must_close() && !watch.must_drain());
        watch.enter(Phase::Busy);
        assert!(!watch.must_close());
    }
}
