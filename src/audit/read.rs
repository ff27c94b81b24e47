//! Reading the log back, a line at a time, whatever its size: to find the event that a refusal
//! quoted, and to verify the chain.

use super::chain::LINE_MAX;
use super::directory;
use super::event::Stage;
use super::id::EventId;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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
    /// The event.
    pub event: Value,
}

/// A log file or directory that cannot be read.
#[derive(Debug)]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}

/// The event of that id, newest file first. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn find(directory: &Path, id: EventId) -> Result<Option<Found>, ReadError> {
    let names = directory::files(directory).map_err(ReadError::at(directory))?;
    for file in names.into_iter().rev() {
        let path = directory.join(&file);
        let failed = ReadError::at(&path);
        let mut lines = Lines::open(&path).map_err(&failed)?;
        while let Some(line) = lines.next_line().map_err(&failed)? {
            if let Some(event) = is_event(&line, id) {
                return Ok(Some(Found { file, line: lines.number, event }));
            }
        }
    }
    Ok(None)
}

/// When each certificate was last used, by its serial number: the time of the newest decision about it, as it
/// stands in the log. Does not verify the chain.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn last_seen(directory: &Path) -> Result<BTreeMap<String, String>, ReadError> {
    let mut seen = BTreeMap::new();
    for file in directory::files(directory).map_err(ReadError::at(directory))? {
        let path = directory.join(&file);
        let failed = ReadError::at(&path);
        let mut lines = Lines::open(&path).map_err(&failed)?;
        while let Some(line) = lines.next_line().map_err(&failed)? {
            if let Some((serial, time)) = line.whole().and_then(decided) {
                seen.insert(serial, time);
            }
        }
    }
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
    for file in directory::files(directory).map_err(ReadError::at(directory))? {
        let path = directory.join(&file);
        let failed = ReadError::at(&path);
        let mut lines = Lines::open(&path).map_err(&failed)?;
        while let Some(line) = lines.next_line().map_err(&failed)? {
            let told = line.whole().and_then(|line| serde_json::from_slice::<Told>(line).ok());
            match told.unwrap_or_default() {
                Told { id: Some(id), identity: Some(who), request: Some(asked), .. } => {
                    let theirs = who.serial.is_some_and(|serial| serials.contains(&plain(&serial)));
                    if theirs {
                        names.insert(who.name.clone());
                    }
                    if asked.operation.as_deref() == Some("ContainerCreate") {
                        creates.push((id, who.name, theirs));
                    }
                }
                Told { parent: Some(parent), outcome: Some(Made { id: Some(id) }), .. } => {
                    made.insert(parent, id);
                }
                _ => {}
            }
        }
    }
    creates.retain(|(_, name, theirs)| *theirs || of_the_name && names.contains(name));
    Ok(creates.into_iter().filter_map(|(decision, ..)| made.remove(&decision)).collect())
}

/// What a line says of who made what.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    id: Option<String>,
    parent: Option<String>,
    identity: Option<Maker>,
    request: Option<Asked>,
    outcome: Option<Made>,
}

#[derive(Deserialize)]
struct Maker {
    name: String,
    serial: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    operation: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    id: Option<String>,
}

/// The serial number and time of a decision.
fn decided(line: &[u8]) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Decided {
        stage: Stage,
        time: String,
        identity: Option<Proven>,
    }
    #[derive(Deserialize)]
    struct Proven {
        serial: Option<String>,
    }
    let event: Decided = serde_json::from_slice(line).ok()?;
    let serial = event.identity?.serial?;
    (event.stage == Stage::Decision).then_some((serial, event.time))
}

fn is_event(line: &Line<'_>, id: EventId) -> Option<Value> {
    let id = id.to_string();
    let text = std::str::from_utf8(line.whole()?).ok()?;
    if !text.contains(&id) {
        return None;
    }
    let event: Value = serde_json::from_str(text).ok()?;
    let same = event.get("id").and_then(Value::as_str) == Some(&id);
    same.then_some(event)
}

/// The lines of a file, with a bound on their length.
pub(super) struct Lines {
    file: BufReader<File>,
    buffer: Vec<u8>,
    /// Number of the last line, from 1.
    pub(super) number: u64,
}

/// What stands between two newlines, or where the last one should have been.
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The end of the file, without a newline; as many bytes.
    Torn(u64),
    /// More than a line of ours can have.
    TooLong,
}

impl Line<'_> {
    fn whole(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(line) => Some(line),
            Self::Torn(_) | Self::TooLong => None,
        }
    }
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(File::open(path)?), buffer: Vec::new(), number: 0 })
    }

    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        // A line is under LINE_MAX before its hash is added.
        let most = LINE_MAX.saturating_add(128);
        self.buffer.clear();
        let mut part = self.file.by_ref().take(u64::try_from(most).unwrap_or(u64::MAX));
        let length = part.read_until(b'\n', &mut self.buffer)?;
        self.number = self.number.saturating_add(1);
        Ok(match self.buffer.strip_suffix(b"\n") {
            _ if length == 0 => None,
            Some(line) => Some(Line::Whole(line)),
            None if length == most => Some(Line::TooLong),
            None => Some(Line::Torn(u64::try_from(length).unwrap_or(u64::MAX))),
        })
    }
}

impl ReadError {
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self { path: path.to_owned(), source }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}; read the log as root", self.path.display(), self.source)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
