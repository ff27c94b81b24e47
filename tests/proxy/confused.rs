//! Tunnel confusion: a request that asks for a connection, and an answer that does not give it. Whatever
//! the daemon answers, the next request on the client's connection is judged and recorded like any
//! other, and not a byte of it reaches the daemon.

use crate::client::{Client, UPGRADE, bare, json};
use crate::fake_daemon::{Reply, Script, response};
use crate::gate::{Gate, Setup};
use crate::tunnels::{ATTACH, NEXT, on_attach, on_exec, start};

/// What becomes of the client's connection after the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The next request is refused for what it asks, by a decision on record.
    Judged,
    /// The connection ends: what was sent of the next request is read by nobody.
    Closed,
}

const H2C: &str = "Connection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: 1\r\n";
const WEBSOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw";

/// Sends the request with the next one behind it, in one write and again one after the other.
async fn no_tunnel(script: Script, who: &str, request: String, status: u16, then: Then) {
    println!("{request}");
    let gate = Gate::start(script).await;
    for pipelined in [true, false] {
        let mut client = gate.client(who).await;
        let next = json("POST", NEXT, r#"{"Name":"smuggled"}"#);
        match pipelined {
            true => client.send(format!("{request}{next}")).await,
            false => client.send(&request).await,
        }
        let first = client.answer().await;
        assert_eq!(first.status, status, "{}", first.text());
        let closes = first.header("connection").as_deref() == Some("close");
        assert_eq!(closes, then == Then::Closed, "{}", first.head);
        if !pipelined {
            // a gate that has closed may refuse the bytes; if it takes them nothing comes of it
            let _ = client.try_send(next).await;
        }
        match then {
            // `rest` fails unless the gate says its end properly
            Then::Closed if pipelined => assert_eq!(client.rest().await, b""),
            Then::Closed => assert_eq!(client.remains().await, b""),
            Then::Judged => client.answer().await.assert_refused(403, "verb.not-granted"),
        }
    }
    never_seen(gate, then).await;
}

/// The next requests did not reach the daemon, and each is on record if it was read.
async fn never_seen(gate: Gate, then: Then) {
    let log = gate.fake.log();
    for request in &log.requests {
        let all = [&request.head[..], &request.body, &request.stdin].concat();
        assert!(!String::from_utf8_lossy(&all).contains("smuggled"), "{request:#?}");
        assert_ne!(request.call(), "POST /volumes/create");
    }
    let heads: usize = log.requests.iter().map(|r| r.head.len() + r.body.len()).sum();
    assert_eq!(log.bytes, heads as u64, "loose bytes");
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.open"), "{events:#?}");
    let refused = events.iter().filter(|e| {
        e["request"]["operation"] == "VolumeCreate" && e["decision"]["verdict"] == "deny"
    });
    assert_eq!(refused.count(), if then == Then::Judged { 2 } else { 0 });
}

#[tokio::test]
async fn a_detached_exec_is_no_tunnel() {
    let script = on_exec(Reply::status("200 OK", "", ""));
    no_tunnel(script, "dev", start(r#"{"Detach":true}"#), 200, Then::Judged).await;
}

#[tokio::test]
async fn a_detached_exec_is_no_tunnel_even_where_the_daemon_switches() {
    let script = on_exec(Reply::RawThenClose(SWITCH.to_vec()));
    no_tunnel(script, "dev", start(r#"{"Detach":true}"#), 502, Then::Judged).await;
}

#[tokio::test]
async fn an_exec_that_is_not_there_is_no_tunnel() {
    let script = on_exec(Reply::status("404 Not Found", "", r#"{"message":"no such exec"}"#));
    no_tunnel(script, "dev", start(r#"{"Detach":false}"#), 404, Then::Judged).await;
}

#[tokio::test]
async fn an_attach_that_fails_is_no_tunnel() {
    for status in ["400 Bad Request", "404 Not Found", "409 Conflict", "500 Internal Server Error"]
    {
        let kind = "Content-Type: application/vnd.docker.raw-stream\r\n";
        let script = on_attach(Reply::RawThenClose(response(status, kind, "no")));
        let code = status[..3].parse().unwrap();
        no_tunnel(script, "dev", bare("POST", ATTACH, UPGRADE), code, Then::Judged).await;
    }
}

#[tokio::test]
async fn a_session_in_another_protocol_is_no_tunnel() {
    for target in ["/v1.41/session", "/v1.41/grpc", "/session", "/grpc"] {
        let request = bare("POST", target, UPGRADE);
        no_tunnel(Script::new("1.41"), "builder", request, 400, Then::Judged).await;
    }
}

#[tokio::test]
async fn a_session_that_the_daemon_refuses_is_no_tunnel() {
    for (status, code) in [("400 Bad Request", 400), ("500 Internal Server Error", 500)] {
        for target in ["/session", "/grpc"] {
            let refused = Reply::status(status, "", r#"{"message":"no"}"#);
            let script = Script::new("1.41").on(&format!("POST {target}"), refused);
            let request = bare("POST", &format!("/v1.41{target}"), H2C);
            no_tunnel(script, "builder", request, code, Then::Judged).await;
        }
    }
}

#[tokio::test]
async fn a_websocket_to_nobody_is_no_tunnel() {
    let request = bare("GET", "/v1.41/containers/nobody/attach/ws", WEBSOCKET);
    no_tunnel(Script::new("1.41"), "builder", request, 404, Then::Judged).await;
}

#[tokio::test]
async fn an_upgrade_on_an_ordinary_route_is_dropped() {
    let settings = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";
    for headers in [UPGRADE, "Upgrade: h2c\r\n", settings, WEBSOCKET] {
        let request = bare("GET", "/_ping", headers);
        no_tunnel(Script::new("1.41"), "dev", request, 200, Then::Judged).await;
    }
    let request = bare("GET", "/_ping", "Connection: close, Upgrade\r\nUpgrade: tcp\r\n");
    no_tunnel(Script::new("1.41"), "dev", request, 200, Then::Closed).await;
}

/// However long ago the upgrade was asked for: the connection ends in TLS too.
#[tokio::test]
async fn after_an_upgrade_that_was_not_given_the_end_is_a_proper_one() {
    let gate = Gate::start(Script::new("1.41")).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.ask(bare("GET", "/_ping", UPGRADE)).await.status, 200);
    assert_eq!(client.get("/_ping").await.status, 200);
    assert_eq!(client.ask(bare("GET", "/_ping", "Connection: close\r\n")).await.status, 200);
    assert_eq!(client.rest().await, b"");
    gate.settle().await;
}

#[tokio::test]
async fn a_daemon_that_switches_unasked_is_refused() {
    let cases = [
        ("GET /info", bare("GET", "/v1.41/info", UPGRADE)),
        ("GET /info", bare("GET", "/v1.41/info", "")),
        ("POST /containers/web/kill", bare("POST", "/v1.41/containers/web/kill", UPGRADE)),
        (
            "POST /containers/create",
            json("POST", "/v1.41/containers/create", r#"{"Image":"busybox"}"#),
        ),
    ];
    for (call, request) in cases {
        let script = Script::new("1.41").on(call, Reply::RawThenClose(SWITCH.to_vec()));
        no_tunnel(script, "dev", request, 502, Then::Judged).await;
    }
}

#[tokio::test]
async fn a_daemon_that_switches_for_an_upload_is_refused() {
    let script = Script::new("1.41").on("POST /session", Reply::HangUp);
    let switched = Reply::RawThenClose(SWITCH.to_vec());
    let gate = Gate::start(script.on("POST /images/load", switched)).await;
    let load =
        bare("POST", "/v1.41/images/load", &format!("{UPGRADE}Content-Length: 3\r\n")) + "tar";
    let mut client = gate.client("admin").await;
    assert_eq!(client.ask(load).await.status, 502);
    client
        .ask(bare("POST", "/v1.41/session", UPGRADE))
        .await
        .assert_refused(400, "hijack.protocol");
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.open"), "{events:#?}");
}

/// The daemon's 101 must name the protocol that was asked for, and only that.
#[tokio::test]
async fn a_daemon_that_switches_to_something_else_is_refused() {
    let of = |upgrade: &str| {
        let head = format!("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n{upgrade}\r\nraw");
        Reply::RawThenClose(head.into_bytes())
    };
    for upgrade in ["", "Upgrade: h2c\r\n", "Upgrade: websocket\r\n", "Upgrade: tcp, h2c\r\n"] {
        let request = bare("POST", ATTACH, UPGRADE);
        no_tunnel(on_attach(of(upgrade)), "dev", request, 502, Then::Judged).await;
    }
    let script = Script::new("1.41").on("POST /session", of("Upgrade: tcp\r\n"));
    no_tunnel(script, "builder", bare("POST", "/v1.41/session", H2C), 502, Then::Judged).await;
}

/// moby answers 200 without any framing where nobody asked to upgrade, and means a raw stream by it.
/// We always ask, so a 200 is an ordinary body, however it is framed.
#[tokio::test]
async fn a_hijack_that_is_answered_with_200_is_an_ordinary_answer() {
    for kind in ["raw-stream", "multiplexed-stream"] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.{kind}\r\n");
        let answers = [
            Reply::Raw(format!("{head}Content-Length: 6\r\n\r\noutput").into_bytes()),
            Reply::Raw(
                format!("{head}Transfer-Encoding: chunked\r\n\r\n6\r\noutput\r\n0\r\n\r\n")
                    .into_bytes(),
            ),
            Reply::RawThenClose(format!("{head}\r\noutput").into_bytes()),
            Reply::RawThenClose(
                format!("{head}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\noutput").into_bytes(),
            ),
        ];
        for answer in answers {
            let request = bare("POST", ATTACH, UPGRADE);
            no_tunnel(on_attach(answer.clone()), "dev", request, 200, Then::Judged).await;
            let request = start(r#"{"Detach":false}"#);
            no_tunnel(on_exec(answer), "dev", request, 200, Then::Judged).await;
        }
    }
}

/// The same without an end: what the client sends after the request is no input.
#[tokio::test]
async fn a_raw_200_without_an_end_takes_no_input() {
    let gate = Gate::start(on_attach(Reply::RawStream)).await;
    let mut client = gate.client("dev").await;
    client.send(bare("POST", ATTACH, UPGRADE) + "early").await;
    assert_eq!(client.head().await.0, 200);
    client.send("late").await;
    drop(client);
    let log = gate.fake.until(|log| log.closed == 2 || log.requests[1].stdin_closed).await;
    assert_eq!(log.requests[1].stdin, b"");
    assert_eq!(gate.outcome("ContainerAttach").await["ended"], "client-gone");
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.open"), "{events:#?}");
}

/// moby hijacks as soon as the JSON value ends, so that the rest of a longer body is input already. Here
/// the body is read whole before anything is asked of the daemon.
#[tokio::test]
async fn the_rest_of_an_execs_body_is_no_input() {
    let script = on_exec(Reply::Hijack(Vec::new()));
    let gate = Gate::with(Setup { front: "body_timeout: 1s", ..Setup::new(script) }).await;
    let body = r#"{"Detach":false}"#;
    let long = |rest: &str, length: usize| {
        let head =
            format!("{UPGRADE}Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let target = format!("/v1.41/exec/{}/start", "0123456789abcdef".repeat(4));
        bare("POST", &target, &head) + body + rest
    };
    assert_eq!(gate.client("dev").await.get("/_ping").await.status, 200);
    let before = gate.fake.log().bytes;
    let rest = "id; uname -a";
    let cases = [
        (long(rest, body.len() + rest.len()), "json.trailing"),
        (long(rest, 2000), "body.incomplete"),
        (long("", 2000), "body.incomplete"),
    ];
    for (request, reason) in cases {
        let mut client = gate.client("dev").await;
        client.ask(request).await.assert_refused(400, reason);
        assert_eq!(gate.fake.log().bytes, before, "{reason}: it reached the daemon");
    }
    gate.settle().await;
}

#[tokio::test]
async fn an_attach_has_no_body() {
    let smuggled = json("POST", NEXT, r#"{"Name":"smuggled"}"#);
    let length = smuggled.len();
    for framing in [
        format!("Content-Length: {length}\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{smuggled}\r\n0\r\n\r\n"),
    ] {
        let gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
        let mut client = gate.client("dev").await;
        let head = bare("POST", ATTACH, UPGRADE);
        let request = format!("{}{framing}", head.strip_suffix("\r\n").unwrap());
        client.ask(request).await.assert_refused(400, "body.unexpected");
        assert_eq!(client.remains().await, b"");
        assert!(gate.fake.log().calls("POST /containers/web/attach").is_empty());
        never_seen(gate, Then::Closed).await;
    }
}

/// Both protocols that nobody looks into: after 101 the bytes pass, the daemon's first, and both ends.
#[tokio::test]
async fn websocket_and_h2c_pass_once_the_daemon_has_switched() {
    let head = |protocol: &str, more: &str| {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
        Reply::Echo(format!("{head}Upgrade: {protocol}\r\n{more}\r\nfirst ").into_bytes())
    };
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let cases = [
        ("POST /session", bare("POST", "/v1.41/session", H2C), head("h2c", ""), "h2c"),
        ("POST /grpc", bare("POST", "/v1.41/grpc", H2C), head("h2c", ""), "h2c"),
        (
            "GET /containers/web/attach/ws",
            bare("GET", "/v1.41/containers/web/attach/ws?stream=1", WEBSOCKET),
            head("websocket", accept),
            "websocket",
        ),
    ];
    for (call, request, reply, protocol) in cases {
        let gate = Gate::start(Script::new("1.41").on(call, reply)).await;
        let mut client: Client = gate.client("builder").await;
        client.send(request + "early ").await;
        let (status, answered) = client.head().await;
        assert_eq!(status, 101, "{answered}");
        assert!(answered.contains(&format!("\r\nupgrade: {protocol}\r\n")), "{answered}");
        let accepts = answered.contains("s3pplmbitxaq9kygzzhzrbk+xoo=");
        assert_eq!(accepts, protocol == "websocket", "{answered}");
        assert_eq!(client.take(12).await, b"first early ");
        client.send("late").await;
        assert_eq!(client.take(4).await, b"late");
        client.close_notify().await;
        assert_eq!(client.rest().await, b"EOF\n");
        let log = gate.fake.until(|log| log.calls(call)[0].stdin_closed).await;
        assert_eq!(log.calls(call)[0].stdin, b"early late");
        let events = gate.settle().await;
        let closed = events.iter().find(|e| e["stage"] == "session.close").unwrap();
        assert_eq!(closed["outcome"]["ended"], "done");
    }
}
