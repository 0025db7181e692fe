//! One GET, distrusting everything that comes back.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, HOST, USER_AGENT},
};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::task::AbortOnDropHandle;

use super::{
    FetchError, Settings,
    address::{Reach, reach},
    lifetime,
};
use crate::net::Target;

/// What was fetched; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body, as it was sent.
    pub body: Bytes,
    /// How long it may be used before it is asked for again: between 5 minutes and 24 hours.
    pub fresh_for: Duration,
}

/// No more addresses of a name are tried.
const MOST_ADDRESSES: usize = 4;
/// No head of an answer is larger, in bytes.
const LARGEST_HEAD: usize = 64 << 10;

/// Fetches once, within the time and size that the settings allow. A status other than 200 is an
/// error, and no redirect is followed.
pub(super) async fn get(settings: &Settings, target: &Target) -> Result<Fetched, FetchError> {
    let limit = settings.timeout;
    timeout(limit, fetch(settings, target)).await.unwrap_or(Err(FetchError::Late(limit)))
}

async fn fetch(settings: &Settings, target: &Target) -> Result<Fetched, FetchError> {
    let tls = settings.tls()?;
    let addresses = addresses(settings, target).await?;
    let stream = dial(&addresses, settings.timeout).await?;
    let stream = secure(tls, target, stream).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    // Ends with this future: nothing of it is left behind when the time is over.
    let _driven = AbortOnDropHandle::new(tokio::spawn(async move {
        // How it ended is told to whoever reads the answer.
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a connection for fetching ended");
        }
    }));
    let answer = sender.send_request(request(target)?).await.map_err(|error| broken(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let (head, body) = answer.into_parts();
    if !is_plain(&head.headers) {
        return Err(FetchError::Encoded);
    }
    let body = whole(body, settings.max_bytes).await?;
    Ok(Fetched { body, fresh_for: lifetime::of(&head.headers) })
}

/// The addresses that may be connected to. The very ones are: a second look-up could answer
/// something else.
async fn addresses(settings: &Settings, target: &Target) -> Result<Vec<SocketAddr>, FetchError> {
    let bare = target.host().trim_start_matches('[').trim_end_matches(']');
    let found = match bare.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, target.port())],
        Err(_) => {
            let answer = settings.resolver.look_up(bare, target.port()).await;
            answer.map_err(|error| FetchError::Unresolved(error.to_string().into()))?
        }
    };
    if found.is_empty() {
        return Err(FetchError::Unresolved("it has no address".into()));
    }
    let may = |address: &SocketAddr| match reach(address.ip()) {
        Reach::Public => true,
        Reach::Inside => settings.allow_private,
        Reach::Never => false,
    };
    let allowed: Vec<_> = found.into_iter().filter(may).take(MOST_ADDRESSES).collect();
    if allowed.is_empty() { Err(FetchError::Inside) } else { Ok(allowed) }
}

/// Tries each address in turn; none may use up the time of those after it.
async fn dial(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, FetchError> {
    let end = Instant::now() + limit;
    let mut last = FetchError::Late(limit);
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let now = Instant::now();
        let share = end.duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        last = match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => FetchError::Unreachable(error.to_string().into()),
            Err(_) => FetchError::Late(limit),
        };
    }
    Err(last)
}

async fn secure(
    tls: Arc<rustls::ClientConfig>,
    target: &Target,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, FetchError> {
    let bare = target.host().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|_| FetchError::Tls("the host is no name for a certificate".into()))?;
    let connected = TlsConnector::from(tls).connect(name, stream).await;
    connected.map_err(|error| FetchError::Tls(error.to_string().into()))
}

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, FetchError> {
    Request::builder()
        .method(Method::GET)
        .uri(target.path())
        .header(HOST, target.authority())
        .header(USER_AGENT, concat!("hookward/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|error| FetchError::Broken(error.to_string().into()))
}

/// Nothing is decompressed, so nothing compressed is taken.
fn is_plain(headers: &HeaderMap) -> bool {
    let identity = |coding: &http::HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).iter().all(identity)
}

async fn whole(mut body: Incoming, max: usize) -> Result<Bytes, FetchError> {
    let too_large = FetchError::TooLarge(max);
    if body.size_hint().lower() > max as u64 {
        return Err(too_large);
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() {
            if whole.len() + data.len() > max {
                return Err(too_large);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

fn broken(error: &hyper::Error) -> FetchError {
    FetchError::Broken(error.to_string().into())
}
