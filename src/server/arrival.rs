//! A connection that was let in, and which core it goes to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{net::TcpStream, sync::mpsc};

use super::{gate::Permit, settings::ServerSettings};

/// A connection that was let in; a `std` stream while it is between two cores.
pub(super) struct Arrival<T> {
    pub(super) tcp: T,
    pub(super) peer: SocketAddr,
    pub(super) permit: Permit,
    pub(super) settings: Arc<ServerSettings>,
    pub(super) load: Load,
}

/// One that is on its way to another core, taken out of the first one's reactor.
pub(super) type HandedOver = Arrival<std::net::TcpStream>;

impl Arrival<TcpStream> {
    /// Takes the stream out of this core's reactor.
    pub(super) fn leave(self) -> Option<HandedOver> {
        let Self { tcp, peer, permit, settings, load } = self;
        Some(Arrival { tcp: tcp.into_std().ok()?, peer, permit, settings, load })
    }
}

impl HandedOver {
    /// Puts the stream into this core's reactor.
    pub(super) fn settle(self) -> Option<Arrival<TcpStream>> {
        let Self { tcp, peer, permit, settings, load } = self;
        Some(Arrival { tcp: TcpStream::from_std(tcp).ok()?, peer, permit, settings, load })
    }
}

/// What the cores know of each other.
pub(super) struct Cores {
    senders: Vec<mpsc::UnboundedSender<HandedOver>>,
    /// Open connections of each.
    loads: Vec<AtomicUsize>,
}

impl Cores {
    /// So many cores, and where the arrivals of each come out. The channels need no bound: what is in
    /// them was let in.
    pub(super) fn new(count: usize) -> (Arc<Self>, Vec<mpsc::UnboundedReceiver<HandedOver>>) {
        let (senders, receivers) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let loads = (0..count).map(|_| AtomicUsize::new(0)).collect();
        (Arc::new(Self { senders, loads }), receivers)
    }

    /// Takes a place on the core that has least to do: this one, unless another has less.
    pub(super) fn take_place(self: &Arc<Self>, own: usize) -> Load {
        let load = |index: usize| self.loads.get(index).map_or(usize::MAX, |l| l.load(Relaxed));
        let least = (0..self.loads.len()).min_by_key(|index| (load(*index), *index != own));
        let index = least.unwrap_or(own);
        if let Some(load) = self.loads.get(index) {
            load.fetch_add(1, Relaxed);
        }
        Load { cores: self.clone(), index }
    }

    /// Sends an arrival to its core; gives it back if that one takes no more.
    pub(super) fn hand_over(&self, arrival: HandedOver) -> Option<HandedOver> {
        match self.senders.get(arrival.load.index) {
            Some(sender) => sender.send(arrival).err().map(|refused| refused.0),
            None => Some(arrival),
        }
    }
}

/// A connection's part of a core's load; given back when dropped.
pub(super) struct Load {
    cores: Arc<Cores>,
    index: usize,
}

impl Load {
    pub(super) const fn index(&self) -> usize {
        self.index
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(load) = self.cores.loads.get(self.index) {
            load.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_with_least_to_do_is_next_and_oneself_among_equals() {
        let (cores, _receivers) = Cores::new(3);
        let mut places: Vec<_> = (0..6).map(|_| cores.take_place(1)).collect();
        let indices: Vec<_> = places.iter().map(Load::index).collect();
        assert_eq!(indices, [1, 0, 2, 1, 0, 2]);
        places.remove(2);
        assert_eq!(cores.take_place(1).index(), 2);
    }
}
