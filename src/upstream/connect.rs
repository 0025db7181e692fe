//! One origin: where it is, how it is reached, and its pool.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{HeaderValue, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use smallvec::SmallVec;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    build::{BuildError, LONGEST},
    path::is_secure,
    pool::{Kind, Lease, Pool, Sender},
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

/// What must be the same for an origin, with its connections, to be kept over a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    #[error("{0}")]
    Http(#[from] hyper::Error),
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

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Host and port as configured, for messages.
    pub(super) fn name(&self) -> &str {
        &self.settings.authority
    }

    /// Makes a new connection for the pool, TLS included, within the connect timeout.
    pub(super) async fn connect(&self, kind: Kind) -> Result<Lease, ConnectError> {
        let limit = self.settings.connect_timeout;
        let sender =
            timeout(limit, self.establish(kind)).await.map_err(|_| ConnectError::Late(limit))??;
        Ok(self.pool.adopt(sender, kind))
    }

    async fn establish(&self, kind: Kind) -> Result<Sender, ConnectError> {
        let stream = self.dial().await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => converse(stream, kind).await,
            Some((connector, name)) => {
                converse(connector.connect(name.clone(), stream).await?, kind).await
            }
        }
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

/// Starts HTTP/1.1 on a connection, driven by a task of its own on this core.
async fn converse<S>(stream: S, kind: Kind) -> Result<Sender, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .writev(kind == Kind::Gathering)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        // How it ended was told to the exchange that used it; an idle one concerns nobody.
        if let Err(error) = connection.await {
            tracing::trace!(%error, "upstream connection ended");
        }
    });
    Ok(sender)
}
