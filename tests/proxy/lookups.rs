//! What the daemon is asked before a decision: bounded for one request, and nothing for what is refused in
//! any case.

use crate::client::{Client, bare, json};
use crate::fake_daemon::{Log, Reply, Script};
use crate::gate::{Gate, soon};
use std::sync::Arc;
use tokio::sync::Notify;

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

/// `docker run --rm` waits until the container is removed that could not start, and the daemon has not heard of the start.
#[tokio::test]
async fn a_container_that_is_to_go_when_it_ends_goes_where_its_start_is_refused_to_its_maker() {
    let id = |letter: &str| letter.repeat(64);
    let inspected = |letter: &str| {
        let (id, image) = (id(letter), id("5"));
        format!(
            r#"{{"Id":"{id}","Image":"sha256:{image}","State":{{"Running":false}},"Config":{{}},"HostConfig":{{"Privileged":true}},"Mounts":[]}}"#
        )
    };
    let made =
        |letter: &str| Reply::status("201 Created", "", &format!(r#"{{"Id":"{}"}}"#, id(letter)));
    let removes = format!("DELETE /containers/{}", id("a"));
    let mut script = Script::new("1.41").on("POST /containers/create", made("a"));
    script = script.on(&removes, Reply::status("204 No Content", "", ""));
    for letter in ["a", "b"] {
        script =
            script.knows(&format!("/containers/{}/json", id(letter)), Some(&inspected(letter)));
    }
    let gate = Gate::start(script).await;
    let (mut dev, mut reader) = (gate.client("dev").await, gate.client("reader").await);
    let start = |letter: &str| bare("POST", &format!("/v1.41/containers/{}/start", id(letter)), "");
    let removed = || gate.fake.log().calls(&removes).len();

    let fleeting = r#"{"Image":"busybox","HostConfig":{"AutoRemove":true}}"#;
    assert_eq!(dev.ask(json("POST", CREATE, fleeting)).await.status, 201);
    reader.ask(start("a")).await.assert_refused(403, "verb.not-granted");
    dev.ask(start("b")).await.assert_refused(403, "privilege.privileged");
    assert_eq!(removed(), 0, "neither another's, nor another one");
    dev.ask(start("a")).await.assert_refused(403, "privilege.privileged");
    assert_eq!(removed(), 1);
    let calls = gate.fake.log().calls(&removes);
    let head = String::from_utf8_lossy(&calls[0].head).into_owned();
    assert!(head.starts_with(&*format!("DELETE /v1.41/containers/{}?v=1 ", id("a"))), "{head}");
    dev.ask(start("a")).await.assert_refused(403, "privilege.privileged");
    assert_eq!(removed(), 1, "once");

    let lasting = r#"{"Image":"busybox","HostConfig":{"AutoRemove":false}}"#;
    assert_eq!(dev.ask(json("POST", CREATE, lasting)).await.status, 201);
    dev.ask(start("a")).await.assert_refused(403, "privilege.privileged");
    assert_eq!(removed(), 1, "one that stays");

    let lines = gate.settle().await;
    let own: Vec<_> =
        lines.iter().filter(|line| line["decision"]["grant"] == "AutoRemove").collect();
    assert_eq!(own.len(), 1, "{own:?}");
    let end = lines.iter().find(|line| line["parent"] == own[0]["id"]).unwrap();
    assert_eq!((&end["stage"], &end["outcome"]["status"]), (&"complete".into(), &204.into()));
    let follows = lines.iter().find(|line| line["id"] == own[0]["parent"]).unwrap();
    assert_eq!(follows["decision"]["verdict"], "deny");
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

/// Makes an exec in a container; how many things were looked up for it.
async fn exec(gate: &Gate, client: &mut Client, container: &str) -> usize {
    let before = gate.fake.log().asked.len();
    let target = format!("/v1.41/containers/{container}/exec");
    let answer = client.ask(json("POST", &target, r#"{"Cmd":["true"],"User":"1000"}"#)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    gate.fake.log().asked.len() - before
}

/// What carried somebody's request is looked at once, as long as the daemon would tell that it is another by now.
#[tokio::test]
async fn a_container_is_looked_at_once_by_its_id_and_for_each_who_asks() {
    let (web, made) = ("c".repeat(64), "e".repeat(64));
    let inspected = format!(
        r#"{{"Id":"{web}","Image":"sha256:{}","State":{{"Running":true}},"Config":{{"User":"1000"}},"HostConfig":{{}},
        "Mounts":[]}}"#,
        "5".repeat(64),
    );
    let created = Reply::status("201 Created", "", &format!(r#"{{"Id":"{made}"}}"#));
    let script = Script::new("1.41")
        .happens()
        .knows("/containers/web/json", Some(&inspected))
        .knows(&format!("/containers/{web}/json"), Some(&inspected))
        .on(&format!("POST /containers/{web}/exec"), created)
        .on(&format!("POST /exec/{made}/start"), Reply::status("200 OK", "", ""))
        .on(&format!("POST /containers/{web}/rename"), Reply::status("204 No Content", "", ""));
    let gate = Gate::start(script).await;
    let [mut dev, mut executor] = [gate.client("dev").await, gate.client("executor").await];
    let reaches = async |client: &mut Client, asked: usize| {
        let all = async { while exec(&gate, client, &web).await != asked {} };
        soon(all).await;
    };

    // the container, until what happens is heard
    assert_eq!(exec(&gate, &mut dev, &web).await, 1);
    reaches(&mut dev, 0).await;
    assert_eq!(exec(&gate, &mut dev, &web).await, 0);
    let before = gate.fake.log().asked.len();
    let start = format!("/v1.41/exec/{made}/start");
    assert_eq!(dev.ask(json("POST", &start, r#"{"Detach":true}"#)).await.status, 200);
    assert_eq!(gate.fake.log().asked.len(), before, "the exec that was made through the gate");

    // by a name, and by another, which does not know whose exec that is
    assert_eq!(exec(&gate, &mut dev, "web").await, 1);
    let answer = executor.ask(json("POST", &start, r#"{"Detach":true}"#)).await;
    assert_eq!(gate.fake.log().asked.len() - before, 3, "{}", answer.text());
    assert_eq!(exec(&gate, &mut executor, &web).await, 0);

    // somebody does something to it elsewhere, or works in it
    reaches(&mut dev, 0).await;
    let event = |action: &str| {
        format!(r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"{web}"}}}}"#)
    };
    gate.fake.happen(&event("exec_create: true"));
    gate.fake.happen(&event("update"));
    reaches(&mut dev, 1).await;
    reaches(&mut dev, 0).await;

    // and through the gate
    let target = format!("/v1.41/containers/{web}/rename?name=other");
    assert_eq!(dev.ask(bare("POST", &target, "")).await.status, 204);
    assert_eq!(exec(&gate, &mut dev, &web).await, 1);
    assert_eq!(gate.fake.log().heard, 1);
    gate.settle().await;
}

/// Volumes have no id: what was looked at under a name is still that when the daemon looks.
#[tokio::test]
async fn a_name_of_a_volume_is_one_requests_at_a_time() {
    let bell = Arc::new(Notify::new());
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let held = Reply::Held(Arc::clone(&bell), Box::new(created));
    let gate = Gate::start(Script::new("1.41").on("POST /containers/create", held)).await;
    let with = |volume: &str| {
        let body = format!(r#"{{"Image":"busybox","HostConfig":{{"Binds":["{volume}:/v"]}}}}"#);
        json("POST", &format!("{CREATE}?name={volume}"), &body)
    };
    let creates = |log: &Log| log.calls("POST /containers/create").len();
    let mut clients = Vec::new();
    for (nth, volume) in ["data", "data", "other"].into_iter().enumerate() {
        let mut client = gate.client("admin").await;
        client.send(with(volume)).await;
        if nth == 0 {
            gate.fake.until(|log| creates(log) == 1).await;
        }
        clients.push(client);
    }
    let log = gate.fake.until(|log| creates(log) == 2).await;
    let bodies = log.calls("POST /containers/create");
    let uses = |volume: &str| bodies.iter().filter(|one| one.text().contains(volume)).count();
    assert_eq!((uses("data"), uses("other")), (1, 1), "another name waits for nobody");
    bell.notify_one();
    bell.notify_one();
    gate.fake.until(|log| creates(log) == 3).await;
    bell.notify_one();
    for client in &mut clients {
        assert_eq!(client.answer().await.status, 201);
    }
    gate.settle().await;
}
