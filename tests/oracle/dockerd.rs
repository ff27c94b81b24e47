//! The Go program that reads as dockerd does: built from `tests/oracle/go`, once with each of Go's two
//! decoders, with nothing from the network.

use std::fmt::Write as _;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::Instant;

/// One of Go's decoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoder {
    /// What engines have been built with so far.
    Classic,
    /// `encoding/json` over `encoding/json/v2`, the default since Go 1.27.
    Layered,
}

impl Decoder {
    pub(crate) const ALL: [Self; 2] = [Self::Classic, Self::Layered];

    fn program(self) -> &'static Path {
        static BUILT: [OnceLock<PathBuf>; 2] = [const { OnceLock::new() }; 2];
        BUILT[self as usize].get_or_init(|| self.build())
    }

    fn build(self) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let go = root.join(".run/venv/bin/go");
        assert!(go.exists(), "there is no Go at {}: run `make install`", go.display());
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (name, experiment) = match self {
            Self::Classic => ("oracle-classic", "nojsonv2"),
            Self::Layered => ("oracle-layered", "jsonv2"),
        };
        let (program, began) = (scratch.join(name), Instant::now());
        let out = Command::new(go)
            .args(["build", "-trimpath", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(root.join("tests/oracle/go"))
            .env("GOEXPERIMENT", experiment)
            .env("GOCACHE", scratch.join("go-cache"))
            .env("GOPATH", scratch.join("go"))
            .envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOSUMDB", "off")])
            .envs([("GOENV", "off"), ("GOFLAGS", ""), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
            .output()
            .unwrap();
        assert!(out.status.success(), "go build: {}", String::from_utf8_lossy(&out.stderr));
        println!("oracle: {self:?} built in {:.1} s", began.elapsed().as_secs_f64());
        program
    }

    /// Every field of every body, as lines `operation path type`.
    pub(crate) fn fields(self) -> String {
        let out = Command::new(self.program()).arg("fields").output().unwrap();
        assert!(out.status.success(), "oracle fields: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// A running comparison.
    pub(crate) fn compare(self) -> Comparison {
        let mut child = Command::new(self.program())
            .arg("compare")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let records = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
        let mut stdout = child.stdout.take().unwrap();
        // Read beside, else both would wait when a pipe is full.
        let report = std::thread::spawn(move || {
            let mut report = String::new();
            stdout.read_to_string(&mut report).unwrap();
            report
        });
        Comparison { child, records, report }
    }
}

pub(crate) struct Comparison {
    child: Child,
    records: BufWriter<ChildStdin>,
    report: JoinHandle<String>,
}

impl Comparison {
    /// Hands over what the client sent and what the gate would write.
    pub(crate) fn record(&mut self, operation: &str, sent: &[u8], written: &[u8]) {
        for part in [operation.as_bytes(), sent, written] {
            let length = u32::try_from(part.len()).unwrap();
            self.records.write_all(&length.to_be_bytes()).unwrap();
            self.records.write_all(part).unwrap();
        }
    }

    pub(crate) fn finish(mut self) -> Report {
        self.records.flush().unwrap();
        drop(self.records);
        let report = Report::of(&self.report.join().unwrap());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the oracle: {status}");
        report
    }
}

/// What the daemon would read otherwise.
pub(crate) struct Difference {
    /// The number of the record.
    pub(crate) nth: usize,
    /// How it was read: `first value`, `whole body` or `embedded`.
    pub(crate) reading: String,
    /// All of it, for a person.
    pub(crate) said: String,
}

#[derive(Default)]
pub(crate) struct Report {
    /// The first of them.
    pub(crate) differences: Vec<Difference>,
    /// Names of exemptions, with how often each was needed.
    pub(crate) exempted: Vec<(String, usize)>,
    pub(crate) version: String,
    pub(crate) records: usize,
    /// Readings that refused both.
    pub(crate) refused: usize,
    /// How many differences there are.
    pub(crate) count: usize,
}

impl Report {
    fn of(text: &str) -> Self {
        let mut report = Self::default();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                ["differ", nth, operation, reading, why, sent, written] => {
                    let mut said = format!("{operation}, {reading}: {why}\n");
                    writeln!(said, "  D {sent}\n  W {written}").unwrap();
                    let (nth, reading) = (nth.parse().unwrap(), reading.to_owned());
                    report.differences.push(Difference { nth, reading, said });
                }
                ["exempt", name, count] => {
                    report.exempted.push((name.to_owned(), count.parse().unwrap()));
                }
                ["done", version, records, refused, count] => {
                    report.version = version.to_owned();
                    report.records = records.parse().unwrap();
                    report.refused = refused.parse().unwrap();
                    report.count = count.parse().unwrap();
                }
                _ => panic!("the oracle said: {line}"),
            }
        }
        assert!(!report.version.is_empty(), "the oracle did not come to its end");
        report
    }
}
