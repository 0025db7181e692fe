//! An answer as the bytes that a sender gets (RFC 9112).

use std::{future::poll_fn, io, pin::Pin, task::Poll};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::Body;
use hyper::ext::ReasonPhrase;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::super::date;
use crate::body::AnswerBody;

/// Up to this many bytes, a body is copied behind its head and leaves in one write with it.
const SMALL_BODY: usize = 16 * 1024;
/// Room for most heads, in bytes.
const HEAD: usize = 512;

/// How the body's end is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// There is no body.
    None,
    Length(u64),
    Chunked,
}

/// Writes an answer to a `POST`; with `closing`, one that says that it is the connection's last.
/// Whether it was the last, because it was asked to be or says so itself.
///
/// # Errors
///
/// If the connection breaks, or the body does: the sender must not take what it got for the whole.
pub(super) async fn write(
    wire: &mut (impl AsyncWrite + Unpin),
    response: Response<AnswerBody>,
    closing: bool,
) -> io::Result<bool> {
    let framing = framing(&response);
    let mut bytes = Vec::with_capacity(HEAD);
    let closing = head(&mut bytes, &response, framing, closing);
    let mut body = response.into_body();
    if framing != Framing::None {
        let mut left = if let Framing::Length(length) = framing { length } else { u64::MAX };
        while left > 0
            && let Some(data) = next(wire, &mut body, &mut bytes).await?
        {
            left = left.checked_sub(data.len() as u64).ok_or(io::ErrorKind::InvalidData)?;
            put(wire, &mut bytes, &data, framing == Framing::Chunked).await?;
        }
        match framing {
            Framing::Chunked => bytes.extend_from_slice(b"0\r\n\r\n"),
            Framing::Length(_) if left > 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Framing::Length(_) | Framing::None => {}
        }
    }
    if !bytes.is_empty() {
        wire.write_all(&bytes).await?;
    }
    wire.flush().await?;
    Ok(closing)
}

fn framing(response: &Response<AnswerBody>) -> Framing {
    let status = response.status();
    if status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || status.is_informational()
    {
        return Framing::None;
    }
    response.body().size_hint().exact().map_or(Framing::Chunked, Framing::Length)
}

fn head(
    bytes: &mut Vec<u8>,
    response: &Response<AnswerBody>,
    framing: Framing,
    mut closing: bool,
) -> bool {
    let status = response.status();
    bytes.extend_from_slice(b"HTTP/1.1 ");
    bytes.extend_from_slice(status.as_str().as_bytes());
    bytes.push(b' ');
    let reason = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
    let usual = || status.canonical_reason().unwrap_or("<none>").as_bytes();
    bytes.extend_from_slice(reason.unwrap_or_else(usual));
    bytes.extend_from_slice(b"\r\n");
    let mut dated = false;
    for (name, value) in response.headers() {
        let framed = *name == header::CONTENT_LENGTH && status != StatusCode::NOT_MODIFIED;
        if framed || *name == header::TRANSFER_ENCODING {
            continue;
        }
        if *name == header::CONNECTION {
            let mut options = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            closing |= options.any(|option| option.eq_ignore_ascii_case(b"close"));
            continue;
        }
        dated |= *name == header::DATE;
        field(bytes, name.as_str(), value.as_bytes());
    }
    match framing {
        Framing::None => {}
        Framing::Length(length) => {
            field(bytes, "content-length", itoa::Buffer::new().format(length).as_bytes());
        }
        Framing::Chunked => field(bytes, "transfer-encoding", b"chunked"),
    }
    if closing {
        field(bytes, "connection", b"close");
    }
    if !dated {
        date::write(bytes);
    }
    bytes.extend_from_slice(b"\r\n");
    closing
}

fn field(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.reserve(name.len() + value.len() + 4);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// The next of the body. While it has to be waited for, what is written so far leaves.
async fn next(
    wire: &mut (impl AsyncWrite + Unpin),
    body: &mut AnswerBody,
    bytes: &mut Vec<u8>,
) -> io::Result<Option<Bytes>> {
    loop {
        let ready = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
        let frame = match ready {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                wire.write_all(bytes).await?;
                wire.flush().await?;
                bytes.clear();
                poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
            }
        };
        let Some(frame) = frame else { return Ok(None) };
        // Trailers are not passed on.
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
}

/// Puts a piece of the body behind what is to be written, or writes both.
async fn put(
    wire: &mut (impl AsyncWrite + Unpin),
    bytes: &mut Vec<u8>,
    data: &[u8],
    chunked: bool,
) -> io::Result<()> {
    if chunked {
        bytes.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    }
    if data.len() <= SMALL_BODY {
        bytes.extend_from_slice(data);
    } else {
        wire.write_all(bytes).await?;
        bytes.clear();
        wire.write_all(data).await?;
    }
    if chunked {
        bytes.extend_from_slice(b"\r\n");
    }
    if bytes.len() > SMALL_BODY {
        wire.write_all(bytes).await?;
        bytes.clear();
    }
    Ok(())
}
