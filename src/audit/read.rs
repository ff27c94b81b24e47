//! Reading the log back, a line at a time, whatever its size: to find the event that a refusal
//! quoted, and to verify the chain.

use super::chain::{LINE_MAX, whole};
use super::directory;
use super::event::Stage;
use super::id::EventId;
use super::line::{Gist, GistSection, Logged};
use crate::digest::Sha256;
use crate::problem::{Actionable, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// An event found in the log.
#[derive(Debug, Clone)]
pub struct Found {
    /// Name of the file it is in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u64,
    /// What stands there.
    pub logged: Logged,
}

/// What cannot be read of the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum ReadError {
    /// A file, or the directory.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The line of an event that was looked for.
    Event {
        /// The file it is in.
        path: PathBuf,
        /// Its line there, from 1.
        line: u64,
        /// What is not understood.
        source: serde_json::Error,
    },
}

/// The event of that id, newest file first. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read, or the event is not as this version writes one.
pub fn find(directory: &Path, id: EventId) -> Result<Option<Found>, ReadError> {
    let named = format!("\"id\":\"{id}\"");
    for file in files(directory)?.into_iter().rev() {
        let mut lines = Lines::open(directory.join(&file))?;
        while let Some(line) = lines.next_line()? {
            let text = line.whole().and_then(|line| std::str::from_utf8(line).ok());
            let Some(text) = text.filter(|text| text.contains(&named)) else { continue };
            let logged = Logged::read(text.as_bytes());
            let (path, line) = (&lines.path, lines.number);
            let logged =
                logged.map_err(|source| ReadError::Event { path: path.clone(), line, source })?;
            if logged.event.id == id {
                return Ok(Some(Found { file, line, logged }));
            }
        }
    }
    Ok(None)
}

/// The file and the line of the event with this hash. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn line_of(directory: &Path, hash: Sha256) -> Result<Option<(String, u64)>, ReadError> {
    for file in files(directory)?.into_iter().rev() {
        let mut lines = Lines::open(directory.join(&file))?;
        while let Some(line) = lines.next_line()? {
            if line.whole().and_then(whole) == Some(hash) {
                return Ok(Some((file, lines.number)));
            }
        }
    }
    Ok(None)
}

/// Shows every request of an identity that was only observed and would have been refused, oldest first. Does not verify
/// the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read, or an event of them is not as this version writes one.
pub fn observed(
    directory: &Path,
    name: &str,
    mut show: impl FnMut(&Logged),
) -> Result<(), ReadError> {
    for file in files(directory)? {
        let mut lines = Lines::open(directory.join(file))?;
        while let Some(line) = lines.next_line()? {
            let text = line.whole().and_then(|line| std::str::from_utf8(line).ok());
            let Some(text) = text.filter(|text| text.contains("\"would\":[")) else { continue };
            let logged = Logged::read(text.as_bytes());
            let (path, line) = (&lines.path, lines.number);
            let logged =
                logged.map_err(|source| ReadError::Event { path: path.clone(), line, source })?;
            if logged.event.identity.as_ref().is_some_and(|who| who.name == name) {
                show(&logged);
            }
        }
    }
    Ok(())
}

/// When each certificate was last used, by its serial number: the time of the newest decision about it, as it
/// stands in the log. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn last_seen(directory: &Path) -> Result<BTreeMap<String, String>, ReadError> {
    let mut seen = BTreeMap::new();
    each(directory, |Gist { stage, time, identity, .. }| {
        let serial = identity.and_then(|who| who.serial).filter(|_| stage == Some(Stage::Decision));
        seen.extend(serial.map(|serial| (serial, time)));
    })?;
    Ok(seen)
}

/// Containers that were made under these serial numbers, or by whoever's name was once proven by one of
/// them, by their full ids in the order made. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn containers_made(
    directory: &Path,
    serials: &BTreeSet<String>,
    of_the_name: bool,
) -> Result<Vec<String>, ReadError> {
    let (mut names, mut creates, mut made) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
    // DER writes a zero before a first bit that is set, people do not
    let plain = |serial: &str| serial.trim_start_matches('0').to_owned();
    let serials: BTreeSet<String> = serials.iter().map(|serial| plain(serial)).collect();
    each(directory, |line| match line {
        Gist {
            id,
            identity: Some(GistSection { name: Some(name), serial, .. }),
            request: Some(asked),
            ..
        } => {
            let theirs = serial.is_some_and(|serial| serials.contains(&plain(&serial)));
            if theirs {
                names.insert(name.clone());
            }
            if asked.operation.as_deref() == Some("ContainerCreate") {
                creates.push((id, name, theirs));
            }
        }
        Gist { parent: Some(parent), outcome: Some(GistSection { id: Some(id), .. }), .. } => {
            made.insert(parent, id);
        }
        _ => {}
    })?;
    creates.retain(|(_, name, theirs)| *theirs || of_the_name && names.contains(name));
    Ok(creates.into_iter().filter_map(|(decision, ..)| made.remove(&decision)).collect())
}

/// Shows every line of the log that is one, oldest first.
fn each(directory: &Path, mut show: impl FnMut(Gist)) -> Result<(), ReadError> {
    for file in files(directory)? {
        let mut lines = Lines::open(directory.join(file))?;
        while let Some(line) = lines.next_line()? {
            line.whole().and_then(Gist::read).into_iter().for_each(&mut show);
        }
    }
    Ok(())
}

/// The names of all log files, oldest first.
pub(super) fn files(directory: &Path) -> Result<Vec<String>, ReadError> {
    directory::files(directory).map_err(ReadError::at(directory))
}

/// The lines of a file, with a bound on their length.
pub(super) struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    buffer: Vec<u8>,
    /// Number of the last line, from 1.
    pub(super) number: u64,
}

/// What stands between two newlines, or where the last one should have been.
pub(super) enum RawLine<'a> {
    Whole(&'a [u8]),
    /// The end of the file, without a newline; as many bytes.
    Torn(u64),
    /// More than a line of ours can have.
    TooLong,
}

impl RawLine<'_> {
    fn whole(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(line) => Some(line),
            Self::Torn(_) | Self::TooLong => None,
        }
    }
}

impl Lines {
    pub(super) fn open(path: PathBuf) -> Result<Self, ReadError> {
        let file = BufReader::new(File::open(&path).map_err(ReadError::at(&path))?);
        Ok(Self { path, file, buffer: Vec::new(), number: 0 })
    }

    pub(super) fn next_line(&mut self) -> Result<Option<RawLine<'_>>, ReadError> {
        // A line is under LINE_MAX before its hash is added.
        let most = LINE_MAX.saturating_add(128);
        self.buffer.clear();
        let mut part = self.file.by_ref().take(u64::try_from(most).unwrap_or(u64::MAX));
        let length = part.read_until(b'\n', &mut self.buffer).map_err(ReadError::at(&self.path))?;
        self.number = self.number.saturating_add(1);
        Ok(match self.buffer.strip_suffix(b"\n") {
            _ if length == 0 => None,
            Some(line) => Some(RawLine::Whole(line)),
            None if length == most => Some(RawLine::TooLong),
            None => Some(RawLine::Torn(u64::try_from(length).unwrap_or(u64::MAX))),
        })
    }
}

impl ReadError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

impl Actionable for ReadError {
    fn problem(&self) -> Problem {
        match self {
            Self::File { path, source } => Problem::new(
                format!("cannot read {}: {source}", path.display()),
                "read the log as root",
            ),
            Self::Event { path, line, source } => Problem::new(
                format!("cannot read the event at {}:{line}: {source}", path.display()),
                "read it with the version of dockward that wrote it",
            ),
        }
    }
}
