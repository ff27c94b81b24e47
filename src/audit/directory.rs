//! The directory of log files: their names, which sort in the order they were begun, and where
//! the newest of them ends. A crash leaves a torn last line behind, which must not keep the next
//! process from starting; it is left as it is and told of in the next file's first line.

use super::chain::LINE_MAX;
use super::error::AuditError;
use super::event::{FileEnd, Previous, Stage};
use super::line::Head;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rustix::fs::{Access, FlockOperation, access, flock};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

const PREFIX: &str = "dockward-";
const SUFFIX: &str = ".jsonl";
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";

/// Makes the directory where it is missing, and refuses one in which others can change what is on record.
pub(super) fn prepare(directory: &Path) -> Result<(), AuditError> {
    let failed = AuditError::directory(directory);
    DirBuilder::new().recursive(true).mode(0o750).create(directory).map_err(&failed)?;
    is_ours(directory)
}

/// Whether nobody else can change what is in the directory: its owner is root or the user that we run as, and neither
/// everybody nor another group may write to it.
pub(super) fn is_ours(directory: &Path) -> Result<(), AuditError> {
    let is = fs::metadata(directory).map_err(AuditError::directory(directory))?;
    if is.mode() & 0o002 != 0 {
        return Err(AuditError::OpenToOthers(directory.to_owned()));
    }
    if !is_trusted(is.uid(), rustix::process::geteuid().as_raw()) {
        return Err(AuditError::OfAnother(directory.to_owned(), is.uid()));
    }
    if is.mode() & 0o020 != 0 && !is_trusted(is.gid(), rustix::process::getegid().as_raw()) {
        return Err(AuditError::OpenToGroup(directory.to_owned(), is.gid()));
    }
    Ok(())
}

/// Whether an owner, or a group, is root's or ours.
const fn is_trusted(owner: u32, ourselves: u32) -> bool {
    owner == 0 || owner == ourselves
}

/// Bytes that are free for us on the directory's disk.
///
/// # Errors
/// It cannot be known.
pub fn room(directory: &Path) -> io::Result<u64> {
    let filesystem = rustix::fs::statvfs(directory)?;
    let blocks = match rustix::process::geteuid().is_root() {
        true => filesystem.f_bfree,
        false => filesystem.f_bavail,
    };
    Ok(blocks.saturating_mul(filesystem.f_frsize))
}

/// Whether something can be written and brought to disk beside the log at this moment: a file without a name in the
/// directory, gone when this returns.
///
/// # Errors
/// What the system says.
pub fn trial(directory: &Path) -> io::Result<()> {
    let name = directory.join(format!(".trial-{}-{}", std::process::id(), super::EventId::new()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name);
    let mut file = file?;
    fs::remove_file(&name)?;
    file.write_all(&[b'x'; TRIAL])?;
    file.sync_data()
}

/// Whether a log could be begun there, as far as that can be told without beginning one.
///
/// # Errors
/// As [`prepare`] and the first line of a log would have it.
pub fn vet(directory: &Path) -> Result<(), AuditError> {
    let failed = AuditError::directory(directory);
    if !fs::metadata(directory).map_err(&failed)?.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    is_ours(directory)?;
    let writable = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    access(directory, writable).map_err(|error| failed(error.into()))?;
    match room(directory).map_err(&failed)? < TRIAL as u64 {
        true => Err(failed(io::ErrorKind::StorageFull.into())),
        false => Ok(()),
    }
}

/// Bytes of a trial; a line of the log takes less.
const TRIAL: usize = 4096;

/// Held while a file is begun, so that of two processes starting at once the second stands on
/// the first. Given back when dropped.
pub(super) fn lock(directory: &Path) -> io::Result<File> {
    let handle = File::open(directory)?;
    flock(&handle, FlockOperation::LockExclusive)?;
    Ok(handle)
}

/// The names of all log files, oldest first.
pub(super) fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        if let Ok(name) = entry?.file_name().into_string()
            && begun(&name).is_some()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A name for a file begun now. It sorts after `newest` even if the clock was set back: the
/// order of names is the order of the chain.
pub(super) fn new_name(newest: Option<&str>, now: Timestamp, instance: &str) -> String {
    let now = TimeZone::UTC.to_datetime(now);
    let after = newest.and_then(begun).and_then(|at| at.checked_add(1.microsecond()).ok());
    let stamp = after.map_or(now, |after| after.max(now)).strftime(STAMP);
    format!("{PREFIX}{stamp}-{instance}{SUFFIX}")
}

/// Where the newest file that has a whole line ends, and the bytes of a torn line after that.
pub(super) fn newest_end(
    directory: &Path,
    names: &[String],
) -> io::Result<Option<(Previous, u64)>> {
    names.iter().rev().find_map(|name| end_of(directory, name).transpose()).transpose()
}

fn begun(name: &str) -> Option<DateTime> {
    let (stamp, _) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
    DateTime::strptime("%Y%m%dT%H%M%S.%fZ", stamp).ok()
}

fn end_of(directory: &Path, name: &str) -> io::Result<Option<(Previous, u64)>> {
    let mut file = File::open(directory.join(name))?;
    let running = flock(&file, FlockOperation::NonBlockingLockShared).is_err();
    let tail = tail(&mut file)?;
    let mut lines = tail.rsplit(|byte| *byte == b'\n');
    let mut torn = lines.next().map_or(0, <[u8]>::len);
    for line in lines {
        if let Ok((Head { seq, stage, .. }, hash)) = Head::read(line) {
            let ended = match (running, stage == Some(Stage::Stop) && torn == 0) {
                (true, _) => FileEnd::Running,
                (false, true) => FileEnd::Stop,
                (false, false) => FileEnd::Died,
            };
            let torn = if running { 0 } else { u64::try_from(torn).unwrap_or(u64::MAX) };
            let previous = Previous { file: name.to_owned(), seq, hash, ended };
            return Ok(Some((previous, torn)));
        }
        torn = torn.saturating_add(line.len()).saturating_add(1);
    }
    Ok(None)
}

/// Enough of the end to hold a torn line and the whole one before it.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX).saturating_mul(2);
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut tail = Vec::new();
    file.take(most).read_to_end(&mut tail)?;
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn names_sort_in_the_order_they_were_begun_even_if_the_clock_goes_back() {
        let late = Timestamp::from_second(1_800_000_000).unwrap();
        let first = new_name(None, late, "aa");
        assert_eq!(first, "dockward-20270115T080000.000000Z-aa.jsonl");
        let second = new_name(Some(&first), Timestamp::UNIX_EPOCH, "00");
        assert_eq!(second, "dockward-20270115T080000.000001Z-00.jsonl");
    }

    #[test]
    fn other_files_are_not_log_files() {
        let directory = tempfile::tempdir().unwrap();
        let ours = new_name(None, Timestamp::UNIX_EPOCH, "aa");
        for name in ["dockward-x-y.jsonl", "policy-0.yaml", &ours] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let names = files(directory.path()).unwrap();
        assert_eq!(names, [ours]);
        assert_eq!(newest_end(directory.path(), &names).unwrap(), None);
    }

    #[test]
    fn a_directory_open_to_everyone_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log/here");
        prepare(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(prepare(&path), Err(AuditError::OpenToOthers(_))));
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        assert!(is_trusted(0, 1000) && is_trusted(1000, 1000) && is_trusted(0, 0));
        assert!(!is_trusted(1001, 1000) && !is_trusted(1000, 0));
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path()).unwrap();
        std::os::unix::fs::chown(directory.path(), Some(65_534), None).unwrap();
        let refused = prepare(directory.path()).unwrap_err();
        assert!(matches!(refused, AuditError::OfAnother(_, 65_534)), "{refused}");
        assert!(refused.to_string().contains("belongs to user 65534"), "{refused}");
        std::os::unix::fs::chown(directory.path(), Some(0), Some(65_534)).unwrap();
        prepare(directory.path()).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o770)).unwrap();
        let refused = prepare(directory.path()).unwrap_err();
        assert!(matches!(refused, AuditError::OpenToGroup(_, 65_534)), "{refused}");
    }
}
