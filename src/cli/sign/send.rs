//! Sends a signed request over HTTP/1.1 and reads what comes back.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::verify::sign::SignedRequest;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Connecting, sending and reading together.
const PATIENCE: Duration = Duration::from_secs(30);
/// More of an answer is not of interest.
const MAX_ANSWER: usize = 1 << 20;

/// Sends the request and waits for the answer, at most 30 seconds.
///
/// # Errors
///
/// What went wrong, in words that read well after "cannot send:".
pub(crate) fn send(request: &SignedRequest) -> Result<Answer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(async {
        timeout(PATIENCE, exchange(request))
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
    })
}

async fn exchange(request: &SignedRequest) -> Result<Answer, String> {
    let uri = request.url.parse::<http::Uri>().map_err(|e| e.to_string())?;
    let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
    let tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let socket = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|e| format!("no connection to {host}:{port}: {e}"))?;
    if tls {
        let name = host.clone().try_into().map_err(|_| format!("`{host}` is no TLS name"))?;
        let socket = connector()?
            .connect(name, socket)
            .await
            .map_err(|e| format!("no TLS with {host}:{port}: {e}"))?;
        over(socket, request).await
    } else {
        over(socket, request).await
    }
}

fn connector() -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|e| e.to_string())?
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn over<S>(socket: S, request: &SignedRequest) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        // The names as the provider spells them, for receivers that look at it.
        .title_case_headers(true)
        .handshake(TokioIo::new(socket))
        .await
        .map_err(|e| e.to_string())?;
    let answer = async {
        let response =
            sender.send_request(message(request)?).await.map_err(|e| format!("no answer: {e}"))?;
        let (parts, body) = response.into_parts();
        Ok(Answer { status: parts.status, body: read(body).await })
    };
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // An answer that was read to its end lets the connection end first.
        _ = connection => answer.await,
    }
}

fn message(request: &SignedRequest) -> Result<Request<Full<Bytes>>, String> {
    let body = Full::new(Bytes::copy_from_slice(&request.body));
    let mut message = Request::new(body);
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = request.target().parse().map_err(|_| "the path cannot be sent")?;
    for (name, value) in &request.headers {
        let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let (key, value) = pair.ok_or_else(|| format!("header `{name}` cannot be sent"))?;
        message.headers_mut().append(key, value);
    }
    if !request.has_header("host") {
        let host = HeaderValue::try_from(request.authority()).map_err(|e| e.to_string())?;
        message.headers_mut().insert(header::HOST, host);
    }
    Ok(message)
}

/// As much of the body as arrives and is of interest.
async fn read(body: hyper::body::Incoming) -> Bytes {
    let mut body = Limited::new(body, MAX_ANSWER);
    let mut all = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            all.extend_from_slice(&data);
        }
    }
    all.freeze()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers one connection with these bytes and returns what was asked.
    fn answering(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x?y=1", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut part = [0; 1024];
            while !asked.ends_with(b"{}") {
                let len = socket.read(&mut part).unwrap();
                asked.extend_from_slice(&part[..len]);
            }
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, asked)
    }

    fn request(url: String) -> SignedRequest {
        SignedRequest {
            method: http::Method::POST,
            url,
            headers: vec![("X-A".to_owned(), "1".to_owned())],
            body: b"{}".to_vec(),
        }
    }

    #[test]
    fn the_bytes_go_out_and_the_answer_comes_back() {
        for answer in [
            "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\nok",
        ] {
            let (url, asked) = answering(answer);
            let answer = send(&request(url)).unwrap();
            assert_eq!(answer.status, 202);
            assert_eq!(answer.body, "ok");
            let asked = asked.join().unwrap();
            assert!(asked.starts_with("POST /x?y=1 HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains("\r\nX-A: 1\r\n"), "{asked}");
            assert!(asked.contains("\r\nContent-Length: 2\r\n"), "{asked}");
            assert!(asked.contains("\r\nHost: 127.0.0.1:"), "{asked}");
        }
    }

    #[test]
    fn nobody_there_is_said() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = send(&request(format!("http://127.0.0.1:{port}/"))).unwrap_err();
        assert!(error.starts_with("no connection to 127.0.0.1:"), "{error}");
    }
}
