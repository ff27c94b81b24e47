//! The gate as its users start it, before a daemon that records.

use crate::client::Client;
use crate::fake_daemon::{FakeDaemon, Script};
use crate::pki::{Authority, Pair, Wish};
use serde_json::Value;
use std::collections::HashMap;
use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

/// The authority of the server and its clients.
pub static OURS: LazyLock<Authority> = LazyLock::new(|| Authority::new("ours"));
static SERVER: LazyLock<Pair> = LazyLock::new(|| OURS.issue(&Wish::server()));

/// What must never be found in the log, whoever sends it.
pub const SECRET: &str = "hunter2";
/// It in `X-Registry-Auth`, and for one registry in `X-Registry-Config`.
pub const AUTH: &str = "eyJwYXNzd29yZCI6Imh1bnRlcjIifQ==";
pub const CONFIG: &str = "eyJkb2NrZXIuaW8iOnsicGFzc3dvcmQiOiJodW50ZXIyIn19";
/// Who is who and may do what; FRONT, SOCKET and AUDIT are filled in.
const POLICY: &str = include_str!("policy.yaml");

/// Nothing here takes that long.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("took longer than 30 s")
}

/// Waits until it holds; for what only a file or /proc can tell.
pub async fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(held) = holds() {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A directory with the server's certificates.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        write_private(&files.path("server.pem"), &SERVER.certificate);
        write_private(&files.path("server-key.pem"), &SERVER.key);
        write_private(&files.path("ca.pem"), &OURS.certificate);
        files
    }

    pub fn directory(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    pub fn policy(&self, front: &str, socket: &Path, audit: &Path) -> String {
        let day = jiff::Timestamp::now() + Duration::from_secs(10 * 24 * 60 * 60);
        POLICY
            .replace("FRONT", front)
            .replace("SOCKET", socket.to_str().unwrap())
            .replace("AUDIT", audit.to_str().unwrap())
            .replace("UNTIL", &day.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

/// A gate and the daemon behind it.
pub struct Gate {
    pub fake: FakeDaemon,
    pub address: SocketAddr,
    pub audit: PathBuf,
    /// What it said when it was ready.
    ready: String,
    files: Files,
    process: Child,
}

/// What differs from the usual.
pub struct Setup {
    pub script: Script,
    /// Keys of `front:`.
    pub front: &'static str,
    /// Where the log is; in the gate's own directory otherwise.
    pub audit: Option<PathBuf>,
    /// Text of the policy that is replaced by other text.
    pub edits: Vec<(&'static str, String)>,
    /// Files beside it.
    pub beside: Vec<(&'static str, String)>,
    /// Who runs the gate; whoever runs the test otherwise.
    pub user: Option<u32>,
    /// A command that runs the gate's.
    pub by: Vec<String>,
}

impl Setup {
    pub fn new(script: Script) -> Self {
        let (edits, beside, by) = (Vec::new(), Vec::new(), Vec::new());
        Self { script, front: "", audit: None, edits, beside, user: None, by }
    }
}

impl Gate {
    pub async fn start(script: Script) -> Self {
        Self::with(Setup::new(script)).await
    }

    pub async fn with(setup: Setup) -> Self {
        let files = Files::new();
        let audit = setup.audit.unwrap_or_else(|| files.path("audit"));
        let fake = FakeDaemon::start(setup.script);
        let mut policy = files.policy(setup.front, &fake.socket, &audit);
        for (from, to) in &setup.edits {
            assert!(policy.contains(from), "{from:?} is not in the policy");
            policy = policy.replace(from, to);
        }
        write_private(&files.path("dockward.yaml"), &policy);
        for (name, text) in &setup.beside {
            write_private(&files.path(name), text);
        }
        let said = std::fs::File::create(files.path("said")).unwrap();
        let mut process = command(setup.user, &setup.by, &files, &fake)
            .args(["serve", "--config"])
            .arg(files.path("dockward.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = soon(tokio::task::spawn_blocking(move || lines.next())).await.unwrap();
        let Some(Ok(ready)) = ready else {
            panic!("{}", std::fs::read_to_string(files.path("said")).unwrap())
        };
        let address = ready.split(" on ").nth(1).and_then(|rest| rest.split(' ').next());
        let address = address.and_then(|text| text.trim_end_matches(',').parse().ok());
        let address = address.expect(&ready);
        Self { fake, address, audit, ready, files, process }
    }

    pub async fn client(&self, name: &str) -> Client {
        Client::connect(self.address, name).await.unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path(name)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends the gate a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Replaces some text of the policy, and has the gate read it again.
    pub fn reload(&self, from: &str, to: &str) {
        let path = self.path("dockward.yaml");
        let old = std::fs::read_to_string(&path).unwrap();
        assert!(old.contains(from), "{from:?} is not in the policy");
        write_private(&path, &old.replace(from, to));
        self.signal(rustix::process::Signal::HUP);
    }

    /// Puts a file in place of another at once, as those do who replace certificates.
    pub fn put(&self, name: &str, text: &str) {
        write_private(&self.path("fresh"), text);
        std::fs::rename(self.path("fresh"), self.path(name)).unwrap();
    }

    /// How often something came into force since the start. The log says so a moment earlier: it comes first.
    pub fn loads(&self) -> u64 {
        let mut stream = UnixStream::connect(self.path("control.sock")).unwrap();
        stream.write_all(b"{\"version\":1,\"ask\":\"status\"}\n").unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        let answer: Value = serde_json::from_slice(&text).unwrap();
        answer["answer"]["status"]["reloads"]["done"].as_u64().expect("a status")
    }

    /// Changes something, and waits until it is in force.
    pub async fn loaded(&self, change: impl FnOnce()) {
        let before = self.loads();
        change();
        until("a load", || (self.loads() > before).then_some(())).await;
    }

    /// Every line of the log.
    pub fn events(&self) -> Vec<Value> {
        events(&self.audit)
    }

    /// Waits until an event of the log is so.
    pub async fn event(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.events().into_iter().find(|event| is(event))).await
    }

    /// Waits for how the request ended that this says of itself in its decision.
    pub async fn outcome(&self, operation: &str) -> Value {
        let decision = self
            .event(operation, |e| {
                e["stage"] == "decision" && e["request"]["operation"] == operation
            })
            .await;
        let ends = |e: &Value| e["parent"] == decision["id"] && !e["outcome"].is_null();
        self.event("an outcome", ends).await["outcome"].clone()
    }

    /// The memory that the gate holds now, in bytes (proc(5)).
    pub fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_matches([':', '\t', ' ']).trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// The memory that it said at start it may be made to hold, in bytes.
    #[allow(dead_code, reason = "for the test of the heaviest bodies, which is elsewhere")]
    pub fn bound(&self) -> u64 {
        let words: Vec<_> = self.ready.split(' ').collect();
        let at = words.iter().position(|word| *word == "MiB").expect(&self.ready);
        words[at - 1].parse::<u64>().unwrap() << 20
    }

    /// Waits until the gate has ended by itself, in order.
    pub async fn ended(&mut self) {
        let process = &mut self.process;
        let status = until("the gate's end", || process.try_wait().unwrap()).await;
        assert_eq!(status.code(), Some(0), "{}", self.said());
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path("said")).unwrap()
    }

    /// Ends the gate and holds it to account: its log is whole, ends in order, gives every request
    /// that was let through exactly one end and any other none, and holds no secret.
    pub async fn settle(mut self) -> Vec<Value> {
        if self.process.try_wait().unwrap().is_none() {
            self.signal(rustix::process::Signal::TERM);
        }
        self.ended().await;
        dockward::facade::audit::verify(&self.audit).unwrap();
        let events = self.events();
        assert_eq!(events.last().unwrap()["stage"], "stop");
        account(&events);
        for file in std::fs::read_dir(&self.audit).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
            let told = [SECRET, AUTH, CONFIG].iter().any(|secret| text.contains(secret));
            assert!(!told, "a secret is in the log: {text}");
        }
        let said = self.said();
        let told = [SECRET, AUTH, CONFIG].iter().any(|secret| said.contains(secret));
        assert!(!told, "a secret was said: {said}");
        assert!(!self.said().contains("panicked"), "{}", self.said());
        events
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- the gate said:\n{}", self.said());
            for event in self.events().iter().rev().take(4).rev() {
                eprintln!("{:.600}", event.to_string());
            }
        }
    }
}

/// The gate's command, as this user or by that command.
fn command(user: Option<u32>, by: &[String], files: &Files, fake: &FakeDaemon) -> Command {
    let gate = env!("CARGO_BIN_EXE_dockward");
    if let [program, words @ ..] = by {
        let mut command = Command::new(program);
        command.args(words).arg(gate);
        return command;
    }
    let Some(user) = user else { return Command::new(gate) };
    let entries = std::fs::read_dir(files.directory()).unwrap().map(|entry| entry.unwrap().path());
    let theirs = [files.directory().to_owned(), fake.socket.clone(), fake.directory().to_owned()];
    for path in entries.chain(theirs) {
        std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    }
    let mut command = Command::new("setpriv");
    let user = user.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups", gate]);
    command
}

/// Every line of a log.
pub fn events(audit: &Path) -> Vec<Value> {
    let Ok(files) = std::fs::read_dir(audit) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let lines = texts.map(|text| {
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()
    });
    lines.flatten().filter(|event| event["stage"].is_string()).collect()
}

fn account(events: &[Value]) {
    let mut ends: HashMap<&str, usize> = HashMap::new();
    for end in events.iter().filter(|e| e["stage"] == "complete" || e["stage"] == "session.close") {
        *ends.entry(end["parent"].as_str().unwrap_or_default()).or_default() += 1;
    }
    for decision in events.iter().filter(|event| event["stage"] == "decision") {
        let ended = ends.get(decision["id"].as_str().unwrap()).copied().unwrap_or_default();
        let wanted = usize::from(decision["decision"]["verdict"] == "allow");
        assert_eq!(ended, wanted, "ends of {decision}");
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
