//! Which requests share a connection, and which are sent again.

use super::super::fake_daemon::{Reply, Script, response};
use super::{read, send, start, text, write};
use crate::daemon::{Cancel, ClientBody, DaemonError};
use crate::docker::{Hijack, OutboundBody};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};

const LIST: &str = "/containers/json";

fn script() -> Script {
    Script::new("1.41")
        .on("GET /containers/json", Reply::json("[]"))
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#))
}

#[tokio::test]
async fn two_requests_share_a_connection() {
    let (fake, daemon) = start(script());
    for _ in 0..2 {
        assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    }
    let mut create = write("/containers/create?name=web");
    create.body = OutboundBody::Json(Bytes::from_static(b"{\"Image\":\"busybox\"}"));
    assert_eq!(text(send(&daemon, &create).await.unwrap()).await, r#"{"Id":"1"}"#);
    assert_eq!((fake.log().connections, fake.log().requests.len()), (1, 3));
    assert_eq!(daemon.peer_pid(), i32::try_from(std::process::id()).ok());
}

#[tokio::test]
async fn the_head_is_ours_to_the_byte() {
    let (fake, daemon) = start(script());
    let mut create = write("/containers/create?name=web");
    create.body = OutboundBody::Json(Bytes::from_static(b"{}"));
    for (name, value) in [
        ("x-registry-auth", "e30="),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("content-type", "text/plain"),
        ("connection", "Upgrade"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("host", "elsewhere"),
        ("proxy-authorization", "x"),
    ] {
        create.headers.push((HeaderName::from_static(name), HeaderValue::from_static(value)));
    }
    send(&daemon, &create).await.unwrap();
    send(&daemon, &read("/containers/json?all=1")).await.unwrap();
    let log = fake.until(|log| log.requests.len() == 2).await;
    assert_eq!(
        log.requests[0].text(),
        "POST /v1.41/containers/create?name=web HTTP/1.1\r\nhost: docker\r\n\
         x-registry-auth: e30=\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n"
    );
    assert_eq!(log.requests[0].body, b"{}");
    let get = "GET /v1.41/containers/json?all=1 HTTP/1.1\r\nhost: docker\r\n\r\n";
    assert_eq!(log.requests[1].text(), get);
}

#[tokio::test]
async fn a_target_that_a_parser_would_change_is_not_sent() {
    let (fake, daemon) = start(script());
    for target in ["containers/json", "//host/x", "http://docker/x", "/a#b", "", "/a b", "*"] {
        let mut request = read("");
        request.target = target.to_owned();
        let error = send(&daemon, &request).await.unwrap_err();
        assert!(matches!(error, DaemonError::Protocol(_)), "{target}: {error}");
    }
    assert_eq!(fake.log().connections, 0);
}

#[tokio::test]
async fn a_stale_read_is_sent_again_once() {
    let (fake, daemon) = start(script().hang_up_on_reuse());
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    let arrived: Vec<usize> = fake.log().requests.iter().map(|r| r.connection).collect();
    assert_eq!(arrived, [0, 0, 1]);
}

#[tokio::test]
async fn a_stale_write_is_never_sent_again() {
    let (fake, daemon) = start(script().hang_up_on_reuse());
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    let error = send(&daemon, &write("/containers/create")).await.unwrap_err();
    assert!(matches!(error, DaemonError::Broken(_)), "{error}");
    let log = fake.until(|log| log.closed == 1).await;
    assert_eq!(log.calls("POST /containers/create").len(), 1);
}

#[tokio::test]
async fn a_read_on_a_fresh_connection_is_not_sent_again() {
    let (fake, daemon) = start(script().on("GET /containers/json", Reply::HangUp));
    let error = send(&daemon, &read(LIST)).await.unwrap_err();
    assert!(matches!(error, DaemonError::Broken(_)), "{error}");
    assert_eq!(fake.log().requests.len(), 1);
}

#[tokio::test]
async fn a_read_that_was_partly_answered_is_not_sent_again() {
    let cut = Reply::RawThenClose(b"HTTP/1.1 200 OK\r\nContent-".to_vec());
    let (fake, daemon) = start(script().on("GET /info", cut));
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    let error = send(&daemon, &read("/info")).await.unwrap_err();
    assert!(matches!(error, DaemonError::Broken(_)), "{error}");
    assert_eq!(fake.log().calls("GET /info").len(), 1);
}

#[tokio::test]
async fn a_write_survives_a_connection_that_was_closed_while_idle() {
    let (fake, daemon) = start(script().close_after(1));
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    fake.until(|log| log.closed == 1).await;
    let answer = send(&daemon, &write("/containers/create")).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(fake.log().calls("POST /containers/create").len(), 1);
}

#[tokio::test]
async fn an_unread_body_is_not_followed_by_another_request() {
    let (fake, daemon) = start(script().on("GET /info", Reply::Huge(8 << 20)));
    drop(send(&daemon, &read("/info")).await.unwrap());
    fake.until(|log| log.closed == 1).await;
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    assert_eq!(fake.log().connections, 2);
}

#[tokio::test]
async fn bytes_after_an_answer_end_its_connection() {
    let twice = [response("200 OK", "", "one"), response("200 OK", "", "two")].concat();
    let (fake, daemon) = start(script().on("GET /info", Reply::Raw(twice)));
    assert_eq!(text(send(&daemon, &read("/info")).await.unwrap()).await, "one");
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    assert_eq!(fake.log().connections, 2);
}

#[tokio::test]
async fn redirects_and_upgrades_that_nobody_asked_for_are_refused() {
    let switch = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_vec();
    let mut websocket = read("/containers/a/attach/ws");
    websocket.hijack = Hijack::WebSocket;
    let moved = Reply::status("301 Moved Permanently", "Location: /x\r\n", "");
    let (fake, daemon) = start(
        script()
            .on("GET /a", moved)
            .on("GET /b", Reply::Raw(switch.clone()))
            .on("GET /containers/a/attach/ws", Reply::Raw(switch)),
    );
    for request in [read("/a"), read("/b"), websocket] {
        let error = send(&daemon, &request).await.unwrap_err();
        assert!(matches!(error, DaemonError::Protocol(_)), "{error}");
    }
    assert_eq!(fake.until(|log| log.closed == 3).await.connections, 3);
}

#[tokio::test]
async fn what_concerns_the_connection_is_not_passed_on() {
    let headers =
        "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nUpgrade: x\r\nServer: Docker\r\n";
    let (_fake, daemon) = start(script().on("GET /a", Reply::status("200 OK", headers, "ok")).on(
        "GET /b",
        Reply::Raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n"
                .to_vec(),
        ),
    ));
    let answer = send(&daemon, &read("/a")).await.unwrap();
    let mut names: Vec<&str> = answer.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["api-version", "content-length", "server"]);
    let answer = send(&daemon, &read("/b")).await.unwrap();
    assert!(answer.headers.is_empty(), "{:?}", answer.headers);
    assert_eq!(text(answer).await, "ok");
}

#[tokio::test]
async fn away_is_said_at_once_and_the_daemon_is_found_again() {
    let (mut fake, daemon) = start(script());
    assert_eq!(text(send(&daemon, &read(LIST)).await.unwrap()).await, "[]");
    fake.stop().await;
    let error = send(&daemon, &write("/containers/create")).await.unwrap_err();
    assert!(matches!(error, DaemonError::Away { .. }), "{error}");
    fake.restart(script());
    assert_eq!(send(&daemon, &write("/containers/create")).await.unwrap().status, 201);
    assert_eq!(fake.log().calls("POST /containers/create").len(), 1);
}

#[tokio::test]
async fn a_cancelled_wait_closes_its_connection() {
    let held = Reply::Held(std::sync::Arc::default(), Box::new(Reply::json("{}")));
    let (fake, daemon) = start(script().on("POST /containers/a/wait", held));
    let (cancel, sender) = (Cancel::new(), daemon.clone());
    let (wait, token) = (write("/containers/a/wait"), cancel.clone());
    let waiting = tokio::spawn(async move { sender.send(&wait, ClientBody::Empty, &token).await });
    fake.until(|log| log.requests.len() == 1).await;
    cancel.cancel();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, DaemonError::Cancelled), "{error}");
    fake.until(|log| log.requests[0].client_gone).await;
}
