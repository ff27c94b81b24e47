//! The authority of `dockward certs`: a root, an issuing CA, an index of what was issued, and the lists of
//! what was revoked, in one directory. Everything that changes it goes through [`Ca`], which holds the
//! directory's lock, so that two commands at once never lose one another's certificate.

mod authority;
mod index;
mod init;
mod issue;
mod keys;
pub mod layout;
mod lifetime;
mod lists;
mod names;
mod renew;
mod request;
mod revocation;
mod revoke;
mod sealed;
mod serial;
mod store;

use jiff::Timestamp;
use std::path::Path;

pub use authority::Which;
pub use index::{CrlNumbers, Entry, Index, Kind, State};
pub use init::{Made, Plan, init};
pub use issue::{Delivery, Issued, Wish};
pub use keys::{KeyKind, Passphrase};
pub use lifetime::Lifetime;
pub use lists::Written;
pub use names::{Permitted, with_local};
pub use renew::Former;
pub use revocation::{Reason, Revocation};
pub use revoke::{Revoked, Selection};
pub use serial::Serial;
pub use store::read;

use super::error::PkiError;
use store::Store;

/// An authority in use: the directory is locked until this is dropped.
#[derive(Debug)]
pub struct Ca {
    store: Store,
    index: Index,
    passphrase: Option<Passphrase>,
    now: Timestamp,
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
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.store.path(name)
    }
}

#[cfg(test)]
mod tests;
