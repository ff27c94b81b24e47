//! The authority's directory: one writer at a time, and several files that change together or not at all.
//!
//! A change is written whole into `.next`, the index among its files. Renaming that to `.commit` is the one
//! moment at which it happens; only then its files are moved to their places. After a crash the next command
//! throws `.next` away, since nothing of it counted, and finishes `.commit`, since all of it does.

use super::super::bundle::{
    beside, if_there, parent, private_directory, private_file, remove, sync_directory,
};
use super::super::error::PkiError;
use super::index::Index;
use super::layout;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

const LOCK: &str = ".lock";
const NEXT: &str = ".next";
const COMMIT: &str = ".commit";

/// The largest index that is read: some hundred thousand certificates.
const INDEX_MAX: u64 = 256 * 1024 * 1024;

/// The directory, locked until this is dropped.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    /// The lock is the open file's (`flock`), so it goes with the process, however that ends.
    _lock: File,
}

/// A file to be put in place.
#[derive(Clone, Debug)]
pub(super) struct NewFile {
    pub(super) name: &'static str,
    pub(super) text: String,
    /// Its mode if it was not there before. One that was keeps its owner and mode, since somebody may have
    /// given it to the gate's user.
    mode: u32,
}

impl Store {
    /// Waits for the lock, then finishes or throws away what a crash has left.
    pub(super) fn lock(directory: &Path) -> Result<Self, PkiError> {
        let path = directory.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(PkiError::io(&path))?;
        lock.lock().map_err(PkiError::io(&path))?;
        let store = Self { directory: directory.to_owned(), _lock: lock };
        remove(&store.path(NEXT))?;
        store.finish()?;
        Ok(store)
    }

    /// A file's place.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The index, or `None` where there is no authority.
    pub(super) fn index(&self) -> Result<Option<Index>, PkiError> {
        read_index(&self.path(layout::INDEX))
    }

    /// Puts all of the files in place, or none.
    pub(super) fn commit(&self, index: &Index, mut files: Vec<NewFile>) -> Result<(), PkiError> {
        let text = index.text(&self.path(layout::INDEX))?;
        files.push(NewFile::secret(layout::INDEX, text));
        let next = self.path(NEXT);
        remove(&next)?;
        private_directory(&next)?;
        for file in &files {
            let path = next.join(file.name);
            file.write(&path, &self.path(file.name)).map_err(PkiError::io(&path))?;
        }
        sync_directory(&next)?;
        let commit = self.path(COMMIT);
        fs::rename(&next, &commit).map_err(PkiError::io(&commit))?;
        sync_directory(&self.directory)?;
        self.finish()
    }

    fn finish(&self) -> Result<(), PkiError> {
        let commit = self.path(COMMIT);
        let entries = if_there(fs::read_dir(&commit)).map_err(PkiError::io(&commit))?;
        let Some(entries) = entries else { return Ok(()) };
        for entry in entries {
            let entry = entry.map_err(PkiError::io(&commit))?;
            let place = self.directory.join(entry.file_name());
            fs::rename(entry.path(), &place).map_err(PkiError::io(&place))?;
        }
        sync_directory(&self.directory)?;
        fs::remove_dir(&commit).map_err(PkiError::io(&commit))
    }
}

impl NewFile {
    /// One that everybody may read who may enter the directory.
    pub(super) const fn public(name: &'static str, text: String) -> Self {
        Self { name, text, mode: 0o644 }
    }

    /// One that only its owner may read.
    pub(super) const fn secret(name: &'static str, text: String) -> Self {
        Self { name, text, mode: 0o600 }
    }

    fn write(&self, path: &Path, former: &Path) -> io::Result<()> {
        let file = private_file(path, &self.text)?;
        let mode = match fs::metadata(former) {
            Ok(former) => {
                let own = file.metadata()?;
                if (former.uid(), former.gid()) != (own.uid(), own.gid()) {
                    fchown(&file, Some(former.uid()), Some(former.gid()))?;
                }
                former.mode() & 0o777
            }
            Err(_) => self.mode,
        };
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    }
}

/// The index of an authority that somebody may be changing: as it was before or after, for reading alone.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn read(directory: &Path) -> Result<Index, PkiError> {
    // one who may only read cannot make the lock, and does without: each file is replaced by one rename
    let lock = File::open(directory.join(LOCK));
    let _held = lock.and_then(|lock| lock.lock_shared().map(|()| lock));
    for path in index_places(directory) {
        if let Some(index) = read_index(&path)? {
            return Ok(index);
        }
    }
    Err(PkiError::NoAuthority(directory.to_owned()))
}

/// Whether there is an authority, or one that only has to be put in place.
pub(super) fn is_there(directory: &Path) -> bool {
    index_places(directory).iter().any(|path| path.exists())
}

/// Where the index is that counts: the first of these that is there.
fn index_places(directory: &Path) -> [PathBuf; 2] {
    [directory.join(COMMIT).join(layout::INDEX), directory.join(layout::INDEX)]
}

fn read_index(path: &Path) -> Result<Option<Index>, PkiError> {
    let Some(file) = if_there(File::open(path)).map_err(PkiError::io(path))? else {
        return Ok(None);
    };
    let mut text = Vec::new();
    file.take(INDEX_MAX).read_to_end(&mut text).map_err(PkiError::io(path))?;
    Index::parse(&text, path).map(Some)
}

/// Writes one file that is nobody's secret beside its place, then moves it there.
pub(super) fn write_public(path: &Path, text: &str) -> Result<(), PkiError> {
    let fresh = beside(path, "new");
    if_there(fs::remove_file(&fresh)).map_err(PkiError::io(&fresh))?;
    let file = NewFile::public("", text.to_owned());
    file.write(&fresh, path).map_err(PkiError::io(&fresh))?;
    fs::rename(&fresh, path).map_err(PkiError::io(path))?;
    sync_directory(parent(path).unwrap_or(Path::new(".")))
}
