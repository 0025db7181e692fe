//! The layers in somebody else's server: the example, as it is.

use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Client, github, http2::runtime, request};

#[path = "../../examples/axum.rs"]
#[expect(dead_code, reason = "a program of its own, with a main function")]
mod example;

const SECRET: &str = "a-secret-of-16-bytes-or-more";

struct App {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

impl App {
    fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hookward.toml");
        std::fs::write(&path, config).unwrap();
        let gateway = hookward::gateway::Gateway::from_file(&path).unwrap();
        let runtime = runtime();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    served = example::serve(listener, gateway) => served.unwrap(),
                    () = stopped.cancelled() => {}
                }
            });
        });
        Self { address, stop, thread: Some(thread), _dir: dir }
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut client = Client::connect(self.address);
        client.write(&request("POST", path, headers, body));
        client.read().expect("an answer")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[test]
fn only_what_was_verified_reaches_the_handler() {
    let app = App::start(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"builtin:echo\"\n[routes.unhandled]\npath = \"/unhandled\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"builtin:echo\"\n"
    ));
    let signature = github(SECRET, b"{\"n\":1}");
    let signed = [("X-Hub-Signature-256", signature.as_str())];
    let claims = [signed[0], ("Hookward-Verified", "everything"), ("X-Forwarded-For", "1.2.3.4")];
    let answer = app.post("/github", &claims, b"{\"n\":1}");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "7 bytes, verified: signature, replay\n");
    assert!(answer.header("x-request-id").is_some());
    let answer = app.post("/github", &signed, b"{\"n\":1}");
    assert_eq!((answer.status, answer.code().as_str()), (409, "replayed"));
    for headers in [&[][..], &[("X-Hub-Signature-256", "sha256=00")], &signed] {
        let answer = app.post("/github", headers, b"{\"n\":2}");
        assert!(matches!(answer.status, 400 | 401), "{headers:?}");
    }
    let twice = [signed[0], signed[0]];
    assert_eq!(app.post("/github", &twice, b"{\"n\":1}").status, 400);
    assert_eq!(app.post("/elsewhere", &signed, b"{\"n\":1}").status, 404);
    // The handler's own answer settles it: what it did not take may come again.
    for _ in 0..2 {
        let answer = app.post("/unhandled", &signed, b"{\"n\":1}");
        assert_eq!((answer.status, answer.text().as_str()), (404, ""), "axum's own");
    }
}
