//! Whoever works in a container of his own by its id has the daemon asked once, and again as soon as the daemon tells
//! that it is another: a real one, whose events have to be read as it writes them.

use super::dockerd::{Engine, PrivateDaemon};
use super::http::Side;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Works, and reads in the log what was looked up for it.
pub(crate) fn play(engine: Engine) {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let gate = super::tenants::gate(&scratch.path().join("gate"), &daemon.socket);
    let (anna, straight) =
        (Side::gate(gate.port, gate.bundle("anna")), Side::daemon(&daemon.socket));
    let post = |side: &Side, target: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = side.send("POST", &format!("/v1.41{target}"), &body);
        assert!((200..300).contains(&answer.status), "{target}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    };
    let id = |made: &Value| made["Id"].as_str().unwrap().to_owned();
    let made = post(
        &anna,
        "/containers/create?name=web",
        json!({ "Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": { "Binds": ["data:/data"] } }),
    );
    let container = id(&made);
    post(&anna, &format!("/containers/{container}/start"), Value::Null);
    // whether the container that the last exec was made in was remembered, and then the exec itself
    let exec = || {
        let target = format!("/containers/{container}/exec");
        let exec = id(&post(&anna, &target, json!({ "Cmd": ["true"] })));
        let start = format!("/v1.41/exec/{exec}/start");
        assert_eq!(anna.send("POST", &start, &json!({ "Detach": true }).to_string()).status, 200);
        let events = gate.audit();
        let told = |operation: &str| {
            let mut decisions = events.iter().rev().filter(|event| event["stage"] == "decision");
            let last = decisions.find(|event| event["request"]["operation"] == operation).unwrap();
            last["decision"]["facts"]["remembered"] == true
        };
        (told("ContainerExec"), told("ExecStart"))
    };
    let until = |remembered: (bool, bool)| {
        let began = Instant::now();
        while exec() != remembered {
            assert!(began.elapsed() < Duration::from_secs(20), "never {remembered:?}");
        }
    };
    assert_eq!(exec(), (false, true), "what is made is known, what is there is looked at");
    until((true, true));
    post(&straight, "/networks/create", json!({ "Name": "n", "CheckDuplicate": true }));
    let of_container = |what: &str| format!("/containers/{container}/{what}");
    let changes = [
        vec![(of_container("rename?name=other"), Value::Null)],
        vec![(of_container("pause"), Value::Null), (of_container("unpause"), Value::Null)],
        vec![("/networks/n/connect".to_owned(), json!({ "Container": container }))],
        vec![(of_container("update"), json!({ "CpuShares": 512 }))],
    ];
    for change in changes {
        until((true, true));
        for (target, body) in change {
            post(&straight, &target, body);
        }
        until((false, true));
    }
    super::log::judge(&gate.end());
}
