//! The revocation lists: one of each authority, both in `crl.pem`. A gate that is given them lets nobody in
//! once they have run out, so they are written anew long before (`dockward certs crl`, by a timer).

use super::super::bundle::if_there;
use super::super::error::PkiError;
use super::authority::{Authority, Which, moment, seconds};
use super::index::{CertificateKind, Index, IndexEntry};
use super::layout;
use super::lifetime::Lifetime;
use super::open::Ca;
use super::pem;
use super::store::{NewFile, Store};
use jiff::Timestamp;
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::time::Duration;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

/// A list that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whose.
    pub which: Which,
    /// Its number.
    pub number: u64,
    /// When it runs out.
    pub until: Timestamp,
}

impl Ca {
    /// Writes these lists anew, good for `days` from now on, as those after them. With `unless_younger`,
    /// nothing is written while both are there and were written within that time.
    ///
    /// # Errors
    /// A key that cannot be had, or a file that cannot be written.
    pub fn write_lists(
        &mut self,
        which: &[Which],
        days: Option<u32>,
        unless_younger: Option<Lifetime>,
    ) -> Result<Vec<Written>, PkiError> {
        if let Some(age) = unless_younger
            && self.are_younger(which, age)?
        {
            return Ok(Vec::new());
        }
        self.index.crl_days = days.unwrap_or(self.index.crl_days);
        let (file, written) = self.lists(which)?;
        self.store.commit(&self.index, vec![file])?;
        Ok(written)
    }

    /// The file of lists with these written anew and the others as they are. Raises the numbers in the
    /// index, so it has to be committed together with it.
    pub(super) fn lists(&mut self, anew: &[Which]) -> Result<(NewFile, Vec<Written>), PkiError> {
        let there = read(&self.store)?;
        let (mut text, mut written) = (String::new(), Vec::new());
        for which in listed(&self.index) {
            let kept = of(&there, &self.store, &self.index, which)?;
            match kept.filter(|_| !anew.contains(&which)) {
                Some(list) => text.push_str(&pem::text("X509 CRL", &list.der)),
                None => {
                    let authority = Authority::load(&self.store, which, self.passphrase.as_ref())?;
                    let (pem, list) = sign(&mut self.index, &authority, which, self.now)?;
                    text.push_str(&pem);
                    written.push(list);
                }
            }
        }
        Ok((NewFile::public(layout::CRL, text), written))
    }

    fn are_younger(&self, which: &[Which], age: Lifetime) -> Result<bool, PkiError> {
        let there = read(&self.store)?;
        let oldest = seconds(self.now)?.saturating_sub(age.seconds());
        for which in listed(&self.index).into_iter().filter(|one| which.contains(one)) {
            let list = of(&there, &self.store, &self.index, which)?;
            if list.is_none_or(|list| list.written < oldest) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whose lists belong in the file. Nothing that a revoked issuing CA signs counts, its list included: a
/// gate that finds none refuses everything from there.
fn listed(index: &Index) -> Vec<Which> {
    match index.issuing_is_revoked() {
        true => vec![Which::Root],
        false => vec![Which::Issuing, Which::Root],
    }
}

/// An authority's list, anew, as PEM. Raises its number in the index.
pub(super) fn sign(
    index: &mut Index,
    authority: &Authority,
    which: Which,
    now: Timestamp,
) -> Result<(String, Written), PkiError> {
    let number = index.crl_number.of(which);
    *number = number.saturating_add(1);
    let number = *number;
    let now = seconds(now)?;
    let until = now.saturating_add(Lifetime::days(index.crl_days).seconds());
    let epoch = date_time_ymd(1970, 1, 1);
    let revoked = index.certificates.iter().filter(|entry| is_signed_by(entry, which));
    let params = CertificateRevocationListParams {
        this_update: epoch + Duration::from_secs(now),
        next_update: epoch + Duration::from_secs(until),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked.filter_map(revoked_certificate).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let pem = params.signed_by(&authority.issuer)?.pem()?;
    Ok((pem, Written { which, number, until: moment(until)? }))
}

fn is_signed_by(entry: &IndexEntry, which: Which) -> bool {
    (entry.kind == CertificateKind::Authority) == (which == Which::Root)
}

/// A revoked certificate stays on the list after it has run out: there are few, and a clock may be wrong.
fn revoked_certificate(entry: &IndexEntry) -> Option<RevokedCertParams> {
    let revocation = entry.revoked?;
    let at = u64::try_from(revocation.at.as_second()).ok()?;
    Some(RevokedCertParams {
        serial_number: SerialNumber::from_slice(&entry.serial.bytes()),
        revocation_time: date_time_ymd(1970, 1, 1) + Duration::from_secs(at),
        reason_code: revocation.reason.code(),
        invalidity_date: None,
    })
}

/// A list that is there.
struct KeptList {
    der: CertificateRevocationListDer<'static>,
    issuer: Vec<u8>,
    number: Option<u64>,
    /// Seconds since 1970.
    written: u64,
}

/// The list of that authority, if it is the one that was written last.
fn of<'l>(
    lists: &'l [KeptList],
    store: &Store,
    index: &Index,
    which: Which,
) -> Result<Option<&'l KeptList>, PkiError> {
    let subject = Authority::subject(store, which)?;
    let mut numbers = index.crl_number;
    let number = Some(*numbers.of(which));
    Ok(lists.iter().find(|list| list.issuer == subject && list.number == number))
}

/// What can be read of the file. The rest is written anew, since all of it can be.
fn read(store: &Store) -> Result<Vec<KeptList>, PkiError> {
    let path = store.path(layout::CRL);
    let pem = if_there(fs::read(&path)).map_err(PkiError::io(&path))?.unwrap_or_default();
    let lists = CertificateRevocationListDer::pem_slice_iter(&pem).map_while(Result::ok);
    Ok(lists.filter_map(parse).collect())
}

fn parse(der: CertificateRevocationListDer<'static>) -> Option<KeptList> {
    let (issuer, number, written) = {
        let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
        let number = list.crl_number().and_then(|number| u64::try_from(number).ok());
        let written = u64::try_from(list.last_update().timestamp()).ok()?;
        (list.issuer().as_raw().to_vec(), number, written)
    };
    Some(KeptList { der, issuer, number, written })
}
