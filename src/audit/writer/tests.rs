//! The writer against files that fail, and under many hands.

use super::super::event::{GapRecord, Stage};
use super::super::loss::Loss;
use super::super::segment::LogFile;
use super::super::verify::FileSummary;
use super::super::{LineFault, RefusalKind, VerifyError, find, verify};
use super::*;
use crate::audit::{Noise, Whence};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Condvar, mpsc::sync_channel};
use std::time::Duration;

/// What the fake files do, and what was done to them.
#[derive(Default)]
struct Disk {
    /// The next write takes this many bytes and then fails.
    short_write: Mutex<Option<usize>>,
    fail_sync: AtomicBool,
    fail_truncate: AtomicBool,
    fail_create: AtomicBool,
    full: AtomicBool,
    syncs: AtomicUsize,
    writes: AtomicUsize,
    /// While held, syncs wait.
    hold: Mutex<bool>,
    released: Condvar,
}

struct FakeFile(Arc<Disk>, File);

impl LogFile for FakeFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.writes.fetch_add(1, Ordering::SeqCst);
        if let Some(taken) = self.0.short_write.lock().unwrap().take() {
            LogFile::write_all(&mut self.1, &bytes[..taken.min(bytes.len())])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        LogFile::write_all(&mut self.1, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let held = self.0.hold.lock().unwrap();
        drop(self.0.released.wait_while(held, |held| *held).unwrap());
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        match self.0.fail_sync.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is ill")),
            false => self.1.sync_data(),
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        match self.0.fail_truncate.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is ill")),
            false => self.1.set_len(length),
        }
    }

    fn free(&self) -> io::Result<u64> {
        Ok(if self.0.full.load(Ordering::SeqCst) { 0 } else { u64::MAX })
    }

    fn loss(&self, path: &Path, length: u64) -> Option<Loss> {
        self.1.loss(path, length)
    }
}

struct Log {
    directory: tempfile::TempDir,
    disk: Arc<Disk>,
    writer: Arc<Writer>,
}

impl Log {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(Disk::default());
        let files = Arc::clone(&disk);
        let create: Create = Box::new(move |path| {
            if files.fail_create.load(Ordering::SeqCst) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            let file = OpenOptions::new().append(true).create_new(true).open(path)?;
            Ok(Box::new(FakeFile(Arc::clone(&files), file)))
        });
        let writer = Writer::with_files(directory.path(), GateInstance::here(), 1, create).unwrap();
        Self { directory, disk, writer: Arc::new(writer) }
    }

    async fn decide(&self, durability: Durability) -> Result<Recorded, AuditError> {
        self.writer.record(Event::new(Stage::Decision), durability).await
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.directory.path()).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        files
    }

    fn lines(&self) -> Vec<Value> {
        let text: String = self.files().iter().map(|p| fs::read_to_string(p).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn stages(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["stage"].as_str().unwrap().to_owned()).collect()
    }

    fn verified(&self) -> Vec<FileSummary> {
        verify(self.directory.path()).unwrap().files
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_each_answered_and_all_in_the_chain() {
    let log = Log::new();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let writer = Arc::clone(&log.writer);
        let durability = if n % 2 == 0 { Durability::Synced } else { Durability::Written };
        tasks.spawn(async move {
            let event = Event::new(Stage::Decision);
            let id = event.id;
            let recorded = writer.record(event, durability).await.unwrap();
            assert_eq!(recorded.id(), id);
            (id, recorded.seq(), recorded.hash().to_string())
        });
    }
    let answers = tasks.join_all().await;
    log.writer.close().await.unwrap();

    let lines = log.lines();
    let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=66).collect::<Vec<_>>());
    for (id, seq, hash) in answers {
        let line = &lines[usize::try_from(seq).unwrap() - 1];
        assert_eq!(
            (line["id"].as_str(), line["hash"].as_str()),
            (Some(&*id.to_string()), Some(&*hash))
        );
        assert_eq!(find(log.directory.path(), id).unwrap().unwrap().line, seq);
    }
    assert_eq!(log.verified().len(), 1);
    assert!(log.verified()[0].stopped);
    let absent = find(log.directory.path(), EventId::new()).unwrap();
    assert!(absent.is_none());
}

/// On one thread: a task that took its place has sent its event when another one runs.
#[tokio::test]
async fn those_who_wait_share_one_write_and_one_sync() {
    let log = Log::new();
    *log.disk.hold.lock().unwrap() = true;
    let mut tasks = tokio::task::JoinSet::new();
    let ask = |tasks: &mut tokio::task::JoinSet<_>| {
        let writer = Arc::clone(&log.writer);
        tasks.spawn(async move {
            writer.record(Event::new(Stage::Decision), Durability::Synced).await.unwrap().seq()
        });
    };
    ask(&mut tasks);
    while log.disk.writes.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    (0..40).for_each(|_| ask(&mut tasks));
    while log.writer.shared.waiting.available_permits() > WAITING - 41 {
        tokio::task::yield_now().await;
    }
    *log.disk.hold.lock().unwrap() = false;
    log.disk.released.notify_all();
    assert_eq!(tasks.join_all().await.len(), 41);
    // The start line, the first decision, and the forty who came meanwhile.
    assert_eq!(log.disk.syncs.load(Ordering::SeqCst), 3);
    assert_eq!(log.disk.writes.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_read_does_not_wait_for_the_disk() {
    let log = Log::new();
    log.decide(Durability::Written).await.unwrap();
    assert_eq!(log.disk.syncs.load(Ordering::SeqCst), 1);
    log.decide(Durability::Synced).await.unwrap();
    assert_eq!(log.disk.syncs.load(Ordering::SeqCst), 2);
    assert_eq!(log.writer.counts(), Counts { events: 2, syncs: 1, failures: 0, failing: false });
}

#[tokio::test]
async fn a_short_write_leaves_no_trace_and_the_next_one_says_what_is_missing() {
    let log = Log::new();
    log.decide(Durability::Synced).await.unwrap();
    *log.disk.short_write.lock().unwrap() = Some(100);
    let refused = log.decide(Durability::Synced).await;
    assert!(matches!(refused, Err(AuditError::Write { .. })), "{refused:?}");
    assert!(log.writer.counts().failing);
    assert_eq!(log.verified()[0].events, 2);
    assert_eq!(log.verified()[0].torn, 0);

    log.decide(Durability::Synced).await.unwrap();
    assert!(!log.writer.counts().failing);
    assert_eq!(log.stages(), ["start", "decision", "gap", "decision"]);
    assert_eq!(log.lines()[2]["gap"], serde_json::json!({ "refused": 1 }));
    assert_eq!(log.files().len(), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_is_kept_until_it_can_be_written() {
    let log = Log::new();
    *log.disk.short_write.lock().unwrap() = Some(0);
    log.writer.note(Event::new(Stage::Complete));
    while log.writer.counts().failures == 0 {
        tokio::task::yield_now().await;
    }
    log.writer.note(Event::new(Stage::SessionClose));
    log.writer.close().await.unwrap();
    assert_eq!(log.stages(), ["start", "complete", "session.close", "stop"]);
}

#[tokio::test]
async fn too_many_notes_are_counted() {
    let log = Log::new();
    let all = u32::try_from(NOTES).unwrap();
    let held = Arc::clone(&log.writer.shared.notes).acquire_many_owned(all).await.unwrap();
    log.writer.note(Event::new(Stage::Complete));
    drop(held);
    log.writer.note(Event::new(Stage::Complete));
    log.writer.close().await.unwrap();
    assert_eq!(log.stages(), ["start", "gap", "complete", "stop"]);
    assert_eq!(log.lines()[1]["gap"]["lost"], 1);
}

#[tokio::test]
async fn after_a_failed_sync_the_chain_goes_on_in_a_new_file() {
    let log = Log::new();
    log.decide(Durability::Written).await.unwrap();
    log.disk.fail_sync.store(true, Ordering::SeqCst);
    let refused = log.decide(Durability::Synced).await;
    assert!(matches!(refused, Err(AuditError::Sync { .. })), "{refused:?}");
    // The new file's first line cannot be synced either: no file is left of that.
    assert!(log.decide(Durability::Written).await.is_err());
    assert_eq!(log.files().len(), 1);

    log.disk.fail_sync.store(false, Ordering::SeqCst);
    let recorded = log.decide(Durability::Synced).await.unwrap();
    log.writer.close().await.unwrap();
    assert_eq!(log.stages(), ["start", "decision", "start", "gap", "decision", "stop"]);
    let lines = log.lines();
    assert_eq!(lines[2]["previous"]["ended"], "abandoned");
    assert_eq!(lines[2]["prev"], lines[1]["hash"]);
    assert_eq!(recorded.seq(), 5);
    assert_eq!(log.verified().len(), 2);
}

#[tokio::test]
async fn a_file_that_cannot_be_cut_back_is_given_up() {
    let log = Log::new();
    log.disk.fail_truncate.store(true, Ordering::SeqCst);
    log.disk.fail_create.store(true, Ordering::SeqCst);
    *log.disk.short_write.lock().unwrap() = Some(100);
    assert!(log.decide(Durability::Synced).await.is_err());
    assert!(matches!(log.decide(Durability::Written).await, Err(AuditError::Create { .. })));
    log.disk.fail_create.store(false, Ordering::SeqCst);
    log.decide(Durability::Synced).await.unwrap();
    let files = log.verified();
    assert_eq!((files[0].events, files[0].torn), (1, 100));
    assert_eq!(files[1].events, 3);
}

/// What somebody does to the newest file of a log.
type Deed = fn(&Path);

#[tokio::test]
async fn a_file_that_is_taken_away_is_noticed_before_anybody_is_answered() {
    let remove: Deed = |file| fs::remove_file(file).unwrap();
    let rename: Deed = |file| fs::rename(file, file.with_extension("old")).unwrap();
    let cut: Deed = |file| File::options().write(true).open(file).unwrap().set_len(10).unwrap();
    let empty: Deed = |file| drop(File::create(file).unwrap());
    let append: Deed = |file| {
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        io::Write::write_all(&mut file, b"x\n").unwrap();
    };
    let replace: Deed = |file| {
        fs::remove_file(file).unwrap();
        File::create(file).unwrap();
    };
    let link: Deed = |file| {
        let aside = file.with_extension("old");
        fs::rename(file, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, file).unwrap();
    };
    let deeds = [remove, rename, cut, empty, append, replace, link].into_iter().zip([
        "was removed",
        "was moved",
        "was cut",
        "was cut",
        "was cut",
        "was removed",
        "was moved",
    ]);
    for (nth, (deed, told)) in deeds.enumerate() {
        let log = Log::new();
        log.decide(Durability::Synced).await.unwrap();
        let first = log.files().pop().unwrap();
        deed(&first);
        let durability = if nth % 2 == 0 { Durability::Synced } else { Durability::Written };
        let recorded = log.decide(durability).await.unwrap();
        let newest = log.files().into_iter().rfind(|file| *file != first).unwrap();
        let text = fs::read_to_string(newest).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let stages: Vec<_> = lines.iter().map(|line| line["stage"].as_str().unwrap()).collect();
        assert_eq!(stages, ["start", "gap", "decision"], "{told}");
        assert_eq!(lines[2]["hash"], recorded.hash().to_string());
        let named = first.file_name().unwrap().to_str().unwrap();
        let previous = &lines[0]["previous"];
        assert_eq!((&previous["file"], &previous["ended"]), (&named.into(), &"lost".into()));
        assert_eq!(previous["seq"], 2);
        assert!(lines[0]["text"].as_str().unwrap().contains(told), "{} {told}", lines[0]["text"]);
        assert_eq!(lines[1]["gap"], serde_json::json!({ "gone": 2 }));
        log.writer.close().await.unwrap();
        let held = verify(log.directory.path());
        assert!(held.is_err() || told == "was moved", "{told}: {held:?}");
    }
}

#[tokio::test]
async fn a_directory_that_is_taken_away_is_made_again_and_never_an_open_one() {
    let log = Log::new();
    let path = log.directory.path().to_owned();
    let aside = path.with_extension("aside");
    log.decide(Durability::Synced).await.unwrap();
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    for _ in 0..2 {
        let refused = log.decide(Durability::Synced).await;
        assert!(matches!(refused, Err(AuditError::OpenToOthers(_))), "{refused:?}");
    }
    assert_eq!(log.files(), Vec::<PathBuf>::new());
    fs::remove_dir(&path).unwrap();
    log.decide(Durability::Synced).await.unwrap();
    assert_eq!(log.stages(), ["start", "gap", "gap", "decision"]);
    fs::remove_dir_all(aside).unwrap();
}

#[tokio::test]
async fn refusals_are_folded_and_written_at_the_end() {
    let log = Log::new();
    let refusal = Refusal {
        kind: RefusalKind::Handshake,
        whence: Whence::Address("192.0.2.1".parse().unwrap()),
        who: None,
        reason: Noise::More.rule(),
        text: None,
    };
    (0..500).for_each(|_| log.writer.refusal(&refusal));
    log.writer.close().await.unwrap();
    assert_eq!(log.stages(), ["start", "handshake", "stop"]);
    let line = &log.lines()[1];
    assert_eq!(line["folded"]["count"], 500);
    assert_eq!(line["client"]["address"], "192.0.2.1");
}

#[tokio::test]
async fn noise_does_not_eat_the_reserve() {
    let log = Log::new();
    log.disk.full.store(true, Ordering::SeqCst);
    for last in 1..=3 {
        let whence = Whence::Address(format!("192.0.2.{last}").parse().unwrap());
        let kind = RefusalKind::Connection;
        log.writer.refusal(&Refusal {
            kind,
            whence,
            who: None,
            reason: Noise::More.rule(),
            text: None,
        });
    }
    log.decide(Durability::Synced).await.unwrap();
    log.writer.close().await.unwrap();
    assert_eq!(log.stages(), ["start", "decision", "gap", "stop"]);
    assert_eq!(
        log.lines()[2]["gap"],
        serde_json::to_value(GapRecord { noise: 3, ..GapRecord::default() }).unwrap()
    );
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused_alone() {
    let log = Log::new();
    let mut event = Event::new(Stage::Decision);
    event.text = Some("x".repeat(1 << 20));
    let refused = log.writer.record(event, Durability::Synced).await;
    assert!(matches!(refused, Err(AuditError::TooLarge(_))), "{refused:?}");
    assert_eq!(log.decide(Durability::Synced).await.unwrap().seq(), 3);
    assert_eq!(log.stages(), ["start", "gap", "decision"]);
}

#[tokio::test]
async fn after_the_end_nothing_is_recorded() {
    let log = Log::new();
    log.writer.close().await.unwrap();
    assert!(matches!(log.decide(Durability::Written).await, Err(AuditError::Closed)));
    assert!(matches!(log.writer.close().await, Err(AuditError::Closed)));
    log.writer.note(Event::new(Stage::Complete));
    assert_eq!(log.stages(), ["start", "stop"]);
}

#[tokio::test]
async fn a_dropped_writer_stops_in_order() {
    let Log { directory, disk, writer } = Log::new();
    let thread = writer.thread.lock().unwrap().take().unwrap();
    drop(writer);
    let (done, joined) = sync_channel(0);
    thread::spawn(move || done.send(thread.join().is_ok()));
    assert_eq!(joined.recv_timeout(Duration::from_secs(30)), Ok(true));
    assert!(verify(directory.path()).unwrap().files[0].stopped);
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 2);
}

/// Three files of two decisions each, and what they are called.
async fn three_files() -> (tempfile::TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let writer = Writer::open(directory.path(), GateInstance::here(), 0).unwrap();
        for _ in 0..2 {
            writer.record(Event::new(Stage::Decision), Durability::Written).await.unwrap();
        }
        writer.close().await.unwrap();
    }
    let names: Vec<_> =
        verify(directory.path()).unwrap().files.into_iter().map(|f| f.name).collect();
    let paths = names.iter().map(|name| directory.path().join(name)).collect();
    (directory, paths)
}

#[tokio::test]
async fn every_tampering_is_seen() {
    type Tamper = fn(&mut Vec<String>);
    let cases: [(&str, Tamper, &[LineFault]); 7] = [
        ("edit", |l| l[1] = l[1].replace("decision", "Decision"), &[LineFault::Hash]),
        ("delete", |l| drop(l.remove(1)), &[LineFault::Order]),
        ("insert", |l| l.insert(1, l[2].clone()), &[LineFault::Order]),
        ("reorder", |l| l.swap(1, 2), &[LineFault::Order]),
        ("behead", |l| drop(l.remove(0)), &[LineFault::Start]),
        ("cut in a line", |l| l[1].truncate(90), &[LineFault::Hash]),
        ("not ours", |l| l[1] = "{}".into(), &[LineFault::Hash]),
    ];
    for (what, tamper, faults) in cases {
        for at in 0..3 {
            let (directory, files) = three_files().await;
            let text = fs::read_to_string(&files[at]).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            tamper(&mut lines);
            fs::write(&files[at], lines.join("\n") + "\n").unwrap();
            match verify(directory.path()) {
                Err(VerifyError::Broken { fault, .. }) => {
                    assert!(faults.contains(&fault), "{what} in {at}: {fault}");
                }
                other => panic!("{what} in {at}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_file_cut_short_or_taken_away_is_seen() {
    let (directory, files) = three_files().await;
    let text = fs::read_to_string(&files[1]).unwrap();
    let shorter = text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    for cut in [shorter.as_str(), text.trim_end(), ""] {
        fs::write(&files[1], cut).unwrap();
        let Err(VerifyError::Broken { fault: LineFault::End(_), .. }) = verify(directory.path())
        else {
            panic!("cut to {} bytes unseen", cut.len());
        };
    }
    fs::remove_file(&files[1]).unwrap();
    let missing = verify(directory.path());
    assert!(
        matches!(&missing, Err(VerifyError::Broken { fault: LineFault::Missing(_), .. })),
        "{missing:?}"
    );
    fs::remove_file(&files[0]).unwrap();
    let begins_after = verify(directory.path()).unwrap().begins_after.unwrap();
    assert!(files[1].ends_with(begins_after));
}

#[tokio::test]
async fn two_processes_may_overlap() {
    let directory = tempfile::tempdir().unwrap();
    let old = Writer::open(directory.path(), GateInstance::here(), 0).unwrap();
    let new = Writer::open(directory.path(), GateInstance::here(), 0).unwrap();
    for writer in [&old, &new, &old] {
        writer.record(Event::new(Stage::Decision), Durability::Written).await.unwrap();
    }
    old.close().await.unwrap();
    new.close().await.unwrap();
    let summary = verify(directory.path()).unwrap();
    assert_eq!((summary.files.len(), summary.events), (2, 7));
    let second = directory.path().join(&summary.files[1].name);
    let start = fs::read_to_string(second).unwrap();
    assert!(start.lines().next().unwrap().contains(r#""ended":"running""#), "{start}");
}
