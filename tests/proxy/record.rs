//! Decided, recorded, then forwarded: by the time a request arrives its decision is on disk.

use crate::client::{bare, json};
use crate::fake_daemon::{Recorded, Reply, Script};
use crate::gate::{AUTH, CONFIG, Gate, SECRET, Setup, events};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What is on disk of the request that has just arrived.
fn decision_of(audit: &Path, arrived: &Recorded) -> Vec<Value> {
    let line = arrived.line();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    // a query may carry what the log masks
    let path = |target: &str| target.split('?').next().map(str::to_owned);
    let is = |e: &Value| {
        e["stage"] == "decision"
            && e["forwarded"]["method"] == method
            && e["forwarded"]["target"].as_str().and_then(path) == path(target)
            && e["decision"]["verdict"] == "allow"
    };
    events(audit).into_iter().filter(is).collect()
}

#[tokio::test]
async fn the_decision_is_on_disk_when_the_request_arrives() {
    let directory = tempfile::tempdir().unwrap();
    let audit = directory.path().join("audit");
    let seen: Arc<Mutex<Vec<(String, usize)>>> = Arc::default();
    let (log, at) = (Arc::clone(&seen), audit.clone());
    let script = Script::new("1.41")
        .on("GET /containers/json", Reply::json("[]"))
        .on("POST /containers/web/start", Reply::status("204 No Content", "", ""))
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"c0ffee"}"#))
        .on("POST /images/create", Reply::json("{}"))
        .on("POST /images/load", Reply::json("{}"))
        .on("POST /build", Reply::json("{}"))
        .on("POST /containers/web/attach", Reply::HijackThenClose(b"bye".to_vec()))
        .witnessed(move |arrived| {
            if arrived.call() != "GET /version" {
                let found = decision_of(&at, arrived).len();
                log.lock().unwrap().push((arrived.call(), found));
            }
        });
    let gate = Gate::with(Setup { audit: Some(audit), ..Setup::new(script) }).await;
    let mut client = gate.client("admin").await;
    let auth = format!("X-Registry-Auth: {AUTH}\r\n");
    let config = format!("X-Registry-Config: {CONFIG}\r\n");
    let create = format!(r#"{{"Image":"busybox","Env":["TOKEN={SECRET}"]}}"#);
    let build = format!("/v1.41/build?buildargs=%7B%22TOKEN%22%3A%22{SECRET}%22%7D");
    let requests = [
        bare("GET", "/_ping", ""),
        bare("GET", "/v1.41/containers/json?all=1", ""),
        bare("POST", "/v1.41/containers/web/start", ""),
        json("POST", "/v1.41/containers/create?name=web", &create),
        bare("POST", "/v1.41/images/create?fromImage=busybox&tag=1", &auth),
        bare("POST", "/v1.41/images/load", "Content-Length: 3\r\n") + "tar",
        bare("POST", &build, &format!("{config}Content-Length: 3\r\n")) + "tar",
        bare("POST", "/v1.41/containers/web/attach?stream=1&stdout=1", ""),
    ];
    for request in &requests {
        let answer = client.ask(request).await;
        assert!(answer.status < 300, "{request}: {}", answer.text());
    }
    let arrived = seen.lock().unwrap().clone();
    let calls: Vec<&str> = arrived.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "GET /_ping",
            "GET /containers/json",
            "POST /containers/web/start",
            "POST /containers/create",
            "POST /images/create",
            "POST /images/load",
            "POST /build",
            "POST /containers/web/attach",
        ]
    );
    for (call, found) in &arrived {
        assert_eq!(*found, 1, "{call}");
    }
    let events = gate.settle().await;
    let made = events.iter().find(|e| e["outcome"]["id"] == "c0ffee").unwrap();
    assert_eq!((&made["stage"], &made["outcome"]["status"]), (&"complete".into(), &201.into()));
    let built = events.iter().find(|e| e["request"]["operation"] == "ImageBuild").unwrap();
    assert!(built["forwarded"]["target"].as_str().unwrap().starts_with("/v1.41/build?"), "{built}");
}

/// Some clients send all that they are given in the query too, environment and secrets among it, and what no daemon reads is
/// told in warnings: neither may keep the log from what it is to say, or tell it what it must not hold.
#[tokio::test]
async fn what_is_left_out_is_told_and_shows_no_secret_and_hides_no_id() {
    let made = Reply::status("201 Created", "", r#"{"Id":"c0ffee","Warnings":["own"]}"#);
    let gate = Gate::start(Script::new("1.41").on("POST /containers/create", made)).await;
    let keys: String = (0..63).map(|nth| format!("&k{nth}{}=1", "k".repeat(120))).collect();
    let target = format!("/v1.41/containers/create?name=web&Env=TOKEN%3D{SECRET}{keys}");
    let body = format!(r#"{{"Image":"busybox","Env":["TOKEN={SECRET}"]}}"#);
    let answer = gate.client("admin").await.ask(json("POST", &target, &body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let said: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    let warnings = said["Warnings"].as_array().unwrap().len();
    assert_eq!(warnings, 6, "its own, four of ours, and how many more: {}", answer.text());
    let call = gate.fake.log().calls("POST /containers/create")[0].clone();
    let head = String::from_utf8(call.head).unwrap();
    assert!(head.starts_with("POST /v1.41/containers/create?name=web HTTP/1.1\r\n"), "{head}");
    assert_eq!(gate.outcome("ContainerCreate").await["id"], "c0ffee");
    let events = gate.settle().await; // which finds no secret in it
    let decided = events.iter().find(|e| e["request"]["operation"] == "ContainerCreate").unwrap();
    let query = decided["request"]["query"].as_str().unwrap();
    assert!(query.starts_with("name=web&Env=***&k"), "{query}");
    let terms = decided["forwarded"]["terms"].as_array().unwrap();
    assert_eq!(terms[0], "left out: query Env");
}

#[tokio::test]
async fn an_error_of_the_daemon_is_passed_on_and_recorded() {
    let conflict = Reply::status("409 Conflict", "", r#"{"message":"name is taken"}"#);
    let gate = Gate::start(Script::new("1.41").on("POST /containers/create", conflict)).await;
    let create = json("POST", "/v1.41/containers/create", r#"{"Image":"busybox"}"#);
    let answer = gate.client("dev").await.ask(create).await;
    assert_eq!((answer.status, answer.text().contains("name is taken")), (409, true));
    let outcome = gate.outcome("ContainerCreate").await;
    assert_eq!((&outcome["status"], &outcome["error"]), (&409.into(), &"name is taken".into()));
    gate.settle().await;
}
