//! Tables that would not hold, and what is said of them.

use super::check;
use crate::verify::{Definition, RawDefinition};

#[test]
fn tables_that_would_not_hold_are_refused() {
    let get = |rest: &str| format!("[[handshake]]\nname = \"h\"\nmethods = [\"GET\"]\n{rest}");
    let echo = "challenge = { from = \"query:c\" }\nreply = { body = \"{challenge}\" }\n";
    for (table, path, says) in [
        ("[[handshake]]\nname = \"h\"".to_owned(), "handshake[0].when", "every delivery"),
        (
            get("").replace("name", "nam").replace("nam =", "name = \"\" #"),
            "handshake[0].name",
            "missing",
        ),
        (get("").replace("GET", "GTE"), "handshake[0].methods", "`GET`"),
        (get("when = { json = \"/a\", exists = true }"), "handshake[0].when", "only the head"),
        (get("when = { header = \"a\" }"), "handshake[0].when", "one of `equals`"),
        (
            get("when = { header = \"a\", query = \"a\", exists = true }"),
            "handshake[0].when",
            "one of",
        ),
        (get("match = { \"query:a\" = \"{challenge}\" }"), "handshake[0].match", "expect:KEY"),
        (get("match = { \"query:a\" = [] }"), "handshake[0].match", "nothing"),
        (get("match = { \"query:a\" = \"\" }"), "handshake[0].match", "a text"),
        (get("match = { \"querry:a\" = \"a\" }"), "handshake[0].match", "`query`"),
        (get("match = { url = \"a\" }"), "handshake[0].match", "url"),
        (get("match = { \"query:a\" = \"{expect:b}\" }"), "handshake[0].match", "[expect.b]"),
        (get("reply = { body = \"{challenge}\" }"), "handshake[0].challenge", "missing"),
        (get("challenge = { from = \"query:c\" }"), "handshake[0].challenge", "neither"),
        (get("challenge = { from = \"body\" }"), "handshake[0].challenge.from", "only the head"),
        (
            get(&echo.replace("query:c\"", "query:c\", max = 2000")),
            "handshake[0].challenge.max",
            "1024",
        ),
        (
            get(&echo.replace("query:c\"", "query:c\", grammar = \"wrd\"")),
            "handshake[0].challenge.grammar",
            "`word`",
        ),
        (
            get(&echo.replace("body =", "content_type = \"text/html\", body =")),
            "handshake[0].reply.content_type",
            "text/plain",
        ),
        (
            get(&echo.replace("body =", "content_type = \"application/json\", body =")),
            "handshake[0].reply.body",
            "{challenge|json}",
        ),
        (get(&echo.replace("body =", "status = 302, body =")), "handshake[0].reply.status", "200"),
        (get(&echo.replace("body =", "status = 204, body =")), "handshake[0].reply.body", "204"),
        (
            get("reply = { headers = { Set-Cookie = \"a\" } }"),
            "handshake[0].reply.headers",
            "not for answers",
        ),
        (
            get("reply = { headers = { Location = \"a\" } }"),
            "handshake[0].reply.headers",
            "not for answers",
        ),
        (get("reply = { body = \"{mac}\" }"), "handshake[0].mac", "goes with"),
        (
            get("challenge = { from = \"query:c\" }\nmac = {}\nreply = { body = \"{mac}\" }"),
            "handshake[0].challenge.grammar",
            "sign deliveries",
        ),
        (
            get(&format!("{echo}mac = {{ algorithm = \"hmac-sha1\" }}")),
            "handshake[0].mac.algorithm",
            "no HMAC",
        ),
        (
            get(&format!("{echo}signed = true\ncapture = true")),
            "handshake[0].capture",
            "already holds",
        ),
        (
            "expect.a = { about = \"a\", default = \"b\", optional = true }".to_owned(),
            "expect.a.optional",
            "never missing",
        ),
    ] {
        let problems = check(&table).expect_err(&table);
        let found = problems.iter().any(|p| p.starts_with(&format!("{path}:")) && p.contains(says));
        assert!(found, "{table}\n{problems:?}");
    }
    // A signature cannot rest on what a route may leave out.
    let open = r#"
        signature = { algorithm = "token", from = "header:{expect.name}" }
        [expect.name]
        about = "n"
        optional = true
    "#;
    let raw: RawDefinition = toml::from_str(open).unwrap();
    assert!(Definition::check("open", raw).is_err());
}
