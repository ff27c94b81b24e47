//! Several tenants of one daemon: each works as if it were alone, and knows of no other.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::registry::{Line, live};
use super::steps;
use super::world::{Step, World};
use serde::Deserialize;
use std::path::Path;

/// Everybody in `tenants.yaml`.
const CLIENTS: [&str; 18] = [
    "tests", "boxes", "given", "scaled", "admin", "lone", "maker", "few", "few-too", "ported",
    "apart-1", "apart-2", "shut-in", "anna", "bert", "shop-1", "shop-2", "auditor",
];

/// What does not come out as at a daemon of one's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apart {
    step: String,
    why: String,
}

/// A gate for tenants before a daemon.
pub(crate) fn gate(directory: &Path, daemon: &Path) -> Gate {
    let clients = CLIENTS.map(str::to_owned);
    Gate::with(directory, daemon, &clients, include_str!("tenants.yaml"))
}

/// What is printed, less the labels that the gate sets, and as it is without them: commas, empty objects, steps of a build.
pub(crate) fn without_labels(text: String) -> String {
    let ours = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("\"dockward.") || line.contains(" LABEL dockward.")
    };
    let mut out = String::new();
    for line in text.lines().filter(|line| !ours(line)) {
        let line = line.strip_suffix(',').unwrap_or(line);
        let step = line.strip_prefix("Step ").and_then(|step| Some(step.split_once(" : ")?.1));
        out.push_str(step.unwrap_or(line));
        out.push('\n');
    }
    let out = out.replace("'dockward.identity': 'maker', 'dockward.owner': 'maker', ", "");
    out.replace("{\n  }\n", "{}\n").replace("{\n }\n", "{}\n")
}

fn apart(table: Vec<Step>) -> Vec<Step> {
    let apart: Vec<Apart> = serde_saphyr::from_str(include_str!("apart.yaml")).unwrap();
    assert!(apart.iter().all(|one| !one.why.is_empty()), "every entry has its reason");
    table.into_iter().filter(|step| apart.iter().all(|one| one.step != step.name)).collect()
}

/// What somebody does who means her own alone comes out as straight at a daemon of her own.
pub(crate) fn alone(engine: Engine) {
    let (client, program) = engine.cli();
    let table = apart(steps(include_str!("cli.yaml")));
    let by = |world: &World, line: &str| world.gated("lone", &program, line);
    World::of_tenants(engine).compare_by(&client, &program, &table, by).end();
}

/// The same by compose of the engine's release, and by docker-py.
pub(crate) fn alone_by_others(engine: Engine) {
    let (name, program, table) = match engine.plugins() {
        None => ("compose-1.29", "docker-compose".into(), include_str!("compose.yaml")),
        Some(plugins) => {
            ("compose-2", plugins.join("docker-compose"), include_str!("compose-2.yaml"))
        }
    };
    let program = program.to_str().unwrap();
    // the newer one builds by BuildKit, of whose images it cannot be told whose they are
    let client = if engine.plugins().is_some() { "maker" } else { "lone" };
    let by = |world: &World, line: &str| world.gated(client, program, line);
    let world = World::of_tenants(engine).compare_by(name, program, &apart(steps(table)), by);
    // it loads images, of which it cannot be told whose they are
    let by = |world: &World, line: &str| world.gated("maker", "docker", line);
    let everyday = [super::parts::everyday()];
    let world = world.compare_by("docker-py-7", "docker", &everyday, by);
    let by = |world: &World, line: &str| world.gated("lone", "docker", line);
    let everyday = [super::parts::everyday_dockerode()];
    world.compare_by("dockerode-4", "docker", &everyday, by).end();
}

/// Programs under the presets that bear their names.
pub(crate) fn under_presets(engine: Engine) {
    let by = |world: &World, line: &str| world.gated("tests", "docker", line);
    let everyday = super::parts::everyday_testcontainers();
    let world = World::of_tenants(engine).compare_by("testcontainers", "docker", &everyday, by);
    let (_, program) = engine.cli();
    let table = steps(include_str!("devcontainer.yaml"));
    let by = |world: &World, line: &str| world.gated("boxes", &program, line);
    world.compare_by("devcontainer-0", &program, &table, by).end();
}

/// What a profile writes in is what runs.
pub(crate) fn given(engine: Engine) {
    let (scratch, daemon, gate) = lines(engine, "given", include_str!("given.yaml"));
    super::log::judge(&gate.end());
    drop((daemon, scratch));
}

/// Plays lines through a gate for tenants, which is left to be looked at, with its daemon and its files.
fn lines(engine: Engine, name: &str, lines: &str) -> (tempfile::TempDir, PrivateDaemon, Gate) {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let gate = gate(&scratch.path().join("gate"), &daemon.socket);
    let lines: Vec<Line> = serde_saphyr::from_str(lines).unwrap();
    live(&engine.cli().1, scratch.path(), &daemon, &gate, &lines);
    println!("{name}: {} lines", lines.len());
    (scratch, daemon, gate)
}

/// Containers of several owners on the daemon's default network, which is a bridge of each.
pub(crate) fn bridges(engine: Engine) {
    let (scratch, daemon, gate) = lines(engine, "bridges", include_str!("bridges.yaml"));
    let of_the_gate = |event: &serde_json::Value| {
        event["decision"]["grant"] == "network: own"
            && event["request"]["operation"] == "NetworkCreate"
    };
    let made = gate.audit().iter().filter(|event| of_the_gate(event)).count();
    assert_eq!(made, 4, "each bridge is made once, and again when it was removed, on record");
    super::log::judge(&gate.end());
    drop((daemon, scratch));
}
