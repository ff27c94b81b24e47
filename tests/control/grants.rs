//! A role held for a while: what it lets through, what it does not, and how it ends.

use crate::asked::{ask, refused, script, text, told};
use crate::client::{Client, bare, json};
use crate::gate::{Gate, Setup};
use serde_json::Value;

fn privileged() -> String {
    json(
        "POST",
        "/v1.41/containers/create",
        r#"{"Image":"docker.io/library/busybox","HostConfig":{"Privileged":true}}"#,
    )
}

async fn grant(gate: &Gate, arguments: &[&str]) -> String {
    let granted = told(gate, &[&["grant"], arguments].concat()).await;
    granted["grant"]["id"].as_str().unwrap().to_owned()
}

fn closed(events: &[Value], id: &str) -> Value {
    let is = |e: &&Value| e["stage"] == "grant.close" && e["parent"] == id;
    let all: Vec<&Value> = events.iter().filter(is).collect();
    assert_eq!(all.len(), 1, "one end of {id}");
    all[0].clone()
}

/// Asks until it is answered so.
async fn until_status(client: &mut Client, request: &str, status: u16) {
    let asked = async { while client.ask(request).await.status != status {} };
    crate::gate::soon(asked).await;
}

#[tokio::test]
async fn an_administrator_for_an_hour_is_one_until_it_is_taken_back() {
    let gate = Gate::start(script()).await;
    let (mut dev, mut reader) = (gate.client("dev").await, gate.client("reader").await);
    dev.ask(privileged()).await.assert_refused(403, "privilege.privileged");
    let arguments =
        ["grant", "dev", "administrator", "--for", "1h", "--reason", "disk full on web-1"];
    let said = ask(&gate, &arguments).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(text(&said.stdout).contains("ROOT ON THE HOST"), "{}", text(&said.stdout));
    assert_eq!(dev.ask(privileged()).await.status, 201);
    reader.ask(privileged()).await.assert_refused(403, "verb.not-granted");

    let status = told(&gate, &["status"]).await;
    let held = &status["grants"][0];
    assert_eq!((&held["identity"], &held["role"]), (&"dev".into(), &"administrator".into()));
    assert_eq!(held["reason"], "disk full on web-1");
    let id = held["id"].as_str().unwrap().to_owned();
    told(&gate, &["grant", "--revoke", &id, "--reason", "done"]).await;
    dev.ask(privileged()).await.assert_refused(403, "privilege.privileged");
    let again = refused(&gate, &["grant", "--revoke", &id, "--reason", "done"]).await;
    assert!(again.contains("no grant"), "{again}");

    let events = gate.settle().await;
    let open = events.iter().position(|e| e["id"] == id.as_str()).unwrap();
    let opened = &events[open];
    assert_eq!(opened["stage"], "grant.open");
    assert_eq!(opened["grant"]["role"], "administrator");
    assert_eq!((&opened["actor"]["uid"], &opened["actor"]["gid"]), (&0.into(), &0.into()));
    assert_eq!(opened["actor"]["reason"], "disk full on web-1");
    let allowed =
        events.iter().position(|e| e["decision"]["grant"].to_string().contains("administrator"));
    assert!(open < allowed.unwrap(), "recorded before it counted");
    let end = closed(&events, &id);
    assert_eq!(
        (&end["reason"], &end["actor"]["reason"]),
        (&"grant.revoked".into(), &"done".into())
    );
}

#[tokio::test]
async fn a_grant_ends_by_the_clock_and_what_only_it_allowed_ends_too() {
    let gate = Gate::start(script()).await;
    let mut executor = gate.client("executor").await;
    executor.get("/v1.41/events").await.assert_refused(403, "verb.not-granted");
    let id = grant(&gate, &["executor", "reader", "--for", "5s", "--reason", "look"]).await;
    executor.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(executor.head().await.0, 200);
    let mut reader = gate.client("reader").await;
    reader.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(reader.head().await.0, 200);
    assert_eq!(reader.chunk().await, b"{\"e\":1}\n");
    executor.remains().await;
    gate.fake.tick();
    assert_eq!(reader.chunk().await, b"{\"e\":1}\n");
    drop(reader);
    let mut executor = gate.client("executor").await;
    executor.get("/v1.41/events").await.assert_refused(403, "verb.not-granted");
    assert_eq!(told(&gate, &["status"]).await["grants"], serde_json::json!([]));

    let events = gate.settle().await;
    assert_eq!(closed(&events, &id)["reason"], "grant.expired");
    let cut = events.iter().find(|e| e["outcome"]["ended"] == "revoked").unwrap();
    assert_eq!(cut["reason"], "session.narrowed");
}

#[tokio::test]
async fn what_a_grant_may_not_be_is_refused_with_what_it_may() {
    let gate = Gate::start(script()).await;
    for (name, role, lasts, why) in [
        ("dev", "root", "1h", "there are: administrator, builder"),
        ("nobody", "administrator", "1h", "no identity of the policy can be"),
        ("dev", "developer", "1h", "dev holds developer by the policy"),
        ("dev", "administrator", "25h", "24h at most"),
        ("dev", "administrator", "10ms", "1s at least"),
    ] {
        let said = refused(&gate, &["grant", name, role, "--for", lasts, "--reason", "why"]).await;
        assert!(said.contains(why), "{said}");
    }
    let blank = ["grant", "dev", "administrator", "--for", "1h", "--reason", ""];
    assert!(refused(&gate, &blank).await.contains("a reason is needed"));
    let no_time =
        ask(&gate, &["grant", "dev", "administrator", "--for", "1", "--reason", "why"]).await;
    assert_eq!(no_time.status.code(), Some(2));
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "grant.open"));
}

#[tokio::test]
async fn only_what_is_to_persist_outlasts_a_restart() {
    let log = tempfile::tempdir().unwrap();
    let setup = || Setup { audit: Some(log.path().join("audit")), ..Setup::new(script()) };
    let gate = Gate::with(setup()).await;
    let gone = grant(&gate, &["dev", "administrator", "--for", "1h", "--reason", "short"]).await;
    let arguments = ["reader", "administrator", "--for", "1h", "--reason", "long", "--persist"];
    let kept = grant(&gate, &arguments).await;
    let events = gate.settle().await;
    for id in [&gone, &kept] {
        assert_eq!(closed(&events, id)["reason"], "gate.stopped");
    }

    let gate = Gate::with(setup()).await;
    let (mut dev, mut reader) = (gate.client("dev").await, gate.client("reader").await);
    dev.ask(privileged()).await.assert_refused(403, "privilege.privileged");
    assert_eq!(reader.ask(privileged()).await.status, 201);
    let resumed = |e: &Value| e["stage"] == "grant.open" && e["reason"] == "grant.resumed";
    assert_eq!(gate.event("the grant again", resumed).await["parent"], kept.as_str());
    told(&gate, &["grant", "--revoke", &kept, "--reason", "done"]).await;
    reader.ask(privileged()).await.assert_refused(403, "verb.not-granted");
    gate.settle().await;

    let gate = Gate::with(setup()).await;
    let mut reader = gate.client("reader").await;
    reader.ask(privileged()).await.assert_refused(403, "verb.not-granted");
    gate.settle().await;
}

#[tokio::test]
async fn a_policy_without_the_role_closes_the_grant_for_good() {
    let gate = Gate::start(script()).await;
    let id = grant(&gate, &["executor", "loader", "--for", "1h", "--reason", "load"]).await;
    let kept = grant(&gate, &["executor", "reader", "--for", "1h", "--reason", "look"]).await;
    let policy = std::fs::read_to_string(gate.path("dockward.yaml")).unwrap();
    let without = policy.replace("loader", "packer");
    std::fs::write(gate.path("dockward.yaml"), &without).unwrap();
    told(&gate, &["reload"]).await;
    std::fs::write(gate.path("dockward.yaml"), &policy).unwrap();
    told(&gate, &["reload"]).await;
    let status = told(&gate, &["status"]).await;
    let left: Vec<_> = status["grants"].as_array().unwrap().iter().map(|g| &g["id"]).collect();
    assert_eq!(left, [kept.as_str()], "it does not come back with the role");
    let mut executor = gate.client("executor").await;
    until_status(&mut executor, &bare("GET", "/v1.41/containers/json", ""), 200).await;
    let events = gate.settle().await;
    assert_eq!(closed(&events, &id)["reason"], "grant.role-gone");
    assert_eq!(closed(&events, &kept)["reason"], "gate.stopped");
}
