//! How names become addresses.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

/// What a resolver answers.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks up a host with the port to connect to; the system's resolver, unless it is handed in.
///
/// What comes back is judged, and then connected to without a second look-up: between two of them
/// a name may change.
#[derive(Clone)]
pub struct Resolver(Arc<LookUp>);

type LookUp = dyn Fn(&str, u16) -> Addresses + Send + Sync;

impl Resolver {
    /// The system's resolver.
    pub fn system() -> Self {
        Self::new(|host, port| {
            let host = host.to_owned();
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        })
    }

    /// A resolver of your own.
    pub fn new(look_up: impl Fn(&str, u16) -> Addresses + Send + Sync + 'static) -> Self {
        Self(Arc::new(look_up))
    }

    pub(super) fn look_up(&self, host: &str, port: u16) -> Addresses {
        (self.0)(host, port)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
