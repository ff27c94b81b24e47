//! A bundle on disk: `ca.pem`, `cert.pem` and `key.pem` in one directory, which is what
//! `DOCKER_CERT_PATH` and `docker context` expect. A directory appears whole or not at all, and no
//! key is ever readable by another, not even for a moment.

use super::error::PkiError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const NAMES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// One party's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The directory, fit for `DOCKER_CERT_PATH`.
    pub directory: PathBuf,
}

impl Bundle {
    /// The certificate of the authority that the other side is verified with.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The party's own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("cert.pem")
    }

    /// The party's private key (PKCS #8, mode 0600).
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    /// Puts the bundle in place of whatever is there, whole or not at all. The texts are in the order of the
    /// names.
    pub(super) fn write(&self, pems: [String; 3]) -> Result<(), PkiError> {
        let directory = &self.directory;
        let fresh = beside(directory, "new");
        let former = beside(directory, "old");
        for leftover in [&fresh, &former] {
            remove(leftover)?;
        }
        private_directory(&fresh)?;
        for (name, text) in NAMES.iter().zip(&pems) {
            let path = fresh.join(name);
            let written = private_file(&path, text).and_then(|file| file.sync_all());
            written.map_err(PkiError::io(&path))?;
        }
        sync_directory(&fresh)?;
        if_there(fs::rename(directory, &former)).map_err(PkiError::io(directory))?;
        fs::rename(&fresh, directory).map_err(PkiError::io(directory))?;
        directory.parent().map_or(Ok(()), sync_directory)?;
        remove(&former)
    }
}

/// Whether nothing but a bundle is in a directory.
pub(super) fn is_bundle_alone(directory: &Path) -> Result<bool, PkiError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(PkiError::io(directory))?;
    Ok(entries.iter().all(|entry| NAMES.iter().any(|known| entry.file_name() == *known)))
}

/// Makes a directory that only its owner may enter; one that is there is left as it is.
pub(super) fn private_directory(path: &Path) -> Result<(), PkiError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(PkiError::io(path))
}

/// Writes a file that was not there before and that only its owner may read, not yet to the disk.
pub(super) fn private_file(path: &Path, text: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// A hidden neighbour of the directory, so that a rename stays on one file system.
pub(super) fn beside(directory: &Path, what: &str) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    directory.with_file_name(format!(".{name}.{what}"))
}

pub(super) fn remove(directory: &Path) -> Result<(), PkiError> {
    if_there(fs::remove_dir_all(directory)).map(drop).map_err(PkiError::io(directory))
}

/// What was done or read, or `None` where nothing was there.
pub(super) fn if_there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        done => done.map(Some),
    }
}

/// The directory that a path is in, where it names one.
pub(super) fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}

pub(super) fn sync_directory(path: &Path) -> Result<(), PkiError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(PkiError::io(path))
}
