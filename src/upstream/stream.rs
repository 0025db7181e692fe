//! A connection's bytes: TCP, or TLS over it.

use std::{
    pin::Pin,
    task::{Context, Waker},
};

use tokio::{
    io::{AsyncRead, Interest, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// The way to a receiver.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Whether nothing came while nobody listened: neither an end, nor bytes that answer nothing. Costs
/// a system call only if something did.
pub(super) fn is_quiet(stream: &mut Stream) -> bool {
    let tcp = match &*stream {
        Stream::Left(tcp) => tcp,
        Stream::Right(tls) => tls.get_ref().0,
    };
    // Nothing is read: this only asks what the reactor has seen.
    let seen = tcp.try_io(Interest::READABLE, || Ok(()));
    if seen.is_err() {
        return true;
    }
    // What is asked here is not waited for.
    let mut now = Context::from_waker(Waker::noop());
    // TLS may have news of its own, such as session tickets.
    let mut byte = [0];
    Pin::new(stream).poll_read(&mut now, &mut ReadBuf::new(&mut byte)).is_pending()
}
