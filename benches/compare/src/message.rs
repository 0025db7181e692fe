//! One signed delivery, written once and stamped with a new id for each request.
//!
//! The id stands at the end of the body, so that the hash of everything before it is computed once:
//! signing costs the generator the same at 256 bytes and at 256 KiB.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret of a route; the number tells several of one route apart.
pub fn secret(route: usize, number: usize) -> String {
    format!("benchmark-secret-{route:05}-{number}")
}

/// The path of a route: as long for all of them, so that it can be written over another.
pub fn path(route: usize) -> String {
    format!("/hook/{route:05}")
}

/// What the deliveries of one run have in common.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Bytes of the body.
    pub size: usize,
    /// How many routes they are spread over.
    pub routes: usize,
    /// Which of a route's secrets signs.
    pub secret: usize,
    /// Every signature is wrong, though well formed.
    pub forged: bool,
}

/// A request in GitHub's way of signing.
#[derive(Debug)]
pub struct Message {
    bytes: Vec<u8>,
    at: Places,
    /// For each route, keyed and fed with all of the body before the id.
    signers: Vec<Hmac<Sha256>>,
    forged: bool,
    stamped: Option<u64>,
}

/// Where the fields begin that differ between requests.
#[derive(Debug)]
struct Places {
    route: usize,
    delivery: usize,
    signature: usize,
    id: usize,
}

impl Message {
    /// The request, not stamped yet.
    pub fn new(shape: &Shape) -> Self {
        let start = br#"{"ref":"refs/heads/main","padding":""#;
        let middle = br#"","id":""#;
        let fixed = start.len() + middle.len() + ID + END.len();
        let mut body = start.to_vec();
        body.resize(start.len() + shape.size.saturating_sub(fixed), b'x');
        body.extend_from_slice(middle);
        let signers = (0..shape.routes.max(1)).map(|route| {
            let key = secret(route, shape.secret);
            let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
            mac.expect("HMAC takes keys of any length").chain_update(&body)
        });
        let signers = signers.collect();
        let length = body.len() + ID + END.len();
        let mut bytes = format!("POST {}", path(0)).into_bytes();
        let route = bytes.len() - ROUTE;
        bytes.extend_from_slice(
            b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/0000000\r\nAccept: */*\r\n\
              Content-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Hook-ID: 123456789\r\n\
              X-GitHub-Hook-Installation-Target-ID: 12345678\r\n\
              X-GitHub-Hook-Installation-Target-Type: repository\r\n",
        );
        bytes.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
        bytes.extend_from_slice(b"X-GitHub-Delivery: 00000000-0000-4000-");
        let delivery = bytes.len();
        bytes.extend_from_slice(b"0000-000000000000\r\nX-Hub-Signature-256: sha256=");
        let signature = bytes.len();
        bytes.extend_from_slice(&[b'0'; SIGNATURE]);
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&body);
        let id = bytes.len();
        bytes.extend_from_slice(&[b'0'; ID]);
        bytes.extend_from_slice(END);
        let at = Places { route, delivery, signature, id };
        Self { bytes, at, signers, forged: shape.forged, stamped: None }
    }

    /// The whole request with this id; ids go over the routes in turn.
    pub fn stamp(&mut self, id: u64) -> &[u8] {
        if self.stamped != Some(id) {
            self.stamped = Some(id);
            let route = usize::try_from(id).unwrap_or(0) % self.signers.len().max(1);
            self.write(id, route);
        }
        &self.bytes
    }

    fn write(&mut self, id: u64, route: usize) {
        let mut digits = [0; ID];
        encode(&id.to_be_bytes(), &mut digits);
        let mut signature = [b'0'; SIGNATURE];
        if self.forged {
            self.put(self.at.signature, &digits);
        } else if let Some(signer) = self.signers.get(route) {
            let mac = signer.clone().chain_update(digits).chain_update(END).finalize();
            encode(&mac.into_bytes(), &mut signature);
            self.put(self.at.signature, &signature);
        }
        if self.signers.len() > 1 {
            self.put(self.at.route, format!("{route:05}").as_bytes());
        }
        let (four, twelve) = digits.split_at(4);
        self.put(self.at.delivery, four);
        self.put(self.at.delivery + 5, twelve);
        self.put(self.at.id, &digits);
    }

    fn put(&mut self, at: usize, text: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + text.len()) {
            place.copy_from_slice(text);
        }
    }
}

fn encode(bytes: &[u8], text: &mut [u8]) {
    hex::encode_to_slice(bytes, text).expect("two digits a byte");
}

/// Digits of an id.
const ID: usize = 16;
/// Digits of a signature.
const SIGNATURE: usize = 64;
/// Digits of a route's number.
const ROUTE: usize = 5;
/// What follows the id.
const END: &[u8] = br#""}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{field, head_length};

    fn shape(size: usize) -> Shape {
        Shape { size, routes: 3, secret: 0, forged: false }
    }

    fn parts(request: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let length = head_length(request).expect("a whole head");
        (request[..length].to_vec(), request[length..].to_vec())
    }

    #[test]
    fn the_body_is_as_large_as_asked_and_announced() {
        for size in [256, 1024, 16_384, 262_144] {
            let (head, body) = parts(Message::new(&shape(size)).stamp(7));
            assert_eq!(body.len(), size);
            assert_eq!(field(&head, b"content-length"), Some(size.to_string().as_bytes()));
        }
    }

    #[test]
    fn each_id_is_signed_anew_with_its_routes_secret() {
        let mut message = Message::new(&shape(1024));
        for id in [0, 1, 2, 3, 0xfedc_ba98_7654_3210] {
            let (head, body) = parts(message.stamp(id));
            let route = (id % 3) as usize;
            assert!(head.starts_with(format!("POST {} HTTP/1.1\r\n", path(route)).as_bytes()));
            let key = secret(route, 0);
            let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(&body);
            let signature = field(&head, b"x-hub-signature-256").unwrap();
            let mac = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(signature, mac.as_bytes());
            let delivery = String::from_utf8(field(&head, b"x-github-delivery").unwrap().to_vec());
            assert_eq!(delivery.unwrap().replace('-', "").split_off(16), format!("{id:016x}"));
            assert!(String::from_utf8(body).unwrap().ends_with(&format!("{id:016x}\"}}")));
        }
    }

    #[test]
    fn a_forged_one_is_well_formed_and_wrong() {
        let mut genuine = Message::new(&shape(1024));
        let mut forged = Message::new(&Shape { forged: true, ..shape(1024) });
        let (genuine, forged) = (parts(genuine.stamp(9)), parts(forged.stamp(9)));
        assert_eq!(genuine.1, forged.1);
        assert_ne!(genuine.0, forged.0);
        assert_eq!(field(&forged.0, b"x-hub-signature-256").unwrap().len(), "sha256=".len() + 64);
    }
}
