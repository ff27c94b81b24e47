//! Images by where they came from, with a registry: one life of one daemon, told in `registry.yaml`.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::world::{STEP, plain};
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Output};

/// One line of shell.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    by: String,
    run: String,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    says: String,
    #[serde(default)]
    refused: String,
    /// Before which engines it is refused, and for what reason.
    #[serde(default)]
    otherwise: Vec<Otherwise>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    engines: Vec<Engine>,
    refused: String,
    why: String,
}

impl Line {
    fn of(mut self, engine: Engine) -> Self {
        for other in std::mem::take(&mut self.otherwise) {
            assert!(!other.why.is_empty(), "{}: every entry has its reason", self.run);
            if other.engines.contains(&engine) {
                self.refused = other.refused;
            }
        }
        self
    }
}

/// Plays the life.
pub(crate) fn play(engine: Engine) {
    let program = &engine.cli().1;
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = PrivateDaemon::with_registry(engine, &at("daemon"));
    let gate = Gate::start(&at("gate"), &daemon.socket);
    let lines: Vec<Line> = serde_saphyr::from_str(include_str!("registry.yaml")).unwrap();
    let lines: Vec<Line> = lines.into_iter().map(|line| line.of(engine)).collect();
    live(program, scratch.path(), &daemon, &gate, &lines);
    super::log::judge(&gate.end());
    println!("registry: {} lines", lines.len());
}

/// Runs each line and tells all that came out otherwise.
pub(crate) fn live(
    program: &str,
    scratch: &Path,
    daemon: &PrivateDaemon,
    gate: &Gate,
    lines: &[Line],
) {
    let mut wrong = Vec::new();
    for line in lines {
        let before = gate.audit().len();
        let mut shell = shell(scratch, program, &line.run);
        match line.by.as_str() {
            "daemon" => shell.env("DOCKER_HOST", format!("unix://{}", daemon.socket.display())),
            client => shell
                .env("DOCKER_HOST", format!("tcp://127.0.0.1:{}", gate.port))
                .env("DOCKER_TLS_VERIFY", "1")
                .env("DOCKER_CERT_PATH", gate.bundle(client)),
        };
        let out = shell.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        if let Some(why) = judge(line, &out, &said) {
            wrong.push(format!("{}: {}: {why}:\n{said}", line.by, line.run));
        }
        let denied = |event: &serde_json::Value| {
            let reasons = event["decision"]["reasons"].as_array();
            reasons.is_some_and(|all| all.iter().any(|one| one["id"] == line.refused.as_str()))
        };
        if !line.refused.is_empty() && !gate.audit().split_off(before).iter().any(denied) {
            wrong.push(format!("{}: {} is not on record", line.run, line.refused));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(line: &Line, out: &Output, said: &str) -> Option<&'static str> {
    let ended = out.status.code();
    if !line.refused.is_empty() {
        let told = said.contains(&format!("[{}]", line.refused)) && ended != Some(0);
        return (!told).then_some("not refused for that reason");
    }
    match ended == Some(line.exit) && said.contains(&line.says) {
        true => None,
        false => Some("another end than it should have"),
    }
}

fn shell(scratch: &Path, program: &str, line: &str) -> Command {
    let mut shell = Command::new("timeout");
    shell.args(["-s", "KILL", STEP, "bash", "-c", line]).current_dir(scratch);
    plain(&mut shell);
    shell.env("D", program).env("R", "127.0.0.1:5000/shop").env("DOCKER_CONFIG", scratch);
    shell.stdin(std::process::Stdio::null());
    shell
}
