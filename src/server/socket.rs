//! A connection's bytes: a TCP stream that can be looked into, plain or under TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::watch::{Phase, Watch};

/// What is read at once while it is not yet clear what the connection speaks.
const LOOK: usize = 4096;

/// A TCP stream whose first bytes were looked at, and whose writes are watched.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    /// Read to find out what the connection speaks, and not yet given to who speaks it.
    seen: Vec<u8>,
    watch: Arc<Watch>,
    is_blocked: bool,
    /// Counts how often writing went on after the peer had taken nothing for a while.
    unblocked: u64,
    /// Whether the peer sends nothing more, or the connection is broken.
    has_ended: bool,
}

impl Socket {
    pub(super) const fn new(tcp: TcpStream, watch: Arc<Watch>) -> Self {
        Self { tcp, seen: Vec::new(), watch, is_blocked: false, unblocked: 0, has_ended: false }
    }

    /// The first bytes, as far as they were read.
    pub(super) fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Reads more of the first bytes.
    ///
    /// # Errors
    ///
    /// Also when the peer ends the connection.
    pub(super) async fn look_further(&mut self) -> io::Result<()> {
        self.seen.reserve(LOOK);
        if self.tcp.read_buf(&mut self.seen).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.watch.shift(Phase::Head);
        Ok(())
    }

    /// Takes the first `count` bytes away.
    pub(super) fn skip(&mut self, count: usize) {
        self.seen.drain(..count.min(self.seen.len()));
    }

    /// Whether there is nothing more to come from the peer.
    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Reads past TLS and everything else, to throw the bytes away.
    pub(super) async fn read_raw(&mut self, sink: &mut [u8]) -> io::Result<usize> {
        self.tcp.read(sink).await
    }

    fn note_write<T>(&mut self, done: &Poll<io::Result<T>>) {
        match done {
            Poll::Pending if !self.is_blocked => {
                self.is_blocked = true;
                self.watch.note_write(false, self.unblocked + 1);
            }
            Poll::Ready(Ok(_)) if self.is_blocked => {
                self.is_blocked = false;
                self.unblocked += 1;
                self.watch.note_write(true, self.unblocked);
            }
            Poll::Ready(Err(_)) => self.has_ended = true,
            _ => {}
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if !me.seen.is_empty() {
            let count = me.seen.len().min(buf.remaining());
            buf.put_slice(me.seen.get(..count).unwrap_or_default());
            me.seen.drain(..count);
            if me.seen.is_empty() {
                me.seen = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let done = Pin::new(&mut me.tcp).poll_read(cx, buf);
        if let Poll::Ready(read) = &done {
            me.has_ended = read.is_err() || buf.filled().len() == before;
        }
        done
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let done = Pin::new(&mut me.tcp).poll_write(cx, bytes);
        me.note_write(&done);
        done
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

/// A socket, or TLS over one.
pub(super) type Wire = Either<Socket, Box<TlsStream<Socket>>>;

/// The socket below; what TLS still holds is lost.
pub(super) fn into_socket(wire: Wire) -> Socket {
    match wire {
        Wire::Left(socket) => socket,
        Wire::Right(stream) => stream.into_inner().0,
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::net::TcpListener;

    use super::{super::watch::Patience, *};

    async fn pair() -> (Socket, TcpStream, Arc<Watch>) {
        let patience = Patience { head: Duration::MAX, idle: Duration::MAX };
        let watch = Arc::new(Watch::new(patience));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        (Socket::new(tcp, watch.clone()), peer, watch)
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_noticed_until_it_takes_something() {
        let (mut socket, mut peer, watch) = pair().await;
        let block = vec![0; 1 << 20];
        let mut write =
            async || poll_fn(|cx| Poll::Ready(Pin::new(&mut socket).poll_write(cx, &block))).await;
        let mut seen = Vec::new();
        while seen.len() < 3 {
            assert_eq!(watch.blocked(), 0);
            while write().await.is_ready() {}
            seen.push(watch.blocked());
            let mut sink = vec![0; 1 << 20];
            while write().await.is_pending() {
                assert_eq!(watch.blocked(), *seen.last().unwrap());
                let _: usize = peer.read(&mut sink).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 3, "each time is told from the one before");
    }

    #[tokio::test]
    async fn what_was_looked_at_is_read_again() {
        use tokio::io::AsyncWriteExt;
        let (mut socket, mut peer, _) = pair().await;
        peer.write_all(b"PROXY x, hello").await.unwrap();
        socket.look_further().await.unwrap();
        assert_eq!(socket.seen(), b"PROXY x, hello");
        socket.skip(9);
        peer.write_all(b" again").await.unwrap();
        peer.shutdown().await.unwrap();
        let mut all = String::new();
        socket.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "hello again");
        assert!(socket.has_ended());
    }
}
