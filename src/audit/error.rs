//! Why the log could not be written. One failure is told to a whole batch of waiting requests,
//! so the errors can be cloned.

use super::loss::Loss;
use crate::problem::{Actionable, Problem};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kept an event from being recorded. Every one of them means 503 and nothing forwarded.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.problem())]
pub enum AuditError {
    /// The log directory cannot be made, read or locked.
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Everybody on the host may write to the log directory.
    OpenToOthers(PathBuf),
    /// The log directory belongs to a user of that number, who is neither root nor the gate's own.
    OfAnother(PathBuf, u32),
    /// A group of that number, which is neither root's nor the gate's own, may write to the log directory.
    OpenToGroup(PathBuf, u32),
    /// A new log file (or a kept policy text) cannot be made.
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The lines could not be written; the file was put back as it was, or given up.
    Write {
        /// The file's name.
        file: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The lines could not be brought to disk; the file was given up.
    Sync {
        /// The file's name.
        file: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The file was taken away while it was written, and so was the one after it.
    Lost {
        /// The file's name.
        file: String,
        /// What became of it.
        loss: Loss,
    },
    /// One event makes a longer line than the log takes, of so many bytes.
    TooLarge(usize),
    /// The event is not JSON.
    Unserialisable(String),
    /// The writer's thread could not be started.
    Thread(#[source] Arc<io::Error>),
    /// The writer was closed.
    Closed,
}

impl AuditError {
    pub(super) fn directory(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Directory { path: path.to_owned(), source: Arc::new(source) }
    }

    pub(super) fn create(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Create { path: path.to_owned(), source: Arc::new(source) }
    }
}

impl Actionable for AuditError {
    fn problem(&self) -> Problem {
        match self {
            Self::Directory { path, source } => Problem::new(
                format!("audit directory {}: {source}", path.display()),
                "it must exist or be creatable, and be ours to write",
            ),
            Self::OpenToOthers(path) => Problem::new(
                format!("audit directory {} can be written by everyone", path.display()),
                "take that away (chmod o-w)",
            ),
            Self::OfAnother(path, owner) => Problem::new(
                format!(
                    "audit directory {} belongs to user {owner}, who could change what is on record",
                    path.display()
                ),
                "give it to the user that dockward runs as, or to root, or choose another",
            ),
            Self::OpenToGroup(path, group) => Problem::new(
                format!("audit directory {} can be written by group {group}", path.display()),
                "take that away (chmod g-w), or give it to the group that dockward runs as",
            ),
            Self::Create { path, source } => Problem::new(
                format!("cannot make {}: {source}", path.display()),
                "look at space and permissions",
            ),
            Self::Write { file, source } => Problem::new(
                format!("cannot write to {file}: {source}"),
                "free space in the audit directory",
            ),
            Self::Sync { file, source } => Problem::new(
                format!("cannot bring {file} to disk: {source}"),
                "look at the disk, a new file is tried next",
            ),
            Self::Lost { file, loss } => Problem::new(
                format!("{file} {} while it was written to", loss.told()),
                "find out by whom, and keep others out of the audit directory",
            ),
            Self::TooLarge(bytes) => Problem::new(
                format!("an event of {bytes} bytes is more than a line of the log takes"),
                "ask for less at once",
            ),
            Self::Unserialisable(why) => Problem::new(
                format!("an event cannot be written as JSON: {why}"),
                "report it: none of ours should be so",
            ),
            Self::Thread(source) => Problem::new(
                format!("cannot start the audit thread: {source}"),
                "raise the limit on threads (TasksMax=)",
            ),
            Self::Closed => Problem::new("the audit log is closed", "the gate is stopping"),
        }
    }
}
