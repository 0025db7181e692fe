//! One origin: where it is, how it is reached, and its pool.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{HeaderValue, Uri};
use rustls::pki_types::ServerName;
use smallvec::SmallVec;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    build::{BuildError, LONGEST},
    path::is_secure,
    pool::{Lease, Pool},
    stream::Stream,
    tls::TlsContext,
};

/// Scheme, host and port of an upstream with everything that is needed to reach it.
pub(super) struct Origin {
    settings: Settings,
    host: Host,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// What the receiver sees as `Host`.
    pub(super) authority: HeaderValue,
    pub(super) pool: Arc<Pool>,
}

/// What must be the same for an origin, with its connections, to be shared, and kept over a reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Settings {
    pub(super) secure: bool,
    pub(super) authority: Box<str>,
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) ca_pem: Option<Vec<u8>>,
}

impl Settings {
    /// Reads scheme and authority of an upstream's URL.
    pub(super) fn new(
        uri: &Uri,
        shared: &crate::config::model::Upstream,
    ) -> Result<Self, BuildError> {
        let secure = is_secure(uri).ok_or(BuildError::Scheme)?;
        let authority = uri.authority().ok_or(BuildError::Scheme)?.as_str();
        if authority.contains('@') {
            return Err(BuildError::UserInfo);
        }
        Ok(Self {
            secure,
            authority: authority.into(),
            connect_timeout: shared.connect_timeout.min(LONGEST),
            idle_timeout: shared.idle_timeout.min(LONGEST),
            // A plain connection is the same, whichever authorities are configured.
            ca_pem: shared.ca_pem.clone().filter(|_| secure),
        })
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug)]
enum Host {
    Address(IpAddr),
    Name(Box<str>),
}

impl Host {
    fn read(uri: &Uri) -> Result<Self, BuildError> {
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(BuildError::Scheme)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(bare.parse().map_or_else(|_| Self::Name(bare.into()), Self::Address))
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("no connection within {0:?}")]
    Late(Duration),
}

impl Origin {
    pub(super) fn new(uri: &Uri, settings: Settings, tls: &TlsContext) -> Result<Self, BuildError> {
        let host = Host::read(uri)?;
        let tls = if settings.secure {
            let name = match &host {
                Host::Address(ip) => ServerName::IpAddress((*ip).into()),
                Host::Name(name) => {
                    ServerName::try_from(name.to_string()).map_err(|_| BuildError::ServerName)?
                }
            };
            Some((TlsConnector::from(tls.client(settings.ca_pem.as_deref())?), name))
        } else {
            None
        };
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(if settings.secure { 443 } else { 80 }),
            tls,
            authority: HeaderValue::from_str(&settings.authority)
                .map_err(|_| BuildError::Scheme)?,
            pool: Pool::new(settings.idle_timeout),
            settings,
        })
    }

    /// Host and port as configured, for messages.
    pub(super) fn name(&self) -> &str {
        &self.settings.authority
    }

    /// Makes a new connection for the pool, TLS included, within the connect timeout.
    pub(super) async fn connect(&self) -> Result<Lease, ConnectError> {
        let limit = self.settings.connect_timeout;
        let made = timeout(limit, self.establish()).await;
        let stream = made.map_err(|_| ConnectError::Late(limit))??;
        Ok(self.pool.adopt(stream))
    }

    async fn establish(&self) -> Result<Stream, ConnectError> {
        let tcp = self.dial().await?;
        tcp.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Stream::Left(tcp),
            Some((connector, name)) => {
                Stream::Right(Box::new(connector.connect(name.clone(), tcp).await?))
            }
        })
    }

    /// Tries each address in turn; none may use up the time of those after it.
    async fn dial(&self) -> Result<TcpStream, ConnectError> {
        let end = Instant::now() + self.settings.connect_timeout;
        let addresses: SmallVec<[SocketAddr; 4]> = match &self.host {
            Host::Address(ip) => return Ok(TcpStream::connect((*ip, self.port)).await?),
            Host::Name(name) => lookup_host((&**name, self.port)).await?.collect(),
        };
        let mut last = ConnectError::NoAddress;
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            let now = Instant::now();
            let share = end.duration_since(now) / left.max(1);
            left = left.saturating_sub(1);
            last = match timeout_at(now + share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error.into(),
                Err(_) => ConnectError::Late(self.settings.connect_timeout),
            };
        }
        Err(last)
    }
}
