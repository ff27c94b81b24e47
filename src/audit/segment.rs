//! One file of the log. Lines go in whole or not at all: after a write that failed halfway the
//! file is cut back to where it was good.
//!
//! After a failed `fdatasync` the file is given up. Linux reports such an error once and may mark
//! the pages clean although they never reached the disk, so asking again would get a yes that
//! means nothing. The file is cut back as far as that works, nobody is told that his event was
//! recorded, and the chain goes on in a new file that says so. The same where cutting back fails.
//!
//! A descriptor outlives its name. What was written to a file that somebody removed or moved, or cut short
//! meanwhile, stands nowhere that anybody will look, so after each write the file is looked for under its name, and
//! where it is not found whole, what was written counts for nothing.

use super::error::AuditError;
use super::loss::Loss;
use rustix::fs::{FlockOperation, flock, fstatvfs};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// What the log needs of a file; the tests bring files that fail.
pub(super) trait LogFile: Send {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Bytes that are free for us on the file's filesystem.
    fn free(&self) -> io::Result<u64>;
    /// What became of it, if it does not stand whole at this path any more, of so many bytes.
    fn loss(&self, path: &Path, length: u64) -> Option<Loss>;
}

/// Makes a new file at a path.
pub(super) type Create = Box<dyn FnMut(&Path) -> io::Result<Box<dyn LogFile>> + Send>;

pub(super) fn on_disk() -> Create {
    Box::new(|path| {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o640).open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(file))
    })
}

/// A file and how much of it is whole lines.
pub(super) struct Segment {
    file: Box<dyn LogFile>,
    name: String,
    good: u64,
    /// The number of its first line in the chain.
    first: u64,
}

/// Why lines did not get into the file.
pub(super) struct AppendFailure {
    pub(super) error: AuditError,
    /// Whether the file must not be written to any more; if not, it is as it was before.
    pub(super) given_up: bool,
}

impl Segment {
    pub(super) fn new(file: Box<dyn LogFile>, name: String, first: u64) -> Self {
        Self { file, name, good: 0, first }
    }

    /// How many lines it has, if this is the number of its last.
    pub(super) fn lines(&self, last: u64) -> u64 {
        last.saturating_add(1).saturating_sub(self.first)
    }

    /// What became of it in this directory, if what was written is not found there any more.
    pub(super) fn loss(&self, directory: &Path) -> Option<Loss> {
        self.file.loss(&directory.join(&self.name), self.good)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn free(&self) -> io::Result<u64> {
        self.file.free()
    }

    /// Adds whole lines, and brings them and all before them to disk where `sync` asks for it.
    pub(super) fn append(&mut self, lines: &[u8], sync: bool) -> Result<(), AppendFailure> {
        if let Err(source) = self.file.write_all(lines) {
            let error = AuditError::Write { file: self.name.clone(), source: Arc::new(source) };
            let given_up = self.file.truncate(self.good).is_err();
            return Err(AppendFailure { error, given_up });
        }
        if sync && let Err(source) = self.file.sync() {
            // Given up either way; whether it could be cut back does not change the answer.
            let _ = self.file.truncate(self.good);
            let error = AuditError::Sync { file: self.name.clone(), source: Arc::new(source) };
            return Err(AppendFailure { error, given_up: true });
        }
        let length = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        self.good = self.good.saturating_add(length);
        Ok(())
    }
}

impl LogFile for File {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(self, bytes)?;
        self.flush()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn free(&self) -> io::Result<u64> {
        let filesystem = fstatvfs(self)?;
        Ok(filesystem.f_bavail.saturating_mul(filesystem.f_frsize))
    }

    fn loss(&self, path: &Path, length: u64) -> Option<Loss> {
        let Ok(ours) = self.metadata() else { return Some(Loss::Moved) };
        let same = |there: &fs::Metadata| (there.dev(), there.ino()) == (ours.dev(), ours.ino());
        match fs::symlink_metadata(path) {
            _ if ours.nlink() == 0 => Some(Loss::Removed),
            Ok(there) if same(&there) => (ours.len() != length).then_some(Loss::Cut),
            Ok(_) | Err(_) => Some(Loss::Moved),
        }
    }
}
