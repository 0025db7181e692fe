//! Listening sockets.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel may hold before they are accepted; it caps this by its own limit.
const BACKLOG: i32 = 4096;

/// A socket that listens.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

impl Bound {
    /// Listens on one address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address is taken, by another gateway too, or not ours.
    pub fn new(address: SocketAddr) -> Result<Self, BindError> {
        Self::beside(address, &[])
    }

    /// Listens on several addresses.
    ///
    /// `[::]` takes IPv4 as well, unless `0.0.0.0` is listed with the same port.
    ///
    /// # Errors
    ///
    /// For the first address that cannot be had.
    pub fn all(addresses: &[SocketAddr]) -> Result<Vec<Self>, BindError> {
        addresses.iter().map(|address| Self::beside(*address, addresses)).collect()
    }

    fn beside(address: SocketAddr, others: &[SocketAddr]) -> Result<Self, BindError> {
        let any_v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
        listen(address, others.contains(&any_v4))
            .and_then(|listener| Ok(Self { address: listener.local_addr()?, listener }))
            .map_err(|source| BindError { address, source })
    }

    /// Where it listens, with the port that was taken.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// For a runtime that this is called within.
    ///
    /// # Errors
    ///
    /// If the runtime cannot take it.
    pub fn into_tokio(self) -> io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::from_std(self.listener)
    }

    /// The same socket once more, for another core.
    pub(super) fn for_core(&self) -> io::Result<TcpListener> {
        self.listener.try_clone()
    }
}

fn listen(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // So that a restart need not wait for old connections to be forgotten. Not SO_REUSEPORT: with
    // it a second gateway on the same port would start and take half of the deliveries.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_once() {
        let first = Bound::new("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = Bound::new(first.address()).unwrap_err();
        assert_eq!(error.address, first.address());
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn any_ipv4_and_any_ipv6_go_together() {
        // Some machines have no IPv6; there is nothing to be shown there.
        let Ok(v6) = Bound::new("[::]:0".parse().unwrap()) else { return };
        let port = v6.address().port();
        drop(v6);
        let both =
            [SocketAddr::from(([0, 0, 0, 0], port)), format!("[::]:{port}").parse().unwrap()];
        assert_eq!(Bound::all(&both).unwrap().len(), 2);
    }
}
