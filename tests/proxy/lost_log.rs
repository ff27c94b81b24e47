//! The log's file taken away under a gate that serves: nothing reaches the daemon without a line in a file that
//! has a name.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, until};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Requests of each client after its log was taken away.
const AFTER: usize = 25;

fn log_file(audit: &Path) -> PathBuf {
    let files = fs::read_dir(audit).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    files.pop().unwrap()
}

/// What the log's directory holds of a request, by its path.
fn is_recorded(audit: &Path, path: &str) -> bool {
    crate::gate::events(audit)
        .iter()
        .any(|e| e["stage"] == "decision" && e["request"]["path"] == path)
}

async fn taken_away(deed: impl FnOnce(&Path)) {
    let script = (0..2000).fold(Script::new("1.41"), |script, nth| {
        let call = format!("POST /containers/c{nth}/start");
        script.on(&call, Reply::status("204 No Content", "", ""))
    });
    let gate = Gate::start(script).await;
    let (done, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut client = gate.client("admin").await;
        let (done, next) = (Arc::clone(&done), Arc::clone(&next));
        clients.spawn(async move {
            let mut after = Vec::new();
            while after.len() < AFTER {
                let late = done.load(Ordering::SeqCst);
                let path =
                    format!("/v1.41/containers/c{}/start", next.fetch_add(1, Ordering::SeqCst));
                let answer = client.ask(bare("POST", &path, "")).await;
                assert!(matches!(answer.status, 204 | 503), "{}", answer.text());
                if late {
                    after.push((path, answer.status));
                }
            }
            after
        });
    }
    until("some load", || (next.load(Ordering::SeqCst) > 20).then_some(())).await;
    deed(&log_file(&gate.audit));
    done.store(true, Ordering::SeqCst);
    for (path, status) in clients.join_all().await.into_iter().flatten() {
        let call = path.replacen("/v1.41", "POST ", 1);
        let arrived = gate.fake.log().calls(&call).len();
        assert_eq!(arrived, usize::from(status == 204), "{call}");
        assert_eq!(is_recorded(&gate.audit, &path), status == 204, "{path}");
    }
    let gap = gate.event("a gap", |e| e["stage"] == "gap").await;
    assert!(gap["gap"]["gone"].as_u64().unwrap() > 0, "{gap}");
    let start = gate.event("a start", |e| e["previous"]["ended"] == "lost").await;
    assert_eq!(start["previous"]["file"].as_str().unwrap().rsplit('.').next(), Some("jsonl"));
}

#[tokio::test]
async fn a_log_that_is_removed_goes_on_in_a_new_file() {
    taken_away(|file| fs::remove_file(file).unwrap()).await;
}

#[tokio::test]
async fn a_log_that_is_moved_goes_on_in_a_new_file() {
    taken_away(|file| fs::rename(file, file.with_extension("aside")).unwrap()).await;
}

#[tokio::test]
async fn a_log_that_is_cut_short_goes_on_in_a_new_file() {
    taken_away(|file| drop(File::create(file).unwrap())).await;
}

#[tokio::test]
async fn where_no_new_file_can_be_made_nothing_is_forwarded() {
    let script = Script::new("1.41").on("GET /containers/json", Reply::json("[]"));
    let gate = Gate::start(script).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/containers/json").await.status, 200);
    gate.outcome("ContainerList").await;
    let aside = gate.audit.with_extension("aside");
    fs::rename(&gate.audit, &aside).unwrap();
    File::create(&gate.audit).unwrap();
    let before = gate.fake.log().bytes;
    for _ in 0..2 {
        assert_eq!(client.get("/containers/json").await.status, 503);
    }
    assert_eq!(gate.fake.log().bytes, before, "something was forwarded without a record");
    fs::remove_file(&gate.audit).unwrap();
    assert_eq!(client.get("/containers/json").await.status, 200);
    let gap = gate.event("a gap", |e| e["gap"]["refused"].is_u64()).await;
    assert_eq!(gap["gap"]["refused"], 2);
}
