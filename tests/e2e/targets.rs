//! Containers of an administrator, into which somebody reaches who could not have made them: told in `targets.yaml`.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::registry::{Line, live};

/// Who may run a few commands, and delete what does not run.
const BACKUP: &str =
    "  - { name: backup, match: { uri: \"spiffe://example.org/backup\" }, roles: [backup] }\n";
const ROLE: &str = r#"  backup:
    scope: any
    admission: baseline
    allow: { container: [list, inspect, exec, delete] }
    exec: { commands: ["cat /etc/hostname", "echo {rest}"], env: ["PG*"] }
    delete: { volumes: true }
"#;

/// Plays it.
pub(crate) fn play(engine: Engine) {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let clients = ["admin", "dev", "shop", "streamer", "backup"].map(str::to_owned);
    let (head, roles) = include_str!("policy.yaml").split_once("roles:\n").unwrap();
    let policy = format!("{head}{BACKUP}roles:\n{roles}{ROLE}");
    let gate = Gate::with(&scratch.path().join("gate"), &daemon.socket, &clients, &policy);
    let lines: Vec<Line> = serde_saphyr::from_str(include_str!("targets.yaml")).unwrap();
    live(&engine.cli().1, scratch.path(), &daemon, &gate, &lines);
    super::log::judge(&gate.end());
    println!("targets: {} lines", lines.len());
}
