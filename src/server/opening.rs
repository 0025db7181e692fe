//! A connection's first bytes: PROXY header, TLS, and which HTTP it speaks.

use std::{io, net::SocketAddr};

use rustls::server::Acceptor;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{
    connection::Opened,
    settings::ServerSettings,
    socket::{Socket, Wire},
};
use crate::{
    config::model::ProxyProtocol,
    net::{
        ClientCertificate,
        proxy::{Parsed, parse},
        tls::Tls,
    },
};

/// What an HTTP/2 client that knows what it speaks to says first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the PROXY header, if the settings have one come.
///
/// # Errors
///
/// If there is one where none may be, none where one must be, or a malformed one: in all these cases
/// there is nobody to be answered.
pub(super) async fn announcement(
    socket: &mut Socket,
    peer: SocketAddr,
    settings: &ServerSettings,
) -> io::Result<Option<SocketAddr>> {
    let mode = settings.proxy_protocol;
    if mode == ProxyProtocol::Off {
        return Ok(None);
    }
    loop {
        match parse(socket.seen()) {
            Parsed::More => socket.look_further().await?,
            Parsed::Absent if mode == ProxyProtocol::Optional => return Ok(None),
            Parsed::Done { announced, consumed }
                if settings.trusted_proxies.contains(peer.ip()) =>
            {
                socket.skip(consumed);
                return Ok(announced);
            }
            Parsed::Absent | Parsed::Done { .. } | Parsed::Invalid => {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
}

/// Shakes hands if the listener speaks TLS, and finds out which HTTP is spoken.
///
/// # Errors
///
/// If the handshake fails or the connection breaks.
pub(super) async fn open(
    mut socket: Socket,
    peer: SocketAddr,
    announced: Option<SocketAddr>,
    settings: &ServerSettings,
) -> io::Result<(Wire, Opened)> {
    let Some(tls) = &settings.tls else {
        let http2 = speaks_http2(&mut socket).await?;
        let opened = Opened { peer, announced, tls: false, http2, certificate: None };
        return Ok((Wire::Left(socket), opened));
    };
    let (stream, certificate) = shake_hands(socket, tls).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let opened = Opened { peer, announced, tls: true, http2, certificate };
    Ok((Wire::Right(Box::new(stream)), opened))
}

/// The TLS handshake, and the certificate that the client showed in it, if it did.
async fn shake_hands(
    socket: Socket,
    tls: &Tls,
) -> io::Result<(TlsStream<Socket>, Option<ClientCertificate>)> {
    let hello = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    let asked = hello.client_hello();
    let config = tls.choose(&asked).ok_or(io::ErrorKind::InvalidInput)?;
    let name = || asked.server_name().unwrap_or_default().to_ascii_lowercase();
    let name = tls.clients_differ_by_name().then(name);
    let stream = hello.into_stream(config).await?;
    let chain = stream.get_ref().1.peer_certificates();
    let certificate = match chain.and_then(<[_]>::first) {
        None => None,
        // One that holds and cannot be read is none that could be judged.
        Some(leaf) => {
            Some(ClientCertificate::read(leaf, name.as_deref()).ok_or(io::ErrorKind::InvalidData)?)
        }
    };
    Ok((stream, certificate))
}

async fn speaks_http2(socket: &mut Socket) -> io::Result<bool> {
    loop {
        let seen = socket.seen();
        if seen.starts_with(PREFACE) {
            return Ok(true);
        }
        if !PREFACE.starts_with(seen) {
            return Ok(false);
        }
        socket.look_further().await?;
    }
}
