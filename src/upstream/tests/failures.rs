//! Every way in which a receiver fails has its code, and nothing is sent twice.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::{
    receiver::{Act, Receiver, ok, write},
    *,
};

#[tokio::test]
async fn nobody_there() {
    assert_eq!(refused(&to(&closed_port().await)).await, Code::UpstreamUnreachable);
    assert_eq!(refused(&to("http://no-such-host.invalid")).await, Code::UpstreamUnreachable);
}

#[tokio::test]
async fn a_name_is_tried_on_every_address() {
    let receiver = Receiver::answering("v4").await;
    let upstream = to(&format!("http://localhost:{}", receiver.address.port()));
    assert_eq!(delivered(&upstream, b"{}").await.1, "v4");
    assert!(receiver.requests()[0].contains("\r\nhost: localhost:"));
}

#[tokio::test]
async fn broken_http_is_an_upstream_error_and_never_sent_again() {
    let cases = [
        ("close after the head", vec![Act::ReadHead]),
        ("close after the request", vec![Act::Read]),
        ("close in the status line", vec![Act::Read, write("HTTP/1.1 20")]),
        ("close in the head", vec![Act::Read, write("HTTP/1.1 200 OK\r\nX: 1\r\n")]),
        ("garbage", vec![Act::Read, write("\0\0\0\0 hello\r\n\r\n")]),
        ("another protocol", vec![Act::Read, write("SSH-2.0-OpenSSH_9.2\r\n"), Act::Stall]),
        ("bad length", vec![Act::Read, write("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")]),
        (
            "two lengths",
            vec![
                Act::Read,
                write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            ],
        ),
        (
            "unasked upgrade",
            vec![
                Act::Read,
                write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
                Act::Stall,
            ],
        ),
        (
            "endless head",
            vec![
                Act::Read,
                Act::Write([b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 1 << 20]].concat()),
                Act::Stall,
            ],
        ),
        (
            "too many headers",
            vec![
                Act::Read,
                Act::Write([b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".repeat(200)].concat()),
                Act::Stall,
            ],
        ),
    ];
    for (case, acts) in cases {
        let receiver = Receiver::start([acts]).await;
        let spare = Receiver::answering("spare").await;
        let upstream = build(&settings(&[&receiver.url(""), &spare.url("")]));
        assert_eq!(refused(&upstream).await, Code::UpstreamError, "{case}");
        assert_eq!((receiver.connections(), spare.connections()), (1, 0), "{case}");
    }
}

#[tokio::test]
async fn closing_right_away_is_an_upstream_error() {
    let receiver = Receiver::start([vec![]]).await;
    assert_eq!(refused(&to(&receiver.url(""))).await, Code::UpstreamError);
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout() {
    for acts in [
        vec![Act::Read, Act::Stall],
        vec![Act::Stall],
        vec![Act::Read, write("HTTP/1.1 "), Act::Stall],
    ] {
        let receiver = Receiver::start([acts]).await;
        let before = Instant::now();
        assert_eq!(refused(&to(&receiver.url(""))).await, Code::UpstreamTimeout);
        assert_eq!(before.elapsed().as_secs(), 5);
        assert_eq!(receiver.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn endless_informational_answers_are_a_timeout() {
    let receiver = Receiver::start([vec![
        Act::Read,
        Act::Write(b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1000)),
        Act::Stall,
    ]])
    .await;
    assert_eq!(refused(&to(&receiver.url(""))).await, Code::UpstreamTimeout);
}

#[tokio::test]
async fn a_body_that_is_cut_breaks_off_after_its_status_counted() {
    for half in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz",
    ] {
        let receiver = Receiver::start([vec![Act::Read, write(half)]]).await;
        let answer = send(&to(&receiver.url("")), b"{}").await.unwrap();
        assert_eq!(answer.status, 200);
        let error = read(answer.response.into_body()).await.unwrap_err().to_string();
        assert!(error.starts_with("the upstream broke off its answer"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_cut_at_the_deadline() {
    let receiver = Receiver::start([vec![
        Act::Read,
        write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        Act::Stall,
    ]])
    .await;
    let before = Instant::now();
    let upstream = to(&receiver.url(""));
    let answer = send(&upstream, b"{}").await.unwrap();
    let mut body = answer.response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    let error = body.frame().await.unwrap().unwrap_err().to_string();
    assert_eq!(error, "the upstream's answer took longer than its timeout");
    assert_eq!(before.elapsed().as_secs(), 5);
    assert!(body.frame().await.is_none());
    // Nothing of that connection is used again.
    assert_eq!(send(&upstream, b"{}").await.unwrap().status, 200);
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_cut_at_the_deadline() {
    let chunks: Vec<_> = vec![write("1\r\nx\r\n"); 10];
    let head = write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let acts = [vec![Act::Read, head], chunks, vec![Act::Stall]].concat();
    let receiver = Receiver::start([acts]).await;
    let answer = send(&to(&receiver.url("")), b"{}").await.unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    let mut body = answer.response.into_body();
    // Data is there, but the time for it is over.
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn an_early_answer_to_a_body_not_read_is_passed_on() {
    let receiver = Receiver::start([vec![
        Act::ReadHead,
        write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"),
        Act::Stall,
    ]])
    .await;
    let body = vec![b'x'; 8 << 20].leak();
    let answer = send(&to(&receiver.url("")), body).await.unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(read(answer.response.into_body()).await.unwrap(), b"big");
}

#[tokio::test]
async fn dropping_an_exchange_closes_its_connection() {
    let (read, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = vec![Act::Read, Act::Tell(read.clone()), Act::End(gone.clone())];
    let receiver = Receiver::start([first, ok("next").to_vec()]).await;
    let upstream = Arc::new(to(&receiver.url("")));
    let ours = upstream.clone();
    let exchange = tokio::spawn(async move { send(&ours, b"{}").await });
    read.notified().await;
    exchange.abort();
    assert!(exchange.await.unwrap_err().is_cancelled());
    gone.notified().await;
    assert_eq!(delivered(&upstream, b"{}").await.1, "next");
    assert_eq!(receiver.connections(), 2);
}
