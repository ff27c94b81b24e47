//! A daemon that goes away and comes back, perhaps as another; and which versions of it are spoken.

use crate::client::{bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, soon};
use serde_json::Value;
use std::time::{Duration, Instant};

const CREATE: &str = "/v1.41/containers/create";
const PRIVILEGED: &str = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;

/// Decisions with this verdict, and this reason if one is asked for.
fn decided(events: &[Value], verdict: &str, reason: Option<&str>) -> usize {
    let is = |event: &&Value| {
        let decision = &event["decision"];
        let because = |reason| decision["reasons"][0]["id"] == reason;
        decision["verdict"] == verdict && reason.is_none_or(because)
    };
    events.iter().filter(is).count()
}

/// What three clients ask for, one after the other: something that is granted without a look at the daemon, something that
/// is granted by one, what policy refuses, and what no role has. Gives how often each status came.
async fn mixed(gate: &Gate, rounds: usize) -> std::collections::BTreeMap<u16, usize> {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (mut dev, mut reader) = (gate.client("dev").await, gate.client("reader").await);
        clients.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..rounds {
                statuses.push(dev.get("/containers/json").await.status);
                let plain = json("POST", CREATE, r#"{"Image":"busybox"}"#);
                statuses.push(dev.ask(plain).await.status);
                let refused = dev.ask(json("POST", CREATE, PRIVILEGED)).await;
                refused.assert_refused(403, "privilege.privileged");
                statuses.push(refused.status);
                let ungranted = reader.ask(bare("POST", "/v1.41/containers/web/start", "")).await;
                ungranted.assert_refused(403, "verb.not-granted");
                statuses.push(ungranted.status);
            }
            statuses
        });
    }
    let mut count = std::collections::BTreeMap::new();
    for status in clients.join_all().await.into_iter().flatten() {
        *count.entry(status).or_default() += 1;
    }
    count
}

#[tokio::test]
async fn what_is_asked_while_the_daemon_is_away_is_on_record_with_its_verdict() {
    let mut gate = Gate::start(list("1.41")).await;
    gate.fake.stop().await;
    // never asked, and known from before
    for known in [false, true] {
        if known {
            gate.fake.restart(list("1.41"));
            assert_eq!(gate.client("dev").await.get("/containers/json").await.status, 200);
            gate.fake.stop().await;
        }
        let before = gate.events();
        let arrived = gate.fake.log().bytes;
        let count = mixed(&gate, 125).await;
        assert_eq!(count.into_iter().collect::<Vec<_>>(), [(403, 750), (502, 750)]);
        assert_eq!(gate.fake.log().bytes, arrived);
        let events = gate.events().split_off(before.len());
        assert_eq!(decided(&events, "deny", Some("privilege.privileged")), 375, "known: {known}");
        assert_eq!(decided(&events, "deny", Some("verb.not-granted")), 375);
        let away = decided(&events, "deny", Some("daemon.away"));
        assert_eq!(away + decided(&events, "allow", None), 750);
    }
    let lines = gate.said().lines().filter(|line| line.contains("did not answer")).count();
    assert!(lines < 40, "{lines} lines for an operator");
    gate.settle().await;
}

#[tokio::test]
async fn a_daemon_that_hangs_keeps_nobody_whose_request_is_refused() {
    let script = list("1.41").on("GET /version", Reply::Stalled);
    let gate = Gate::start(script).await;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut dev = gate.client("dev").await;
        waiting.spawn(async move { dev.get("/containers/json").await });
    }
    gate.fake.until(|log| !log.calls("GET /version").is_empty()).await;
    let asked = Instant::now();
    let mut dev = gate.client("dev").await;
    for _ in 0..100 {
        let refused = dev.ask(json("POST", CREATE, PRIVILEGED)).await;
        refused.assert_refused(403, "privilege.privileged");
    }
    let patience = Duration::from_secs(10); // one of them that waited would have taken all of it
    assert!(asked.elapsed() < patience, "{:?}", asked.elapsed());
    for answer in soon(waiting.join_all()).await {
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(answer.message().contains("daemon is away"), "{}", answer.text());
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(gate.fake.log().calls("GET /version").len() <= cores, "one question for all who wait");
    let events = gate.settle().await;
    assert_eq!(decided(&events, "deny", Some("daemon.away")), 20);
    assert_eq!(decided(&events, "deny", Some("privilege.privileged")), 100);
}

#[tokio::test]
async fn a_daemon_that_comes_and_goes_leaves_no_request_without_a_verdict() {
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let script = || list("1.41").on("POST /containers/create", created.clone());
    let mut gate = Gate::start(script()).await;
    for up in [true, false, true, false, true] {
        if !up {
            gate.fake.stop().await;
        } else if gate.fake.log().connections > 0 {
            gate.fake.restart(script());
        }
        let count = mixed(&gate, 50).await;
        assert_eq!(count[&403], 300);
        assert_eq!(count.values().sum::<usize>(), 600, "{count:?}");
        assert_eq!(count.contains_key(&502), !up, "{count:?}");
    }
    let arrived: usize =
        gate.fake.log().requests.iter().filter(|r| r.call() != "GET /version").count();
    let events = gate.settle().await;
    assert_eq!(events.iter().filter(|e| e["stage"] == "decision").count(), 3000);
    assert_eq!(decided(&events, "deny", Some("privilege.privileged")), 750);
    assert!(decided(&events, "allow", None) >= arrived, "nothing arrived without a record");
}

#[tokio::test]
async fn what_comes_after_a_lost_connection_is_refused_without_it() {
    let mut gate = Gate::start(list("1.41").close_after(1)).await;
    let mut dev = gate.client("dev").await;
    assert_eq!(dev.get("/containers/json").await.status, 200);
    gate.fake.stop().await;
    let arrived = gate.fake.log().bytes;
    let refused = dev.ask(json("POST", CREATE, PRIVILEGED)).await;
    refused.assert_refused(403, "privilege.privileged");
    assert_eq!(dev.get("/containers/json").await.status, 502);
    assert_eq!(gate.fake.log().bytes, arrived);
    let events = gate.settle().await;
    assert_eq!(decided(&events, "deny", Some("privilege.privileged")), 1);
}

#[tokio::test]
async fn a_version_that_an_older_daemon_does_not_have_is_asked_for_again() {
    let mut gate = Gate::start(list("1.41")).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/v1.41/containers/json").await.status, 200);
    client.get("/v1.44/containers/json").await.assert_refused(400, "version.range");
    gate.fake.stop().await;
    gate.fake.restart(list("1.44"));
    // the gate has yet to find out that it is another one
    let newer = async {
        while client.get("/v1.44/containers/json").await.status != 200 {
            assert_eq!(client.get("/_ping").await.status, 200);
        }
    };
    soon(newer).await;
    gate.fake.stop().await;
    gate.fake.restart(list("1.41"));
    assert_eq!(client.get("/v1.41/containers/json").await.status, 200);
    client.get("/v1.44/containers/json").await.assert_refused(400, "version.range");
    gate.settle().await;
}

fn list(newest: &str) -> Script {
    Script::new(newest).on("GET /containers/json", Reply::json("[]"))
}

#[tokio::test]
async fn away_is_said_at_once_and_the_daemon_is_found_again_as_it_is() {
    let mut gate = Gate::start(list("1.41")).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/containers/json").await.status, 200);
    gate.fake.stop().await;
    let asked = std::time::Instant::now();
    for _ in 0..2 {
        let answer = client.get("/containers/json").await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(answer.message().contains("daemon is away"), "{}", answer.text());
    }
    assert!(asked.elapsed().as_secs() < 2, "{:?} is not at once", asked.elapsed());
    gate.fake.restart(list("1.44"));
    assert_eq!(client.get("/containers/json").await.status, 200);
    let lines: Vec<String> = gate.fake.log().requests.iter().map(|r| r.line()).collect();
    assert_eq!(
        lines,
        [
            "GET /version HTTP/1.1",
            "GET /v1.41/containers/json HTTP/1.1",
            "GET /version HTTP/1.1",
            "GET /v1.44/containers/json HTTP/1.1",
        ]
    );
    assert_eq!(client.get("/v1.44/containers/json").await.status, 200);
    gate.settle().await;
}

#[tokio::test]
async fn a_write_that_the_daemon_dies_of_is_not_sent_again() {
    let script = list("1.41").on("POST /containers/web/start", Reply::HangUp);
    let gate = Gate::start(script).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/containers/json").await.status, 200);
    let answer = client.ask(bare("POST", "/v1.41/containers/web/start", "")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(gate.fake.log().calls("POST /containers/web/start").len(), 1);
    assert_eq!(gate.outcome("ContainerStart").await["ended"], "daemon-gone");
    gate.settle().await;
}

#[tokio::test]
async fn only_versions_in_range_are_spoken_and_clients_are_told() {
    let gate = Gate::start(list("1.99")).await;
    let mut client = gate.client("dev").await;
    let cases = [
        ("/v1.37", "client version 1.37 is too old. Minimum supported API version is 1.38"),
        ("/v1.57", "client version 1.57 is too new. Maximum supported API version is 1.56"),
    ];
    for (version, words) in cases {
        let answer = client.get(&format!("{version}/containers/json")).await;
        answer.assert_refused(400, "version.range");
        assert!(answer.message().starts_with(words), "{}", answer.message());
    }
    assert_eq!(gate.fake.log().requests.len(), 0, "what no daemon could have is refused unasked");
    for (path, arrived) in [
        ("/containers/json", "GET /v1.56/containers/json HTTP/1.1"),
        ("/v1.38/containers/json", "GET /v1.38/containers/json HTTP/1.1"),
        ("/v1.56/containers/json", "GET /v1.56/containers/json HTTP/1.1"),
    ] {
        assert_eq!(client.get(path).await.status, 200);
        assert_eq!(gate.fake.log().requests.last().unwrap().line(), arrived);
    }
    let ping = client.get("/_ping").await;
    assert_eq!(ping.header("api-version").as_deref(), Some("1.56"));
    let version = client.get("/version").await;
    let told: serde_json::Value = serde_json::from_slice(&version.body).unwrap();
    let engine = &told["Components"][0]["Details"];
    for told in [&told, engine] {
        assert_eq!((&told["ApiVersion"], &told["MinAPIVersion"]), (&"1.56".into(), &"1.38".into()));
    }
    gate.settle().await;
}
