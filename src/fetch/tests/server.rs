//! A TLS server that answers as it is told, byte by byte.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    clock::{Clock, UnixMs},
    config::model,
    fetch::{Fetcher, Resolver, Settings},
    net::Target,
};

/// What it does with a connection once the request is read.
#[derive(Clone)]
pub(super) enum Act {
    /// Writes these bytes and closes.
    Answer(Vec<u8>),
    /// Writes these bytes and then nothing more.
    Stall(Vec<u8>),
    /// Waits for a permit, then answers.
    Wait(Arc<tokio::sync::Semaphore>, Vec<u8>),
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) ca_pem: String,
    pub(super) hits: Arc<AtomicUsize>,
    pub(super) heads: Arc<Mutex<Vec<String>>>,
    act: Arc<Mutex<Act>>,
}

impl Server {
    /// With a certificate for this name.
    pub(super) async fn start(name: &str, act: Act) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            ca_pem: ca.pem(),
            hits: Arc::default(),
            heads: Arc::default(),
            act: Arc::new(Mutex::new(act)),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (hits, heads, act) =
            (Arc::clone(&server.hits), Arc::clone(&server.heads), Arc::clone(&server.act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heads) = (acceptor.clone(), Arc::clone(&heads));
                let act = act.lock().unwrap().clone();
                hits.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                    match act {
                        Act::Answer(bytes) => write(&mut stream, &bytes).await,
                        Act::Stall(bytes) => {
                            send(&mut stream, &bytes).await;
                            std::future::pending::<()>().await;
                        }
                        Act::Wait(gate, bytes) => {
                            gate.acquire().await.unwrap().forget();
                            write(&mut stream, &bytes).await;
                        }
                    }
                });
            }
        });
        server
    }

    pub(super) fn now(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }

    pub(super) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    pub(super) fn config(&self) -> model::Fetch {
        model::Fetch {
            allow_private: true,
            ca_pem: Some(self.ca_pem.clone().into_bytes()),
            timeout: Duration::from_secs(5),
            max_bytes: 1000,
            cache: None,
        }
    }

    /// Every name leads to this server.
    pub(super) fn resolver(&self) -> Resolver {
        let address = self.address;
        Resolver::new(move |_, _| Box::pin(async move { Ok(vec![address]) }))
    }

    pub(super) fn fetcher(&self, config: &model::Fetch) -> (Arc<Fetcher>, Clock) {
        let clock = Clock::manual(UnixMs::from_secs(1_760_000_000));
        let settings = Settings::new(config, self.resolver());
        (Fetcher::new(clock.clone(), settings), clock)
    }
}

async fn write(stream: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) {
    send(stream, bytes).await;
    // The client may have left.
    drop(stream.shutdown().await);
}

async fn send(stream: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) {
    drop(stream.write_all(bytes).await);
    drop(stream.flush().await);
}

/// A whole answer.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> Act {
    Act::Answer(bytes(status, headers, body))
}

pub(super) fn bytes(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

pub(super) fn target() -> Target {
    Target::configured("https://keys.example/set?a=b").unwrap()
}
