//! What cannot be recorded is not done, by whoever asks.

use crate::asked::{refused, script, status, told};
use crate::client::bare;
use crate::gate::{Gate, Setup};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// A disk of a quarter of a MiB.
pub struct Disk(pub tempfile::TempDir);

impl Disk {
    pub fn mount() -> Self {
        let at = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=256k", "dockward-test"];
        let status = Command::new("mount").args(mount).arg(at.path()).status().unwrap();
        assert!(status.success(), "tests run as root, who can mount");
        Self(at)
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    pub fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn with_the_log_on_a_full_disk_nothing_is_ended_and_nothing_granted() {
    let disk = Disk::mount();
    let audit = Some(disk.0.path().join("audit"));
    let gate = Gate::with(Setup { audit, ..Setup::new(script()) }).await;
    let mut dev = gate.client("dev").await;
    dev.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(dev.head().await.0, 200);
    assert_eq!(dev.chunk().await, b"{\"e\":1}\n");
    let held = ["grant", "reader", "administrator", "--for", "1h", "--reason", "before"];
    let held = told(&gate, &held).await["grant"]["id"].as_str().unwrap().to_owned();
    disk.fill();
    let mut other = gate.client("reader").await;
    let list = bare("GET", "/v1.41/containers/json", "");
    crate::gate::soon(async { while other.ask(&list).await.status != 503 {} }).await;

    let asked: [&[&str]; 4] = [
        &["sessions", "kill", "identity:dev", "--reason", "r"],
        &["grant", "dev", "administrator", "--for", "1h", "--reason", "r"],
        &["grant", "--revoke", &held, "--reason", "r"],
        &["reload"],
    ];
    for arguments in asked {
        let said = refused(&gate, arguments).await;
        assert!(said.contains("audit"), "{arguments:?}: {said}");
    }
    let (code, status) = status(&gate).await;
    assert_eq!((code, &status["verdict"]), (1, &"degraded".into()));
    assert_eq!(status["log"]["failing"], true);
    let held_still: Vec<_> = status["grants"].as_array().unwrap().iter().collect();
    assert_eq!((held_still.len(), held_still[0]["id"].as_str()), (1, Some(held.as_str())));
    gate.fake.tick();
    assert_eq!(dev.chunk().await, b"{\"e\":1}\n");

    File::create(disk.filler()).unwrap();
    told(&gate, &["sessions", "kill", "identity:dev", "--reason", "r"]).await;
    dev.remains().await;
    gate.settle().await;
}
