//! Why the log could not be written. One failure is told to a whole batch of waiting requests,
//! so the errors can be cloned.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kept an event from being recorded. Every one of them means 503 and nothing forwarded.
#[derive(Debug, Clone)]
pub enum AuditError {
    /// The log directory cannot be made, read or locked.
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Everybody on the host may write to the log directory.
    OpenToOthers {
        /// The directory.
        path: PathBuf,
    },
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
    /// One event makes a longer line than the log takes.
    TooLarge {
        /// Bytes the line would have had.
        bytes: usize,
    },
    /// The event is not JSON.
    Unserialisable(String),
    /// The writer's thread could not be started.
    Thread(Arc<io::Error>),
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

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory { path, source } => write!(
                f,
                "audit directory {}: {source}; it must exist or be creatable, and be ours to write",
                path.display()
            ),
            Self::OpenToOthers { path } => write!(
                f,
                "audit directory {} can be written by everyone; take that away (chmod o-w)",
                path.display()
            ),
            Self::Create { path, source } => {
                write!(f, "cannot make {}: {source}; look at space and permissions", path.display())
            }
            Self::Write { file, source } => {
                write!(f, "cannot write to {file}: {source}; free space in the audit directory")
            }
            Self::Sync { file, source } => write!(
                f,
                "cannot bring {file} to disk: {source}; look at the disk, a new file is tried next"
            ),
            Self::TooLarge { bytes } => {
                write!(f, "an event of {bytes} bytes is more than a line of the log takes")
            }
            Self::Unserialisable(why) => write!(f, "an event cannot be written as JSON: {why}"),
            Self::Thread(source) => write!(f, "cannot start the audit thread: {source}"),
            Self::Closed => write!(f, "the audit log is closed; the gate is stopping"),
        }
    }
}

impl std::error::Error for AuditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { source, .. }
            | Self::Create { source, .. }
            | Self::Write { source, .. }
            | Self::Sync { source, .. }
            | Self::Thread(source) => Some(source.as_ref()),
            Self::OpenToOthers { .. }
            | Self::TooLarge { .. }
            | Self::Unserialisable(_)
            | Self::Closed => None,
        }
    }
}
