//! The policy texts beside the log. A decision names the policy it stood on by its hash; this is
//! where the text to that hash can still be found when the file has long been edited.

use super::directory;
use super::error::AuditError;
use super::id::EventId;
use crate::digest::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Keeps the text as `policy-<hash>.yaml` in the log's directory, on disk, and gives its hash.
/// A text that is there already is left as it is, unless it was changed: then it is put right.
///
/// # Errors
/// If the directory cannot be used or the file cannot be written.
pub fn keep_policy(directory: &Path, text: &[u8]) -> Result<Sha256, AuditError> {
    directory::prepare(directory)?;
    let hash = Sha256::of(text);
    let path = directory.join(format!("policy-{hash}.yaml"));
    if fs::read(&path).is_ok_and(|kept| kept == text) {
        return Ok(hash);
    }
    let draft = directory.join(format!(".policy-{}", EventId::new()));
    write(&draft, text)
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| File::open(directory)?.sync_all())
        .map_err(AuditError::create(&path))
        .inspect_err(|_| drop(fs::remove_file(&draft)))?;
    Ok(hash)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_put_right_when_changed() {
        let directory = tempfile::tempdir().unwrap();
        let hash = keep_policy(directory.path(), b"version: 1\n").unwrap();
        let path = directory.path().join(format!("policy-{hash}.yaml"));
        assert_eq!(fs::read(&path).unwrap(), b"version: 1\n");
        fs::write(&path, "version: 2\n").unwrap();
        assert_eq!(keep_policy(directory.path(), b"version: 1\n").unwrap(), hash);
        assert_eq!(fs::read(&path).unwrap(), b"version: 1\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
