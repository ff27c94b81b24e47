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
