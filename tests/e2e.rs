//! The gate before a real daemon, used by the clients that people use: each everyday command must do
//! the same as straight to the socket, each dangerous one must be refused, and what was accepted must
//! be what the daemon made of it. Needs root and what `make install` brings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "e2e/bollard.rs"]
mod bollard_client;
#[path = "e2e/bollard_surface.rs"]
mod bollard_surface;
#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "the replay asks for less of a case than the corpus does")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;
#[path = "e2e/differential.rs"]
mod differential;
#[path = "support/dockerd.rs"]
mod dockerd;
#[path = "e2e/gate.rs"]
mod gate;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/http.rs"]
mod http;
#[path = "e2e/issued.rs"]
mod issued;
#[path = "support/tokens.rs"]
mod issuer;
#[path = "e2e/local.rs"]
mod local;
#[path = "e2e/log.rs"]
mod log;
#[path = "e2e/raw.rs"]
mod raw;
#[path = "e2e/registry.rs"]
mod registry;
#[path = "e2e/replay.rs"]
mod replay;
#[path = "e2e/surface.rs"]
mod surface;
#[path = "e2e/tokens.rs"]
mod tokens;
#[path = "e2e/wire.rs"]
mod wire;
#[path = "e2e/world.rs"]
mod world;

use differential::Way;
use http::Side;
use serde::Deserialize;
use std::process::Command;
use std::time::{Duration, Instant};
use world::{Step, World, missing};

fn steps(text: &str) -> Vec<Step> {
    serde_saphyr::from_str(text).expect("a table of steps")
}

/// The docker command line of that version, wherever it is on this machine.
fn cli(version: &str) -> Option<String> {
    let places = ["/usr/bin/docker", "/usr/local/bin/docker"];
    let is = |place: &&str| {
        let said = Command::new(place).arg("--version").output();
        said.is_ok_and(|out| {
            String::from_utf8_lossy(&out.stdout).contains(&format!("version {version}"))
        })
    };
    places.into_iter().find(is).map(str::to_owned)
}

#[test]
fn the_command_line_20_10_does_the_same_through_the_gate() {
    let program = cli("20.10").expect("Debian's docker.io brings the command line 20.10");
    World::new().compare("cli-20.10", &program, &steps(include_str!("e2e/cli.yaml"))).end();
}

#[test]
fn the_command_line_28_does_the_same_through_the_gate() {
    let Some(program) = cli("28") else {
        return missing(
            "docker command line 28: its everyday use was not tried (its recorded requests are in the corpus)",
        );
    };
    World::new().compare("cli-28", &program, &steps(include_str!("e2e/cli.yaml"))).end();
}

#[test]
fn a_key_is_issued_in_one_command_and_taken_back_in_one() {
    let program = cli("20.10").expect("Debian's docker.io brings the command line 20.10");
    issued::from_nothing_to_a_context_and_back(&program);
}

#[test]
fn compose_does_the_same_through_the_gate() {
    World::new()
        .compare("compose-1.29", "docker-compose", &steps(include_str!("e2e/compose.yaml")))
        .end();
}

#[test]
fn docker_py_does_the_same_through_the_gate() {
    let everyday = Step {
        name: "everyday".into(),
        run: "$PYTHON $EVERYDAY".into(),
        exit: 0,
        says: "prune".into(),
        only: Vec::new(),
    };
    World::new().compare("docker-py-7", "docker", &[everyday]).end();
}

#[test]
fn the_whole_surface_of_docker_py_does_the_same_through_the_gate() {
    let world = World::new();
    let line = "$PYTHON $SURFACE";
    let (direct, gated) = std::thread::scope(|scope| {
        let direct = scope.spawn(|| world.direct("docker", line));
        let gated = world.gated("admin", "docker", line);
        (direct.join().unwrap(), gated)
    });
    // A run that broke off is compared as far as it came.
    let lines = |outcome: &world::Outcome| {
        let said = outcome.stderr.lines().next_back().unwrap_or_default();
        let end = format!("exit: {:?} {said}", outcome.exit);
        outcome.stdout.lines().map(str::to_owned).chain([end]).collect::<Vec<_>>()
    };
    surface::same(&lines(&direct), &lines(&gated), include_str!("e2e/surface.yaml"));
    assert!(direct.exit == Some(0) && direct.stdout.contains("\ncomplete: "), "{direct:?}");
    world.end();
}

#[test]
fn bollard_does_the_same_through_the_gate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let direct = |socket: &str| {
        bollard::Docker::connect_with_unix(socket, 60, bollard::API_DEFAULT_VERSION).unwrap()
    };
    // The recorder of client requests asks for this one client alone, at its own socket.
    if let Ok(socket) = std::env::var("DOCKWARD_RECORD_SOCKET") {
        let told = runtime.block_on(bollard_client::everyday(direct(&socket)));
        return println!("{}", told.join("\n"));
    }
    let world = World::new();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bundle = world.gate.bundle("admin");
    let gated = bollard::Docker::connect_with_ssl(
        &format!("tcp://127.0.0.1:{}", world.gate.port),
        &bundle.join("key.pem"),
        &bundle.join("cert.pem"),
        &bundle.join("ca.pem"),
        60,
        bollard::API_DEFAULT_VERSION,
    );
    let direct = direct(world.direct.socket.to_str().unwrap());
    let told = runtime.block_on(bollard_client::everyday(direct.clone()));
    let gated = gated.unwrap();
    assert_eq!(told, runtime.block_on(bollard_client::everyday(gated.clone())));
    let both = async {
        let direct = tokio::spawn(bollard_surface::surface(direct));
        let gated = tokio::spawn(bollard_surface::surface(gated));
        (direct.await.unwrap(), gated.await.unwrap())
    };
    let (direct, gated) = runtime.block_on(both);
    surface::same(&direct, &gated, include_str!("e2e/surface-bollard.yaml"));
    world.end();
}

/// The gate may hold no more than this whatever goes through it, in bytes.
const FLAT: u64 = 128 << 20;

#[test]
fn three_hundred_megabytes_are_saved_and_loaded_in_flat_memory() {
    let world = World::new();
    let program = cli("20.10").unwrap();
    let table = steps(
        r#"
- { name: an image of 300 MB, run: "head -c 300000000 /dev/urandom >/dev/null; mkdir big.d; yes dockward | head -c 300000000 >big.d/file; tar --sort=name --mtime=@0 -C big.d -c . | $D import - big:1 >/dev/null; rm -r big.d; $D inspect -f '{{.RootFS.Layers}}' big:1", says: "sha256" }
- { name: save, run: "$D save big:1 >big.tar; stat -c %s big.tar; tar -xOf big.tar --wildcards '*/layer.tar' | sha256sum" }
- { name: load, run: "$D rmi big:1 >/dev/null; $D load <big.tar; $D inspect -f '{{.RootFS.Layers}} {{.Size}}' big:1", says: "big:1" }
- { name: export, run: "$D create --name big big:1 sh >/dev/null; $D export big | tar -xO ./file file 2>/dev/null | sha256sum; $D rm big" }
- { name: build context, run: "mkdir c; yes dockward | head -c 300000000 >c/file; printf 'FROM busybox\nCOPY file /\n' >c/Dockerfile; DOCKER_BUILDKIT=0 $D build -q -t big:2 c; $D inspect -f '{{.Size}}' big:2" }
"#,
    );
    let world = world.compare("cli-20.10", &program, &table);
    let peak = world.gate.peak_memory();
    println!("the gate held {peak} bytes at most");
    assert!(peak < FLAT, "the gate held {peak} bytes");
    world.end();
}

#[test]
fn an_image_is_judged_by_where_it_came_from() {
    let lines = registry::play(&cli("20.10").expect("Debian's command line"));
    println!("registry: {lines} lines");
}

#[test]
fn a_head_in_any_spelling_has_the_effect_that_was_judged_or_none() {
    let world = World::new();
    let gate = wire::Wire::gate(world.gate.port, &world.gate.bundle("admin"));
    let behind = wire::Wire::Daemon(world.behind.socket.clone());
    let direct = wire::Wire::Daemon(world.direct.socket.clone());
    let twins = hostile::Twins { gate: &gate, behind: &behind, direct: &direct };
    let (reads, writes) = hostile::play(&twins);
    assert!(reads.same > 50 && reads.refused > 50, "{reads:?}");
    assert!(writes.same > 50 && writes.refused > 50, "{writes:?}");
    world.end();
}

#[test]
fn the_corpus_holds_before_a_real_daemon() {
    let replayed = replay::play();
    println!("replayed: {replayed:?}");
    assert!(replayed.refused > 600 && replayed.let_through > 300, "{replayed:?}");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    run: String,
    reason: String,
    field: String,
    neighbour: String,
}

#[test]
fn what_owns_the_host_is_refused_with_its_own_reason_and_recorded() {
    let world = World::new();
    let table: Vec<Refusal> = serde_saphyr::from_str(include_str!("e2e/refusals.yaml")).unwrap();
    let mut wrong = Vec::new();
    for program in [cli("20.10"), cli("28")].into_iter().flatten() {
        for Refusal { run, reason, field, neighbour } in &table {
            let before = world.gate.audit().len();
            let refused = world.gated("dev", &program, &format!("$D run --rm {run}"));
            let said = &refused.stderr;
            let words = ["dockward: dev may not", &format!("({field})"), &format!("[{reason}]")];
            if refused.exit != Some(125) || !words.iter().all(|word| said.contains(word)) {
                wrong.push(format!("{run}: not refused as {reason} at {field}: {refused:?}"));
            }
            let recorded = world.gate.audit().split_off(before);
            if !recorded.iter().any(|event| is_denied(event, reason, field)) {
                wrong.push(format!("{run}: the log has no denial for {reason}: {recorded:?}"));
            }
            let allowed = world.gated("dev", &program, &format!("$D run --rm {neighbour}"));
            if allowed.exit != Some(0) {
                wrong.push(format!("{neighbour}: should run: {allowed:?}"));
            }
        }
    }
    let left = Side::daemon(&world.behind.socket).send("GET", "/v1.41/containers/json?all=1", "");
    assert_eq!(left.body.trim(), "[]", "nothing of a refused request reached the daemon");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.end();
}

/// The developer was refused for this reason at this place, and for no other.
fn is_denied(event: &serde_json::Value, reason: &str, field: &str) -> bool {
    let decision = &event["decision"];
    event["stage"] == "decision"
        && event["identity"]["name"] == "dev"
        && event["request"]["operation"] == "ContainerCreate"
        && decision["verdict"] == "deny"
        && decision["reasons"].as_array().is_some_and(|all| {
            all.len() == 1 && all.iter().all(|one| one["id"] == reason && one["field"] == field)
        })
}

#[test]
fn every_value_of_an_accepted_body_is_what_the_daemon_made() {
    let world = World::new();
    let client = |name| Side::gate(world.gate.port, world.gate.bundle(name));
    let (admin, dev) = (client("admin"), client("dev"));
    let (behind, direct) = (Side::daemon(&world.behind.socket), Side::daemon(&world.direct.socket));
    let straight = Way { through: &direct, daemon: &direct };
    differential::unrestricted(Way { through: &admin, daemon: &behind }, straight);
    differential::judged(Way { through: &dev, daemon: &behind }, straight);
    world.end();
}

/// The places where moby answers a request to take the connection over with an ordinary response and
/// reads on: whoever copies bytes from then on hands his client the socket.
#[test]
fn what_the_daemon_does_not_take_over_is_no_tunnel() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = dockerd::PrivateDaemon::start(&at("daemon"));
    let gate = gate::Gate::start(&at("gate"), &daemon.socket);
    let admin = Side::gate(gate.port, gate.bundle("admin"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = raw::container(&admin, "web");
    for attempt in raw::attempts(&admin) {
        runtime.block_on(raw::no_tunnel(&gate, &attempt));
    }
    for end in raw::End::ALL {
        runtime.block_on(raw::attach(&gate, &admin, end));
        runtime.block_on(raw::exec(&gate, &admin, end));
    }
    runtime.block_on(raw::flooded(&gate, &admin));
    runtime.block_on(raw::session(&gate));
    assert_eq!(admin.send("DELETE", &format!("/v1.41/containers/{web}?force=1"), "").status, 204);
    let log = gate.end();
    log::judge(&log);
    let denied = |event: &&serde_json::Value| {
        event["identity"]["name"] == "streamer"
            && event["request"]["operation"] == "ContainerList"
            && event["decision"]["verdict"] == "deny"
    };
    let denials = log::events(&log).iter().filter(denied).count();
    assert_eq!(denials, 2 * raw::ATTEMPTS, "each next request is on record");
}

/// How long "at once" may be: no timeout of anybody fits into it.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn a_daemon_that_is_away_is_a_502_at_once_and_is_found_again() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = dockerd::PrivateDaemon::start(&at("daemon"));
    let gate = gate::Gate::start(&at("gate"), &daemon.socket);
    let side = Side::gate(gate.port, gate.bundle("admin"));
    assert_eq!(side.send("GET", "/v1.41/info", "").status, 200);
    let end = std::thread::scope(|scope| {
        let events = scope.spawn(|| side.send("GET", "/v1.41/events", ""));
        gate.until_recorded(|event| event["request"]["operation"] == "SystemEvents");
        drop(daemon);
        let away = Instant::now();
        for (method, target) in
            [("GET", "/v1.41/info"), ("POST", "/v1.41/containers/prune"), ("GET", "/_ping")]
        {
            let answer = side.send(method, target, "");
            assert_eq!(answer.status, 502, "{target}: {answer:?}");
            assert!(answer.body.contains("the Docker daemon is away"), "{answer:?}");
        }
        assert!(away.elapsed() < AT_ONCE * 3, "{:?} for three", away.elapsed());
        events.join().unwrap()
    });
    assert!(end.status == 200 && end.body.contains("curl:"), "the cut is seen: {end:?}");

    // A write first: it is not lost to a connection of the daemon that was.
    let made = |number| {
        let target = format!("/v1.41/containers/create?name=back{number}");
        side.send("POST", &target, r#"{ "Image": "busybox" }"#)
    };
    let daemon = dockerd::PrivateDaemon::start(&at("daemon"));
    assert_eq!(made(1).status, 201);
    assert_eq!(side.send("GET", "/v1.41/info", "").status, 200);
    // And when nobody asked while it was away.
    drop(daemon);
    let _daemon = dockerd::PrivateDaemon::start(&at("daemon"));
    assert_eq!(made(2).status, 201);

    let log = gate.end();
    log::judge(&log);
    let ended = |event: &serde_json::Value| event["outcome"]["ended"] == "daemon-gone";
    assert!(log::events(&log).iter().any(ended), "the cut is on record");
}
