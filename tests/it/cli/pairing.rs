//! `pair`, with a gateway to talk to and without.

use super::call;
use crate::support::{Gateway, Upstream, free_port};

fn config(admin: &str, upstream: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = \"{admin}\"\n[routes.asana]\n\
         path = \"/asana\"\nprovider = \"asana\"\nsecrets = [{{ file = \"asana.key\" }}]\n\
         upstream = \"{upstream}\"\n"
    )
}

#[test]
fn it_arms_waits_and_says_what_is_so() {
    let upstream = Upstream::start();
    let admin = format!("127.0.0.1:{}", free_port());
    let gateway = Gateway::start(&config(&admin, &upstream.url("")));
    let file = gateway.dir.path().join("hookward.toml");
    let file = file.to_str().unwrap();
    let armed = call(&["pair", "asana", "-c", file]);
    assert_eq!((armed.code, armed.err.as_str()), (0, ""), "{armed:?}");
    assert!(armed.out.starts_with("asana: armed for 600 s."), "{armed:?}");
    let key = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    let waiting = std::thread::spawn({
        let admin = admin.clone();
        move || call(&["pair", "asana", "--for", "1h", "--admin", &admin, "--wait"])
    });
    // Whether it is armed anew before or after: the key is taken once.
    assert_eq!(gateway.post("/asana", &[("X-Hook-Secret", key)], b"").status, 200);
    let waited = waiting.join().unwrap();
    let done = waited.out.contains("the key is there, and in force");
    assert!(done || waited.err.contains("holds a key already"), "{waited:?}");

    let again = call(&["pair", "asana", "--admin", &admin]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("409: ") && again.err.contains("remove the file"), "{again:?}");
    let unknown = call(&["pair", "trello", "--admin", &admin]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("there is no route"), "{unknown:?}");
}

#[test]
fn a_wrong_call_and_nobody_there_are_told_apart() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let absent = call(&["pair", "asana", "--admin", &nobody]);
    assert_eq!(absent.code, 1);
    assert!(absent.err.contains("no answer from the admin listener"), "{absent:?}");
    for wrong in [
        &["pair"][..],
        &["pair", "asana", "--for", "2h", "--admin", &nobody],
        &["pair", "asana", "--for", "10", "--admin", &nobody],
        &["pair", "a/../b", "--admin", &nobody],
        &["pair", "asana", "--admin", &nobody, "-c", "x.toml"],
        &["pair", "asana"],
    ] {
        assert_eq!(call(wrong).code, 2, "{wrong:?}");
    }
}
