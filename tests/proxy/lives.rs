//! A policy that changes under open connections, and an end that cuts nobody off.

use crate::client::{Client, bare};
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;
use rustix::process::Signal;
use std::sync::Arc;
use tokio::sync::Notify;

fn script() -> Script {
    Script::new("1.41").on("GET /containers/json", Reply::json("[]"))
}

#[tokio::test]
async fn a_bad_policy_changes_nothing_and_a_good_one_holds_on_open_connections() {
    let gate = Gate::start(script()).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/v1.41/containers/json").await.status, 200);
    gate.reload("allow: { container: [\"*\"], image", "alow: { container: [\"*\"], image");
    let rejected = |e: &serde_json::Value| e["reason"] == "policy.rejected";
    let event = gate.event("the rejection", rejected).await;
    assert_eq!(event["stage"], "policy.load");
    assert!(event["text"].as_str().unwrap().contains("alow"), "{event}");
    assert_eq!(client.get("/v1.41/containers/json").await.status, 200);
    gate.reload("alow: { container: [\"*\"], image", "allow: { image");
    let loaded = |gate: &Gate| {
        let loads = gate.events().into_iter().filter(|e| e["stage"] == "policy.load");
        (loads.filter(|e| e["policy"].is_string()).count() == 2).then_some(())
    };
    crate::gate::until("the new policy", || loaded(&gate)).await;
    // the event comes first, then the policy: nothing is judged by one that is not on record
    let answer = crate::gate::soon(async {
        loop {
            let answer = client.get("/v1.41/containers/json").await;
            if answer.status != 200 {
                return answer;
            }
        }
    });
    answer.await.assert_refused(403, "verb.not-granted");
    gate.settle().await;
}

#[tokio::test]
async fn what_takes_a_restart_is_not_reloaded() {
    let gate = Gate::start(script()).await;
    gate.reload("front: {  }", "front: { connections: 5 }");
    let rejected = |e: &serde_json::Value| e["reason"] == "policy.rejected";
    let event = gate.event("the rejection", rejected).await;
    assert!(event["text"].as_str().unwrap().contains("take a restart"), "{event}");
    gate.settle().await;
}

/// What is never mounted follows where keys are.
#[tokio::test]
async fn keys_in_another_directory_are_taken() {
    let gate = Gate::start(script()).await;
    std::fs::create_dir(gate.path("moved")).unwrap();
    std::fs::copy(gate.path("server-key.pem"), gate.path("moved/key.pem")).unwrap();
    gate.loaded(|| gate.reload("key: server-key.pem", "key: moved/key.pem")).await;
    gate.settle().await;
}

#[tokio::test]
async fn an_end_waits_for_what_is_in_hand() {
    let bell = Arc::new(Notify::new());
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::status("204 No Content", "", "")));
    let mut gate = Gate::start(script().on("POST /containers/web/start", held)).await;
    let mut idle = gate.client("dev").await;
    assert_eq!(idle.get("/v1.41/containers/json").await.status, 200);
    let mut client = gate.client("dev").await;
    client.send(bare("POST", "/v1.41/containers/web/start", "")).await;
    gate.fake.until(|log| log.calls("POST /containers/web/start").len() == 1).await;
    gate.signal(Signal::TERM);
    // who is at rest is let go at once; who comes at this very moment gets nothing, and then nobody is let in
    assert_eq!(idle.rest().await, b"");
    while let Ok(mut late) = Client::connect(gate.address, "dev").await {
        assert_eq!(late.remains().await, b"");
    }
    bell.notify_one();
    assert_eq!(client.answer().await.status, 204);
    assert_eq!(client.rest().await, b"");
    gate.ended().await;
    let events = gate.settle().await;
    let ended = events.iter().rev().nth(1).unwrap();
    assert_eq!((&ended["stage"], &ended["outcome"]["status"]), (&"complete".into(), &204.into()));
}

#[tokio::test]
async fn a_stream_that_outlasts_the_drain_is_cut_and_recorded() {
    let mut gate = Gate::start(script().on("GET /events", Reply::Endless)).await;
    let mut client = gate.client("dev").await;
    client.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(client.head().await.0, 200);
    assert_eq!(client.chunk().await, b"{\"e\":1}\n");
    gate.signal(Signal::TERM);
    gate.ended().await;
    let events = gate.settle().await;
    let ended = events.iter().find(|e| e["stage"] == "complete").unwrap();
    assert_eq!(ended["outcome"]["ended"], "limit");
}
