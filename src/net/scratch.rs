//! Where a core reads to before it is known how much there is.
//!
//! A buffer of its own for every connection would have to be as large as the largest read, and most
//! connections are idle. So each thread has one, and what was read is copied out in its exact size:
//! a connection that waits holds no buffer at all.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

/// The most that is read at once, in bytes.
pub(crate) const SCRATCH: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads what is there, at most [`SCRATCH`] bytes, and hands it to `take`. Nothing read is the end.
pub(crate) fn poll_read<T>(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    // Taken out for the time of its use: a reader within a reader would get one of its own.
    let mut buffer = BUFFER.take();
    if buffer.len() < SCRATCH {
        buffer.resize(SCRATCH, 0);
    }
    let mut into = ReadBuf::new(&mut buffer);
    let read = Pin::new(stream).poll_read(cx, &mut into);
    let read = match read {
        Poll::Ready(Ok(())) => Poll::Ready(Ok(take(into.filled()))),
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => Poll::Pending,
    };
    BUFFER.set(buffer);
    Poll::Ready(ready!(read))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn what_is_there_is_read_and_nothing_is_the_end() {
        let (mut near, mut far) = tokio::io::duplex(3 * SCRATCH);
        far.write_all(&vec![7; SCRATCH + 1]).await.unwrap();
        let mut read = async || poll_fn(|cx| poll_read(&mut near, cx, <[u8]>::len)).await.unwrap();
        assert_eq!((read().await, read().await), (SCRATCH, 1));
        drop(far);
        assert_eq!(read().await, 0);
    }
}
