//! Twin daemons that live the same life, one step at a time: a client goes straight to the socket of the
//! one and through the gate to the other. What it prints, how it exits and what is there afterwards
//! must be the same, once ids and times are masked.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use serde::Deserialize;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The longest that one step may take, in seconds, before it counts as hanging.
pub(crate) const STEP: &str = "600";

/// One line of shell, run on both sides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What it shows.
    pub(crate) name: String,
    /// The shell line: `$D` is the client.
    pub(crate) run: String,
    /// The exit code on both sides; 0 when left out.
    #[serde(default)]
    pub(crate) exit: i32,
    /// A text that both must print, so that two equal failures do not pass for the same success.
    #[serde(default)]
    pub(crate) says: String,
    /// The only clients (`$CLIENT`) that have this step; all when left out.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// The only engines before which it is run; all when left out.
    #[serde(default)]
    pub(crate) before: Vec<Engine>,
    /// Before which engines it ends in another way, straight as well as through the gate.
    #[serde(default)]
    pub(crate) otherwise: Vec<Otherwise>,
}

/// What some engines, or clients of theirs, answer otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Otherwise {
    engines: Vec<Engine>,
    /// The only clients that are meant; all when left out.
    #[serde(default)]
    clients: Vec<String>,
    #[serde(default)]
    exit: Option<i32>,
    #[serde(default)]
    says: Option<String>,
    /// Why that is so.
    why: String,
}

impl Step {
    fn is_for(&self, engine: Engine, client: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|only| only == client))
            && (self.before.is_empty() || self.before.contains(&engine))
    }

    /// The exit code and the text that are expected.
    fn end(&self, engine: Engine, client: &str) -> (i32, &str) {
        let of_this = |other: &&Otherwise| {
            assert!(!other.why.is_empty(), "{}: every entry has its reason", self.name);
            let clients = &other.clients;
            other.engines.contains(&engine)
                && (clients.is_empty() || clients.iter().any(|one| one == client))
        };
        let other = self.otherwise.iter().find(of_this);
        let exit = other.and_then(|other| other.exit).unwrap_or(self.exit);
        (exit, other.and_then(|other| other.says.as_deref()).unwrap_or(&self.says))
    }
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Two daemons, and the gate before the second.
pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) direct: PrivateDaemon,
    pub(crate) behind: PrivateDaemon,
    engine: Engine,
    /// What is left of what a client prints.
    printed: fn(String) -> String,
    scratch: tempfile::TempDir,
}

/// Takes from a client's environment what would overrule its own certificates and addresses.
pub(crate) fn plain(command: &mut Command) {
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    for name in ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"] {
        command.env_remove(name);
    }
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "DOCKER_BUILDKIT"] {
        command.env_remove(name);
    }
}

/// Says, past the capture of passing tests' output, that something was not tried.
pub(crate) fn missing(what: &str) {
    let line = format!("\nMISSING: {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// How often a step may be played again because the daemon alone does not do what it is meant to.
const LOST: u32 = 3;

impl World {
    /// Starts both daemons at once, then the gate.
    pub(crate) fn new(engine: Engine) -> Self {
        Self::with(engine, Gate::start)
    }

    /// The same before a daemon of several tenants.
    pub(crate) fn of_tenants(engine: Engine) -> Self {
        Self { printed: super::tenants::without_labels, ..Self::with(engine, super::tenants::gate) }
    }

    fn with(engine: Engine, gate: fn(&Path, &Path) -> Gate) -> Self {
        let scratch = tempfile::Builder::new().prefix("dockward-e2e-").tempdir().unwrap();
        let through = fs::Permissions::from_mode(0o711); // other users reach the gate's socket
        fs::set_permissions(scratch.path(), through).unwrap();
        let at = |name: &str| scratch.path().join(name);
        let (direct, behind) = std::thread::scope(|scope| {
            let direct = scope.spawn(|| PrivateDaemon::start(engine, &at("direct-daemon")));
            let behind = PrivateDaemon::start(engine, &at("gated-daemon"));
            (direct.join().unwrap(), behind)
        });
        for side in ["direct", "gated"] {
            fs::create_dir_all(at(side).join("config")).unwrap();
            let plugins = serde_json::json!({ "cliPluginsExtraDirs": [engine.plugins()] });
            if engine.plugins().is_some() {
                fs::write(at(side).join("config/config.json"), plugins.to_string()).unwrap();
            }
            copy(
                &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/scene"),
                &at(side).join("scene"),
            );
        }
        for directory in ["gate", "bin"] {
            fs::create_dir(at(directory)).unwrap();
        }
        let of_engine = engine.root().map(|root| root.join("usr/bin/docker"));
        if let Some(program) = of_engine {
            std::os::unix::fs::symlink(program, at("bin").join("docker")).unwrap();
        }
        let gate = gate(&at("gate"), &behind.socket);
        Self { gate, direct, behind, engine, printed: |text| text, scratch }
    }

    /// Runs each step on both sides at once and compares; all differences are told at the end.
    pub(crate) fn compare(self, client: &str, program: &str, steps: &[Step]) -> Self {
        self.compare_by(client, program, steps, |world, line| world.gated("admin", program, line))
    }

    /// The same by another way through the gate.
    pub(crate) fn compare_by(
        self,
        client: &str,
        program: &str,
        steps: &[Step],
        by: impl Fn(&Self, &str) -> Outcome,
    ) -> Self {
        let mut wrong = Vec::new();
        let (mut ran, mut lost) = (0, 0);
        for step in steps {
            if !step.is_for(self.engine, client) {
                continue;
            }
            ran += 1;
            let (exit, says) = step.end(self.engine, client);
            let is_meant = |direct: &Outcome| {
                let said = direct.stdout.contains(says) || direct.stderr.contains(says);
                direct.exit == Some(exit) && said
            };
            let play = || {
                std::thread::scope(|scope| {
                    let direct = scope.spawn(|| self.direct(program, &step.run));
                    let gated = by(&self, &step.run);
                    (direct.join().unwrap(), gated)
                })
            };
            let mut before = self.gate.audit().len();
            let (mut direct, mut gated) = play();
            // engine 26.1 now and then loses what a container says that ends at once, without any gate, or says it to
            // the gate no more than to anybody
            let is_lost = |direct: &Outcome, gated: &Outcome, before| {
                !is_meant(direct) || direct != gated && self.was_told_less(before, direct)
            };
            while step.run.starts_with("$D run --rm ")
                && lost < LOST
                && is_lost(&direct, &gated, before)
            {
                lost += 1;
                before = self.gate.audit().len();
                (direct, gated) = play();
            }
            if direct != gated {
                wrong.push(format!("{}\n{}", step.name, difference(&direct, &gated)));
            } else if !is_meant(&direct) {
                wrong.push(format!("{}: not what the step is meant to do: {direct:#?}", step.name));
            }
        }
        println!("{client}: {ran} steps, {} wrong, {lost} played again", wrong.len());
        assert!(
            wrong.is_empty(),
            "{} of {ran} steps differ:\n\n{}",
            wrong.len(),
            wrong.join("\n\n")
        );
        assert!(ran > 0, "no step ran");
        self
    }

    /// Whether the daemon has said less to the gate than the other one said to its client: the gate saw its end, and
    /// carried fewer bytes than what was said there, with the eight that stand before each stream.
    fn was_told_less(&self, before: usize, direct: &Outcome) -> bool {
        let said = [&direct.stdout, &direct.stderr].into_iter().filter(|text| !text.is_empty());
        let said: usize = said.map(|text| text.len() + 8).sum();
        let less = |event: &serde_json::Value| {
            let (stage, outcome) = (&event["stage"], &event["outcome"]);
            let carried =
                outcome["bytes_out"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
            stage == "session.close"
                && outcome["ended"] == "done"
                && carried.is_some_and(|bytes| bytes < said)
        };
        self.gate.audit().split_off(before).iter().any(less)
    }

    /// Ends the gate in order and looks at the whole of its log.
    pub(crate) fn end(self) {
        let Self { gate, direct, behind, engine: _, printed: _, scratch } = self;
        super::log::judge(&gate.end());
        drop((direct, behind, scratch));
    }

    /// One shell line straight to the socket.
    pub(crate) fn direct(&self, program: &str, line: &str) -> Outcome {
        let mut shell = self.shell("direct", program, line);
        shell.env("DOCKER_HOST", format!("unix://{}", self.direct.socket.display()));
        self.outcome(shell)
    }

    /// One shell line through the gate, as that client.
    pub(crate) fn gated(&self, client: &str, program: &str, line: &str) -> Outcome {
        let mut shell = self.shell("gated", program, line);
        let old = program == "docker-compose";
        let port = if old { self.gate.older } else { self.gate.port };
        shell.env("DOCKER_HOST", format!("tcp://127.0.0.1:{port}"));
        shell.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", self.gate.bundle(client));
        self.outcome(shell)
    }

    /// One shell line through the gate with this address of the daemon, and what else the environment has.
    pub(crate) fn local(&self, program: &str, line: &str, environment: &[(&str, &str)]) -> Outcome {
        let mut shell = self.shell("gated", program, line);
        shell.envs(environment.iter().copied());
        self.outcome(shell)
    }

    /// Where the gate's own files are.
    pub(crate) fn gate_directory(&self) -> std::path::PathBuf {
        self.scratch.path().join("gate")
    }

    fn shell(&self, side: &str, program: &str, line: &str) -> Command {
        let directory = self.scratch.path().join(side);
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut shell = Command::new("timeout");
        shell.args(["-s", "KILL", STEP, "bash", "-c", line]).current_dir(directory.join("scene"));
        plain(&mut shell);
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", self.scratch.path().join("bin").display()));
        shell.env("D", program).env("DOCKER_CONFIG", directory.join("config"));
        shell.env(
            "PTY",
            format!("/usr/bin/python3 {}", here.join("tests/e2e/terminal.py").display()),
        );
        shell.env(
            "SORTED",
            format!("/usr/bin/python3 {}", here.join("tests/e2e/canonical.py").display()),
        );
        shell.env("PYTHON", here.join(".run/venv/bin/python"));
        let modules = here.join(".run/node/node_modules");
        shell.env("NODE", here.join(".run/venv/bin/node")).env("NODE_PATH", modules);
        shell.env("DOCKERODE", here.join("tests/e2e/dockerode.js"));
        shell.env("RUBY", "/usr/bin/ruby").env("DOCKER_API", here.join("tests/e2e/docker_api.rb"));
        shell.env("TESTCONTAINERS_OF_NODE", here.join("tests/e2e/tc_everyday.js"));
        shell.env("TESTCONTAINERS", here.join("tests/e2e/tc_everyday.py"));
        shell.env(
            "DEVCONTAINER",
            here.join(".run/node/node_modules/@devcontainers/cli/devcontainer.js"),
        );
        shell.env("DOCKER_JAVA", here.join("tests/e2e/docker_java.py"));
        shell.env("EVERYDAY", here.join("tests/e2e/record/everyday.py"));
        shell.env("SURFACE", here.join("tests/e2e/surface.py"));
        shell.stdin(Stdio::null());
        shell
    }

    fn outcome(&self, mut shell: Command) -> Outcome {
        let out = shell.output().unwrap();
        let masked = |bytes| (self.printed)(mask(self.scratch.path(), bytes));
        let (stdout, stderr) = (masked(&out.stdout), masked(&out.stderr));
        Outcome { exit: out.status.code(), stdout, stderr }
    }
}

/// Masks what two daemons cannot have in common, by the table in `mask.sed`.
fn mask(scratch: &Path, bytes: &[u8]) -> String {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/mask.sed");
    let mut sed = Command::new("sed");
    sed.arg("-E").arg("-e").arg(format!("s#{}/(direct|gated)#DIR#g", scratch.display()));
    sed.arg("-f").arg(table).env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = sed.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let out = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes).unwrap());
        child.wait_with_output().unwrap()
    });
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The lines in which two outcomes differ.
fn difference(direct: &Outcome, gated: &Outcome) -> String {
    let mut out = Vec::new();
    if direct.exit != gated.exit {
        out.push(format!("  exit: direct {:?}, gated {:?}", direct.exit, gated.exit));
    }
    for (name, direct, gated) in
        [("stdout", &direct.stdout, &gated.stdout), ("stderr", &direct.stderr, &gated.stderr)]
    {
        let (left, right): (Vec<_>, Vec<_>) = (direct.lines().collect(), gated.lines().collect());
        let lines = (0..left.len().max(right.len())).filter(|at| left.get(*at) != right.get(*at));
        for at in lines.take(12) {
            out.push(format!("  {name} direct: {:?}", left.get(at).unwrap_or(&"(nothing)")));
            out.push(format!("  {name} gated:  {:?}", right.get(at).unwrap_or(&"(nothing)")));
        }
        if direct != gated && left == right {
            out.push(format!("  {name}: line ends differ"));
        }
    }
    out.join("\n")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let done = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(done.success(), "{} is copied", from.display());
}
