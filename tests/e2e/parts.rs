//! The parts of the end-to-end tests, each before whichever engine it is given. What an engine answers otherwise
//! stands in the tables, with its reason.

use super::differential::{self, At, Way};
use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::Side;
use super::world::{Outcome, Step, World, missing};
use super::{
    bollard_client, bollard_surface, cli, hostile, log, raw, replay, steps, surface, wire,
};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// The docker command line of the engine's own release, in its everyday use.
pub(crate) fn command_line(engine: Engine) {
    let (client, program) = engine.cli();
    let table = steps(include_str!("cli.yaml"));
    World::new(engine).compare(&client, &program, &table).end();
}

/// The newest command line before the machine's own engine, which is older.
pub(crate) fn newer_command_line(engine: Engine) {
    let Some(program) = cli("28") else {
        return missing(
            "docker command line 28: its everyday use was not tried before 20.10 (its recorded requests are in the corpus)",
        );
    };
    let table = steps(include_str!("cli.yaml"));
    World::new(engine).compare("cli-28", &program, &table).end();
}

/// Compose 2 of the engine's release.
pub(crate) fn compose_2(engine: Engine) {
    let program = engine.plugins().expect("an engine that brings it").join("docker-compose");
    let table = steps(include_str!("compose-2.yaml"));
    World::new(engine).compare("compose-2", program.to_str().unwrap(), &table).end();
}

/// docker-compose 1.29, which speaks API 1.38 and TLS 1.2.
pub(crate) fn compose_1(engine: Engine) {
    let table = steps(include_str!("compose.yaml"));
    World::new(engine).compare("compose-1.29", "docker-compose", &table).end();
}

/// docker-py, in its everyday use.
pub(crate) fn docker_py(engine: Engine) {
    World::new(engine).compare("docker-py-7", "docker", &[everyday()]).end();
}

/// What people do with docker-py.
pub(crate) fn everyday() -> Step {
    step("everyday", "$PYTHON $EVERYDAY", "prune")
}

/// dockerode, which most tools of Node.js stand on.
pub(crate) fn dockerode(engine: Engine) {
    World::new(engine).compare("dockerode-4", "docker", &[everyday_dockerode()]).end();
}

/// The docker-api gem, which many tools of Ruby stand on.
pub(crate) fn docker_api(engine: Engine) {
    let everyday = [step("everyday", "$RUBY $DOCKER_API", "complete")];
    World::new(engine).compare("docker-api-2", "docker", &everyday).end();
}

/// Testcontainers for Python and for Node.js, where it stands on dockerode.
pub(crate) fn testcontainers(engine: Engine) {
    World::new(engine).compare("testcontainers", "docker", &everyday_testcontainers()).end();
}

/// docker-java's wire form, on which Testcontainers for Java and Jenkins stand: Java itself is not here.
pub(crate) fn docker_java(engine: Engine) {
    let everyday = [step("everyday", "$PYTHON $DOCKER_JAVA", "complete")];
    World::new(engine).compare("docker-java-3", "docker", &everyday).end();
}

/// The devcontainer command line.
pub(crate) fn devcontainer(engine: Engine) {
    let (_, program) = engine.cli();
    let table = steps(include_str!("devcontainer.yaml"));
    World::new(engine).compare("devcontainer-0", &program, &table).end();
}

/// What people do with Testcontainers.
pub(crate) fn everyday_testcontainers() -> [Step; 2] {
    let of_node = step("everyday, of Node.js", "$NODE $TESTCONTAINERS_OF_NODE", "complete");
    [step("everyday, of Python", "$PYTHON $TESTCONTAINERS", "complete"), of_node]
}

/// What people do with dockerode.
pub(crate) fn everyday_dockerode() -> Step {
    step("everyday", "$NODE $DOCKERODE", "complete")
}

fn step(name: &str, run: &str, says: &str) -> Step {
    Step {
        name: name.into(),
        run: run.into(),
        exit: 0,
        says: says.into(),
        only: Vec::new(),
        before: Vec::new(),
        otherwise: Vec::new(),
    }
}

/// Every call that docker-py has.
pub(crate) fn docker_py_surface(engine: Engine) {
    let world = World::new(engine);
    let line = "$PYTHON $SURFACE";
    let (direct, gated) = std::thread::scope(|scope| {
        let direct = scope.spawn(|| world.direct("docker", line));
        let gated = world.gated("admin", "docker", line);
        (direct.join().unwrap(), gated)
    });
    // A run that broke off is compared as far as it came.
    let lines = |outcome: &Outcome| {
        let said = outcome.stderr.lines().next_back().unwrap_or_default();
        let end = format!("exit: {:?} {said}", outcome.exit);
        outcome.stdout.lines().map(str::to_owned).chain([end]).collect::<Vec<_>>()
    };
    surface::same(engine, &lines(&direct), &lines(&gated), include_str!("surface.yaml"));
    assert!(direct.exit == Some(0) && direct.stdout.contains("\ncomplete: "), "{direct:?}");
    world.end();
}

/// bollard: its everyday use, and every call that it has.
pub(crate) fn bollard(engine: Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let direct = |socket: &str| {
        bollard::Docker::connect_with_unix(socket, 60, bollard::API_DEFAULT_VERSION).unwrap()
    };
    // The recorder of client requests asks for this one client alone, at its own socket.
    if let Ok(socket) = std::env::var("DOCKWARD_RECORD_SOCKET") {
        let told = runtime.block_on(bollard_client::everyday(direct(&socket)));
        return println!("{}", told.join("\n"));
    }
    let world = World::new(engine);
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
    surface::same(engine, &direct, &gated, include_str!("surface-bollard.yaml"));
    world.end();
}

/// The gate may hold no more than this whatever goes through it, in bytes.
const FLAT: u64 = 128 << 20;

/// Much goes through, and little is held.
pub(crate) fn three_hundred_megabytes(engine: Engine) {
    let world = World::new(engine);
    let (client, program) = engine.cli();
    let table = steps(
        r#"
- { name: an image of 300 MB, run: "head -c 300000000 /dev/urandom >/dev/null; mkdir big.d; yes dockward | head -c 300000000 >big.d/file; tar --sort=name --mtime=@0 -C big.d -c . | $D import - big:1 >/dev/null; rm -r big.d; $D inspect -f '{{.RootFS.Layers}}' big:1", says: "sha256" }
- { name: save, run: "$D save big:1 >big.tar; stat -c %s big.tar; tar -xOf big.tar --wildcards '*/layer.tar' | sha256sum" }
- { name: load, run: "$D rmi big:1 >/dev/null; $D load <big.tar; $D inspect -f '{{.RootFS.Layers}} {{.Size}}' big:1", says: "big:1" }
- { name: export, run: "$D create --name big big:1 sh >/dev/null; $D export big | tar -xO ./file file 2>/dev/null | sha256sum; $D rm big" }
- { name: build context, run: "mkdir c; yes dockward | head -c 300000000 >c/file; printf 'FROM busybox\nCOPY file /\n' >c/Dockerfile; DOCKER_BUILDKIT=0 $D build -q -t big:2 c; $D run --rm big:2 sha256sum /file" }
"#,
    );
    let world = world.compare(&client, &program, &table);
    let peak = world.gate.peak_memory();
    println!("the gate held {peak} bytes at most");
    assert!(peak < FLAT, "the gate held {peak} bytes");
    world.end();
}

/// Heads in every spelling, before twins.
pub(crate) fn hostile_heads(engine: Engine) {
    let world = World::new(engine);
    let gate = wire::Wire::gate(world.gate.port, &world.gate.bundle("admin"));
    let behind = wire::Wire::Daemon(world.behind.socket.clone());
    let direct = wire::Wire::Daemon(world.direct.socket.clone());
    let twins = hostile::Twins { gate: &gate, behind: &behind, direct: &direct };
    let (reads, writes) = hostile::play(&twins);
    assert!(reads.same > 50 && reads.refused > 50, "{reads:?}");
    assert!(writes.same > 50 && writes.refused > 50, "{writes:?}");
    world.end();
}

/// The corpus.
pub(crate) fn replay(engine: Engine) {
    let replayed = replay::play(engine);
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

/// What amounts to root is refused to a developer, and its neighbours are not.
pub(crate) fn refusals(engine: Engine) {
    let world = World::new(engine);
    let table: Vec<Refusal> = serde_saphyr::from_str(include_str!("refusals.yaml")).unwrap();
    let mut wrong = Vec::new();
    let newer = if engine == Engine::Machine { cli("28") } else { None };
    for program in [Some(engine.cli().1), newer].into_iter().flatten() {
        for Refusal { run, reason, field, neighbour } in &table {
            let before = world.gate.audit().len();
            let refused = world.gated("dev", &program, &format!("$D run --rm {run}"));
            let said = &refused.stderr;
            // the option as it was written, where it was written at length
            let option = run.split([' ', '=']).next().filter(|word| word.starts_with("--"));
            let place =
                format!("({field}{}", option.map(|of| format!(": {of}")).unwrap_or_default());
            let words = ["dockward: dev may not", &place, &format!("[{reason}]")];
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

/// What is accepted is what is made, at the newest version of the API.
pub(crate) fn differential(engine: Engine) {
    differential_at(engine, At::Newest);
}

/// The same at older ones.
pub(crate) fn differential_older(engine: Engine) {
    differential_at(engine, At::Older);
}

fn differential_at(engine: Engine, at: At) {
    let world = World::new(engine);
    let client = |name| Side::gate(world.gate.port, world.gate.bundle(name));
    let (admin, dev) = (client("admin"), client("dev"));
    let (behind, direct) = (Side::daemon(&world.behind.socket), Side::daemon(&world.direct.socket));
    let newest = replay::newest(&behind);
    let straight = Way { through: &direct, daemon: &direct, newest };
    let gated = |through| Way { through, daemon: &behind, newest };
    differential::unrestricted(engine, at, gated(&admin), straight);
    differential::judged(engine, at, gated(&dev), straight);
    world.end();
}

/// The places where moby answers a request to take the connection over with an ordinary response and
/// reads on: whoever copies bytes from then on hands his client the socket.
pub(crate) fn no_tunnel(engine: Engine) {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &at("daemon"));
    let gate = Gate::start(&at("gate"), &daemon.socket);
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

/// How long "at once" may be for one of them: whoever waited for the daemon would wait for ten seconds.
const AT_ONCE: Duration = Duration::from_secs(3);

/// The daemon goes and comes back.
pub(crate) fn daemon_away(engine: Engine) {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &at("daemon"));
    let gate = Gate::start(&at("gate"), &daemon.socket);
    let side = Side::gate(gate.port, gate.bundle("admin"));
    assert_eq!(side.send("GET", "/v1.41/info", "").status, 200);
    let end = std::thread::scope(|scope| {
        let events = scope.spawn(|| side.send("GET", "/v1.41/events", ""));
        // it answers before it listens
        let listens = || side.send("GET", "/v1.41/info", "").json()["NEventsListener"] == 1;
        super::gate::until("the daemon has a listener", listens);
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
    let daemon = PrivateDaemon::start(engine, &at("daemon"));
    assert_eq!(made(1).status, 201);
    assert_eq!(side.send("GET", "/v1.41/info", "").status, 200);
    // And when nobody asked while it was away.
    drop(daemon);
    let _daemon = PrivateDaemon::start(engine, &at("daemon"));
    assert_eq!(made(2).status, 201);

    let log = gate.end();
    log::judge(&log);
    let ended = |event: &serde_json::Value| event["outcome"]["ended"] == "daemon-gone";
    assert!(log::events(&log).iter().any(ended), "the cut is on record");
}
