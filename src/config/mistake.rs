//! What is wrong in a policy file, shown where it is wrong. Whoever writes a policy at night must see
//! every mistake at once, each with its place and the next step, so mistakes are collected here and
//! nothing stops at the first.

use crate::problem::{Actionable, Problem};
use crate::visible::{line, misleads};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// A place in one of the files read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePlace {
    /// Which file, in the order read, from 0.
    pub file: usize,
    /// Line from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters the caret line covers.
    pub width: usize,
}

impl SourcePlace {
    /// A file as a whole.
    #[must_use]
    pub const fn whole(file: usize) -> Self {
        Self { file, line: 0, column: 0, width: 0 }
    }
}

/// One mistake, complete for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// Line from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters the carets cover.
    pub width: usize,
    /// The line's text, with control characters shown as `?`.
    pub text: String,
    /// What is wrong: lower-case, no full stop.
    pub what: String,
    /// What to do.
    pub next: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line == 0 {
            return write!(f, " {}\n  = {}", self.what, self.next);
        }
        writeln!(f, "{}:{}: {}", self.line, self.column, self.what)?;
        writeln!(f, "{:>5} | {}", self.line, self.text)?;
        let indent = self.column.saturating_sub(1);
        writeln!(f, "      | {:indent$}{}", "", "^".repeat(self.width.max(1)))?;
        write!(f, "      = {}", self.next)
    }
}

/// Every mistake of a configuration, in the order of the files and lines, each with its own next step. Never
/// empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Each mistake.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl Actionable for Mistakes {
    fn problem(&self) -> Problem {
        let mut what = String::new();
        for mistake in &self.0 {
            let _ = writeln!(what, "{mistake}");
        }
        let count = self.0.len();
        let _ = write!(what, "{count} mistake{}", if count == 1 { "" } else { "s" });
        Problem::new(what, "nothing was started")
    }
}

/// Something that loads and deserves a look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// What it is about: `role ci`, `identity legacy`, `admission dev`.
    pub subject: String,
    /// What it comes to.
    pub what: String,
    /// Whether it amounts to root on the host.
    pub root: bool,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct SourceText {
    /// Absolute.
    pub(super) path: PathBuf,
    /// What its relative paths are relative to.
    pub(super) base: PathBuf,
    /// Its text.
    pub(super) text: String,
}

/// Collects the files read and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct MistakeLedger {
    sources: Vec<SourceText>,
    mistakes: Vec<(SourcePlace, String, String)>,
    warnings: Vec<Warning>,
}

impl MistakeLedger {
    /// Adds a file; places name it by the number returned.
    pub(super) fn add_source(&mut self, source: SourceText) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    pub(super) fn sources(&self) -> &[SourceText] {
        &self.sources
    }

    /// Notes a mistake: what is wrong, and the next step.
    pub(super) fn mistake(
        &mut self,
        at: SourcePlace,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        // what stands in a file is repeated in what is said of it, and steers no terminal there
        let (what, next) = (what.into(), next.into());
        self.mistakes.push((at, line(&what).into_owned(), line(&next).into_owned()));
    }

    /// The same where something was to be read, of which nothing comes then.
    pub(super) fn refuse<T>(
        &mut self,
        at: SourcePlace,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Option<T> {
        self.mistake(at, what, next);
        None
    }

    /// What was read, or a mistake with both halves of why it could not be.
    pub(super) fn accept<T>(
        &mut self,
        at: SourcePlace,
        read: Result<T, impl Actionable>,
    ) -> Option<T> {
        read.map_err(|why| why.problem())
            .map_or_else(|why| self.refuse(at, why.what, why.next), Some)
    }

    /// Notes something that loads all the same.
    pub(super) fn warn(&mut self, subject: impl Into<String>, what: impl Into<String>, root: bool) {
        self.warnings.push(Warning { subject: subject.into(), what: what.into(), root });
    }

    /// A path of the file, relative to the file that it was written in.
    pub(super) fn resolve(&self, at: SourcePlace, path: &str) -> PathBuf {
        let base = self.sources.get(at.file).map_or(Path::new(""), |source| &source.base);
        base.join(path)
    }

    /// `file:line` of a place, to point from one mistake to another place.
    pub(super) fn name(&self, at: SourcePlace) -> String {
        let path = self.sources.get(at.file).map(|s| s.path.display().to_string());
        format!("{}:{}", path.unwrap_or_default(), at.line)
    }

    /// The warnings, or every mistake.
    pub(super) fn close(mut self) -> Result<Vec<Warning>, Mistakes> {
        if self.mistakes.is_empty() {
            return Ok(self.warnings);
        }
        let mut noted = std::mem::take(&mut self.mistakes);
        noted.sort_by_key(|(at, ..)| *at);
        noted.dedup();
        Err(Mistakes(noted.into_iter().map(|noted| self.shown(noted)).collect()))
    }

    fn shown(&self, (at, what, next): (SourcePlace, String, String)) -> Mistake {
        let source = self.sources.get(at.file);
        let line = source.and_then(|s| yaml_lines(&s.text).nth(at.line.checked_sub(1)?));
        let text: String = line.unwrap_or_default().chars().map(visible).collect();
        let room = text.chars().count().saturating_sub(at.column.saturating_sub(1));
        let file = source.map(|s| s.path.clone()).unwrap_or_default();
        let width = at.width.min(room);
        Mistake { file, line: at.line, column: at.column, width, text, what, next }
    }
}

/// The lines as YAML counts them: a carriage return alone ends one too (YAML 1.2.2, 5.4).
fn yaml_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('\r'))
}

/// A tab as one space, so that the carets stand under what they mean; nothing that steers a terminal.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || misleads(c) => '?',
        c => c,
    }
}

/// The name that was probably meant, if one is near enough.
pub(super) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    let best = near.filter(|(score, _)| *score > 0.84).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name)
}

/// `write "x"`, or the names there are.
pub(super) fn suggest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match nearest(word, names.iter().copied()) {
        Some(name) => format!("did you mean {name:?}?"),
        None if names.is_empty() => "there are none yet, define one".to_owned(),
        None => format!("write one of: {}", names.join(", ")),
    }
}
