//! Dropbox: a challenge when the webhook is entered, then notifications that only say which accounts
//! changed, so that the same bytes are news each time.

use super::{OTHER, SECRET, Scene, secrets};
use crate::support::hmac_hex;

const BODY: &str = r#"{"list_folder":{"accounts":["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]},"delta":{"users":[12345678]}}"#;

fn notify(scene: &Scene, secret: &str, body: &str) -> u16 {
    let signature = hmac_hex(secret, body.as_bytes());
    let headers = [("Content-Type", "application/json"), ("X-Dropbox-Signature", &*signature)];
    scene.gateway.post("/hook", &headers, body.as_bytes()).status
}

#[test]
fn a_webhook_is_entered_and_used() {
    let scene = Scene::start("dropbox", &secrets(&[SECRET]));
    // Of the app's console: a GET, the text of which must come back.
    let challenge = scene.gateway.send("GET", "/hook?challenge=x7Ld_9-a", &[], b"");
    assert_eq!((challenge.status, challenge.text().as_str()), (200, "x7Ld_9-a"));
    assert_eq!(challenge.header("content-type"), Some("text/plain"));
    assert_eq!(challenge.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(scene.upstream.count(), 0);
    // Changes of the same account, and a retry among them: each is forwarded.
    scene.answers(&[200, 503, 200]);
    assert_eq!([(); 4].map(|()| notify(&scene, SECRET, BODY)), [200, 503, 200, 200]);
    assert_eq!(scene.upstream.count(), 4);
    assert!(scene.upstream.requests().iter().all(|request| request.body == BODY.as_bytes()));
    let claimed = scene.upstream.last();
    assert_eq!(claimed.header("hookward-verified"), Some("signature"), "nothing of replay");
    let mut decisions = scene.decisions();
    assert_eq!(decisions.remove(0), "handshake");
    assert_eq!(decisions, ["forwarded"; 4]);
}

#[test]
fn who_does_not_know_the_apps_secret_notifies_of_nothing() {
    let scene = Scene::start("dropbox", &secrets(&[SECRET]));
    assert_eq!(notify(&scene, OTHER, BODY), 401);
    let signature = hmac_hex(SECRET, BODY.as_bytes());
    let post = |signature: &str, body: &str| {
        let headers = [("X-Dropbox-Signature", signature)];
        scene.gateway.post("/hook", &headers, body.as_bytes()).status
    };
    assert_eq!(post(&signature, &BODY.replace('8', "9")), 401);
    assert_eq!(post(&signature, &format!("{BODY}\n")), 401);
    assert_eq!(post(&signature[..62], BODY), 400);
    assert_eq!(post(&signature.to_uppercase(), BODY), 400);
    assert_eq!(scene.gateway.post("/hook?challenge=a", &[], BODY.as_bytes()).status, 401);
    assert_eq!(scene.gateway.post("/hook", &[], BODY.as_bytes()).status, 401);
    assert_eq!(scene.upstream.count(), 0);
    assert_eq!(post(&signature, BODY), 200);
}
