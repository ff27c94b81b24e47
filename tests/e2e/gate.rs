//! The gate as its users start it: the binary, a policy file, certificates of an authority of ours.

use dockward::facade::pki::ca::{self, Ca, KeyKind, Plan, Wish};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the gate may take until it answers, or ends, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A gate on a port of its own before one daemon, with an administrator and a developer.
pub(crate) struct Gate {
    process: Child,
    directory: PathBuf,
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    /// The port on which TLS 1.2 is spoken too.
    pub(crate) older: u16,
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Gate {
    /// Starts the gate with everything it needs in `directory`, and waits until it answers.
    pub(crate) fn start(directory: &Path, daemon: &Path) -> Self {
        let clients = ["admin", "dev", "shop", "streamer"].map(str::to_owned);
        Self::with(directory, daemon, &clients, include_str!("policy.yaml"))
    }

    /// The same with the corpus's policy, and a certificate for everybody whom it names.
    pub(crate) fn of_corpus(directory: &Path, daemon: &Path, names: &[String]) -> Self {
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 20);
        let soon = soon.to_string();
        let mut policy = String::new();
        for line in include_str!("../corpus/policy.yaml").lines() {
            let word = line.split(':').next().unwrap_or_default();
            let line = match word {
                "listen" | "daemon" | "audit" => continue,
                _ => line.replace("until: 2027-01-15", &format!("until: {:.10}", soon)),
            };
            let line = match line.split_once("match: { cn: ") {
                Some((before, after)) => {
                    let (name, after) = after.split_once(" }").unwrap();
                    format!("{before}match: {{ uri: \"spiffe://example.org/{name}\" }}{after}")
                }
                None => line,
            };
            policy.push_str(&line);
            policy.push('\n');
        }
        let server = include_str!("policy.yaml").lines();
        let of_server = |line: &&str| {
            let word = line.split(':').next().unwrap_or_default();
            ["listen", "daemon", "audit"].contains(&word) || line.starts_with("  - { tls")
        };
        let server: Vec<&str> = server.filter(of_server).collect();
        policy.push_str(&server.join("\n"));
        Self::with(directory, daemon, names, &policy)
    }

    /// With a policy in which words in capitals are filled in, and a certificate for each name.
    pub(crate) fn with(directory: &Path, daemon: &Path, names: &[String], policy: &str) -> Self {
        issue(&directory.join("pki"), names);
        let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, older] = free.map(|listener| listener.local_addr().unwrap().port());
        let policy = policy
            .replace("NEWER", &port.to_string())
            .replace("OLDER", &older.to_string())
            .replace("SOCKET", daemon.to_str().unwrap())
            .replace("PRESETS", concat!(env!("CARGO_MANIFEST_DIR"), "/config/presets"));
        fs::write(directory.join("dockward.yaml"), policy).unwrap();
        let process = serve(directory);
        let mut gate = Self { process, directory: directory.to_owned(), port, older };
        gate.until_it_answers();
        gate
    }

    /// What Docker's clients find `ca.pem`, `cert.pem` and `key.pem` in.
    pub(crate) fn bundle(&self, client: &str) -> PathBuf {
        self.directory.join("pki/clients").join(client)
    }

    /// Every line of the audit log so far.
    pub(crate) fn audit(&self) -> Vec<serde_json::Value> {
        super::log::events(&self.directory.join("audit"))
    }

    /// Asks the gate to end, as a service manager does, and hands over its log.
    pub(crate) fn end(mut self) -> PathBuf {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let start = Instant::now();
        let ended = loop {
            if let Some(ended) = self.process.try_wait().unwrap() {
                break ended;
            }
            assert!(start.elapsed() < PATIENCE, "the gate does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(ended.success(), "the gate ended with {ended}");
        self.directory.join("audit")
    }

    /// Kills it at once.
    pub(crate) fn kill(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }

    /// The same gate, started again after it was killed.
    pub(crate) fn again(mut self) -> Self {
        self.process.wait().unwrap();
        let (directory, port, older) = (self.directory.clone(), self.port, self.older);
        drop(self);
        let process = serve(&directory);
        let mut gate = Self { process, directory, port, older };
        gate.until_it_answers();
        gate
    }

    /// The most memory that the gate ever held, in bytes (VmHWM of proc(5)).
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    fn until_it_answers(&mut self) {
        let start = Instant::now();
        loop {
            let answer =
                super::http::Side::gate(self.port, self.bundle("admin")).send("GET", "/_ping", "");
            if answer.status == 200 {
                return;
            }
            let ended = self.process.try_wait().unwrap();
            let said = fs::read_to_string(self.directory.join("gate.log")).unwrap();
            assert!(ended.is_none(), "the gate ended ({ended:?}) and said:\n{said}");
            assert!(
                start.elapsed() < PATIENCE,
                "the gate does not answer ({answer:?}) and said:\n{said}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn serve(directory: &Path) -> Child {
    let said = fs::File::create(directory.join("gate.log")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_dockward"))
        .args(["serve", "--config"])
        .arg(directory.join("dockward.yaml"))
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .spawn()
        .unwrap()
}

/// An authority, and a bundle for each name.
fn issue(directory: &Path, names: &[String]) {
    let plan = Plan {
        hosts: Vec::new(),
        permit_dns: Vec::new(),
        key: KeyKind::Ecdsa,
        trust_domain: "example.org".to_owned(),
        crl_days: 90,
        endpoint: "127.0.0.1:2376".to_owned(),
        policy: None,
    };
    ca::init(directory, &plan, None, jiff::Timestamp::now()).unwrap();
    let mut authority = Ca::open(directory, None, jiff::Timestamp::now()).unwrap();
    for name in names {
        let bundle = directory.join("clients").join(name);
        authority.keep(&Wish::of(name.parse().unwrap()), &bundle).unwrap();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let said = fs::read_to_string(self.directory.join("gate.log")).unwrap_or_default();
            eprintln!("--- the gate said:\n{said}");
        }
    }
}
