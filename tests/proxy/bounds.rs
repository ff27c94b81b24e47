//! Bounds on what one identity may hold, and what is said to who comes up against them.

use crate::client::{Answer, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, Setup};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Notify;

const CREATE: &str = "/v1.41/containers/create";

async fn gate(front: &'static str) -> Gate {
    let script = Script::new("1.41")
        .on("GET /events", Reply::Endless)
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
    Gate::with(Setup { front, ..Setup::new(script) }).await
}

/// Identities with limits, before the roles: whoever has some has what others make labelled too.
const LIMITED: &str = r#"  - { name: paced, match: { cn: paced }, limits: paced, roles: [paced] }
  - { name: hasty, match: { cn: hasty }, limits: hasty, roles: [reader] }
  - { name: unruly, match: { cn: unruly }, limits: unruly, roles: [paced] }
  - { name: alone, match: { cn: alone }, owner: team, limits: seated, roles: [reader] }
  - { name: along, match: { cn: along }, owner: team, limits: seated, roles: [reader] }
  - { name: scaled, match: { cn: scaled }, limits: scaled, roles: [paced] }
  - { name: counted, match: { cn: counted }, limits: counted, roles: [paced] }
limits:
  counted: { containers: 2000 }
  paced: { streams: 3, execs: 1, builds: 1 }
  hasty: { requests: 5/s }
  unruly: { requests: 1/s }
  seated: { connections: 2 }
  scaled: { containers: 5, memory: 100MiB }
roles:
  paced: { scope: any, admission: unrestricted, allow: { container: ["*"], service: ["*"], build: [create], system: [info, events] }, images: { run: ["**"] } }
"#;

/// What a daemon says of services that manages no swarm.
fn no_swarm() -> Reply {
    let body = r#"{"message":"This node is not a swarm manager."}"#;
    Reply::status("503 Service Unavailable", "", body)
}

async fn limited(script: Script) -> Gate {
    let edits = vec![("roles:\n", LIMITED.to_owned())];
    Gate::with(Setup { edits, ..Setup::new(script) }).await
}

fn assert_retry(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    assert!(answer.message().contains(words), "{}", answer.text());
}

#[tokio::test]
async fn connections_of_an_identity() {
    let gate = gate("connections_per_identity: 1").await;
    let mut first = gate.client("dev").await;
    assert_eq!(first.get("/_ping").await.status, 200);
    let mut second = gate.client("dev").await;
    assert_retry(&second.get("/_ping").await, "1 are open [connections.too-many-of-identity]");
    assert_eq!(second.rest().await, b"");
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200, "others are free");
    let events = gate.settle().await;
    assert!(events.iter().any(|e| e["stage"] == "connection.refused"), "{events:#?}");
}

/// What a service is to have counts, whether it is there yet or not; its tasks that are there do not count besides.
#[tokio::test]
async fn tasks_of_services() {
    let spec = |tasks: u64| {
        format!(
            r#"{{"Name":"web","TaskTemplate":{{"ContainerSpec":{{"Image":"busybox"}},"Resources":{{"Limits":{{"MemoryBytes":20971520}}}}}},"Mode":{{"Replicated":{{"Replicas":{tasks}}}}}}}"#
        )
    };
    let id = "w".repeat(25);
    let there = format!(r#"{{"ID":"{id}","Spec":{}}}"#, spec(3));
    let task = r#"{"Id":"1","State":"running","Labels":{"com.docker.swarm.service.id":"w"}}"#;
    let made = Reply::status("201 Created", "", r#"{"ID":"x"}"#);
    let script = Script::new("1.41")
        .on("GET /containers/json", Reply::json(&format!("[{task}]")))
        .on("GET /services", Reply::json(&format!("[{there}]")))
        .on("GET /services/web", Reply::json(&there))
        .on("POST /services/create", made)
        .on(&format!("POST /services/{id}/update"), Reply::json("{}"));
    let gate = limited(script).await;
    let mut scaled = gate.client("scaled").await;
    let create = |tasks| json("POST", "/v1.41/services/create", &spec(tasks));
    let update = |tasks| json("POST", "/v1.41/services/web/update?version=1", &spec(tasks));
    let back = "/v1.41/services/web/update?version=1&rollback=previous";
    for (request, most) in [
        (create(3), "3 of 5 [limit.containers]"),
        (update(6), "3 of 5 [limit.containers]"),
        (json("POST", back, &spec(1)), "3 of 5 [limit.containers]"),
        (
            json("POST", "/v1.41/services/create", r#"{"Name":"x","TaskTemplate":{}}"#),
            "[limit.memory]",
        ),
    ] {
        let answer = scaled.ask(&request).await;
        assert_eq!(answer.status, 429, "{request}: {}", answer.text());
        assert!(answer.message().contains(most), "{}", answer.text());
    }
    for (request, status) in [(create(2), 201), (update(5), 200), (update(0), 200)] {
        let answer = scaled.ask(&request).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.text());
    }
    gate.settle().await;
}

/// A swarm without a leader tells of no service; its tasks that are there are counted then.
#[tokio::test]
async fn tasks_where_no_service_is_told_of() {
    for (tasks, status) in [(4, 201), (5, 429)] {
        let task = r#"{"Id":"1","State":"exited","Labels":{"com.docker.swarm.service.id":"w"}}"#;
        let all = format!("[{}]", vec![task; tasks].join(","));
        let script = Script::new("1.41")
            .on("GET /containers/json", Reply::json(&all))
            .on("GET /services", no_swarm())
            .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
        let gate = limited(script).await;
        let create = json("POST", CREATE, r#"{"Image":"busybox"}"#);
        let answer = gate.client("scaled").await.ask(create).await;
        assert_eq!(answer.status, status, "{tasks}: {}", answer.text());
        gate.settle().await;
    }
}

/// Those who own as one share it.
#[tokio::test]
async fn connections_of_an_owner() {
    let gate = limited(Script::new("1.41")).await;
    let mut first = gate.client("alone").await;
    assert_eq!(first.get("/_ping").await.status, 200);
    let mut second = gate.client("along").await;
    assert_eq!(second.get("/_ping").await.status, 200);
    for name in ["alone", "along"] {
        let mut third = gate.client(name).await;
        assert_retry(&third.get("/_ping").await, "2 are open [limit.connections]");
        assert_eq!(third.rest().await, b"");
    }
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200, "others are free");
    drop(second);
    let free = async { while gate.client("alone").await.get("/_ping").await.status != 200 {} };
    crate::gate::soon(free).await;
    assert_eq!(first.get("/_ping").await.status, 200);
    let events = gate.settle().await;
    let refused = |e: &&Value| e["stage"] == "connection.refused";
    let refused = events.iter().find(refused).unwrap();
    assert_eq!(refused["reason"], "limit.connections");
}

#[tokio::test]
async fn streams_of_an_identity() {
    let gate = gate("streams_per_identity: 1").await;
    let mut stream = gate.client("dev").await;
    stream.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(stream.head().await.0, 200);
    let mut second = gate.client("dev").await;
    assert_retry(&second.get("/_ping").await, "1 are open [requests.too-many]");
    assert_eq!(gate.fake.log().calls("GET /_ping").len(), 0);
    let privileged = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;
    for _ in 0..3 {
        let put_off = gate.client("dev").await.ask(json("POST", CREATE, privileged)).await;
        assert_retry(&put_off, "1 are open [requests.too-many]");
    }
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200, "others are free");
    drop(stream);
    gate.outcome("SystemEvents").await;
    let free = async { while second.get("/_ping").await.status != 200 {} };
    crate::gate::soon(free).await;
    let events = gate.settle().await;
    let create = |e: &&Value| {
        e["stage"] == "request.refused" && e["request"]["operation"] == "ContainerCreate"
    };
    let folded = events.iter().find(create).expect("what was put off is on record");
    assert_eq!(folded["reason"], "requests.too-many");
    assert_eq!(folded["identity"]["name"], "dev");
    assert_eq!(folded["request"]["path"], CREATE);
    // written by the minute: in one line, or in two
    let counts = events.iter().filter(create).map(|e| e["folded"]["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 3);
    assert!(folded["folded"]["first"].is_string() && folded["client"]["address"].is_string());
}

/// A body is in hand until it was sent, not for as long as what it began goes on.
#[tokio::test]
async fn a_session_holds_none_of_the_memory_for_bodies() {
    let script = crate::tunnels::on_exec(Reply::Hijack(b"hi".to_vec()))
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
    let front =
        "body_max: 64KiB, bodies_total: 64KiB, bodies_per_identity: 64KiB, body_timeout: 2s";
    let gate = Gate::with(Setup { front, ..Setup::new(script) }).await;
    let mut session = gate.client("dev").await;
    let long = |body: &str| format!("{body}{}", " ".repeat((64 << 10) - body.len()));
    session.send(crate::tunnels::start(&long(r#"{"Detach":false,"Tty":true}"#))).await;
    assert_eq!(session.head().await.0, 101);
    assert_eq!(session.take(2).await, b"hi");
    let create = json("POST", CREATE, &long(r#"{"Image":"busybox"}"#));
    let answer = gate.client("admin").await.ask(create).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    drop(session);
    gate.settle().await;
}

/// Nothing is kept of one that nobody sends on, however long the daemon takes.
#[tokio::test]
async fn a_body_that_is_not_sent_on_holds_none_of_the_memory_for_bodies() {
    let bell = Arc::new(Notify::new());
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::status("204 No Content", "", "")));
    let script = Script::new("1.41")
        .on("POST /containers/web/stop", held)
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
    let front =
        "body_max: 64KiB, bodies_total: 64KiB, bodies_per_identity: 64KiB, body_timeout: 2s";
    let gate = Gate::with(Setup { front, ..Setup::new(script) }).await;
    let long = |body: &str| format!("{body}{}", " ".repeat((64 << 10) - body.len()));
    let mut stopping = gate.client("admin").await;
    stopping.send(json("POST", "/v1.41/containers/web/stop", &long(r#"{"t":5}"#))).await;
    gate.fake.until(|log| log.calls("POST /containers/web/stop").len() == 1).await;
    let create = json("POST", CREATE, &long(r#"{"Image":"busybox"}"#));
    let answer = gate.client("admin").await.ask(create).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    bell.notify_one();
    assert_eq!(stopping.answer().await.status, 204);
    gate.settle().await;
}

#[tokio::test]
async fn bodies_are_judged_whole_or_not_at_all() {
    let gate = gate("body_max: 64KiB, bodies_total: 128KiB").await;
    let body = |length: usize| {
        let name = "x".repeat(length - r#"{"Image":"busybox","Hostname":""}"#.len());
        format!(r#"{{"Image":"busybox","Hostname":"{name}"}}"#)
    };
    let most = 64 << 10;
    let mut admin = gate.client("admin").await;
    assert_eq!(admin.ask(json("POST", CREATE, &body(most))).await.status, 201);
    let large = json("POST", CREATE, &body(most + 1));
    gate.client("admin").await.ask(large).await.assert_refused(413, "body.too-large");
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let text = body(most + 1);
    let chunked =
        bare("POST", CREATE, chunked) + &format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    gate.client("admin").await.ask(chunked).await.assert_refused(413, "body.too-large");
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 1);
    gate.settle().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time() {
    let gate = gate("body_timeout: 1s").await;
    let head = "Content-Type: application/json\r\nContent-Length: 100\r\n";
    let mut slow = gate.client("dev").await;
    let answer = slow.ask(bare("POST", CREATE, head) + "{").await;
    answer.assert_refused(400, "body.incomplete");
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 0);
    gate.settle().await;
}

#[tokio::test]
async fn memory_for_bodies_is_shared_and_bounded() {
    let gate =
        gate("body_max: 64KiB, bodies_total: 64KiB, bodies_per_identity: 64KiB, body_timeout: 2s")
            .await;
    let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", 64 << 10);
    // one holds all there is, and keeps it until its own time is up
    let mut holder = gate.client("dev").await;
    holder.send(bare("POST", CREATE, &head) + &"{".repeat((64 << 10) - 1)).await;
    let mut second = gate.client("dev").await;
    second.send(bare("POST", CREATE, &head) + &"{".repeat((64 << 10) - 1)).await;
    let (first, second) = tokio::join!(holder.answer(), second.answer());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!(statuses == [400, 429] || statuses == [400, 400], "{first:?} {second:?}");
    for answer in [first, second] {
        match answer.status {
            429 => assert_retry(&answer, "bodies are in hand"),
            _ => answer.assert_refused(400, "body.incomplete"),
        }
    }
    let put_off = statuses.iter().filter(|status| **status == 429).count();
    // and all of it is given back
    let whole = json("POST", CREATE, r#"{"Image":"busybox"}"#);
    assert_eq!(gate.client("dev").await.ask(whole).await.status, 201);
    let events = gate.settle().await;
    let busy = events.iter().filter(|e| e["reason"] == "bodies.busy").count();
    assert_eq!(busy, put_off, "{events:#?}");
}

/// What an owner may have in hand at once, by `limits:`; others are free, and so is what is of another kind.
#[tokio::test]
async fn sessions_and_builds_of_an_owner() {
    let exec = "e".repeat(64);
    let (start, build) = (format!("/v1.41/exec/{exec}/start"), "/v1.41/build");
    let bell = Arc::new(Notify::new());
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::json("{}")));
    let script = Script::new("1.41")
        .on("GET /events", Reply::Endless)
        .on(&format!("POST /exec/{exec}/start"), Reply::Hijack(Vec::new()))
        .on("POST /build", held);
    let gate = limited(script).await;
    let attached = |target: &str| {
        let head = "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
        bare("POST", target, head) + "{}"
    };
    let mut session = gate.client("paced").await;
    session.send(attached(&start)).await;
    assert_eq!(session.head().await.0, 101);
    let mut other = gate.client("paced").await;
    let refused = other.ask(attached(&start)).await;
    assert_retry(&refused, "1 of 1 [limit.execs]");

    let tar = "Content-Type: application/x-tar\r\nContent-Length: 1024\r\n";
    let context = bare("POST", build, tar) + &"\0".repeat(1024);
    let mut building = gate.client("paced").await;
    building.send(&context).await;
    gate.fake.until(|log| log.calls("POST /build").len() == 1).await;
    let mut another = gate.client("paced").await;
    assert_retry(&another.ask(&context).await, "1 of 1 [limit.builds]");

    let mut third = gate.client("paced").await;
    third.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(third.head().await.0, 200);
    let mut fourth = gate.client("paced").await;
    assert_retry(&fourth.get("/_ping").await, "3 of 3 [limit.streams]");
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200, "others are free");

    bell.notify_one();
    assert_eq!(building.answer().await.status, 200);
    drop((session, third));
    let free =
        async { while gate.client("paced").await.ask(attached(&start)).await.status != 101 {} };
    crate::gate::soon(free).await;
    let events = gate.settle().await;
    let of = |id: &str| {
        let is = |e: &&Value| e["decision"]["reasons"][0]["id"] == id || e["reason"] == id;
        events.iter().find(is).unwrap_or_else(|| panic!("{id} is not on record"))
    };
    for id in ["limit.execs", "limit.builds"] {
        assert_eq!(of(id)["stage"], "decision", "{id}");
    }
    assert_eq!(of("limit.streams")["stage"], "request.refused");
}

/// Whose start is put off has his container taken away, if it is to go when it ends; that follows from a line of its own.
#[tokio::test]
async fn a_start_that_is_put_off_leaves_no_container_that_was_to_go() {
    let id = "a".repeat(64);
    let removes = format!("DELETE /containers/{id}");
    let made = Reply::status("201 Created", "", &format!(r#"{{"Id":"{id}"}}"#));
    let script = Script::new("1.41")
        .on("POST /containers/create", made)
        .on(&format!("POST /containers/{id}/start"), Reply::status("204 No Content", "", ""))
        .on(&removes, Reply::status("204 No Content", "", ""));
    let gate = limited(script).await;
    let mut unruly = gate.client("unruly").await;
    let create = r#"{"Image":"busybox","HostConfig":{"AutoRemove":true}}"#;
    let answer = unruly.ask(json("POST", "/v1.41/containers/create", create)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let start = format!("/v1.41/containers/{id}/start");
    let refused = async { while unruly.ask(bare("POST", &start, "")).await.status != 429 {} };
    crate::gate::soon(refused).await;
    assert_eq!(gate.fake.log().calls(&removes).len(), 1);
    let events = gate.settle().await;
    let own = events.iter().find(|e| e["decision"]["grant"] == "AutoRemove").unwrap();
    let follows = events.iter().find(|e| e["id"] == own["parent"]).unwrap();
    assert_eq!(follows["decision"]["reasons"][0]["id"], "limit.requests");
}

#[tokio::test]
async fn requests_of_an_owner_in_a_second() {
    let gate = limited(Script::new("1.41")).await;
    let mut hasty = gate.client("hasty").await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        let answer = hasty.get("/_ping").await;
        if answer.status == 429 {
            assert_retry(&answer, "5 of 5 [limit.requests]");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..5], [200; 5]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200, "others are free");
    crate::gate::soon(async { while hasty.get("/_ping").await.status != 200 {} }).await;
    let events = gate.settle().await;
    let folded = events.iter().find(|e| e["stage"] == "request.refused").expect("on record");
    assert_eq!(folded["reason"], "limit.requests");
}

/// However many there are, and however much the daemon has to say of each.
#[tokio::test]
async fn what_an_owner_has_is_counted_also_where_it_is_much() {
    for (there, status) in [(1999, 201), (2000, 429)] {
        let one = |nth: usize| {
            format!(
                r#"{{"Id":"{nth:064x}","State":"exited","Labels":{{"l":"{}"}}}}"#,
                "x".repeat(1500)
            )
        };
        let all = format!("[{}]", (0..there).map(one).collect::<Vec<_>>().join(","));
        let script = Script::new("1.41")
            .on("GET /containers/json", Reply::json(&all))
            .on("GET /services", no_swarm())
            .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
        let gate = limited(script).await;
        let create = json("POST", CREATE, r#"{"Image":"busybox"}"#);
        let answer = gate.client("counted").await.ask(create).await;
        assert_eq!(answer.status, status, "{there}: {}", answer.text());
        gate.settle().await;
    }
}
