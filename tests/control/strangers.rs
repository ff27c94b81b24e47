//! Who is not listened to, and what does not disturb.

use crate::asked::{ask, run, script, text, told};
use crate::gate::{Gate, soon};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// `dockward status` behind another command, by a copy of the binary that everybody may run.
async fn behind(gate: &Gate, before: &[&str]) -> Output {
    let program = gate.path("dockward");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_dockward"), &program).unwrap();
        fs::set_permissions(program.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(before[0]);
    command.args(&before[1..]).arg(program).arg("status");
    command.arg("--control").arg(gate.path("control.sock"));
    run(command).await
}

const USER_1234: [&str; 4] = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"];

#[tokio::test]
async fn another_user_does_not_reach_the_socket_and_would_not_be_listened_to() {
    let gate = Gate::start(script()).await;
    let socket = gate.path("control.sock");
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
    let kept_out = behind(&gate, &USER_1234).await;
    assert_eq!(kept_out.status.code(), Some(2));
    assert!(text(&kept_out.stderr).contains("ask as root"), "{}", text(&kept_out.stderr));
    assert!(gate.events().iter().all(|e| e["stage"] != "connection.refused"));
    // a mode that somebody loosened does not help
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let hung_up = behind(&gate, &USER_1234).await;
    assert_eq!(hung_up.status.code(), Some(2));
    assert!(text(&hung_up.stderr).contains("the gate hung up"), "{}", text(&hung_up.stderr));
    let refused =
        |e: &Value| e["stage"] == "connection.refused" && e["reason"] == "control.refused";
    let event = gate.event("the refusal", refused).await;
    assert_eq!((&event["actor"]["uid"], &event["actor"]["gid"]), (&1234.into(), &1234.into()));
    assert!(behind(&gate, &["env"]).await.status.success(), "root is listened to");
    gate.settle().await;
}

#[tokio::test]
async fn root_of_a_container_is_not_listened_to() {
    let gate = Gate::start(script()).await;
    for (namespace, what) in
        [(["--pid", "--fork"], "process"), (["--user", "--map-root-user"], "user")]
    {
        let before = [&["unshare"], namespace.as_slice()].concat();
        let refused = behind(&gate, &before).await;
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("the gate hung up"), "{}", text(&refused.stderr));
        let told = format!("it is in another {what} namespace");
        gate.event(&told, |e| e["reason"] == "control.refused" && e["text"] == told.as_str()).await;
    }
    // a mount namespace of one's own is what every service has
    assert!(behind(&gate, &["unshare", "--mount"]).await.status.success());
    gate.settle().await;
}

#[tokio::test]
async fn refusals_do_not_fill_the_log() {
    let gate = Gate::start(script()).await;
    let loosened = Permissions::from_mode(0o666);
    fs::set_permissions(gate.path("control.sock"), loosened).unwrap();
    for _ in 0..15 {
        assert_eq!(behind(&gate, &USER_1234).await.status.code(), Some(2));
    }
    told(&gate, &["status"]).await;
    let events = gate.settle().await;
    assert_eq!(events.iter().filter(|e| e["reason"] == "control.refused").count(), 10);
}

fn say(gate: &Gate, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(gate.path("control.sock")).unwrap();
    let _ = stream.write_all(bytes); // who says too much is hung up on
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test]
async fn a_hundred_lines_of_garbage_disturb_nobody() {
    let gate = Gate::start(script()).await;
    let mut dev = gate.client("dev").await;
    for nth in 0..100_u32 {
        let garbage = match nth % 5 {
            0 => "\n".to_owned(),
            1 => format!("{}\n", "[".repeat(60_000)),
            2 => format!("{{\"version\":{nth},\"ask\":\"status\"}}\n"),
            3 => "\u{0}\u{1b}[31m\n".to_owned(),
            _ => "{\"version\":1,\"ask\":{\"kill\":{}}}\n".to_owned(),
        };
        let answer: Value = serde_json::from_str(&say(&gate, garbage.as_bytes())).unwrap();
        assert!(answer["answer"]["refused"].is_string(), "{garbage:.60}: {answer}");
        assert_eq!(dev.get("/v1.41/containers/json").await.status, 200);
    }
    let endless = say(&gate, &vec![b' '; 200_000]);
    assert!(endless.is_empty() || endless.contains("65536 bytes at most"), "{endless}");
    assert_eq!(ask(&gate, &["status"]).await.status.code(), Some(0));
    let events = gate.settle().await;
    assert!(events.iter().all(|e| e["stage"] != "session.kill"));
}

/// One place after the other is taken by somebody who says nothing; the next one is told so at once, and
/// those who wait too long lose theirs.
#[tokio::test]
async fn whoever_says_nothing_holds_a_place_for_some_seconds_and_no_longer() {
    let gate = Gate::start(script()).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(tokio::net::UnixStream::connect(gate.path("control.sock")).await.unwrap());
    }
    let mut ninth = tokio::net::UnixStream::connect(gate.path("control.sock")).await.unwrap();
    let mut answer = String::new();
    soon(ninth.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("are asking already"), "{answer}");
    let mut dev = gate.client("dev").await;
    assert_eq!(dev.get("/v1.41/containers/json").await.status, 200);
    for stream in &mut silent {
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.contains("took too long"), "{answer}");
        let _ = stream.shutdown().await;
    }
    told(&gate, &["status"]).await;
    gate.settle().await;
}
