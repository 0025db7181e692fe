//! Requests that are due at fixed times, whatever the answers do.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    os::fd::{AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use mio::{Interest, Registry, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use super::LoadError;

/// A clock that ticks through epoll, whose own timeout is too coarse.
#[derive(Debug)]
pub struct Pace {
    timer: OwnedFd,
    start: Instant,
    interval: Duration,
    due: u32,
    waiting: VecDeque<Instant>,
}

impl Pace {
    /// Begins now, at this many requests a second.
    pub fn start(rate: u32, registry: &Registry, token: Token) -> Result<Self, LoadError> {
        let interval = Duration::from_secs(1) / rate.max(1);
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let every = Timespec { tv_sec: 0, tv_nsec: interval.subsec_nanos().into() };
        let times = Itimerspec { it_interval: every, it_value: every };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        let start = Instant::now();
        Ok(Self { timer, start, interval, due: 0, waiting: VecDeque::new() })
    }

    /// Notes what has become due since the last tick.
    pub fn tick(&mut self) -> Result<(), LoadError> {
        let mut ticks = [0; 8];
        match rustix::io::read(&self.timer, &mut ticks) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.note(Instant::now());
        Ok(())
    }

    fn note(&mut self, now: Instant) {
        loop {
            let next = self.start + self.interval * (self.due + 1);
            if next > now {
                break;
            }
            self.due += 1;
            self.waiting.push_back(next);
        }
    }

    /// When the request was due that should be sent now.
    pub fn take(&mut self) -> Option<Instant> {
        self.waiting.pop_front()
    }
}
