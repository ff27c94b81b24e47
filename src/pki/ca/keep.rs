//! Keeping: for whoever runs the same command again and wants what it made before to go on being good. What is
//! there is left alone, what runs out is renewed, and what was revoked stays revoked.

use super::super::bundle::Bundle;
use super::super::error::PkiError;
use super::index::{CertificateKind, CertificateState};
use super::issue::{Delivery, Wish};
use super::open::Ca;
use super::renew::{Former, of_file};
use std::path::Path;

impl Ca {
    /// Sees to it that a client's bundle is in a directory: issued where there is none, renewed where little is
    /// left of it. One who was shut out gets none, and comes back only by [`Ca::issue`].
    ///
    /// # Errors
    /// What is there was not issued here, or what [`Ca::issue`] and [`Ca::renew`] cannot do.
    pub fn keep(&mut self, wish: &Wish, directory: &Path) -> Result<(), PkiError> {
        let last = self.index.clients(wish.name.as_str()).next_back();
        if last.is_some_and(|last| last.revoked.is_some()) {
            return Ok(());
        }
        let bundle = Bundle { directory: directory.to_owned() };
        let delivery = Delivery::Bundle(bundle.directory.clone());
        if directory.symlink_metadata().is_err() {
            return self.issue(wish, &delivery).map(drop);
        }
        match of_file(&self.index, &bundle.certificate())?.state(self.now) {
            CertificateState::Valid | CertificateState::Revoked => Ok(()),
            CertificateState::Expiring | CertificateState::Expired => {
                self.renew(&Former::Name(wish.name.clone()), None, &delivery).map(drop)
            }
        }
    }

    /// The same for the gate's own certificate, which must be for these hosts at least.
    ///
    /// # Errors
    /// What [`Ca::issue_server`] cannot do.
    pub fn keep_server(&mut self, hosts: &[String]) -> Result<(), PkiError> {
        let kept = self.index.newest(CertificateKind::Server).is_some_and(|last| {
            let said = last.hosts();
            let lasts =
                matches!(last.state(self.now), CertificateState::Valid | CertificateState::Revoked);
            lasts && hosts.iter().all(|host| said.contains(host))
        });
        if kept { Ok(()) } else { self.issue_server(hosts, None, None).map(drop) }
    }
}
