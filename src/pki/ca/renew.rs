//! Renewing: a new certificate that says what the last one said. One that was revoked is not renewed, nor
//! an older one of its name that was forgotten: who was shut out comes back only by `issue`.

use super::super::bundle::is_bundle_alone;
use super::super::error::PkiError;
use super::index::{CertificateKind, Index, IndexEntry};
use super::issue::{Delivery, Issued, Leaf, Wish};
use super::lifetime::Lifetime;
use super::open::Ca;
use crate::identity::{Fingerprint, IdentityName};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Which certificate.
#[derive(Clone, Debug)]
pub enum Former {
    /// The last one of a client.
    Name(IdentityName),
    /// The one in this file, PEM.
    Certificate(PathBuf),
}

impl Ca {
    /// Issues a client's certificate that says what a former one says, for as long as that was good
    /// unless told otherwise. Only what holds a certificate of the same name is written over.
    ///
    /// # Errors
    /// There is none such, it was revoked, or what [`Ca::issue`] cannot do.
    pub fn renew(
        &mut self,
        former: &Former,
        lifetime: Option<Lifetime>,
        delivery: &Delivery,
    ) -> Result<Issued, PkiError> {
        let former = match former {
            Former::Name(name) => newest(&self.index, name.as_str())?,
            Former::Certificate(path) => {
                let name = self.client_of(path)?;
                newest(&self.index, name.as_str())?;
                good(of_file(&self.index, path)?)?
            }
        };
        let wish = Wish {
            name: former.identity()?,
            uri: former.uris.first().cloned(),
            dns: former.dns.clone(),
            emails: former.emails.clone(),
            lifetime: None,
        };
        self.may_write_over(&wish.name, delivery)?;
        let leaf = Leaf::client(&wish, &self.index.trust_domain, &self.index.permitted)?;
        let usual = Lifetime::of_seconds(u64::try_from(former.lifetime()).unwrap_or_default());
        self.deliver(&leaf, lifetime, usual, delivery)
    }

    /// Whose certificate is in a file.
    ///
    /// # Errors
    /// Nobody's that is known here, or not a client's.
    pub fn client_of(&self, path: &Path) -> Result<IdentityName, PkiError> {
        let entry = of_file(&self.index, path)?;
        match entry.kind {
            CertificateKind::Client => entry.identity(),
            CertificateKind::Server | CertificateKind::Authority => {
                Err(PkiError::NotAClient(path.to_owned()))
            }
        }
    }

    /// Issues the gate's certificate again, for the hosts of the last one.
    ///
    /// # Errors
    /// The last one was revoked, or what [`Ca::issue_server`] cannot do.
    pub fn renew_server(&mut self, lifetime: Option<Lifetime>) -> Result<Issued, PkiError> {
        let former = self.index.newest(CertificateKind::Server);
        let former = good(former.ok_or_else(|| PkiError::Unknown("the server".to_owned()))?)?;
        let hosts = former.hosts();
        self.issue_server(&hosts, lifetime, None)
    }

    fn may_write_over(&self, name: &IdentityName, delivery: &Delivery) -> Result<(), PkiError> {
        let place = delivery.place();
        if place.symlink_metadata().is_err() {
            return Ok(());
        }
        let certificate = match delivery {
            // the whole directory is replaced, so nothing else may be in it
            Delivery::Bundle(directory) if !is_bundle_alone(directory)? => {
                return Err(PkiError::MoreThanABundle(directory.clone()));
            }
            Delivery::Bundle(directory) => directory.join("cert.pem"),
            Delivery::Request { out, .. } => out.clone(),
        };
        let there = of_file(&self.index, &certificate);
        match there
            .is_ok_and(|entry| entry.kind == CertificateKind::Client && entry.name == name.as_str())
        {
            true => Ok(()),
            false => Err(PkiError::Exists(place.to_owned())),
        }
    }
}

/// The last certificate of a client, which must be good.
fn newest<'i>(index: &'i Index, name: &str) -> Result<&'i IndexEntry, PkiError> {
    let newest = index.clients(name).next_back();
    good(newest.ok_or_else(|| PkiError::Unknown(name.to_owned()))?)
}

fn good(entry: &IndexEntry) -> Result<&IndexEntry, PkiError> {
    match entry.revoked {
        Some(revocation) => Err(PkiError::WasRevoked {
            name: entry.name.clone(),
            serial: entry.serial.to_string(),
            reason: revocation.reason,
        }),
        None => Ok(entry),
    }
}

/// What the index says of the first certificate in a file, whole: a serial number alone could be
/// another authority's.
pub(super) fn of_file<'i>(index: &'i Index, path: &Path) -> Result<&'i IndexEntry, PkiError> {
    let pem = fs::read(path).map_err(PkiError::io(path))?;
    let der = CertificateDer::from_pem_slice(&pem);
    let der = der.map_err(|_| PkiError::NotOurs(path.to_owned()))?;
    let fingerprint = Fingerprint::of(&der);
    let found = index.certificates.iter().find(|entry| entry.fingerprint == fingerprint);
    found.ok_or_else(|| PkiError::NotOurs(path.to_owned()))
}
