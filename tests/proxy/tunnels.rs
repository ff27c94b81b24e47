//! Connections that are taken over: only after 101 on both sides, with every byte and either end passed
//! on. What is no tunnel is in `confused.rs`.

use crate::client::{Client, UPGRADE, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, until};
use std::sync::Arc;
use tokio::sync::Notify;

const EXEC: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub const ATTACH: &str = "/v1.41/containers/web/attach?stream=1&stdin=1&stdout=1";
/// The next request on a connection that was not taken over: one that must be refused.
pub const NEXT: &str = "/v1.41/volumes/create";

pub fn start(body: &str) -> String {
    json("POST", &format!("/v1.41/exec/{EXEC}/start"), body).replacen(
        "\r\n\r\n",
        &format!("\r\n{UPGRADE}\r\n"),
        1,
    )
}

pub fn on_exec(reply: Reply) -> Script {
    Script::new("1.41").on(&format!("POST /exec/{EXEC}/start"), reply)
}

pub fn on_attach(reply: Reply) -> Script {
    Script::new("1.41").on("POST /containers/web/attach", reply)
}

/// Asks to upgrade, and checks both heads of the switch.
async fn switch(gate: &Gate, client: &mut Client, request: &str) {
    client.send(request).await;
    let (status, head) = client.head().await;
    assert_eq!(status, 101, "{head}");
    assert!(head.contains("\r\nconnection: upgrade"), "{head}");
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

/// What a client says of a session in a body goes nowhere, and least of all into the session.
#[tokio::test]
async fn a_body_before_an_attach_is_no_input() {
    let said = r#"{"stream":true,"stdin":true}"#;
    let upgrades = |request: String| request.replacen("\r\n\r\n", &format!("\r\n{UPGRADE}\r\n"), 1);
    let whole = upgrades(json("POST", ATTACH, said));
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let chunks = format!("{:x}\r\n{said}\r\n0\r\n\r\n", said.len());
    let chunked = upgrades(bare("POST", ATTACH, chunked)) + &chunks;
    for request in [whole, chunked] {
        half_closes(request, Reply::Hijack, on_attach).await;
    }
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

/// The body of an exec start may come in chunks, and the input right behind the last of them.
#[tokio::test]
async fn input_behind_the_last_chunk_of_an_execs_body_is_kept() {
    let gate = Gate::start(on_exec(Reply::Hijack(Vec::new()))).await;
    let mut client = gate.client("dev").await;
    let body = r#"{"Detach":false}"#;
    let head = format!("{UPGRADE}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    let request = bare("POST", &format!("/v1.41/exec/{EXEC}/start"), &head);
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\nearly ", body.len());
    switch(&gate, &mut client, &(request + &chunks)).await;
    client.close_notify().await;
    assert_eq!(client.rest().await, b"early EOF\n");
    let request = gate.fake.log().requests[1].clone();
    assert_eq!(
        (request.body.as_slice(), request.stdin.as_slice()),
        (body.as_bytes(), &b"early "[..])
    );
    gate.settle().await;
}

/// Go drops what arrives behind the head of a hijack before it has answered; so does the fake while it
/// is held. What comes too early waits here.
#[tokio::test]
async fn early_bytes_wait_for_the_daemons_101() {
    let bell = Arc::new(Notify::new());
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::Hijack(Vec::new())));
    let gate = Gate::start(on_attach(held)).await;
    let mut client = gate.client("dev").await;
    client.send(bare("POST", ATTACH, UPGRADE) + "early ").await;
    let log = gate.fake.until(|log| log.requests.len() == 2).await;
    client.send("and more ").await;
    // the end of input, in TLS alone: who closes the connection itself before the answer is gone
    client.close_notify().await;
    assert_eq!(gate.client("dev").await.get("/_ping").await.status, 200);
    let heads: usize = log.requests.iter().map(|r| r.head.len()).sum();
    let ping = gate.fake.log().calls("GET /_ping")[0].head.len();
    assert_eq!(gate.fake.log().bytes, (heads + ping) as u64, "heads only so far");
    bell.notify_one();
    assert_eq!(client.head().await.0, 101);
    assert_eq!(client.rest().await, b"early and more EOF\n");
    assert_eq!(gate.outcome("ContainerAttach").await["ended"], "done");
    gate.settle().await;
}

/// Whoever closes his half before there is an answer is taken for gone: on the connection that cannot be
/// told from a client that left. Clients wait for the 101.
#[tokio::test]
async fn a_half_close_before_the_daemons_101_is_the_end() {
    let held = Reply::Held(Arc::new(Notify::new()), Box::new(Reply::Hijack(Vec::new())));
    let gate = Gate::start(on_attach(held)).await;
    let mut client = gate.client("dev").await;
    client.send(bare("POST", ATTACH, UPGRADE)).await;
    gate.fake.until(|log| log.requests.len() == 2).await;
    client.half_close().await;
    gate.fake.until(|log| log.requests[1].client_gone).await;
    assert_eq!(gate.outcome("ContainerAttach").await["ended"], "client-gone");
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.open"), "{events:#?}");
}

/// What ends the input: the end of TLS, of the connection, or both.
#[tokio::test]
async fn every_kind_of_half_close_leaves_the_output() {
    for kind in ["notify", "cut", "both"] {
        let gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
        let mut client = gate.client("dev").await;
        switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
        client.send("input ").await;
        match kind {
            "notify" => client.close_notify().await,
            "cut" => client.cut_half(),
            _ => client.half_close().await,
        }
        // `rest` fails unless the gate says its own end properly
        assert_eq!(client.rest().await, b"input EOF\n", "{kind}");
        let log = gate.fake.until(|log| log.requests[1].stdin_closed).await;
        assert_eq!(log.requests[1].stdin, b"input ", "{kind}");
        assert_eq!(gate.outcome("ContainerAttach").await["ended"], "done", "{kind}");
        gate.settle().await;
    }
}

#[tokio::test]
async fn the_daemons_half_close_leaves_the_input() {
    let gate = Gate::start(on_attach(Reply::HijackThenShut(b"bye".to_vec()))).await;
    let mut client = gate.client("dev").await;
    switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
    assert_eq!(client.rest().await, b"bye");
    client.send("late").await;
    gate.fake.until(|log| log.requests[1].stdin == b"late").await;
    drop(client);
    assert_eq!(gate.outcome("ContainerAttach").await["bytes_in"], 4);
    gate.settle().await;
}

/// The daemon takes a connection over whatever the field `Connection` says.
#[tokio::test]
async fn the_protocol_alone_asks_for_the_connection() {
    for headers in [
        "Upgrade: tcp\r\n",
        "connection: upgrade\r\nupgrade: TCP\r\n",
        "Connection: close, Upgrade\r\nUpgrade: tcp\r\n",
        "Connection: keep-alive\r\nUpgrade: tcp\r\n",
    ] {
        let gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
        let mut client = gate.client("dev").await;
        switch(&gate, &mut client, &bare("POST", ATTACH, headers)).await;
        client.send("input ").await;
        client.close_notify().await;
        assert_eq!(client.rest().await, b"input EOF\n", "{headers}");
        gate.settle().await;
    }
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

/// A daemon that has said its last and is gone, a client that reads slowly, and input on its way that
/// nobody takes any more: closing on that input would reset the connection and lose the output.
#[tokio::test]
async fn the_last_output_survives_input_that_nobody_takes() {
    const LAST: usize = 3 << 20;
    let gate = Gate::start(on_attach(Reply::HijackThenClose(vec![b'o'; LAST]))).await;
    let mut client = gate.client("dev").await;
    switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
    for _ in 0..16 {
        client.send([b'i'; 4096]).await;
    }
    assert_eq!(gate.outcome("ContainerAttach").await["ended"], "done");
    client.send("one more").await;
    assert_eq!(client.rest().await.len(), LAST);
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

/// What is in hand has ten seconds, unless whoever runs the gate asks twice.
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    use rustix::process::Signal;
    for second in [Signal::TERM, Signal::INT] {
        let mut gate = Gate::start(on_attach(Reply::Hijack(Vec::new()))).await;
        let mut client = gate.client("dev").await;
        switch(&gate, &mut client, &bare("POST", ATTACH, UPGRADE)).await;
        let began = std::time::Instant::now();
        gate.signal(Signal::TERM);
        // the first one is taken when nobody else gets in
        until("the end of listening", || std::net::TcpStream::connect(gate.address).err()).await;
        gate.signal(second);
        gate.ended().await;
        assert!(began.elapsed().as_secs() < 8, "sooner than the drain: {:?}", began.elapsed());
        let events = gate.settle().await;
        let close = events.iter().find(|e| e["stage"] == "session.close").unwrap();
        assert_eq!(close["outcome"]["ended"], "limit");
        assert!(events.iter().any(|e| e["stage"] == "stop"), "and the log has its end");
    }
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
    let gate = Gate::start(on_exec(Reply::HijackThenClose(b"output".to_vec()))).await;
    let request = json("POST", &format!("/v1.41/exec/{EXEC}/start"), "{}");
    let answer = gate.client("dev").await.ask(request).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "output"));
    gate.settle().await;
}
