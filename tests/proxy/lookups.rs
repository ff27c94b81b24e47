//! What the daemon is asked before a decision: bounded for one request, and nothing for what is refused in
//! any case.

use crate::client::{bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;

const CREATE: &str = "/v1.41/containers/create";

/// A create with that many volumes by name.
fn create(volumes: usize, more: &str) -> String {
    let binds: Vec<_> = (0..volumes).map(|nth| format!(r#""v{nth}:/v{nth}""#)).collect();
    let host = format!(r#"{{"Binds":[{}]{more}}}"#, binds.join(","));
    json("POST", CREATE, &format!(r#"{{"Image":"busybox","HostConfig":{host}}}"#))
}

/// A daemon on which container `web` has that many volumes.
fn script(volumes: usize) -> Script {
    let mounts = (0..volumes)
        .map(|nth| format!(r#"{{"Type":"volume","Name":"v{nth}","Destination":"/v{nth}"}}"#))
        .collect::<Vec<_>>()
        .join(",");
    let web = format!(
        r#"{{"Id":"{}","Image":"sha256:{}","State":{{"Running":false}},"Config":{{}},"HostConfig":{{}},"Mounts":[{mounts}]}}"#,
        "c".repeat(64),
        "5".repeat(64),
    );
    Script::new("1.41")
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#))
        .on(
            &format!("POST /containers/{}/start", "c".repeat(64)),
            Reply::status("204 No Content", "", ""),
        )
        .knows("/containers/web/json", Some(&web))
}

#[tokio::test]
async fn nothing_is_looked_up_for_what_is_refused_in_any_case() {
    let gate = Gate::start(script(0)).await;
    let mut dev = gate.client("dev").await;
    let refused = dev.ask(create(60, r#","Privileged":true,"NetworkMode":"a6f29""#)).await;
    refused.assert_refused(403, "privilege.privileged");
    assert!(!refused.text().contains("cannot be looked at"), "{}", refused.text());
    assert_eq!(gate.fake.log().asked, Vec::<String>::new());
    let allowed = dev.ask(create(60, r#","NetworkMode":"a6f29""#)).await;
    assert_eq!(allowed.status, 201, "{}", allowed.text());
    assert_eq!(gate.fake.log().asked.len(), 62, "{:?}", gate.fake.log().asked);
    gate.settle().await;
}

#[tokio::test]
async fn a_request_that_names_more_than_is_looked_up_for_one_is_refused_unasked() {
    let gate = Gate::start(script(0)).await;
    let mut dev = gate.client("dev").await;
    let refused = dev.ask(create(384, "")).await;
    refused.assert_refused(403, "lookups.too-many");
    assert!(refused.text().contains("385 things"), "{}", refused.text());
    assert_eq!(gate.fake.log().asked, Vec::<String>::new());
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 0);
    // of whom nothing is to be known it is not asked
    assert_eq!(gate.client("admin").await.ask(create(384, "")).await.status, 201);
    assert_eq!(gate.fake.log().asked, Vec::<String>::new());
    assert_eq!(dev.ask(create(63, "")).await.status, 201);
    assert_eq!(gate.fake.log().asked.len(), 64);
    gate.settle().await;
}

/// The container, its image, each volume, and each place in it where one is mounted.
#[tokio::test]
async fn every_round_counts() {
    for (volumes, status, asked) in [(63, 403, 1), (32, 403, 34), (31, 204, 65)] {
        let gate = Gate::start(script(volumes)).await;
        let mut dev = gate.client("dev").await;
        let answer = dev.ask(bare("POST", "/v1.41/containers/web/start", "")).await;
        assert_eq!(answer.status, status, "{volumes}: {}", answer.text());
        let log = gate.fake.log();
        let inside = log.requests.iter().filter(|one| one.call().starts_with("HEAD /containers/"));
        // the container is looked at once more before it is looked into
        assert_eq!(log.asked.len() + inside.count(), asked, "{volumes}: {:?}", log.asked);
        gate.settle().await;
    }
}
