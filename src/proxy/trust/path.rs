//! The verified path as plain data, from the leaf up through the authorities of the file: a list of
//! certificates of which each was issued by the next.

use super::signed::has_signed;
use super::untrusted::Untrusted;
use crate::digest::Sha256;
use crate::identity::expiry::{Dated, What};
use crate::identity::{check_issues, is_integer};
use crate::problem::Problem;
use crate::proxy::credentials::{SourceFile, TlsError};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::collections::HashSet;
use webpki::{EndEntityCert, VerifiedPath};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// An authority of the `client_ca` file.
#[derive(Debug)]
pub(super) struct PathAuthority {
    /// Its subject, to be shown, and its validity.
    pub(super) dated: Dated,
    pub(super) anchor: TrustAnchor<'static>,
    /// How many authorities there may be between it and a client.
    path_length: Option<u32>,
    pub(super) step: PathStep,
    pub(super) der: CertificateDer<'static>,
    /// Which authority of the same file issued it, by its place there; none for a root.
    issuer: Option<usize>,
}

/// One certificate of a path.
#[derive(Clone, Debug)]
pub(super) struct PathStep {
    pub(super) key: PathKey,
    pub(super) serial: Vec<u8>,
    /// SHA-256 of the whole certificate.
    pub(super) sha256: Sha256,
    /// The last second of its validity, since 1970.
    not_after: i64,
}

/// What makes an authority that one: its name may be borne by another with another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathKey {
    pub(super) subject: Vec<u8>,
    pub(super) public_key: Vec<u8>,
}

/// The authorities of a file; one that is there twice counts once.
pub(super) fn authorities(file: &SourceFile) -> Result<Vec<PathAuthority>, TlsError> {
    let mut certificates = file.certificates()?;
    let mut seen = HashSet::new();
    certificates.retain(|der| seen.insert(Sha256::of(der)));
    certificates.iter().map(|der| authority(file, der, &certificates)).collect()
}

fn authority(
    file: &SourceFile,
    der: &CertificateDer<'static>,
    all: &[CertificateDer<'static>],
) -> Result<PathAuthority, TlsError> {
    let none = |why: String| TlsError::NotAnAuthority(file.path.clone(), why);
    let unusable = |error: webpki::Error| none(error.to_string());
    let unreadable =
        || file.damaged(Problem::new("a certificate in it cannot be read", "issue it again"));
    let anchor = webpki::anchor_from_trusted_cert(der).map_err(unusable)?.to_owned();
    let step = EndEntityCert::try_from(der).map_err(unusable)?;
    let step = step_of(&step).map_err(|_| unreadable())?;
    let dated = Dated::of_certificate(What::ClientAuthority, Some(file.path.clone()), der);
    let dated = dated.map_err(|_| unreadable())?;
    let name = &dated.subject;
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
    if !certificate.is_ca() {
        return Err(none(format!("{name} is no CA")));
    }
    check_issues(der).map_err(|why| none(format!("{name}: {why}")))?;
    let constraints = certificate.basic_constraints().map_err(|_| unreadable())?;
    let path_length = constraints.and_then(|constraints| constraints.value.path_len_constraint);
    // a root has none, though one that was renewed with its key verifies under the other too
    let issuer = match has_issued(der, der) {
        true => None,
        // one that was renewed with its key is there twice: the one that lasts longer counts
        false => {
            let issuers = all.iter().enumerate();
            let issuers = issuers.filter(|(_, other)| *other != der && has_issued(other, der));
            issuers.max_by_key(|(_, other)| not_after(other)).map(|(at, _)| at)
        }
    };
    Ok(PathAuthority { dated, anchor, path_length, step, der: der.clone(), issuer })
}

fn has_issued(issuer: &[u8], certificate: &[u8]) -> bool {
    match (X509Certificate::from_der(issuer), X509Certificate::from_der(certificate)) {
        (Ok((_, issuer)), Ok((_, parsed))) => {
            issuer.subject().as_raw() == parsed.issuer().as_raw()
                && has_signed(issuer.public_key().raw, certificate)
        }
        _ => false,
    }
}

fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The path that webpki found, and from its anchor on the authorities of the file by which that one was
/// issued: an issuing authority that is trusted itself can still be revoked by its root.
pub(super) fn whole(
    verified: &VerifiedPath<'_>,
    authorities: &[PathAuthority],
) -> Result<Vec<PathStep>, Untrusted> {
    let mut path = vec![step_of(verified.end_entity())?];
    for certificate in verified.intermediate_certificates() {
        path.push(step_of(certificate)?);
    }
    let between = verified.intermediate_certificates().count();
    // a root that was renewed with its key is the same anchor as before: the one that lasts longer counts
    let same = authorities.iter().filter(|authority| authority.anchor == *verified.anchor());
    let anchor =
        same.max_by_key(|authority| authority.step.not_after).ok_or(Untrusted::Unreadable)?;
    let most = anchor.path_length.and_then(|most| usize::try_from(most).ok());
    if most.is_some_and(|most| between > most) {
        return Err(Untrusted::Chain(webpki::Error::PathLenConstraintViolated));
    }
    let mut next = Some(anchor);
    while let Some(authority) = next {
        path.push(authority.step.clone());
        // as many steps as there are authorities at the most: two that issued each other end there
        let far_enough = path.len() > authorities.len() + between + 1;
        next = authority.issuer.filter(|_| !far_enough).and_then(|at| authorities.get(at));
    }
    Ok(path)
}

/// The last second for which every certificate of the path is valid.
pub(super) fn end(path: &[PathStep], now: i64) -> Result<i64, Untrusted> {
    let end = path.iter().map(|step| step.not_after).min().unwrap_or(i64::MIN);
    if now > end { Err(Untrusted::AuthorityExpired { not_after: end }) } else { Ok(end) }
}

fn step_of(certificate: &webpki::Cert<'_>) -> Result<PathStep, Untrusted> {
    let der = certificate.der();
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| Untrusted::Unreadable)?;
    if !is_integer(certificate.serial()) {
        return Err(Untrusted::Unreadable);
    }
    let key = PathKey {
        subject: certificate.subject().to_vec(),
        public_key: certificate.subject_public_key_info().to_vec(),
    };
    Ok(PathStep {
        key,
        serial: certificate.serial().to_vec(),
        sha256: Sha256::of(&der),
        not_after: parsed.validity().not_after.timestamp(),
    })
}
