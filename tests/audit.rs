//! The log on a real filesystem: full, cut off by a crash, and by whom it can be read.
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

use dockward::facade::audit::event::{
    DecisionRecord, IdentityRecord, Proof, ReasonRecord, RequestRecord,
};
use dockward::facade::audit::{
    AuditError, Durability, Event, EventId, GateInstance, LineFault, Stage, VerifyError, Writer,
    find, keep_policy, verify,
};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn decision() -> Event {
    let mut event = Event::new(Stage::Decision);
    event.identity = Some(IdentityRecord {
        name: "ci\u{202e}\n-1".into(),
        roles: vec!["ci".into()],
        proven: Proof::Certificate,
        subject: Some("CN=ci-1".into()),
        issuer: None,
        serial: None,
        sans: vec!["uri:spiffe://example.org/ci/1".into()],
        fingerprint: None,
        unix: None,
        claims: serde_json::Map::new(),
    });
    event.request = Some(RequestRecord {
        method: "POST".into(),
        path: "/v1.47/containers/create".into(),
        ..RequestRecord::default()
    });
    event.decision = Some(DecisionRecord::deny([ReasonRecord {
        id: "mount.host-path".into(),
        field: Some("HostConfig.Binds[0]".into()),
        value: Some("/etc".into()),
    }]));
    event
}

fn open(directory: &Path) -> Writer {
    Writer::open(directory, GateInstance::here(), 0).unwrap()
}

fn log_files(directory: &Path) -> Vec<PathBuf> {
    let names = verify(directory).unwrap().files.into_iter().map(|file| file.name);
    names.map(|name| directory.join(name)).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_decision_can_be_looked_up_by_the_id_its_refusal_quotes() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path());
    let event = decision();
    let quoted: EventId = event.id.to_string().parse().unwrap();
    writer.record(event, Durability::Synced).await.unwrap();
    writer.note(Event::new(Stage::Complete));
    writer.close().await.unwrap();
    open(directory.path()).close().await.unwrap();

    let found = find(directory.path(), quoted).unwrap().unwrap();
    assert_eq!(found.line, 2);
    let event = found.logged.event;
    assert_eq!(event.identity.unwrap().name, "ci\u{202e}\n-1");
    assert_eq!(event.decision.unwrap().reasons().next().unwrap().id, "mount.host-path");
    assert_eq!(found.logged.frame.gate.instance.len(), 16);

    let path = directory.path().join(found.file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""name":"ci\u202e\n-1""#), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
}

#[tokio::test]
async fn an_event_that_a_later_version_wrote_is_not_said_to_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path());
    let event = decision();
    let id = event.id;
    writer.record(event, Durability::Synced).await.unwrap();
    writer.close().await.unwrap();
    let path = log_files(directory.path()).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(r#""verdict":"deny""#, r#""verdict":"perhaps""#)).unwrap();
    let told = find(directory.path(), id).unwrap_err().to_string();
    assert!(told.contains(".jsonl:2: ") && told.contains("the version of dockward"), "{told}");
}

#[tokio::test]
async fn each_file_names_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        open(directory.path()).close().await.unwrap();
    }
    let files = log_files(directory.path());
    assert_eq!(files.len(), 3);
    assert_eq!(lines(&files[0])[0]["prev"], "0".repeat(64));
    for pair in files.windows(2) {
        let (stop, start) = (lines(&pair[0]).pop().unwrap(), lines(&pair[1]).remove(0));
        assert_eq!((&start["stage"], &start["seq"]), (&Value::from("start"), &Value::from(1)));
        assert_eq!(start["prev"], stop["hash"]);
        assert_eq!(start["previous"]["hash"], stop["hash"]);
        assert!(pair[0].ends_with(start["previous"]["file"].as_str().unwrap()));
        assert_eq!(start["previous"]["ended"], "stop");
    }
}

#[tokio::test]
async fn a_line_torn_by_a_crash_is_told_of_and_stood_upon() {
    for torn in [&b"{\"v\":1,\"seq\":3,\"ti"[..], &[0; 5000], b"{}\n{"] {
        let directory = tempfile::tempdir().unwrap();
        let writer = open(directory.path());
        let last = writer.record(decision(), Durability::Synced).await.unwrap();
        let crashed = log_files(directory.path()).remove(0);
        // A copy of the moment, in a directory of its own, is what a crash leaves.
        let after = tempfile::tempdir().unwrap();
        let left = after.path().join(crashed.file_name().unwrap());
        fs::copy(&crashed, &left).unwrap();
        OpenOptions::new().append(true).open(&left).unwrap().write_all(torn).unwrap();

        let next = open(after.path());
        next.record(decision(), Durability::Synced).await.unwrap();
        next.close().await.unwrap();
        let mut names: Vec<_> =
            fs::read_dir(after.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let start = lines(&names[1]).remove(0);
        assert_eq!(start["prev"], last.hash().to_string());
        assert_eq!(start["previous"]["ended"], "died");
        assert_eq!(start["gap"]["torn"], torn.len());
        match verify(after.path()) {
            Ok(summary) => assert_eq!(summary.files[0].torn, u64::try_from(torn.len()).unwrap()),
            // A whole line that is not ours is no torn one.
            Err(VerifyError::Broken { line: 3, fault: LineFault::Hash, .. }) => {
                assert!(torn.contains(&b'\n'));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_policy_text_is_found_by_the_hash_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let writer = open(directory.path());
    let mut load = Event::new(Stage::PolicyLoad);
    load.policy = Some(keep_policy(directory.path(), b"version: 1\n").unwrap());
    let id = load.id;
    writer.record(load, Durability::Synced).await.unwrap();
    writer.close().await.unwrap();
    let hash = find(directory.path(), id).unwrap().unwrap().logged.event.policy.unwrap();
    let kept = directory.path().join(format!("policy-{hash}.yaml"));
    assert_eq!(fs::read(kept).unwrap(), b"version: 1\n");
}

/// A filesystem of 64 KiB, gone at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(directory.path()).status().unwrap();
        assert!(mounted.success(), "this test mounts a tmpfs: run it as root");
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let lazily = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(lazily.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_full_disk_refuses_keeps_the_chain_and_goes_on_when_there_is_room() {
    let disk = SmallDisk::mount();
    let writer = open(disk.path());
    let filler = disk.path().join("filler");
    let fill = fs::write(&filler, vec![0; 1 << 20]);
    assert_eq!(fill.unwrap_err().kind(), std::io::ErrorKind::StorageFull);

    // What is left of the file's last page may still take a few.
    let mut taken = 0;
    let refused = loop {
        match writer.record(decision(), Durability::Synced).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "the disk is not full");
    };
    assert!(matches!(refused, AuditError::Write { .. }), "{refused}");
    assert!(writer.record(decision(), Durability::Written).await.is_err());
    assert!(writer.counts().failing);
    let file = verify(disk.path()).unwrap().files.remove(0);
    assert_eq!((file.events, file.torn), (1 + taken, 0));

    fs::remove_file(&filler).unwrap();
    let recorded = writer.record(decision(), Durability::Synced).await.unwrap();
    assert_eq!(recorded.seq(), 1 + taken + 2);
    writer.close().await.unwrap();
    assert!(verify(disk.path()).unwrap().files[0].stopped);
    let gap = &lines(&log_files(disk.path())[0])[usize::try_from(taken).unwrap() + 1];
    assert_eq!((&gap["stage"], &gap["gap"]["refused"]), (&Value::from("gap"), &Value::from(2)));
}

fn dockward_audit(arguments: &[&str], directory: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
    let output = command.arg("audit").args(arguments).arg("--directory").arg(directory).output();
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn the_command_says_that_it_holds_where_it_was_changed_and_what_was_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    assert_eq!(dockward_audit(&["head"], at).0, Some(2), "there is no line yet");
    let writer = open(at);
    for _ in 0..3 {
        writer.record(decision(), Durability::Synced).await.unwrap();
    }
    let (code, kept) = dockward_audit(&["head"], at);
    assert_eq!((code, kept.trim().len()), (Some(0), 64), "{kept}");
    writer.record(decision(), Durability::Synced).await.unwrap();
    writer.close().await.unwrap();
    let expected = ["verify", "--expect-head", kept.trim()];

    let (code, said) = dockward_audit(&["verify"], at);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("OK: each of 6 lines is as it was written\n"), "{said}");
    assert!(said.contains("a hash kept elsewhere"), "{said}");
    let (code, said) = dockward_audit(&expected, at);
    assert_eq!(code, Some(0));
    assert!(said.contains(", line 4: nothing up to it is missing"), "{said}");
    assert_eq!(dockward_audit(&["verify", "--expect-head", "abc"], at).0, Some(2));

    let path = log_files(at).pop().unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let cut: String = whole.lines().take(3).map(|line| format!("{line}\n")).collect();
    fs::write(&path, cut).unwrap();
    assert_eq!(dockward_audit(&["verify"], at).0, Some(0), "a cut at the end is not seen alone");
    let (code, said) = dockward_audit(&expected, at);
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("CHANGED: the line with the hash that was kept is not in this log"),
        "{said}"
    );

    fs::write(&path, whole.replacen("mount.host-path", "mount.host-pith", 1)).unwrap();
    let (code, said) = dockward_audit(&["verify"], at);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("CHANGED: ") && said.contains(":2: this line "), "{said}");
    let (code, said) = dockward_audit(&["verify", "--format", "json"], at);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["ok"]), (Some(1), &Value::Bool(false)));
}
