//! How many connections there may be: altogether, and of one source.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use super::settings::ServerSettings;
use crate::{config::model::ProxyProtocol, net::cidr::source_key};

/// Counts connections. The map has an entry for each source that has one open, so it is bounded by
/// the number of connections.
#[derive(Debug, Default)]
pub(super) struct Gate {
    open: AtomicUsize,
    turned_away: AtomicU64,
    http2_errors: AtomicU64,
    sources: Mutex<HashMap<IpAddr, usize>>,
}

/// The right to be connected; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
    source: Option<IpAddr>,
}

impl Gate {
    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// Connections that were closed at once.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Relaxed)
    }

    /// HTTP/2 connections that ended with an error.
    pub(super) fn http2_errors(&self) -> u64 {
        self.http2_errors.load(Relaxed)
    }

    /// Lets a new connection in, unless there are too many.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        settings: &ServerSettings,
    ) -> Option<Permit> {
        let open = self.open.fetch_add(1, Relaxed);
        // Counted from here on, so that a refusal below gives it back.
        let mut permit = Permit { gate: self.clone(), source: None };
        let fits = open < settings.limits.connections && permit.count(peer, settings);
        if !fits {
            self.turned_away.fetch_add(1, Relaxed);
        }
        fits.then_some(permit)
    }

    fn take(&self, source: IpAddr, limit: usize) -> bool {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sources.entry(source).or_default();
        let fits = *count < limit;
        if fits {
            *count += 1;
        } else if *count == 0 {
            sources.remove(&source);
        }
        fits
    }

    fn give_back(&self, source: IpAddr) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sources.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                sources.remove(&source);
            }
        }
    }
}

impl Permit {
    /// Counts the connection to whom its PROXY header announced, and says whether that is allowed.
    pub(super) fn announce(&mut self, source: IpAddr, settings: &ServerSettings) -> bool {
        debug_assert!(settings.proxy_protocol != ProxyProtocol::Off, "nobody was asked");
        if let Some(peer) = self.source.take() {
            self.gate.give_back(peer);
        }
        let fits = self.count(source, settings);
        if !fits {
            self.gate.turned_away.fetch_add(1, Relaxed);
        }
        fits
    }

    pub(super) fn note_http2_error(&self) {
        self.gate.http2_errors.fetch_add(1, Relaxed);
    }

    fn count(&mut self, source: IpAddr, settings: &ServerSettings) -> bool {
        if settings.trusted_proxies.contains(source) {
            return true;
        }
        let source = source_key(source);
        let fits = self.gate.take(source, settings.limits.connections_per_source);
        if fits {
            self.source = Some(source);
        }
        fits
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.open.fetch_sub(1, Relaxed);
        if let Some(source) = self.source.take() {
            self.gate.give_back(source);
        }
    }
}
