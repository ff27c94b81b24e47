//! Clients that go away in the middle: streams and waits end with them, writes do not.

use crate::client::{bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;
use std::sync::Arc;
use tokio::sync::Notify;

/// A stream ends with its client, also when bytes of a next request wait unread.
async fn ends(call: &str, request: &str, operation: &str, reply: Reply) {
    for pending in ["", "G"] {
        let gate = Gate::start(Script::new("1.41").on(call, reply.clone())).await;
        let mut client = gate.client("dev").await;
        client.send(request).await;
        gate.fake.until(|log| log.calls(call).len() == 1).await;
        if matches!(reply, Reply::Endless) {
            assert_eq!(client.head().await.0, 200);
            assert_eq!(client.chunk().await, b"{\"e\":1}\n");
        }
        client.send(pending).await;
        drop(client);
        gate.fake.until(|log| log.calls(call)[0].client_gone).await;
        assert_eq!(gate.outcome(operation).await["ended"], "client-gone");
        gate.settle().await;
    }
}

#[tokio::test]
async fn events_end_with_their_reader() {
    ends("GET /events", &bare("GET", "/v1.41/events", ""), "SystemEvents", Reply::Endless).await;
}

#[tokio::test]
async fn logs_end_with_their_reader() {
    let request = bare("GET", "/v1.41/containers/web/logs?follow=1&stdout=1", "");
    ends("GET /containers/web/logs", &request, "ContainerLogs", Reply::Endless).await;
}

#[tokio::test]
async fn a_wait_ends_with_who_waits() {
    let held = Reply::Held(Arc::new(Notify::new()), Box::new(Reply::json("{}")));
    let request = bare("POST", "/v1.41/containers/web/wait", "");
    ends("POST /containers/web/wait", &request, "ContainerWait", held).await;
}

#[tokio::test]
async fn a_stream_that_is_silent_for_its_first_byte_ends_too() {
    let held = Reply::Held(Arc::new(Notify::new()), Box::new(Reply::Endless));
    ends("GET /events", &bare("GET", "/v1.41/events", ""), "SystemEvents", held).await;
}

#[tokio::test]
async fn a_short_write_runs_to_its_end() {
    for pending in ["", "G"] {
        let bell = Arc::new(Notify::new());
        let done = Reply::status("201 Created", "", r#"{"Id":"c0ffee"}"#);
        let held = Reply::Held(Arc::clone(&bell), Box::new(done));
        let gate = Gate::start(Script::new("1.41").on("POST /containers/create", held)).await;
        let mut client = gate.client("dev").await;
        let create = json("POST", "/v1.41/containers/create", r#"{"Image":"busybox"}"#);
        client.send(create + pending).await;
        gate.fake.until(|log| log.calls("POST /containers/create").len() == 1).await;
        drop(client);
        // the gate notices the client's end of this one by the same means and at the same time
        let mut reader = gate.client("dev").await;
        assert_eq!(reader.get("/_ping").await.status, 200);
        bell.notify_one();
        let outcome = gate.outcome("ContainerCreate").await;
        assert_eq!((&outcome["status"], &outcome["id"]), (&201.into(), &"c0ffee".into()));
        assert!(!gate.fake.log().calls("POST /containers/create")[0].client_gone);
        gate.settle().await;
    }
}

#[tokio::test]
async fn whoever_leaves_at_once_leaves_no_decision_without_its_end() {
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let script = Script::new("1.41").on("POST /containers/create", created);
    let gate = Gate::start(script).await;
    let request = json("POST", "/v1.41/containers/create", r#"{"Image":"busybox"}"#);
    for patience in 0..300 {
        let mut client = gate.client("dev").await;
        client.send(&request).await;
        for _ in 0..patience * 4 {
            tokio::task::yield_now().await;
        }
        drop(client);
    }
    let allowed = |e: &serde_json::Value| e["decision"]["verdict"] == "allow";
    let events = gate.settle().await; // each allowed decision has exactly one end
    let decided = events.iter().filter(|e| allowed(e)).count();
    assert!(decided > 0, "nobody was quick enough");
}

/// What a client says last: its request, the end of TLS and of its half of the connection, in one go. It still listens.
#[tokio::test]
async fn whoever_has_said_all_is_answered() {
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let script = Script::new("1.41")
        .on("POST /containers/create", created)
        .on("GET /containers/json", Reply::json("[]"));
    let gate = Gate::start(script).await;
    let create = json("POST", "/v1.41/containers/create", r#"{"Image":"busybox"}"#);
    let list = bare("GET", "/v1.41/containers/json", "");
    for _ in 0..8 {
        for (request, status) in [(&create, 201), (&list, 200)] {
            let mut client = gate.client("dev").await;
            client.send_and_half_close(request).await;
            assert_eq!(client.answer().await.status, status);
            assert_eq!(client.rest().await, b"", "and a proper end");
        }
    }
    // of TLS alone, and of the connection alone
    for request in [&create, &list] {
        let (mut notified, mut cut) = (gate.client("dev").await, gate.client("dev").await);
        notified.send(request).await;
        notified.close_notify().await;
        cut.send(request).await;
        cut.cut_half();
        assert_eq!(notified.answer().await.status / 100, 2);
        assert_eq!(cut.answer().await.status / 100, 2);
    }
    gate.settle().await;
}

/// A stream is what nobody can be asked about in between: its client has gone when it closes its half, as for dockerd.
#[tokio::test]
async fn a_stream_ends_with_its_clients_half() {
    let gate = Gate::start(Script::new("1.41").on("GET /events", Reply::Endless)).await;
    let mut client = gate.client("dev").await;
    client.send_and_half_close(&bare("GET", "/v1.41/events", "")).await;
    assert_eq!(gate.outcome("SystemEvents").await["ended"], "client-gone");
    gate.fake.until(|log| log.calls("GET /events").iter().all(|call| call.client_gone)).await;
    gate.settle().await;
}

/// A read that takes its time, and a client whose connection breaks meanwhile.
#[tokio::test]
async fn a_read_ends_when_its_connection_breaks() {
    let held = Reply::Held(Arc::new(Notify::new()), Box::new(Reply::json("[]")));
    let gate = Gate::start(Script::new("1.41").on("GET /containers/json", held)).await;
    let mut client = gate.client("dev").await;
    client.send(bare("GET", "/v1.41/containers/json", "")).await;
    gate.fake.until(|log| log.calls("GET /containers/json").len() == 1).await;
    client.reset();
    gate.fake.until(|log| log.calls("GET /containers/json")[0].client_gone).await;
    assert_eq!(gate.outcome("ContainerList").await["ended"], "client-gone");
    gate.settle().await;
}
