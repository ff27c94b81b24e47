//! Revoking: index and list change together. What the list says is what the index says, so no list that is
//! written later forgets one.

use super::super::error::PkiError;
use super::authority::Which;
use super::index::{CertificateKind, CertificateState, IndexEntry};
use super::layout;
use super::open::Ca;
use super::renew::of_file;
use super::revocation::{Revocation, RevocationReason};
use super::serial::Serial;
use super::store::NewFile;
use crate::identity::IdentityName;
use std::path::PathBuf;

/// Which certificates.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All of a client that have not run out, and its last in any case, so that it cannot be renewed.
    Name(IdentityName),
    /// The one of that serial number.
    Serial(Serial),
    /// The one in this file, PEM.
    Certificate(PathBuf),
    /// The issuing CA, with all that it signed.
    Issuing,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// Revoked just now.
    pub now: Vec<IndexEntry>,
    /// Had been revoked before; left as it was.
    pub before: Vec<IndexEntry>,
}

impl Ca {
    /// Revokes. What was revoked before stays as it was, its reason included.
    ///
    /// # Errors
    /// Nothing is known by that name or number, a key that cannot be had, or a file that cannot be
    /// written; then nothing is revoked.
    pub fn revoke(
        &mut self,
        selection: &Selection,
        reason: RevocationReason,
    ) -> Result<Revoked, PkiError> {
        let revocation = Revocation { at: self.now, reason };
        let chosen = self.chosen(selection)?;
        let mut revoked = Revoked { now: Vec::new(), before: Vec::new() };
        for entry in self.index.certificates.iter_mut().filter(|e| chosen.contains(&e.serial)) {
            match entry.revoked {
                Some(_) => revoked.before.push(entry.clone()),
                None => {
                    entry.revoked = Some(revocation);
                    revoked.now.push(entry.clone());
                }
            }
        }
        if !revoked.now.is_empty() {
            let files = self.changed(&revoked.now)?;
            self.store.commit(&self.index, files)?;
        }
        Ok(revoked)
    }

    fn chosen(&self, selection: &Selection) -> Result<Vec<Serial>, PkiError> {
        let (chosen, what): (Vec<&IndexEntry>, &str) = match selection {
            Selection::Name(name) => (self.of_client(name.as_str()), name.as_str()),
            Selection::Serial(serial) => {
                let all = self.index.certificates.iter();
                (all.filter(|entry| entry.serial == *serial).collect(), serial.as_str())
            }
            Selection::Certificate(path) => (vec![of_file(&self.index, path)?], ""),
            Selection::Issuing => {
                let newest = self.index.newest(CertificateKind::Authority);
                (newest.into_iter().collect(), "issuing CA")
            }
        };
        match chosen.is_empty() {
            true => Err(PkiError::Unknown(what.to_owned())),
            false => Ok(chosen.into_iter().map(|entry| entry.serial.clone()).collect()),
        }
    }

    fn of_client(&self, name: &str) -> Vec<&IndexEntry> {
        let newest = self.index.clients(name).next_back().map(|entry| &entry.serial);
        let counts = |entry: &&IndexEntry| {
            entry.state(self.now) != CertificateState::Expired || Some(&entry.serial) == newest
        };
        self.index.clients(name).filter(counts).collect()
    }

    /// The files that change with these.
    fn changed(&mut self, revoked: &[IndexEntry]) -> Result<Vec<NewFile>, PkiError> {
        let authority = revoked.iter().any(|entry| entry.kind == CertificateKind::Authority);
        let which = if authority { Which::Root } else { Which::Issuing };
        let (lists, _) = self.lists(&[which])?;
        let mut files = vec![lists];
        if authority {
            // as a trust anchor it would be believed whatever the root's list says
            files.push(NewFile::public(layout::CLIENT_CA, self.root()?));
        }
        Ok(files)
    }
}
