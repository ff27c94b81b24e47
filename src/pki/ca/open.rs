//! An authority in use. What is done with it stands in files of its own: `issue`, `renew`, `keep`, `revoke`,
//! `lists`.

use super::super::error::PkiError;
use super::index::Index;
use super::sealed::Passphrase;
use super::store::{self, Store};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// An authority in use: the directory is locked until this is dropped.
#[derive(Debug)]
pub struct Ca {
    pub(super) store: Store,
    pub(super) index: Index,
    pub(super) passphrase: Option<Passphrase>,
    pub(super) now: Timestamp,
}

impl Ca {
    /// Opens the authority in a directory, and waits for whoever has it open. What a crash left half done
    /// is finished or undone first.
    ///
    /// # Errors
    /// There is none, or its index cannot be read; then nothing is changed.
    pub fn open(
        directory: &Path,
        passphrase: Option<Passphrase>,
        now: Timestamp,
    ) -> Result<Self, PkiError> {
        let none = || PkiError::NoAuthority(directory.to_owned());
        if !store::is_there(directory) {
            return Err(none());
        }
        let store = Store::lock(directory)?;
        let index = store.index()?.ok_or_else(none)?;
        let now = Timestamp::from_second(now.as_second()).map_err(|_| PkiError::Clock)?;
        Ok(Self { store, index, passphrase, now })
    }

    /// What was issued and revoked.
    #[must_use]
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// The path of a file of the authority.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.store.path(name)
    }
}
