//! Who is asking: the peer, or the client that trusted proxies speak for.

use std::{fmt, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

use super::{
    Sources, canonical,
    forwarded::{self, Elements, address},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who sent a request, as far as it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address that policy is applied to; IPv4-mapped IPv6 is IPv4 already.
    pub address: IpAddr,
    /// Whether the client itself spoke HTTPS: on the wire, or said so by a trusted proxy.
    pub secure: bool,
    /// What an operator should know about how this was found.
    pub remark: Option<Remark>,
}

/// A forwarding header that was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Who sent it.
    pub peer: IpAddr,
    /// Which one, in its usual spelling.
    pub header: &'static str,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {} sent {} but is not in trusted_proxies", self.peer, self.header)
    }
}

/// Why a trusted proxy's forwarding headers do not tell who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A header is not of the form that its definition gives.
    #[error("{0} from a trusted proxy is malformed")]
    Malformed(&'static str),
    /// `unknown`, an obfuscated name or garbage where an address is needed.
    #[error("{0} from a trusted proxy has a hop that is no address")]
    NoAddress(&'static str),
    /// Both headers are there and say different things.
    #[error("Forwarded and {0} from a trusted proxy disagree")]
    Disagreement(&'static str),
}

impl Client {
    /// Finds the client of a request.
    ///
    /// `peer` is the connection's other end, or what a PROXY header announced in its place; `tls`
    /// says whether the connection itself is encrypted. Headers of a peer that is not trusted are
    /// not looked into. Those of a trusted one are read from right to left up to the first hop that
    /// is not trusted: what stands further left is that hop's own claim.
    ///
    /// # Errors
    ///
    /// If a hop that had to be read is no address, or `Forwarded` disagrees with `X-Forwarded-For`
    /// or `X-Forwarded-Proto`.
    pub fn find(
        peer: IpAddr,
        tls: bool,
        trusted: &Sources,
        headers: &HeaderMap,
    ) -> Result<Self, ClientError> {
        let peer = canonical(peer);
        if !trusted.contains(peer) {
            let header = SPOKEN.iter().find(|(name, _)| headers.contains_key(name));
            let remark = header.map(|(_, spelt)| Remark { peer, header: spelt });
            return Ok(Self { address: peer, secure: tls, remark });
        }
        let elements = elements(headers)?;
        let told = [from_list(headers, trusted)?, from_elements(&elements, trusted)?];
        let address = match told {
            [Some(listed), Some(element)] if listed != element => {
                return Err(ClientError::Disagreement("X-Forwarded-For"));
            }
            [one, other] => one.or(other).unwrap_or(peer),
        };
        let secure = tls || told_https(headers, &elements)?;
        Ok(Self { address, secure, remark: None })
    }
}

static SPOKEN: [(HeaderName, &str); 3] = [
    (X_FORWARDED_FOR, "X-Forwarded-For"),
    (X_FORWARDED_PROTO, "X-Forwarded-Proto"),
    (FORWARDED, "Forwarded"),
];

fn text<'a>(value: &'a HeaderValue, header: &'static str) -> Result<&'a str, ClientError> {
    value.to_str().map_err(|_| ClientError::Malformed(header))
}

fn elements(headers: &HeaderMap) -> Result<Elements<'_>, ClientError> {
    let mut elements = Elements::new();
    for line in headers.get_all(FORWARDED) {
        forwarded::read(text(line, "Forwarded")?, &mut elements)
            .ok_or(ClientError::Malformed("Forwarded"))?;
    }
    Ok(elements)
}

/// The client by `X-Forwarded-For`, all lines taken as one list.
fn from_list(headers: &HeaderMap, trusted: &Sources) -> Result<Option<IpAddr>, ClientError> {
    let mut leftmost = None;
    for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        for hop in text(line, "X-Forwarded-For")?.rsplit(',') {
            let hop = hop.trim_matches([' ', '\t']);
            let hop = address(hop).ok_or(ClientError::NoAddress("X-Forwarded-For"))?;
            leftmost = Some(hop);
            if !trusted.contains(hop) {
                return Ok(leftmost);
            }
        }
    }
    Ok(leftmost)
}

/// The client by `Forwarded`; nothing if no element has a `for`.
fn from_elements(
    elements: &Elements<'_>,
    trusted: &Sources,
) -> Result<Option<IpAddr>, ClientError> {
    if elements.iter().all(|element| element.node.is_none()) {
        return Ok(None);
    }
    let mut leftmost = None;
    for element in elements.iter().rev() {
        let hop = element.node.and_then(address).ok_or(ClientError::NoAddress("Forwarded"))?;
        leftmost = Some(hop);
        if !trusted.contains(hop) {
            break;
        }
    }
    Ok(leftmost)
}

/// What the nearest proxy says of the connection that it took: the last element, which it wrote.
fn told_https(headers: &HeaderMap, elements: &Elements<'_>) -> Result<bool, ClientError> {
    let mut listed = None;
    if let Some(line) = headers.get_all(X_FORWARDED_PROTO).iter().next_back() {
        let last = text(line, "X-Forwarded-Proto")?.rsplit(',').next().unwrap_or_default();
        listed = Some(last.trim_matches([' ', '\t']).eq_ignore_ascii_case("https"));
    }
    let element = elements.last().and_then(|e| e.proto).map(|p| p.eq_ignore_ascii_case("https"));
    match (listed, element) {
        (Some(one), Some(other)) if one != other => {
            Err(ClientError::Disagreement("X-Forwarded-Proto"))
        }
        (one, other) => Ok(one.or(other).unwrap_or(false)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(peer: &str, lines: &[(&'static str, &str)]) -> Result<Client, ClientError> {
        let trusted: Vec<_> =
            ["10.0.0.0/8", "fd00::/8"].iter().map(|n| n.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Client::find(peer.parse().unwrap(), false, &Sources::new(&trusted), &headers)
    }

    #[track_caller]
    fn client(peer: &str, lines: &[(&'static str, &str)], address: &str, secure: bool) {
        let address = address.parse().unwrap();
        assert_eq!(find(peer, lines), Ok(Client { address, secure, remark: None }));
    }

    #[test]
    fn an_untrusted_peer_is_not_believed() {
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        let client = find("192.0.2.1", &lines).unwrap();
        assert_eq!((client.address, client.secure), ("192.0.2.1".parse().unwrap(), false));
        let remark = client.remark.unwrap().to_string();
        assert_eq!(remark, "peer 192.0.2.1 sent X-Forwarded-For but is not in trusted_proxies");
        assert!(find("192.0.2.1", &[("forwarded", "garbage")]).unwrap().remark.is_some());
        self::client("::ffff:192.0.2.1", &[], "192.0.2.1", false);
    }

    #[test]
    fn the_first_untrusted_hop_from_the_right_is_the_client() {
        client(
            "10.0.0.1",
            &[("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.2.2.2")],
            "192.0.2.7",
            false,
        );
        // What stands left of it is its own claim and is not even read.
        client("10.0.0.1", &[("x-forwarded-for", "<script>,, 192.0.2.7")], "192.0.2.7", false);
        // Lines are one list.
        client(
            "::ffff:10.0.0.1",
            &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7:99,[fd00::1]:80")],
            "192.0.2.7",
            false,
        );
        client("10.0.0.1", &[("x-forwarded-for", "10.3.3.3, 10.2.2.2")], "10.3.3.3", false);
        client("10.0.0.1", &[("x-forwarded-for", "::ffff:192.0.2.7")], "192.0.2.7", false);
        client("10.0.0.1", &[], "10.0.0.1", false);
        client(
            "10.0.0.1",
            &[("forwarded", "for=6.6.6.6, for=\"[2001:db8::1]\", for=10.9.9.9")],
            "2001:db8::1",
            false,
        );
    }

    #[test]
    fn a_hop_that_is_no_address_is_an_error() {
        for bad in ["unknown", "", "192.0.2.7,", "a, 10.2.2.2", "_x"] {
            let found = find("10.0.0.1", &[("x-forwarded-for", bad)]);
            assert_eq!(found, Err(ClientError::NoAddress("X-Forwarded-For")), "{bad}");
        }
        for bad in ["for=unknown", "for=_x", "for=192.0.2.1, proto=https"] {
            let found = find("10.0.0.1", &[("forwarded", bad)]);
            assert_eq!(found, Err(ClientError::NoAddress("Forwarded")), "{bad}");
        }
        let found = find("10.0.0.1", &[("forwarded", "for=192.0.2.7;")]);
        assert_eq!(found, Err(ClientError::Malformed("Forwarded")));
    }

    #[test]
    fn both_headers_must_say_the_same() {
        let agree = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=\"192.0.2.7:80\"")];
        client("10.0.0.1", &agree, "192.0.2.7", false);
        let found =
            find("10.0.0.1", &[("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.8")]);
        assert_eq!(found, Err(ClientError::Disagreement("X-Forwarded-For")));
        let found =
            find("10.0.0.1", &[("x-forwarded-proto", "https"), ("forwarded", "proto=http")]);
        assert_eq!(found, Err(ClientError::Disagreement("X-Forwarded-Proto")));
    }

    #[test]
    fn https_is_what_the_nearest_trusted_proxy_says() {
        client("10.0.0.1", &[("x-forwarded-proto", "HTTPS")], "10.0.0.1", true);
        client("10.0.0.1", &[("x-forwarded-proto", "https, http")], "10.0.0.1", false);
        let lines = [("x-forwarded-proto", "http"), ("x-forwarded-proto", "https")];
        client("10.0.0.1", &lines, "10.0.0.1", true);
        client("10.0.0.1", &[("forwarded", "for=192.0.2.7;proto=https")], "192.0.2.7", true);
        client("10.0.0.1", &[("forwarded", "proto=https, for=192.0.2.7")], "192.0.2.7", false);
        let on_the_wire =
            Client::find([192, 0, 2, 1].into(), true, &Sources::default(), &HeaderMap::new());
        assert!(on_the_wire.unwrap().secure);
    }

    proptest! {
        #[test]
        fn a_sender_cannot_choose_its_address(
            claims in proptest::collection::vec("[0-9a-f.:,_ a-z=\"]{0,30}", 0..4),
        ) {
            // A trusted proxy appends the address it saw; whatever the sender put before it, in
            // lines of its own or in front on the same line, that address is found.
            let mut headers = HeaderMap::new();
            for claim in &claims {
                headers.append(X_FORWARDED_FOR, claim.parse().unwrap());
            }
            headers.append(X_FORWARDED_FOR, "192.0.2.7".parse().unwrap());
            let trusted = Sources::new(&["10.0.0.0/8".parse().unwrap()]);
            let found = Client::find([10, 0, 0, 1].into(), false, &trusted, &headers).unwrap();
            prop_assert_eq!(found.address, IpAddr::from([192, 0, 2, 7]));
        }
    }
}
