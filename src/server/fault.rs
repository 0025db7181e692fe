//! What can be wrong with a request's head.

/// Why a request was refused on the bytes as received, before the HTTP library saw them.
///
/// The service finds it among the extensions of the request that stands in the refused one's place
/// and answers 400 `bad_request`. The text is for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// A line that does not end in CR LF, or a control character within one.
    #[error("a bare CR, LF or other control character in the head")]
    Control,
    /// `CONNECT`, or the target `*`.
    #[error("a request for a tunnel or for the server as a whole")]
    Form,
    /// A `#` in the target.
    #[error("a fragment in the target")]
    Fragment,
    /// A header line without a well-formed name, obsolete line folding included.
    #[error("a malformed header name or a folded line")]
    HeaderName,
    /// A `Host` that differs from the target's own.
    #[error("Host differs from the target's authority")]
    HostDiffers,
    /// A `Host` that is no host and port.
    #[error("Host is malformed")]
    HostMalformed,
    /// No `Host`.
    #[error("there is no Host")]
    HostMissing,
    /// `Host` more than once, alike or not.
    #[error("Host is there twice")]
    HostTwice,
    /// A `Content-Length` that is not digits, or too large a number.
    #[error("Content-Length is malformed")]
    LengthMalformed,
    /// `Content-Length` more than once, alike or not.
    #[error("Content-Length is there twice")]
    LengthTwice,
    /// Larger than `header_bytes`.
    #[error("the head is larger than header_bytes")]
    TooLarge,
    /// More than 100 header lines.
    #[error("more than 100 header lines")]
    TooManyLines,
    /// A `Transfer-Encoding` other than exactly one `chunked` in HTTP/1.1.
    #[error("Transfer-Encoding is not exactly one `chunked`")]
    TransferEncoding,
    /// `Content-Length` beside `Transfer-Encoding`.
    #[error("Content-Length beside Transfer-Encoding")]
    TwoFramings,
    /// The first line is not `METHOD target HTTP/1.1`.
    #[error("a malformed request line")]
    RequestLine,
    /// The target has characters that must be percent-encoded, or is neither a path nor a URL.
    #[error("a malformed target")]
    Target,
    /// A request behind one that is the last on its connection.
    #[error("a request behind the last one of its connection")]
    Unjudged,
}
