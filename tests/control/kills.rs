//! What an operator ends, ends; what stands beside it does not.

use crate::asked::{refused, script, told};
use crate::client::{Client, bare};
use crate::gate::Gate;
use serde_json::{Value, json};

async fn streaming(gate: &Gate, name: &str) -> Client {
    let mut client = gate.client(name).await;
    client.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(client.head().await.0, 200);
    assert_eq!(client.chunk().await, b"{\"e\":1}\n");
    client
}

async fn goes_on(gate: &Gate, client: &mut Client) {
    gate.fake.tick();
    assert!(client.chunk().await.starts_with(b"{\"e\":"));
}

/// The record of who ended it, which comes before each end.
fn killed(events: &[Value]) -> (usize, &Value) {
    events.iter().enumerate().find(|(_, e)| e["stage"] == "session.kill").unwrap()
}

#[tokio::test]
async fn one_session_is_ended_by_its_id_and_its_neighbour_is_not() {
    let gate = Gate::start(script()).await;
    let mut doomed = streaming(&gate, "dev").await;
    let mut neighbour = streaming(&gate, "dev").await;
    let listed = told(&gate, &["sessions"]).await;
    let id = listed["connections"][0]["open"][0]["id"].as_str().unwrap().to_owned();
    let ended = told(&gate, &["sessions", "kill", &id, "--reason", "runs wild"]).await;
    assert_eq!(ended, json!({ "connections": 0, "sessions": 1, "running": 0 }));
    doomed.remains().await;
    goes_on(&gate, &mut neighbour).await;
    let again = refused(&gate, &["sessions", "kill", &id, "--reason", "runs wild"]).await;
    assert!(again.contains("is not open"), "{again}");
    drop(neighbour);

    let events = gate.settle().await;
    let (at, kill) = killed(&events);
    assert_eq!(kill["parent"], id.as_str());
    assert_eq!(kill["identity"]["name"], "dev");
    assert_eq!(kill["actor"]["uid"], 0);
    assert_eq!(kill["actor"]["reason"], "runs wild");
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_dockward")).unwrap();
    assert_eq!(kill["actor"]["executable"], program.to_str().unwrap());
    let end = events.iter().position(|e| e["parent"] == id.as_str() && !e["outcome"].is_null());
    let end = end.unwrap();
    assert!(end > at, "recorded before it was done");
    assert_eq!(events[end]["outcome"]["ended"], "revoked");
    assert_eq!(events[end]["reason"], "session.killed");
    assert_eq!(events[end]["text"], "runs wild");
}

#[tokio::test]
async fn a_connection_and_an_identity_are_ended_with_all_that_is_open() {
    let gate = Gate::start(script()).await;
    let mut first = streaming(&gate, "dev").await;
    let mut second = streaming(&gate, "dev").await;
    let mut third = gate.client("dev").await;
    let mut reader = streaming(&gate, "reader").await;
    let number = told(&gate, &["sessions"]).await["connections"][0]["connection"].to_string();
    let ended = told(&gate, &["sessions", "kill", &number, "--reason", "one"]).await;
    assert_eq!(ended, json!({ "connections": 1, "sessions": 1, "running": 0 }));
    first.remains().await;
    goes_on(&gate, &mut second).await;
    let ended = told(&gate, &["sessions", "kill", "identity:dev", "--reason", "all"]).await;
    assert_eq!(ended, json!({ "connections": 2, "sessions": 1, "running": 0 }));
    second.remains().await;
    assert_eq!(third.remains().await, b"");
    goes_on(&gate, &mut reader).await;
    drop(reader);
    // who was ended is not kept away
    assert_eq!(gate.client("dev").await.get("/v1.41/containers/json").await.status, 200);

    let events = gate.settle().await;
    let (_, kill) = killed(&events);
    assert_eq!(kill["client"]["connection"], number.as_str());
    let closed = events.iter().filter(|e| e["stage"] == "session.close");
    assert_eq!(closed.filter(|e| e["reason"] == "session.killed").count(), 3);
}

#[tokio::test]
async fn what_is_not_there_and_what_has_no_reason_is_refused() {
    let gate = Gate::start(script()).await;
    let mut dev = streaming(&gate, "dev").await;
    for (id, why) in [
        ("999", "is not open"),
        ("identity:nobody", "is not open"),
        ("01a20058-8381-7720-a487-638967d62255", "is not open"),
        ("all", "is no session"),
    ] {
        let said = refused(&gate, &["sessions", "kill", id, "--reason", "r"]).await;
        assert!(said.contains(why), "{id}: {said}");
    }
    let said = refused(&gate, &["sessions", "kill", "identity:dev", "--reason", " "]).await;
    assert!(said.contains("a reason is needed"), "{said}");
    goes_on(&gate, &mut dev).await;
    drop(dev);
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.kill"));
}
