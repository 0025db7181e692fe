use super::*;

fn site(tls: bool) -> Site {
    let file = |name: &str| format!("/run/x/{name}");
    Site {
        listen: "127.0.0.1:1234".parse().unwrap(),
        upstream: "127.0.0.1:5678".parse().unwrap(),
        folder: "/run/x".into(),
        cores: 2,
        tls: tls.then(|| TlsFiles {
            certificate: file("cert.pem"),
            key: file("key.pem"),
            both: file("both.pem"),
        }),
    }
}

fn balanced(text: &str) -> bool {
    text.matches('{').count() == text.matches('}').count()
}

#[test]
fn each_listens_and_forwards_where_it_is_told() {
    let hookward = Hookward::new("hookward");
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    for peer in peers {
        let command = peer.command(&site(false));
        let text = &command.file.1;
        for address in ["127.0.0.1:1234", "127.0.0.1:5678"] {
            assert_eq!(text.matches(address).count(), 1, "{text}");
        }
        assert!(balanced(text), "{text}");
        let file = format!("/run/x/{}", command.file.0);
        assert!(command.arguments.contains(&file), "{:?}", command.arguments);
        for word in ["cert.pem", "both.pem"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[test]
fn with_tls_each_has_the_certificate() {
    let hookward = Hookward::new("hookward");
    let peers: [(&dyn Peer, &str); 3] =
        [(&Nginx, "cert.pem"), (&Haproxy::SMALL, "both.pem"), (&hookward, "cert.pem")];
    for (peer, file) in peers {
        let text = peer.command(&site(true)).file.1;
        assert!(text.contains(&format!("/run/x/{file}")) && balanced(&text), "{text}");
    }
}

#[test]
fn nginx_and_haproxy_get_one_worker_a_core() {
    assert!(Nginx.command(&site(false)).file.1.starts_with("worker_processes 2;\n"));
    let text = Haproxy::SMALL.command(&site(false)).file.1;
    assert!(text.contains("nbthread 2\n"), "{text}");
}

#[test]
fn haproxys_buffer_holds_the_body() {
    for (body, buffer) in [(256, "16384\n"), (16_384, "81920\n"), (262_144, "327680\n")] {
        let text = Haproxy { body, checks: true }.command(&site(false)).file.1;
        assert!(text.contains(&format!("tune.bufsize {buffer}")), "{text}");
    }
    let plain = Haproxy { body: 1024, checks: false }.command(&site(false)).file.1;
    assert!(!plain.contains("hmac") && !plain.contains("stick-table"), "{plain}");
}

#[test]
fn hookward_has_each_route_and_each_secret_once() {
    let many = Hookward { routes: 3, secrets: 2, audit: true, ..Hookward::new("hookward") };
    let text = many.command(&site(false)).file.1;
    assert_eq!(text.matches("[routes.r").count(), 3);
    for route in 0..3 {
        assert_eq!(text.matches(&crate::message::path(route)).count(), 1);
        for number in 0..2 {
            assert_eq!(text.matches(&crate::message::secret(route, number)).count(), 1);
        }
    }
    assert!(text.contains("audit = \"/run/x/audit.jsonl\""));
    let one = Hookward::new("hookward").command(&site(false)).file.1;
    assert!(!one.contains("audit"));
}
