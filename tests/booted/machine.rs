//! A Debian that has booted, and the project's files in it as a checkout.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// It ends when this is dropped.
pub(crate) struct Machine {
    keeper: Child,
    owner: Option<ChildStdin>,
    first: String,
    _files: TempDir,
}

/// What a script said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A line that is seen even when a test is well.
pub(crate) fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "cp {}", from.display());
}

impl Machine {
    /// Boots one with a checkout in /srv/share/dockward; `None`, and a line that says so, where this machine cannot.
    pub(crate) fn boot() -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = tempfile::Builder::new().prefix("dockward-booted-").tempdir().unwrap();
        let checkout = files.path().join("share/dockward");
        fs::create_dir_all(checkout.join("target/release")).unwrap();
        copy(&project.join("config"), &checkout);
        copy(&project.join("packaging"), &checkout);
        fs::copy(env!("CARGO_BIN_EXE_dockward"), checkout.join("target/release/dockward")).unwrap();
        let mut keeper = Command::new(project.join("scripts/booted-debian.sh"));
        keeper.arg(files.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let owner = keeper.stdin.take();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(first) = line.trim().strip_prefix("ready ") else {
            let ended = keeper.wait().unwrap();
            assert_eq!(ended.code(), Some(3), "the machine does not boot: {line}");
            say(&format!("\n{}", line.trim()));
            return None;
        };
        let first = first.to_owned();
        let machine = Self { keeper, owner, first, _files: files };
        let runs = machine.run("/srv/share/dockward/target/release/dockward --version");
        if runs.err.contains("GLIBC") {
            say(
                "\nMISSING: a dockward that runs on Debian 12: this machine's own C library is newer",
            );
            return None;
        }
        Some(machine)
    }

    /// Runs a script as root, outside of every unit.
    pub(crate) fn run(&self, script: &str) -> Said {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first, "--mount", "--uts", "--ipc", "--net", "--pid"]);
        command.args(["--root", "--wd", "timeout", "120", "env", "-i", "HOME=/root"]);
        command.args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
        let output = command.args(["sh", "-euc", script]).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Runs a script that must end well, and gives what it printed.
    pub(crate) fn does(&self, script: &str) -> String {
        let said = self.run(script);
        assert_eq!(said.code, Some(0), "{script}\n{}\n{}", said.all(), self.journal());
        said.out
    }

    /// Runs a script that must not end well, and gives all that it said.
    pub(crate) fn fails(&self, script: &str) -> String {
        let said = self.run(script);
        assert_ne!(said.code, Some(0), "{script}\n{}\n{}", said.all(), self.journal());
        said.all()
    }

    /// Waits until a script ends well.
    pub(crate) fn until(&self, script: &str) -> String {
        let start = Instant::now();
        loop {
            let said = self.run(script);
            if said.code == Some(0) {
                return said.out;
            }
            let late = start.elapsed() > PATIENCE;
            assert!(!late, "not in time: {script}\n{}\n{}", said.all(), self.journal());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A file of that text.
    pub(crate) fn put(&self, path: &str, text: &str) {
        let end = "END-OF-THE-FILE";
        self.does(&format!("mkdir -p \"$(dirname {path})\"; cat >{path} <<'{end}'\n{text}\n{end}"));
    }

    /// What the unit wrote.
    pub(crate) fn journal(&self) -> String {
        self.run("journalctl -q -o cat --no-pager -u dockward.service -u dockward.socket -u dockward-crl.service | cut -c1-400").all()
    }

    /// A property of a unit.
    pub(crate) fn shows(&self, unit: &str, property: &str) -> String {
        self.does(&format!("systemctl show --value -p {property} {unit}")).trim().to_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.owner.take()); // the script hears it and takes all away
        let _ = self.keeper.wait();
    }
}
