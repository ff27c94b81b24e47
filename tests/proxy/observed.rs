//! `mode: observe`: what would be refused is let through and said, except what is root on the host.

use crate::client::{bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;
use serde_json::Value;

const CREATE: &str = "/v1.41/containers/create";

async fn gate() -> Gate {
    let script = Script::new("1.41")
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#))
        .on("DELETE /containers/web", Reply::status("204 No Content", "", ""));
    Gate::start(script).await
}

fn ids(decision: &Value, key: &str) -> Vec<String> {
    let all = decision["decision"][key].as_array().into_iter().flatten();
    all.map(|reason| reason["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_softened_denial_is_let_through_and_said() {
    let gate = gate().await;
    let delete = bare("DELETE", "/v1.41/containers/web", "");
    assert_eq!(gate.client("legacy").await.ask(&delete).await.status, 204);
    assert_eq!(gate.fake.log().calls("DELETE /containers/web").len(), 1);
    let events = gate.settle().await;
    let decision = events.iter().find(|e| e["stage"] == "decision").unwrap();
    assert_eq!(decision["decision"]["verdict"], "allow");
    assert_eq!(decision["decision"]["mode"], "observe");
    assert_eq!(ids(decision, "would"), ["verb.not-granted"]);
}

#[tokio::test]
async fn a_verb_that_is_root_on_the_host_is_refused_and_says_why() {
    let gate = gate().await;
    let copy = bare("PUT", "/v1.41/containers/web/archive?path=/", "Content-Length: 0\r\n");
    let refused = gate.client("legacy").await.ask(&copy).await;
    refused.assert_refused(403, "verb.not-granted");
    assert!(refused.message().contains("Refused even while observing"), "{}", refused.message());
    assert_eq!(gate.fake.log().calls("PUT /containers/web/archive").len(), 0);
    gate.settle().await;
}

#[tokio::test]
async fn root_on_the_host_is_refused_even_so_unless_somebody_said_otherwise() {
    let gate = gate().await;
    let body = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;
    let create = json("POST", CREATE, body);
    let refused = gate.client("legacy").await.ask(&create).await;
    refused.assert_refused(403, "privilege.privileged");
    assert!(refused.message().contains("Refused even while observing"), "{}", refused.message());
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 0);
    assert_eq!(gate.client("brave").await.ask(&create).await.status, 201);
    let arrived = gate.fake.log().calls("POST /containers/create");
    assert!(String::from_utf8_lossy(&arrived[0].body).contains(r#""Privileged":true"#));
    let events = gate.settle().await;
    let decisions: Vec<_> = events.iter().filter(|e| e["stage"] == "decision").collect();
    assert!(ids(decisions[0], "reasons").contains(&"privilege.privileged".to_owned()));
    assert!(ids(decisions[1], "would").contains(&"privilege.privileged".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_read_in_one_way_is_refused_even_so() {
    let gate = gate().await;
    let create = json("POST", CREATE, r#"{"Image":"a","Image":"b"}"#);
    gate.client("brave").await.ask(create).await.assert_refused(400, "json.duplicate-key");
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 0);
    gate.settle().await;
}

#[tokio::test]
async fn after_its_day_it_enforces() {
    let gate = gate().await;
    let delete = bare("DELETE", "/v1.41/containers/web", "");
    gate.client("past").await.ask(&delete).await.assert_refused(403, "verb.not-granted");
    assert_eq!(gate.fake.log().calls("DELETE /containers/web").len(), 0);
    gate.settle().await;
}
