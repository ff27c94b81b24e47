//! Is the log as it was written? Every line's hash is computed anew, every line must follow the
//! one before, and every file must be what the file begun after it says it was.
//!
//! Only a file's end can go unnoticed, and only until another process starts: its `start` names
//! the last hash before it. What a running process wrote after that is held by its own `stop`.

use super::chain::Tip;
use super::event::{FileEnd, Previous, Stage};
use super::line::Head;
use super::read::{Lines, RawLine, ReadError, files};
use crate::digest::Sha256;
use crate::problem::{Actionable, Problem};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A log that holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The files, oldest first.
    pub files: Vec<FileSummary>,
    /// Lines in all.
    pub events: u64,
    /// The file that the oldest one names as its predecessor, where it is not there any more.
    pub begins_after: Option<String>,
}

/// One file of a log that holds together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// Its name.
    pub name: String,
    /// Lines in it.
    pub events: u64,
    /// The hash of its last line. That of the newest file, kept elsewhere, shows later that nothing was cut off.
    pub tip: Option<Sha256>,
    /// Whether its last line is a `stop`; if not, its process runs, or did not end in order.
    pub stopped: bool,
    /// Bytes of a torn line at its end.
    pub torn: u64,
}

/// Where and why a log does not hold together.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum VerifyError {
    /// It cannot be read.
    Read(#[from] ReadError),
    /// It was changed.
    Broken {
        /// Name of the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        fault: LineFault,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum LineFault {
    /// It does not end in the hash of what it holds.
    Hash,
    /// It is not an event of this log.
    Shape,
    /// It does not follow the line before.
    Order,
    /// It is the first one and does not start a file, or starts one elsewhere than there.
    Start,
    /// It names a file that is not there.
    Missing(String),
    /// The file that comes after stands on a line that is not there, or not the last one.
    End(String),
}

/// Verifies all log files of a directory, as one chain.
///
/// # Errors
/// At the first line that is not as it was written, or if a file cannot be read.
pub fn verify(directory: &Path) -> Result<Summary, VerifyError> {
    let mut starts = BTreeMap::new();
    for name in files(directory)? {
        let start = first(directory, &name)?;
        starts.insert(name, start);
    }
    let (anchors, begins_after) = anchors(&starts)?;
    let mut files = Vec::new();
    for name in starts.keys() {
        let anchors = anchors.get(name).map_or(&[][..], Vec::as_slice);
        files.push(verify_file(directory, name, anchors)?);
    }
    let events = files.iter().map(|file| file.events).sum();
    Ok(Summary { files, events, begins_after })
}

/// What a later file says of an earlier one.
struct Anchor<'a> {
    by: &'a str,
    previous: Previous,
    torn: u64,
}

impl Anchor<'_> {
    /// Whether nothing may come after the line it stands on.
    fn is_end(&self) -> bool {
        matches!(self.previous.ended, FileEnd::Stop | FileEnd::Died)
    }
}

fn first(directory: &Path, name: &str) -> Result<Option<Head>, VerifyError> {
    match Lines::open(directory.join(name))?.next_line()? {
        Some(RawLine::Whole(line)) => {
            Head::read(line).map(|(head, _)| Some(head)).map_err(|fault| broken(name, 1, fault))
        }
        Some(RawLine::TooLong) => Err(broken(name, 1, LineFault::Shape)),
        Some(RawLine::Torn(_)) | None => Ok(None),
    }
}

type Anchors<'a> = HashMap<String, Vec<Anchor<'a>>>;

/// What each file is said to be by later ones. Only the oldest may lack its predecessor.
fn anchors(
    starts: &BTreeMap<String, Option<Head>>,
) -> Result<(Anchors<'_>, Option<String>), VerifyError> {
    let (mut anchors, mut begins_after) = (Anchors::new(), None);
    let written = starts.iter().filter_map(|(name, head)| Some((name, head.as_ref()?)));
    for (index, (by, head)) in written.enumerate() {
        let Some(previous) = head.previous.clone() else {
            if index > 0 || head.prev != Sha256::ZERO {
                return Err(broken(by, 1, LineFault::Start));
            }
            continue;
        };
        if previous.hash != head.prev || previous.file >= *by {
            return Err(broken(by, 1, LineFault::Start));
        }
        if !starts.contains_key(&previous.file) {
            if index > 0 || previous.ended == FileEnd::Lost {
                return Err(broken(by, 1, LineFault::Missing(previous.file)));
            }
            begins_after = Some(previous.file);
            continue;
        }
        let torn = head.gap.torn;
        anchors.entry(previous.file.clone()).or_default().push(Anchor { by, previous, torn });
    }
    Ok((anchors, begins_after))
}

fn verify_file(
    directory: &Path,
    name: &str,
    anchors: &[Anchor<'_>],
) -> Result<FileSummary, VerifyError> {
    let mut walk = Walk::new(name, anchors);
    let mut lines = Lines::open(directory.join(name))?;
    while let Some(line) = lines.next_line()? {
        let step = match line {
            RawLine::Whole(line) => walk.step(line),
            RawLine::Torn(bytes) => {
                walk.file.torn = bytes;
                Ok(())
            }
            RawLine::TooLong => Err(LineFault::Shape),
        };
        step.map_err(|fault| broken(name, walk.file.events.saturating_add(1), fault))?;
    }
    walk.end()
}

/// Where a file's check has come to.
struct Walk<'a> {
    file: FileSummary,
    tip: Option<Tip>,
    /// What later files say, as far as the line was not met yet.
    pending: Vec<&'a Anchor<'a>>,
    anchors: &'a [Anchor<'a>],
}

impl<'a> Walk<'a> {
    fn new(name: &str, anchors: &'a [Anchor<'a>]) -> Self {
        let file = FileSummary { name: name.to_owned(), ..FileSummary::default() };
        Self { file, tip: None, pending: anchors.iter().collect(), anchors }
    }

    fn step(&mut self, line: &[u8]) -> Result<(), LineFault> {
        let (head, hash) = Head::read(line)?;
        match self.tip {
            None if head.stage != Some(Stage::Start) => return Err(LineFault::Start),
            Some(tip) if head.prev != tip.hash || Some(head.seq) != tip.seq.checked_add(1) => {
                return Err(LineFault::Order);
            }
            None | Some(_) => {}
        }
        let Head { seq, stage, .. } = head;
        self.pending.retain(|anchor| (anchor.previous.seq, anchor.previous.hash) != (seq, hash));
        self.tip = Some(Tip { seq, hash });
        self.file.tip = Some(hash);
        self.file.stopped = stage == Some(Stage::Stop);
        self.file.events = self.file.events.saturating_add(1);
        Ok(())
    }

    fn end(self) -> Result<FileSummary, VerifyError> {
        let extended = |anchor: &&Anchor<'_>| {
            let longer =
                Some(anchor.previous.hash) != self.file.tip || anchor.torn != self.file.torn;
            anchor.is_end() && longer
        };
        let bad = self.pending.first().copied().or_else(|| self.anchors.iter().find(extended));
        let Some(Anchor { by, .. }) = bad else { return Ok(self.file) };
        Err(broken(&self.file.name, self.file.events, LineFault::End((*by).to_owned())))
    }
}

fn broken(file: &str, line: u64, fault: LineFault) -> VerifyError {
    VerifyError::Broken { file: file.to_owned(), line, fault }
}

impl Actionable for LineFault {
    fn problem(&self) -> Problem {
        let what = match self {
            Self::Hash => "does not carry the hash of what it says".into(),
            Self::Shape => "is not an event of this log".into(),
            Self::Order => "does not follow the line before".into(),
            Self::Start => "is not where a file of this log starts".into(),
            Self::Missing(file) => format!("follows {file}, which is not there"),
            Self::End(by) => format!("is not where the file ended when {by} was begun"),
        };
        Problem::new(what, "compare with a copy of the log")
    }
}

impl Actionable for VerifyError {
    fn problem(&self) -> Problem {
        match self {
            Self::Read(error) => error.problem(),
            Self::Broken { file, line, fault } => {
                let Problem { what, next } = fault.problem();
                Problem::new(format!("{file}:{line}: this line {what}"), next)
            }
        }
    }
}
