//! What somebody may have at once, asked for by many at the same moment, and with a gate that is killed meanwhile: there
//! is never more, and never less than was asked for where there is room.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::{Answer, Side};
use serde_json::{Value, json};

/// So many ask at once.
const AT_ONCE: usize = 64;

/// Asks.
pub(crate) fn play(engine: Engine) {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let straight = Side::daemon(&daemon.socket);
    let mut gate = super::tenants::gate(&scratch.path().join("gate"), &daemon.socket);
    let count = |path: &str| {
        let filter = "filters=%7B%22label%22:%5B%22dockward.owner=few%22%5D%7D";
        let list = straight.send("GET", &format!("/v1.41{path}{filter}"), "").json();
        let list = if list.is_array() { list } else { list["Volumes"].clone() };
        list.as_array().unwrap().len()
    };

    // containers, by two who own as one
    let answers = at_once(&gate, |nth, side| {
        let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": { "Memory": 64 << 20 } });
        side.send("POST", &format!("/v1.41/containers/create?name=c{nth}"), &body.to_string())
    });
    told("create", &answers, (201, 20), "limit.containers");
    assert_eq!(count("/containers/json?all=1&"), 20);

    // memory: of four there is room, before that of five which may run
    let names: Vec<String> = straight
        .send("GET", "/v1.41/containers/json?all=1", "")
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|container| container["Names"][0].as_str().unwrap().trim_start_matches('/').to_owned())
        .collect();
    let answers = at_once(&gate, |nth, side| {
        side.send("POST", &format!("/v1.41/containers/{}/start", names[nth % names.len()]), "")
    });
    let started = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!((started, count("/containers/json?")), (4, 4));
    assert!(answers.iter().any(|answer| answer.body.contains("[limit.memory]")));
    // what runs and is changed takes what it was changed to
    let running = straight.send("GET", "/v1.41/containers/json", "").json();
    let id = running[0]["Id"].as_str().unwrap().to_owned();
    let few = Side::gate(gate.port, gate.bundle("few"));
    let update = |memory: i64| {
        let body = json!({ "Memory": memory, "MemorySwap": memory * 2 }).to_string();
        few.send("POST", &format!("/v1.41/containers/{id}/update"), &body)
    };
    let more = update(128 << 20);
    assert!(more.status == 429 && more.body.contains("[limit.memory]"), "{more:?}");
    assert_eq!(update(32 << 20).status, 200);
    // restarted by its name it is where it was
    let name = running[0]["Names"][0].as_str().unwrap();
    let again = few.send("POST", &format!("/v1.41/containers{name}/restart?t=0"), "");
    assert_eq!(again.status, 204, "{again:?}");
    let idle = names.iter().find(|name| {
        running.as_array().unwrap().iter().all(|one| one["Names"][0] != format!("/{name}"))
    });
    let start = few.send("POST", &format!("/v1.41/containers/{}/start", idle.unwrap()), "");
    assert_eq!(start.status, 429, "32 MiB are not enough: {start:?}");
    assert!(start.head.to_ascii_lowercase().contains("retry-after: "), "{start:?}");

    // volumes, half of them by the way, with a gate that is killed in the middle of it
    let creating = std::thread::scope(|scope| {
        let gate_ref: &Gate = &gate;
        let asking = scope.spawn(move || {
            at_once(gate_ref, |nth, side| {
                side.send(
                    "POST",
                    "/v1.41/volumes/create",
                    &json!({ "Name": format!("v{nth}") }).to_string(),
                )
            })
        });
        gate.kill();
        asking.join().unwrap()
    });
    assert!(creating.iter().any(|answer| answer.status == 0), "it was killed too late to matter");
    gate = gate.again();
    let answers = at_once(&gate, |nth, side| {
        side.send(
            "POST",
            "/v1.41/volumes/create",
            &json!({ "Name": format!("w{nth}") }).to_string(),
        )
    });
    assert_eq!(count("/volumes?"), 7, "{answers:?}");
    let again = Side::gate(gate.port, gate.bundle("few"));
    let there = straight.send("GET", "/v1.41/volumes", "").json();
    let one = there["Volumes"][0]["Name"].as_str().unwrap();
    let same = again.send("POST", "/v1.41/volumes/create", &json!({ "Name": one }).to_string());
    assert_eq!(same.status, 201, "one that is there adds nothing: {same:?}");
    assert_eq!(again.send("DELETE", &format!("/v1.41/volumes/{one}"), "").status, 204);
    let room = again.send("POST", "/v1.41/volumes/create", "{\"Name\":\"room\"}");
    assert_eq!(room.status, 201, "there is room again: {room:?}");

    // networks, and somebody who has no limits
    let answers = at_once(&gate, |nth, side| {
        let body = json!({ "Name": format!("net-{nth}"), "CheckDuplicate": true });
        side.send("POST", "/v1.41/networks/create", &body.to_string())
    });
    told("network", &answers, (201, 3), "limit.networks");
    let anna = Side::gate(gate.port, gate.bundle("anna"));
    let free = anna.send(
        "POST",
        "/v1.41/networks/create",
        "{\"Name\":\"of-anna\",\"CheckDuplicate\":true}",
    );
    assert_eq!(free.status, 201, "{free:?}");
    let refused = |event: &Value| event["decision"]["reasons"][0]["id"] == "limit.networks";
    assert!(gate.audit().iter().any(refused), "it is on record");
    ports(&Side::gate(gate.port, gate.bundle("ported")));
    services(&gate, &straight);
    println!("limited: {AT_ONCE} at once");
}

/// Four tasks there may be, and none of them is there yet when the next service is asked for.
fn services(gate: &Gate, straight: &Side) {
    let begins = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1" });
    assert_eq!(straight.send("POST", "/v1.41/swarm/init", &begins.to_string()).status, 200);
    let spec = |nth: usize, tasks: u64| {
        json!({ "Name": format!("s{nth}"), "Mode": { "Replicated": { "Replicas": tasks } },
            "TaskTemplate": { "ContainerSpec": { "Image": "busybox", "Command": ["sleep", "1000"] } } })
    };
    let side = || Side::gate(gate.port, gate.bundle("scaled"));
    let make = |nth: usize, tasks: u64| {
        side().send("POST", "/v1.41/services/create", &spec(nth, tasks).to_string())
    };
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16).map(|nth| scope.spawn(move || make(nth, 2))).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    told("service", &answers, (201, 2), "limit.containers");
    assert_eq!(make(20, 1).status, 429);
    let nth = answers.iter().position(|answer| answer.status == 201).unwrap();
    let there = side().send("GET", &format!("/v1.41/services/s{nth}"), "").json();
    let scale = |tasks: u64, version: &Value| {
        let target = format!("/v1.41/services/s{nth}/update?version={version}");
        side().send("POST", &target, &spec(nth, tasks).to_string())
    };
    let more = scale(3, &there["Version"]["Index"]);
    assert!(more.status == 429 && more.body.contains("[limit.containers]"), "{more:?}");
    let fewer = scale(1, &there["Version"]["Index"]);
    assert_eq!(fewer.status, 200, "{fewer:?}");
    assert_eq!((make(21, 1).status, make(22, 1).status), (201, 429));
}

/// Three may be published: two and two are too many, as are all there are; what has stopped publishes none.
fn ports(side: &Side) {
    let make = |name: &str, host: Value| {
        let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": host,
            "ExposedPorts": { "80/tcp": {}, "81/tcp": {} } });
        let target = format!("/v1.41/containers/create?name={name}");
        let made = side.send("POST", &target, &body.to_string());
        assert_eq!(made.status, 201, "{made:?}");
    };
    let act =
        |name: &str, act: &str| side.send("POST", &format!("/v1.41/containers/{name}/{act}"), "");
    let on = |ports: &[&str]| {
        let of = |port: &&str| (format!("{port}/tcp"), json!([{ "HostIp": "127.0.0.1" }]));
        json!({ "PortBindings": ports.iter().map(of).collect::<serde_json::Map<_, _>>() })
    };
    make("two", on(&["80", "81"]));
    make("two-more", on(&["80", "81"]));
    make("one-more", on(&["80"]));
    make("all-more", json!({ "PublishAllPorts": true }));
    assert_eq!(act("two", "start").status, 204);
    for over in ["two-more", "all-more"] {
        // each exposes two
        let refused = act(over, "start");
        assert!(refused.status == 429 && refused.body.contains("[limit.ports]"), "{refused:?}");
    }
    assert_eq!(act("one-more", "start").status, 204);
    assert_eq!(act("two", "stop?t=0").status, 204);
    assert_eq!(act("two-more", "start").status, 204);
}

/// The same by many at one moment, by turns as one and the other of those who own as one.
fn at_once(gate: &Gate, ask: impl Fn(usize, &Side) -> Answer + Sync) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let ask = &ask;
        let one = |nth: usize| {
            let side = Side::gate(gate.port, gate.bundle(["few", "few-too"][nth % 2]));
            scope.spawn(move || ask(nth, &side))
        };
        let all: Vec<_> = (0..AT_ONCE).map(one).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn told(what: &str, answers: &[Answer], (done, many): (u16, usize), rule: &str) {
    let count = answers.iter().filter(|answer| answer.status == done).count();
    let rest = answers.iter().filter(|answer| answer.status != done);
    let over =
        |answer: &&Answer| answer.status == 429 && answer.body.contains(&format!("[{rule}]"));
    let other: Vec<_> = rest.filter(|answer| !over(answer)).collect();
    assert!(other.is_empty(), "{what}: {other:?}");
    assert_eq!(count, many, "{what}");
}
