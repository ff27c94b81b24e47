//! The first word: well, or why not; the same of a gate that is asked itself and of one that is looked at from outside.

use crate::asked::{run, script, status, text};
use crate::disk::Disk;
use crate::gate::{Gate, OURS, Setup};
use crate::pki::Wish;
use serde_json::Value;
use std::process::Command;

/// `healthcheck`: the exit code, and what it prints.
async fn health(gate: &Gate) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
    command.arg("healthcheck").arg("--config").arg(gate.path("dockward.yaml"));
    command.args(["--listen", &gate.address.to_string()]);
    let output = run(command).await;
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

/// Both say that it is not well, for this one cause, with exit code 1.
async fn is_ill(gate: &Gate, cause: &str) -> Value {
    let (code, status) = status(gate).await;
    assert_eq!((code, &status["verdict"]), (1, &"degraded".into()), "{status}");
    let causes = status["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert!(causes[0]["what"].as_str().unwrap().contains(cause), "{causes:#?}");
    assert!(!causes[0]["next"].as_str().unwrap().is_empty());
    let (code, said) = health(gate).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("degraded: ") && said.contains(cause), "{said}");
    status
}

#[tokio::test]
async fn a_gate_with_all_it_needs_is_well() {
    let gate = Gate::start(script()).await;
    let (code, status) = status(&gate).await;
    assert_eq!((code, &status["verdict"]), (0, &"well".into()), "{status}");
    assert_eq!(status["daemon"]["answers"], true);
    assert_eq!(status["daemon"]["api_version"], "1.41");
    let (code, said) = health(&gate).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("well\ngate: well ("), "{said}");
    gate.settle().await;
}

/// Both ways of asking: with the gate's own socket, and without.
fn ways(edits: &[(&'static str, String)]) -> [Setup; 2] {
    let setup = |more: Option<(&'static str, String)>| {
        let edits = edits.iter().cloned().chain(more).collect();
        Setup { edits, ..Setup::new(script()) }
    };
    [setup(None), setup(Some(("control: { socket: control.sock }", String::new())))]
}

#[tokio::test]
async fn a_daemon_that_is_gone_is_told_of() {
    let away = ("daemon: { socket: ", "daemon: { socket: /nonexistent/docker.sock } # ".to_owned());
    let [asked, outside] = ways(&[away]);
    let gate = Gate::with(asked).await;
    let status = is_ill(&gate, "the daemon does not answer").await;
    assert_eq!(status["daemon"]["answers"], false);
    let since = status["daemon"]["since"].clone();
    assert_eq!(is_ill(&gate, "the daemon does not answer").await["daemon"]["since"], since);
    gate.settle().await;
    let gate = Gate::with(outside).await;
    let (code, said) = health(&gate).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.starts_with("degraded: the daemon at /nonexistent/docker.sock: it is away"),
        "{said}"
    );
    gate.settle().await;
}

#[tokio::test]
async fn a_full_disk_is_told_of_before_anybody_asks_for_something() {
    for setup in ways(&[]) {
        let disk = Disk::mount();
        let asked = setup.edits.is_empty();
        let audit = Some(disk.0.path().join("audit"));
        let gate = Gate::with(Setup { audit, ..setup }).await;
        disk.fill();
        if asked {
            is_ill(&gate, "the log cannot be written, so nothing is let through").await;
        } else {
            let (code, said) = health(&gate).await;
            assert_eq!(code, 1, "{said}");
            assert!(said.starts_with("degraded: the log's disk is full"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_server_certificate_that_has_ended_is_told_of() {
    let day = 24 * 60 * 60;
    let ended = jiff::Timestamp::now().as_second() - day;
    let over = OURS.issue(&Wish::server().between(ended - day, ended));
    for setup in ways(&[]) {
        let asked = setup.edits.is_empty();
        let beside =
            vec![("server.pem", over.certificate.clone()), ("server-key.pem", over.key.clone())];
        let gate = Gate::with(Setup { beside, ..setup }).await;
        if asked {
            is_ill(&gate, "server certificate").await;
        } else {
            let (code, said) = health(&gate).await;
            assert_eq!(code, 1, "{said}");
            assert!(said.starts_with("degraded: ") && said.contains("issue it again"), "{said}");
        }
        gate.settle().await;
    }
}
