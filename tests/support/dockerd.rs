//! A private dockerd for one test: the judge of what a request really does. `scripts/private-dockerd.sh`
//! starts it in namespaces of its own and takes it down when its standard input ends, so it goes with
//! this process however that ends. Which dockerd: the machine's own, or one of another Debian release that
//! `scripts/engines.sh` brought.

use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Which daemon a test has, by the release that it comes with and the store that its images are in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// The machine's own: Debian 12 has 20.10.
    Machine,
    /// Debian 13's: 26.1.
    Trixie,
    /// The same with containerd's image store, as an engine before 28 tells of it.
    TrixieContainerd,
    /// The newest that Debian has.
    Sid,
    /// The same with containerd's image store, where an image's id is the digest of its manifest.
    SidContainerd,
}

impl Engine {
    /// Why this one cannot be had here; none where it can.
    pub(crate) fn missing(self) -> Option<String> {
        let root = self.root()?;
        if root.exists() {
            return None;
        }
        let why = std::fs::read_to_string(root.with_extension("missing"));
        Some(why.unwrap_or_else(|_| "scripts/engines.sh brings it".to_owned()).trim().to_owned())
    }

    /// The tree that it lives in, where it is not the machine.
    pub(crate) fn root(self) -> Option<PathBuf> {
        let suite = match self {
            Self::Machine => return None,
            Self::Trixie | Self::TrixieContainerd => "trixie",
            Self::Sid | Self::SidContainerd => "sid",
        };
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(".run/engines").join(suite))
    }

    /// The command line of its own release: what tables call it, and where it is.
    pub(crate) fn cli(self) -> (String, String) {
        let root = self.root().unwrap_or_else(|| PathBuf::from("/"));
        let program = root.join("usr/bin/docker").to_str().unwrap().to_owned();
        (format!("cli-{}", version_of(&program)), program)
    }

    /// Where the command line finds buildx and compose of its release.
    pub(crate) fn plugins(self) -> Option<PathBuf> {
        Some(self.root()?.join("usr/libexec/docker/cli-plugins"))
    }

    /// What `scripts/private-dockerd.sh` is told.
    fn words(self) -> Vec<String> {
        let Some(root) = self.root() else { return Vec::new() };
        let containerd = matches!(self, Self::TrixieContainerd | Self::SidContainerd);
        let store = if containerd { "containerd" } else { "graph" };
        vec![format!("engine={}", root.display()), format!("store={store}")]
    }
}

/// `20.10` of the one that has minor versions, and otherwise the major version alone.
pub(crate) fn version_of(program: &str) -> String {
    let said = Command::new(program).arg("--version").output().map(|out| out.stdout);
    let said = String::from_utf8(said.unwrap_or_default()).unwrap();
    let version = said.split(' ').nth(2).unwrap_or_default();
    let parts: Vec<&str> = version.split('.').collect();
    match parts.as_slice() {
        ["20", minor, ..] => format!("20.{minor}"),
        [major, ..] => (*major).to_owned(),
        [] => String::new(),
    }
}

/// A running daemon with `busybox:latest`; dropped, it is gone with all it held.
pub(crate) struct PrivateDaemon {
    keeper: Child,
    /// The daemon's Unix socket.
    pub(crate) socket: PathBuf,
}

impl PrivateDaemon {
    /// Starts a daemon under `directory`, which it makes and at the end removes.
    ///
    /// # Panics
    /// When none can be started: a test that needs a daemon does not pass without one.
    pub(crate) fn start(engine: Engine, directory: &Path) -> Self {
        Self::with(engine, directory, &[])
    }

    /// The same, with a registry at `127.0.0.1:5000` as the daemon sees it.
    pub(crate) fn with_registry(engine: Engine, directory: &Path) -> Self {
        Self::with(engine, directory, &["registry"])
    }

    fn with(engine: Engine, directory: &Path, words: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut keeper = Command::new(root.join("scripts/private-dockerd.sh"))
            .arg(directory)
            .args(words)
            .args(engine.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/private-dockerd.sh starts");
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let socket = line.trim_end().strip_prefix("ready ");
        let socket = socket.expect("a private daemon (root, and `make install` first?)").into();
        Self { keeper, socket }
    }
}

impl Drop for PrivateDaemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.socket.with_file_name("dockerd.log"));
            let said = said.unwrap_or_default();
            // where it broke, or its last words
            let broke = |line: &str| line.starts_with("panic:") || line.starts_with("fatal error:");
            let from = said.lines().position(broke).unwrap_or(said.lines().count().max(30) - 30);
            let part: Vec<&str> = said.lines().skip(from).take(30).collect();
            eprintln!("--- the daemon said:\n{}", part.join("\n"));
        }
        drop(self.keeper.stdin.take());
        self.keeper.wait().expect("the daemon's keeper ends");
    }
}
