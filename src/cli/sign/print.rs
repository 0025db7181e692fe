//! How a signed request is shown: as it is on the wire, as a `curl` command, as JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::send::Answer;
use crate::verify::sign::SignedRequest;

/// The request as HTTP/1.1 writes it, with plain line ends; `verify --request` reads it back.
pub(super) fn headers(request: &SignedRequest) -> Vec<u8> {
    let mut out = format!("{} {} HTTP/1.1\n", request.method, request.target()).into_bytes();
    if !request.has_header("host") {
        out.extend_from_slice(format!("Host: {}\n", request.authority()).as_bytes());
    }
    for (name, value) in &request.headers {
        out.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    out.extend_from_slice(format!("Content-Length: {}\n\n", request.body.len()).as_bytes());
    out.extend_from_slice(&request.body);
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    out
}

/// A command for a POSIX shell that sends the same bytes.
pub(super) fn curl(request: &SignedRequest) -> String {
    let mut words = vec![format!("curl -X {}", request.method)];
    // What curl would otherwise read something into.
    if request.url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if request.url.contains("/.") {
        words.push("--path-as-is".to_owned());
    }
    for (name, value) in &request.headers {
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.push(format!("-H {}", quoted(&header)));
    }
    let mut before = String::new();
    match std::str::from_utf8(&request.body) {
        Ok("") if request.method == http::Method::GET => {}
        // A leading `@` would name a file.
        Ok(text) if text.starts_with('@') => words.push(format!("--data-raw {}", quoted(text))),
        Ok(text) if !text.contains('\0') => {
            words.push(format!("--data-binary {}", quoted(text)));
        }
        _ => {
            before =
                format!("printf %s {} | base64 -d | ", quoted(&STANDARD.encode(&request.body)));
            words.push("--data-binary @-".to_owned());
        }
    }
    words.push(quoted(&request.url));
    format!("{before}{}\n", words.join(" \\\n  "))
}

/// One JSON object; the body as base64, and as text where it is text.
pub(super) fn json(request: &SignedRequest) -> String {
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect();
    let mut object = serde_json::json!({
        "method": request.method.as_str(),
        "url": request.url,
        "headers": headers,
        "body_b64": STANDARD.encode(&request.body),
    });
    if let (Ok(text), Some(object)) = (std::str::from_utf8(&request.body), object.as_object_mut()) {
        object.insert("body".to_owned(), text.into());
    }
    format!("{object}\n")
}

/// The status line and the body; nothing in it can move a terminal's cursor.
pub(super) fn answer(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let harmless = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    let body: String = body.trim_end().chars().map(harmless).collect();
    let end = if body.is_empty() { "" } else { "\n" };
    format!("HTTP/1.1 {}\n{body}{end}", answer.status)
}

/// The text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use http::Method;

    use super::*;

    fn request(body: &[u8]) -> SignedRequest {
        SignedRequest {
            method: Method::POST,
            url: "http://127.0.0.1:8080/x?a=1".to_owned(),
            headers: vec![
                ("Content-Type".to_owned(), "application/json".to_owned()),
                ("X-Quote".to_owned(), "it's `$HOME` \"\\".to_owned()),
            ],
            body: body.to_vec(),
        }
    }

    #[test]
    fn the_wire_form() {
        assert_eq!(
            String::from_utf8(headers(&request(b"{}"))).unwrap(),
            "POST /x?a=1 HTTP/1.1\nHost: 127.0.0.1:8080\nContent-Type: application/json\n\
             X-Quote: it's `$HOME` \"\\\nContent-Length: 2\n\n{}\n"
        );
    }

    #[test]
    fn what_is_printed_can_be_judged() {
        use crate::verify::captured::Captured;
        for body in [&b"{}"[..], b"a\n\n", b"", b"\xff\r\n"] {
            let request = request(body);
            let captured = Captured::from_http(&headers(&request)).unwrap();
            assert_eq!(captured.body, body);
            assert_eq!(captured.uri, *request.target());
            assert_eq!(captured.headers["x-quote"], *request.headers[1].1);
            let captured = Captured::from_json(&json(&request)).unwrap();
            assert_eq!(captured.body, body);
        }
    }

    #[test]
    fn the_shell_hands_curl_the_same_words() {
        for body in ["{\"a\":\"it's\"}\n", "$(id) `id` \\ !x", "@file", ""] {
            let request = request(body.as_bytes());
            let script = curl(&request).replacen("curl", "printf '%s\\0'", 1);
            let out = Command::new("sh").arg("-c").arg(&script).output().unwrap();
            let out = String::from_utf8(out.stdout).unwrap();
            let words: Vec<_> = out.split('\0').collect();
            assert!(words.contains(&body), "{script}");
            assert!(words.contains(&"X-Quote: it's `$HOME` \"\\"), "{script}");
            assert_eq!(words[words.len() - 2], request.url, "{script}");
        }
        assert!(curl(&request(b"\xff\0")).starts_with("printf %s '/wA=' | base64 -d | curl "));
    }

    #[test]
    fn an_answer_is_harmless_to_a_terminal() {
        let text = |body: &'static [u8]| {
            answer(&Answer { status: http::StatusCode::OK, body: body.into() })
        };
        assert_eq!(text(b"{}\r\n"), "HTTP/1.1 200 OK\n{}\n");
        assert_eq!(text(b""), "HTTP/1.1 200 OK\n");
        assert_eq!(text(b"a\x1b[2J\xff"), "HTTP/1.1 200 OK\na\u{fffd}[2J\u{fffd}\n");
    }

    #[test]
    fn json_has_the_bytes_and_the_text() {
        let value: serde_json::Value = serde_json::from_str(&json(&request(b"hi"))).unwrap();
        assert_eq!(value["body"], "hi");
        assert_eq!(value["body_b64"], "aGk=");
        assert_eq!(value["headers"]["Content-Type"], "application/json");
        let value: serde_json::Value = serde_json::from_str(&json(&request(b"\xff"))).unwrap();
        assert!(value.get("body").is_none());
    }
}
