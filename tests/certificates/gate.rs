//! One gate for all clients, its doors, and the log that is left of it.

use crate::fake_daemon::{FakeDaemon, Script};
use crate::pki::{Authority, Pair, Wish};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The gate's process and what it stands on.
pub struct Gate {
    pub fake: FakeDaemon,
    /// In the order of the policy.
    doors: Vec<SocketAddr>,
    servers: Authority,
    files: tempfile::TempDir,
    process: Child,
}

impl Gate {
    /// Starts one with these files beside its policy.
    ///
    /// # Errors
    /// What it says when it does not start.
    pub async fn start(policy: &str, beside: &[(String, String)]) -> Result<Self, String> {
        let files = tempfile::tempdir().unwrap();
        let path = |name: &str| files.path().join(name);
        let servers = Authority::new("servers");
        let Pair { certificate, key } = servers.issue(&Wish::server());
        write_private(&path("server.pem"), &certificate);
        write_private(&path("server-key.pem"), &key);
        for (name, text) in beside {
            write_private(&path(name), text);
        }
        let fake = FakeDaemon::start(Script::new("1.41"));
        let policy = policy
            .replace("SOCKET", fake.socket.to_str().unwrap())
            .replace("AUDIT", path("audit").to_str().unwrap());
        write_private(&path("dockward.yaml"), &policy);
        let mut process = Command::new(env!("CARGO_BIN_EXE_dockward"))
            .args(["serve", "--config"])
            .arg(path("dockward.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(path("said")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = tokio::task::spawn_blocking(move || lines.next()).await.unwrap();
        let Some(Ok(ready)) = ready else {
            let status = process.wait().unwrap();
            let said = std::fs::read_to_string(path("said")).unwrap();
            assert!(!status.success() && !said.contains("panicked"), "{status}: {said}");
            return Err(said);
        };
        let listed = ready.split(" on ").nth(1).and_then(|rest| rest.split(" (").next()).unwrap();
        let doors = listed.split(", ").map(|address| address.parse().unwrap()).collect();
        Ok(Self { fake, doors, servers, files, process })
    }

    /// The address of a door, counted in the order of the policy.
    pub fn door(&self, number: usize) -> SocketAddr {
        self.doors[number]
    }

    /// The authority of the gate's own certificate.
    pub fn root(&self) -> CertificateDer<'static> {
        self.servers.der()
    }

    /// Ends the gate in order, and gives its log, verified: each line of it.
    pub async fn log(mut self) -> Vec<Value> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let process = &mut self.process;
        let ended = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                if let Some(status) = process.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let status = ended.await.expect("the gate ends");
        let said = self.said();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert_plain(&said);
        let audit = self.files.path().join("audit");
        dockward::facade::audit::verify(&audit).unwrap();
        lines(&audit)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.files.path().join("said")).unwrap()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- the gate said:\n{}", self.said());
        }
    }
}

/// What every line of the log says.
fn lines(audit: &Path) -> Vec<Value> {
    let files = std::fs::read_dir(audit).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with('\n'), "the last line is whole");
        for line in text.split_terminator('\n') {
            assert_plain(line);
            let value: Value = serde_json::from_str(line).expect("each line is JSON");
            assert!(value.is_object(), "{line}");
            all.push(value);
        }
    }
    all
}

/// Nothing in it ends a line, moves a cursor, hides, or turns text round.
pub fn assert_plain(text: &str) {
    let strange = text.chars().find(|c| match c {
        '\n' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    });
    assert_eq!(strange, None, "in {text:?}");
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
