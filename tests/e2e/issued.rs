//! From nothing to a working `docker --context` by the commands that the first of them prints, and back:
//! a key that was issued in one command is taken back in one, while it is in use.

use super::dockerd::{Engine, PrivateDaemon};
use super::world::plain;
use serde_json::Value;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const DOCKWARD: &str = env!("CARGO_BIN_EXE_dockward");
/// Nothing here takes that long.
const PATIENCE: Duration = Duration::from_secs(180);

struct Place(PathBuf);

impl Place {
    fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(&self.0).stdin(Stdio::null());
        plain(&mut shell);
        shell.env("DOCKER_CONFIG", self.0.join("docker"));
        shell
    }

    fn run(&self, line: &str) -> Output {
        self.shell(line).output().unwrap()
    }

    fn does(&self, line: &str) -> String {
        let output = self.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs on while the test does, its output in a file.
    fn spawn(&self, name: &str, line: &str) -> Running {
        let file = self.0.join(name);
        let output = File::create(&file).unwrap();
        let mut shell = self.shell(&format!("exec {line}"));
        let child = shell.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Running { child, file }
    }

    fn events(&self) -> Vec<Value> {
        super::log::events(&self.0.join("pki/audit"))
    }
}

struct Running {
    child: Child,
    file: PathBuf,
}

impl Running {
    fn said(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}", self.file.display(), self.said());
        }
    }
}

fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(held) = holds() {
            return held;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The commands that a text tells people to paste.
fn commands(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("  ")).collect()
}

fn pty(command: &str) -> String {
    let terminal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/terminal.py");
    format!("/usr/bin/python3 {} \"{command}\"", terminal.display())
}

/// The whole of it.
pub(crate) fn from_nothing_to_a_context_and_back(engine: Engine) {
    let docker = &engine.cli().1;
    let scratch = tempfile::Builder::new().prefix("dockward-issued-").tempdir().unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let place = Place(scratch.path().to_owned());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let printed = place.does(&format!(
        "{DOCKWARD} certs init --client alice --host 127.0.0.1 --listen 127.0.0.1:{port} --daemon {}",
        daemon.socket.display()
    ));
    let [context, serve, version, lists] = commands(&printed)[..] else { panic!("{printed}") };
    // exactly what was printed, with the docker of this test
    let docker_of = |line: &str| line.replacen("docker ", &format!("{docker} "), 1);
    place.does(&docker_of(context));
    let gate = place.spawn("gate", serve);
    until("the gate", || gate.said().contains("is ready on").then_some(()));
    assert!(place.does(&docker_of(version)).contains("Server:"));
    assert!(place.does(lists).is_empty() || !place.does(lists).contains("revoked"));
    let issued = place.does(&format!("{DOCKWARD} certs issue --name bob --ttl 8h"));
    place.does(&docker_of(commands(&issued).last().unwrap()));

    let as_who = |name: &str, line: &str| format!("{docker} --context {name} {line}");
    let beside = "run -d --name beside busybox sleep 600";
    place.does(&as_who("bob", beside));
    let tick = "sh -c 'while :; do echo tick; sleep 0.2; done'";
    place.does(&as_who("alice", &format!("run -d --name web busybox {tick}")));
    let mut hers = place.spawn("hers", &as_who("alice", "logs -f web"));
    let exec = as_who("alice", "exec -it web sh -c 'echo in; exec sleep 600'");
    let mut exec = place.spawn("exec", &pty(&exec));
    let his = place.spawn("his", &as_who("bob", "logs -f web"));
    until("her logs", || hers.said().contains("tick").then_some(()));
    until("his logs", || his.said().contains("tick").then_some(()));
    let opened = |e: &Value| e["stage"] == "session.open";
    until("her exec", || place.events().iter().any(opened).then_some(()));

    let revoke = format!(
        "{DOCKWARD} certs revoke --name alice --reason key-compromise --control pki/control.sock"
    );
    let said = place.does(&revoke);
    let revoked = Instant::now();
    until("the end of her exec", || exec.ended());
    until("the end of her logs", || hers.ended());
    assert!(said.contains("web (busybox): running") && !said.contains("beside"), "{said}");
    println!("both ended {} ms after the key was taken back", revoked.elapsed().as_millis());
    let ends = || {
        let events = place.events();
        let loaded = events.iter().rfind(|e| e["stage"] == "policy.load")?.clone();
        let is = |e: &&Value| e["reason"] == "certificate.revoked" && e["parent"].is_string();
        let ends: Vec<Value> = events.iter().filter(is).cloned().collect();
        (ends.len() == 2).then_some((loaded, ends))
    };
    let (loaded, ends) = until("both ends on record", ends);
    let time = |e: &Value| e["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    for end in &ends {
        assert_eq!(end["outcome"]["ended"], "revoked", "{end}");
        let after = time(end).duration_since(time(&loaded));
        // a second, on a machine that has nothing else to do
        assert!(after < jiff::SignedDuration::from_secs(10), "{after:?} after it was known");
    }
    let lines = his.said().len();
    until("his logs to go on", || (his.said().len() > lines + 20).then_some(()));
    let said = place.does(&format!("{revoke} --stop"));
    assert!(said.contains("web (busybox): stopped"), "{said}");
    let still = place.does(&as_who("bob", "ps --format {{.Names}}"));
    assert_eq!(still.trim(), "beside");
    let refused = place.run(&as_who("alice", "ps"));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("revoked certificate"), "{said}");
    place.does(&as_who("bob", "rm -f web beside"));
    drop((exec, hers, his));
    let pid = gate.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut gate = gate;
    assert_eq!(until("the end of the gate", || gate.ended()), 0);
    super::log::judge(&place.0.join("pki/audit"));
}
