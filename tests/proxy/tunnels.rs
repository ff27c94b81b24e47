//! Connections that are taken over: only after 101 on both sides, with every byte and either end passed
//! on; whatever else the daemon answers, the next request is judged like any other.

use crate::client::{Client, UPGRADE, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;

const EXEC: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ATTACH: &str = "/v1.41/containers/web/attach?stream=1&stdin=1&stdout=1";
/// The next request on a connection that was not taken over: one that must be refused.
const NEXT: &str = "/v1.41/volumes/create";

fn start(body: &str) -> String {
    json("POST", &format!("/v1.41/exec/{EXEC}/start"), body).replacen(
        "\r\n\r\n",
        &format!("\r\n{UPGRADE}\r\n"),
        1,
    )
}

fn on_exec(reply: Reply) -> Script {
    Script::new("1.41").on(&format!("POST /exec/{EXEC}/start"), reply)
}

fn on_attach(reply: Reply) -> Script {
    Script::new("1.41").on("POST /containers/web/attach", reply)
}

/// Asks to upgrade, and checks both heads of the switch.
async fn switch(gate: &Gate, client: &mut Client, request: &str) {
    client.send(request).await;
    let (status, head) = client.head().await;
    assert_eq!(status, 101, "{head}");
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nupgrade: tcp\r\n"), "{head}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    let log = gate.fake.until(|log| log.requests.len() == 2).await;
    let sent = log.requests[1].text();
    assert!(sent.ends_with("connection: Upgrade\r\nupgrade: tcp\r\n\r\n"), "{sent}");
}

/// The client's end is passed on while output still comes, then the daemon's end.
async fn half_closes(request: String, reply: fn(Vec<u8>) -> Reply, script: fn(Reply) -> Script) {
    let gate = Gate::start(script(reply(b"early ".to_vec()))).await;
    let mut client = gate.client("dev").await;
    // the first bytes of input come with the request itself
    switch(&gate, &mut client, &(request + "one ")).await;
    assert_eq!(client.take(10).await, b"early one ");
    client.send("two ").await;
    assert_eq!(client.take(4).await, b"two ");
    client.half_close().await;
    assert_eq!(client.rest().await, b"EOF\n");
    let log = gate.fake.until(|log| log.requests[1].stdin_closed).await;
    assert_eq!(log.requests[1].stdin, b"one two ");
    let events = gate.settle().await;
    let decision = events.iter().find(|e| e["stage"] == "decision").unwrap();
    let of = |stage: &str| {
        let mut all =
            events.iter().filter(|e| e["stage"] == stage && e["parent"] == decision["id"]);
        let one = all.next().cloned();
        assert!(all.next().is_none(), "{stage} more than once");
        one.unwrap_or_else(|| panic!("no {stage} in {events:#?}"))
    };
    of("session.open");
    let outcome = &of("session.close")["outcome"];
    assert_eq!((&outcome["bytes_in"], &outcome["bytes_out"]), (&8.into(), &18.into()));
    assert_eq!(outcome["ended"], "done");
}

#[tokio::test]
async fn attach_keeps_early_bytes_and_half_closes() {
    let request = bare("POST", ATTACH, &format!("{UPGRADE}Content-Length: 0\r\n"));
    half_closes(request, Reply::Hijack, on_attach).await;
}

#[tokio::test]
async fn exec_keeps_early_bytes_and_half_closes() {
    half_closes(start(r#"{"Detach":false,"Tty":false}"#), Reply::Hijack, on_exec).await;
}

#[tokio::test]
async fn the_daemons_end_is_the_clients() {
    let gate = Gate::start(on_attach(Reply::HijackThenClose(b"bye".to_vec()))).await;
    let mut client = gate.client("dev").await;
    switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
    assert_eq!(client.rest().await, b"bye");
    let outcome = gate.outcome("ContainerAttach").await;
    assert_eq!((&outcome["bytes_out"], &outcome["ended"]), (&3.into(), &"done".into()));
    gate.settle().await;
}

#[tokio::test]
async fn a_client_that_vanishes_ends_the_daemons_side() {
    let gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
    let mut client = gate.client("dev").await;
    switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
    drop(client);
    gate.fake.until(|log| log.requests[1].stdin_closed).await;
    gate.outcome("ContainerAttach").await;
    gate.settle().await;
}

#[tokio::test]
async fn a_session_does_not_outlive_the_drain() {
    let mut gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
    let mut client = gate.client("dev").await;
    switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
    gate.signal(rustix::process::Signal::TERM);
    gate.ended().await;
    let events = gate.settle().await;
    let close = events.iter().find(|e| e["stage"] == "session.close").unwrap();
    assert_eq!(close["outcome"]["ended"], "limit");
}

/// After this request and answer the connection is no tunnel: the next request on it is refused as
/// it would be anywhere, and nothing of it reaches the daemon.
async fn no_tunnel(script: Script, who: &str, request: String, status: u16) {
    let gate = Gate::start(script).await;
    let mut client = gate.client(who).await;
    println!("{request}");
    let smuggled = json("POST", NEXT, r#"{"Name":"smuggled"}"#);
    client.send(format!("{request}{smuggled}")).await;
    let first = client.answer().await;
    assert_eq!(first.status, status, "{}", first.text());
    assert_ne!(first.status, 101);
    let bytes = gate.fake.log().bytes;
    let closes = first.header("connection").as_deref() == Some("close");
    if closes {
        assert_eq!(client.remains().await, b"");
    } else {
        client.answer().await.assert_refused(403, "verb.not-granted");
    }
    let log = gate.fake.log();
    assert_eq!((log.bytes, log.calls("POST /volumes/create").len()), (bytes, 0));
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.open"), "{events:#?}");
}

#[tokio::test]
async fn a_detached_exec_is_no_tunnel() {
    let script = on_exec(Reply::status("200 OK", "", ""));
    no_tunnel(script, "dev", start(r#"{"Detach":true}"#), 200).await;
}

#[tokio::test]
async fn an_exec_that_is_not_there_is_no_tunnel() {
    let script = on_exec(Reply::status("404 Not Found", "", r#"{"message":"no such exec"}"#));
    no_tunnel(script, "dev", start(r#"{"Detach":false}"#), 404).await;
}

#[tokio::test]
async fn an_attach_that_fails_is_no_tunnel() {
    let refused = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
        Content-Length: 2\r\n\r\nno";
    let script = on_attach(Reply::RawThenClose(refused.to_vec()));
    no_tunnel(script, "dev", bare("POST", ATTACH, UPGRADE), 404).await;
}

#[tokio::test]
async fn a_session_in_another_protocol_is_no_tunnel() {
    no_tunnel(Script::new("1.41"), "builder", bare("POST", "/v1.41/session", UPGRADE), 400).await;
    no_tunnel(Script::new("1.41"), "builder", bare("POST", "/v1.41/grpc", UPGRADE), 400).await;
}

#[tokio::test]
async fn a_session_that_the_daemon_refuses_is_no_tunnel() {
    let refused = Reply::status("400 Bad Request", "", r#"{"message":"no"}"#);
    let script = Script::new("1.41").on("POST /session", refused);
    let h2c = "Connection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: 1\r\n";
    no_tunnel(script, "builder", bare("POST", "/v1.41/session", h2c), 400).await;
}

#[tokio::test]
async fn a_websocket_to_nobody_is_no_tunnel() {
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let request = bare("GET", "/v1.41/containers/nobody/attach/ws", handshake);
    no_tunnel(Script::new("1.41"), "builder", request, 404).await;
}

#[tokio::test]
async fn an_upgrade_on_an_ordinary_route_is_dropped() {
    for headers in [UPGRADE, "Connection: close, Upgrade\r\nUpgrade: tcp\r\n", "Upgrade: h2c\r\n"] {
        no_tunnel(Script::new("1.41"), "dev", bare("GET", "/_ping", headers), 200).await;
    }
}

#[tokio::test]
async fn a_daemon_that_switches_unasked_is_refused() {
    let switch = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw";
    let script = Script::new("1.41").on("GET /info", Reply::Raw(switch.to_vec()));
    no_tunnel(script, "dev", bare("GET", "/v1.41/info", UPGRADE), 502).await;
}

#[tokio::test]
async fn without_an_upgrade_there_is_output_only() {
    let gate = Gate::start(on_attach(Reply::HijackThenClose(b"output".to_vec()))).await;
    let mut client = gate.client("dev").await;
    let request = bare("POST", "/v1.41/containers/web/attach?stream=1&stdout=1", "");
    let answer = client.ask(&request).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "output"));
    let kind = answer.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/vnd.docker.raw-stream"));
    assert_eq!(answer.header("upgrade"), None);
    // and the connection is judged as before
    client.ask(json("POST", NEXT, "{}")).await.assert_refused(403, "verb.not-granted");
    gate.settle().await;
}

#[tokio::test]
async fn output_alone_ends_with_its_client() {
    let gate = Gate::start(on_attach(Reply::Hijack(b"output".to_vec()))).await;
    let mut client = gate.client("dev").await;
    let request = bare("POST", "/v1.41/containers/web/attach?stream=1&stdout=1", "");
    client.send(&request).await;
    assert_eq!(client.head().await.0, 200);
    assert_eq!(client.chunk().await, b"output");
    // one byte of a next request must not hide that it goes
    client.send("G").await;
    drop(client);
    gate.fake.until(|log| log.closed == 2 || log.requests[1].stdin_closed).await;
    let outcome = gate.outcome("ContainerAttach").await;
    assert_eq!(outcome["ended"], "client-gone");
    gate.settle().await;
}

#[tokio::test]
async fn an_exec_without_input_needs_no_upgrade() {
    let inspect = Reply::json(&format!(r#"{{"ID":"{EXEC}","OpenStdin":false}}"#));
    let script = on_exec(Reply::HijackThenClose(b"output".to_vec()))
        .on(&format!("GET /exec/{EXEC}/json"), inspect);
    let gate = Gate::start(script).await;
    let request = json("POST", &format!("/v1.41/exec/{EXEC}/start"), "{}");
    let answer = gate.client("dev").await.ask(request).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "output"));
    gate.settle().await;
}
