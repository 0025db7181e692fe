//! What is known of a connection, shared by those who read it and those who answer on it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    fault::HeadFault,
    watch::{Phase, Watch},
};
use crate::net::{ClientCertificate, canonical};

/// One connection, as its service sees it.
#[derive(Debug)]
pub struct Connection {
    peer: SocketAddr,
    announced: Option<SocketAddr>,
    tls: bool,
    http2: bool,
    certificate: Option<ClientCertificate>,
    /// HTTP/1: heads that the guard passed on.
    judged: AtomicU64,
    /// Requests that reached the service.
    begun: AtomicU64,
    /// HTTP/2: those of them that the service is done with.
    ended: AtomicU64,
    /// HTTP/1: whether the last head that was passed on is the last of all.
    last: AtomicBool,
    fault: OnceLock<HeadFault>,
    watch: Arc<Watch>,
}

/// How a connection came to be.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) peer: SocketAddr,
    pub(super) announced: Option<SocketAddr>,
    pub(super) tls: bool,
    pub(super) http2: bool,
    pub(super) certificate: Option<ClientCertificate>,
}

impl Connection {
    pub(super) fn new(opened: Opened, watch: Arc<Watch>) -> Self {
        Self {
            peer: opened.peer,
            announced: opened.announced,
            tls: opened.tls,
            http2: opened.http2,
            certificate: opened.certificate,
            judged: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            last: AtomicBool::new(false),
            fault: OnceLock::new(),
            watch,
        }
    }

    /// The other end of the socket.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whom a PROXY header of a trusted proxy announced in the peer's place.
    pub const fn announced(&self) -> Option<SocketAddr> {
        self.announced
    }

    /// The address that stands for the peer: announced if there was an announcement, and
    /// IPv4-mapped IPv6 as IPv4. To be given to [`crate::net::Client::find`].
    pub const fn source(&self) -> IpAddr {
        match self.announced {
            Some(announced) => canonical(announced.ip()),
            None => canonical(self.peer.ip()),
        }
    }

    /// Whether the connection itself is encrypted.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The certificate that the client showed, if the listener asks for one and it did.
    pub const fn certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref()
    }

    /// Whether it speaks HTTP/2.
    pub const fn is_http2(&self) -> bool {
        self.http2
    }

    /// What is wrong with the head of an HTTP/1 connection's request, counted from 0.
    ///
    /// The service need not ask: a request with a fault carries it as an extension. Anything that
    /// was not judged has a fault, so nothing can slip in behind the guard's back.
    pub fn fault(&self, index: u64) -> Option<HeadFault> {
        if index < self.judged.load(Relaxed) {
            return None;
        }
        Some(self.fault.get().copied().unwrap_or(HeadFault::Unjudged))
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// HTTP/1: a request reached the service; its fault, if it has one.
    pub(super) fn next_fault(&self) -> Option<HeadFault> {
        let index = self.begun.load(Relaxed);
        self.begun.store(index + 1, Relaxed);
        self.fault(index)
    }

    /// HTTP/1: so many heads passed, and perhaps none will any more.
    pub(super) fn passed(&self, heads: u64, last: bool) {
        self.judged.store(heads, Relaxed);
        self.last.store(last, Relaxed);
        self.watch.enter(Phase::Busy);
    }

    /// HTTP/1: the head behind those that passed is refused.
    pub(super) fn refuse(&self, fault: HeadFault) {
        self.fault.get_or_init(|| fault);
        self.watch.enter(Phase::Busy);
    }

    /// HTTP/1: whether the service has got the last request that this connection will carry.
    pub(super) fn is_at_last(&self) -> bool {
        self.last.load(Relaxed) && self.begun.load(Relaxed) >= self.judged.load(Relaxed)
    }

    /// HTTP/2: a stream begins.
    pub(super) fn begin_stream(&self) {
        let begun = self.begun.fetch_add(1, Relaxed);
        if begun == self.ended.load(Relaxed) {
            self.watch.enter(Phase::Busy);
        }
    }

    /// HTTP/2: a stream's service ended.
    pub(super) fn end_stream(&self) {
        let ended = self.ended.fetch_add(1, Relaxed) + 1;
        if ended == self.begun.load(Relaxed) {
            self.watch.enter(Phase::Streamless);
        }
    }
}
