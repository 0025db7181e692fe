//! A connection to the gateway, plain or TLS, that never blocks once it is open.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    sync::Arc,
};

use mio::{Interest, Registry, Token, net::TcpStream};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::LoadError;

/// An open connection.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    session: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Connects (on loopback that is done at once) and asks `registry` for its events.
    pub fn open(
        target: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let socket = std::net::TcpStream::connect(target)?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let mut socket = TcpStream::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let session = tls.map(|config| {
            let name = ServerName::IpAddress(target.ip().into());
            ClientConnection::new(Arc::clone(config), name).map(|mut session| {
                session.set_buffer_limit(None);
                Box::new(session)
            })
        });
        let session = session.transpose().map_err(io::Error::other)?;
        Ok(Self { socket, session })
    }

    /// Writes some of it: how much was taken. A TLS session takes all, and keeps what the socket
    /// does not.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.session {
            None => or_would_block((&self.socket).write(bytes)).map(Option::unwrap_or_default),
            Some(session) => {
                session.writer().write_all(bytes)?;
                self.flush()?;
                Ok(bytes.len())
            }
        }
    }

    /// Hands the socket what the TLS session still keeps for it.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        while session.wants_write() {
            if or_would_block(session.write_tls(&mut &self.socket))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Reads what is there: `None` if nothing is, `Some(0)` at the end. Events come by the edge,
    /// so a caller that still misses bytes reads until `None`.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(session) = &mut self.session else {
            return or_would_block((&self.socket).read(buffer));
        };
        loop {
            if let Some(read) = or_would_block(session.reader().read(buffer))? {
                return Ok(Some(read));
            }
            match or_would_block(session.read_tls(&mut &self.socket))? {
                None => return Ok(None),
                Some(0) => return Ok(Some(0)),
                Some(_) => {}
            }
            session.process_new_packets().map_err(io::Error::other)?;
            while session.wants_write() {
                if or_would_block(session.write_tls(&mut &self.socket))?.is_none() {
                    break;
                }
            }
        }
    }

    /// Says goodbye as TLS wants it, and closes.
    pub fn close(mut self, registry: &Registry) {
        if let Some(session) = &mut self.session {
            session.send_close_notify();
        }
        // The gateway may have been quicker: then there is nobody to say goodbye to.
        self.flush().ok();
        registry.deregister(&mut self.socket).ok();
    }
}

/// A client that trusts this one certificate and makes a full handshake each time, with what all
/// gateways under test speak: TLS 1.3, X25519, AES-128-GCM. A hybrid one prefers X25519MLKEM768, as
/// many senders do, and sends a share for both.
pub fn tls_client(certificate: &str, hybrid: bool) -> Result<Arc<ClientConfig>, LoadError> {
    let wrong = |error: &dyn ToString| LoadError::Certificate(error.to_string());
    let certificate =
        CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| wrong(&error))?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(|error| wrong(&error))?;
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    if hybrid {
        provider.kx_groups.insert(0, aws_lc_rs::kx_group::X25519MLKEM768);
    }
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| wrong(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn or_would_block(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}
