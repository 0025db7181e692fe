//! Verified webhooks in an axum service, with no proxy in front of it.
//!
//! ```sh
//! cargo run --example axum -- hookward.toml 127.0.0.1:3000
//! ```
//!
//! The configuration is the gateway's own; a route's `upstream` is not used here (`builtin:echo`
//! will do), because what is verified goes to the handlers below.

use std::{env, error::Error, io, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::HeaderMap,
    middleware::map_request,
    routing::post,
};
use hookward::{
    gateway::Gateway,
    layer::{Peer, VerifyLayer},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let config = PathBuf::from(args.next().unwrap_or_else(|| "hookward.toml".to_owned()));
    let address = args.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());

    let gateway = Gateway::from_file(&config)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener, gateway).await?;
    Ok(())
}

/// Serves the application; axum has to hand on who is at the other end.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    gateway: Arc<Gateway>,
) -> io::Result<()> {
    let app = app(gateway).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await
}

/// An application whose deliveries are verified before any handler sees them.
pub(crate) fn app(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/github", post(received))
        .layer(VerifyLayer::<Body>::new(gateway))
        .layer(map_request(name_the_peer))
}

/// The layer judges by the peer's address, and the server alone knows it.
async fn name_the_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(address)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let peer = Peer { address: address.ip(), tls: false };
        request.extensions_mut().insert(peer);
    }
    request
}

/// Only deliveries that were verified arrive here, with their bodies as they were sent.
async fn received(headers: HeaderMap, body: Bytes) -> String {
    let verified = headers.get("hookward-verified").and_then(|v| v.to_str().ok());
    format!("{} bytes, verified: {}\n", body.len(), verified.unwrap_or("nothing"))
}
