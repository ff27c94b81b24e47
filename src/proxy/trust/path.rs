//! The verified path as plain data, from the leaf up to the topmost authority of the file: a list of
//! certificates of which each was issued by the next.

use super::signed::has_signed;
use super::untrusted::Untrusted;
use crate::digest::Sha256;
use crate::identity::expiry::{Dated, What};
use crate::identity::{check_issues, is_integer};
use crate::problem::Problem;
use crate::proxy::credentials::{SourceFile, TlsError};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::cmp::Reverse;
use std::collections::HashSet;
use webpki::{EndEntityCert, VerifiedPath};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// An authority of the `client_ca` file.
#[derive(Debug)]
pub(super) struct PathAuthority {
    /// Its subject, to be shown, and its validity.
    pub(super) dated: Dated,
    /// Set if the authority is believed by itself, because nobody in the file is above it: what it says of those
    /// below (names, purpose, path length) holds, and what others of the file say of them too.
    pub(super) anchor: Option<TrustAnchor<'static>>,
    /// How many authorities there may be between it and a client.
    path_length: Option<u32>,
    /// Whether those below it may be clients (RFC 5280, 4.2.1.12, as webpki and openssl read it of authorities).
    for_clients: bool,
    pub(super) step: PathStep,
    pub(super) der: CertificateDer<'static>,
}

/// One certificate of a path.
#[derive(Clone, Debug)]
pub(super) struct PathStep {
    pub(super) key: PathKey,
    pub(super) serial: Vec<u8>,
    /// SHA-256 of the whole certificate.
    pub(super) sha256: Sha256,
    /// The first and the last second of its validity, since 1970.
    not_before: i64,
    not_after: i64,
}

/// What makes an authority that one: its name may be borne by another with another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathKey {
    pub(super) subject: Vec<u8>,
    pub(super) public_key: Vec<u8>,
}

/// The authorities of a file, those that last longest first; one that is there twice counts once.
pub(super) fn authorities(file: &SourceFile) -> Result<Vec<PathAuthority>, TlsError> {
    let mut certificates = file.certificates()?;
    let mut seen = HashSet::new();
    certificates.retain(|der| seen.insert(Sha256::of(der)));
    let read = certificates.iter().map(|der| authority(file, der));
    let mut authorities: Vec<_> = read.collect::<Result<_, _>>()?;
    // of one that was renewed with its key, the one that lasts longer is tried first
    authorities.sort_by_key(|authority| Reverse(authority.step.not_after));
    let topmost = topmost(&authorities);
    for (authority, topmost) in authorities.iter_mut().zip(topmost) {
        authority.anchor = authority.anchor.take().filter(|_| topmost);
    }
    Ok(authorities)
}

fn authority(file: &SourceFile, der: &CertificateDer<'static>) -> Result<PathAuthority, TlsError> {
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
    let purposes = certificate.extended_key_usage().map_err(|_| unreadable())?;
    let for_clients = purposes.is_none_or(|purposes| purposes.value.client_auth);
    Ok(PathAuthority {
        dated,
        anchor: Some(anchor),
        path_length,
        for_clients,
        step,
        der: der.clone(),
    })
}

/// For each authority, whether nobody of the file is above it. A root is not below whoever has signed its
/// key as well; of two that issued each other, and nobody else issued, both are topmost.
fn topmost(authorities: &[PathAuthority]) -> Vec<bool> {
    let issuers_of = |authority: &PathAuthority| -> Vec<usize> {
        if has_issued(&authority.der, &authority.der) {
            return Vec::new();
        }
        let others = authorities.iter().enumerate();
        let issuers = others.filter(|(_, other)| has_issued(&other.der, &authority.der));
        issuers.map(|(at, _)| at).collect()
    };
    let issuers: Vec<_> = authorities.iter().map(issuers_of).collect();
    let above: Vec<_> = (0..authorities.len()).map(|at| all_above(at, &issuers)).collect();
    let is_topmost = |(at, own): (usize, &HashSet<usize>)| {
        own.iter().all(|higher| above.get(*higher).is_some_and(|theirs| theirs.contains(&at)))
    };
    above.iter().enumerate().map(is_topmost).collect()
}

/// Everybody on a way up from there.
fn all_above(from: usize, issuers: &[Vec<usize>]) -> HashSet<usize> {
    let (mut above, mut next) = (HashSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        let new = issuers.get(at).into_iter().flatten().filter(|higher| above.insert(**higher));
        next.extend(new);
    }
    above
}

/// Whether one certificate (DER) is signed by the key of another, and names it.
pub(super) fn has_issued(issuer: &[u8], certificate: &[u8]) -> bool {
    match (X509Certificate::from_der(issuer), X509Certificate::from_der(certificate)) {
        (Ok((_, issuer)), Ok((_, parsed))) => {
            issuer.subject().as_raw() == parsed.issuer().as_raw()
                && has_signed(issuer.public_key().raw, certificate)
        }
        _ => false,
    }
}

/// The path that webpki found, up to the authority that is believed by itself. Of that one webpki reads nothing
/// but names and what it says of them; its path length, purpose and validity hold here.
pub(super) fn whole(
    verified: &VerifiedPath<'_>,
    authorities: &[PathAuthority],
) -> Result<Vec<PathStep>, Untrusted> {
    let mut path = vec![step_of(verified.end_entity())?];
    for certificate in verified.intermediate_certificates() {
        path.push(step_of(certificate)?);
    }
    let between = verified.intermediate_certificates().count();
    // a root that was renewed with its key is the same anchor as before: the one that lasts longer comes first
    let is_anchor = |one: &&PathAuthority| one.anchor.as_ref() == Some(verified.anchor());
    let anchor = authorities.iter().find(is_anchor).ok_or(Untrusted::Unreadable)?;
    let most = anchor.path_length.and_then(|most| usize::try_from(most).ok());
    if most.is_some_and(|most| between > most) {
        return Err(Untrusted::Chain(webpki::Error::PathLenConstraintViolated));
    }
    if !anchor.for_clients {
        return Err(Untrusted::AuthorityPurpose);
    }
    path.push(anchor.step.clone());
    Ok(path)
}

/// The last second for which every certificate of the path is valid.
pub(super) fn end(path: &[PathStep], now: i64) -> Result<i64, Untrusted> {
    let end = path.iter().map(|step| step.not_after).min().unwrap_or(i64::MIN);
    if now > end {
        return Err(Untrusted::AuthorityExpired { not_after: end });
    }
    if path.iter().any(|step| now < step.not_before) {
        return Err(Untrusted::AuthorityNotYetValid);
    }
    Ok(end)
}

/// What makes an authority that one, of its certificate (DER); `None` if that cannot be read.
pub(super) fn key_of(der: &[u8]) -> Option<PathKey> {
    let der = CertificateDer::from(der);
    let certificate = EndEntityCert::try_from(&der).ok()?;
    step_of(&certificate).ok().map(|step| step.key)
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
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
    })
}
