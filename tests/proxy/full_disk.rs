//! No gap: what cannot be written down does not happen.

use crate::client::{bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, Setup, until};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of a quarter of a MiB.
struct Disk {
    at: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Self {
        let at = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=256k", "dockward-test"];
        let status = Command::new("mount").args(mount).arg(at.path()).status().unwrap();
        assert!(status.success(), "tests run as root, who can mount");
        Self { at }
    }

    fn filler(&self) -> PathBuf {
        self.at.path().join("filler")
    }

    /// Takes the last byte.
    fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    fn free(&self) {
        File::create(self.filler()).unwrap();
    }

    fn path(&self) -> &Path {
        self.at.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.at.path()).status();
    }
}

#[tokio::test]
async fn with_the_log_on_a_full_disk_nothing_is_forwarded() {
    let disk = Disk::mount();
    let script = Script::new("1.41")
        .on("GET /containers/json", Reply::json("[]"))
        .on("POST /containers/web/start", Reply::status("204 No Content", "", ""));
    let audit = Some(disk.path().join("audit"));
    let gate = Gate::with(Setup { audit, ..Setup::new(script) }).await;
    let mut client = gate.client("dev").await;
    let (list, start) = (
        bare("GET", "/v1.41/containers/json", ""),
        bare("POST", "/v1.41/containers/web/start", ""),
    );
    assert_eq!(client.ask(&list).await.status, 200);
    gate.outcome("ContainerList").await;
    disk.fill();
    // what is left of the last block goes first
    let full = async { while client.ask(&list).await.status != 503 {} };
    crate::gate::soon(full).await;
    let before = gate.fake.log().bytes;
    for request in [&list, &start, &bare("GET", "/_ping", "")] {
        let answer = client.ask(request).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.message().contains("audit log cannot be written"), "{}", answer.text());
    }
    let denied = json("POST", "/v1.41/containers/create", "{");
    assert_eq!(gate.client("dev").await.ask(denied).await.status, 503);
    assert_eq!(gate.fake.log().bytes, before, "something was forwarded without a record");
    disk.free();
    assert_eq!(client.ask(&start).await.status, 204);
    assert_eq!(client.ask(&list).await.status, 200);
    until("the gap to be told", || gate.events().into_iter().find(|e| e["stage"] == "gap")).await;
    gate.settle().await;
}
