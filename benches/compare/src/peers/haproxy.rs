//! HAProxy with what it brings itself: HMAC of the body, repeats by a stick-table.

use super::{Command, Peer, Site};
use crate::message::secret;

/// How HAProxy is set up.
#[derive(Clone, Copy, Debug)]
pub struct Haproxy {
    /// The largest body. It hashes no more than fits its buffer, so that grows with it, for each
    /// connection.
    pub body: usize,
    /// Whether it verifies and refuses repeats, or only forwards.
    pub checks: bool,
}

impl Haproxy {
    /// For bodies of 8 KiB at most.
    pub const SMALL: Self = Self { body: 1024, checks: true };

    fn buffer(self) -> usize {
        if self.body <= 8 * 1024 { 16 * 1024 } else { self.body + 64 * 1024 }
    }
}

impl Peer for Haproxy {
    fn name(&self) -> String {
        let checks = if self.checks { "HMAC and stick-table" } else { "verifies nothing" };
        format!("HAProxy, {checks}")
    }

    fn command(&self, site: &Site) -> Command {
        let Site { listen, upstream, folder, cores, tls } = site;
        let ssl = tls
            .as_ref()
            .map_or(String::new(), |files| format!(" ssl crt {} no-tls-tickets", files.both));
        let key = base64(secret(0, 0).as_bytes());
        // The key is the delivery's id, which GitHub does not sign: a stick-table takes no digest.
        let checks = if self.checks {
            format!(
                "
  http-request wait-for-body time 5s
  http-request set-var(txn.mac) req.body,hmac(sha256,{key}),hex,lower
  http-request set-var(txn.signature) str(sha256=),concat(,txn.mac)
  http-request deny deny_status 401 unless {{ req.hdr(x-hub-signature-256),secure_memcmp(txn.signature) }}
  stick-table type string len 36 size 1m expire 300s store http_req_cnt
  http-request track-sc0 req.hdr(x-github-delivery)
  http-request return status 409 if {{ sc0_http_req_cnt gt 1 }}"
            )
        } else {
            String::new()
        };
        let file = format!(
            "\
global
  nbthread {cores}
  maxconn 8000
  tune.bufsize {}
  tune.ssl.cachesize 0
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout client 60s
  timeout server 30s
  timeout connect 5s
  timeout http-request 10s
frontend senders
  bind {listen}{ssl} backlog 4096
  option forwardfor{checks}
  default_backend receiver
backend receiver
  server receiver {upstream} pool-max-conn 4096
",
            self.buffer()
        );
        Command {
            program: "haproxy".into(),
            arguments: vec!["-db".into(), "-f".into(), format!("{folder}/haproxy.cfg")],
            file: ("haproxy.cfg", file),
        }
    }

    fn refuses_with(&self) -> u16 {
        if self.checks { 401 } else { 200 }
    }
}

/// RFC 4648 section 4, which is how HAProxy takes a key.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let number = number << (8 * (3 - group.len()));
        for digit in 0..4 {
            let value = (number >> (18 - 6 * digit)) & 63;
            let known = digit <= group.len();
            let digit = DIGITS.get(value as usize).filter(|_| known);
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn the_vectors_of_the_standard_hold() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
