//! A private dockerd for one test: the judge of what a request really does. `scripts/private-dockerd.sh`
//! starts it in namespaces of its own and takes it down when its standard input ends, so it goes with
//! this process however that ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
    pub(crate) fn start(directory: &Path) -> Self {
        Self::with(directory, &[])
    }

    /// The same, with a registry at `127.0.0.1:5000` as the daemon sees it.
    pub(crate) fn with_registry(directory: &Path) -> Self {
        Self::with(directory, &["registry"])
    }

    fn with(directory: &Path, words: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut keeper = Command::new(root.join("scripts/private-dockerd.sh"))
            .arg(directory)
            .args(words)
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
        drop(self.keeper.stdin.take());
        self.keeper.wait().expect("the daemon's keeper ends");
    }
}
