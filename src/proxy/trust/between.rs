//! What may stand between a client and the topmost authorities: the other authorities of the file, and of what the
//! client has sent what is genuine. Anybody can send certificates of any name, and whoever looks for a way through
//! them pays for each try; so they are looked at from above, where nobody can forge a signature, and each pair
//! once. What is left leads somewhere, and webpki looks for the way among that alone.

use super::path::PathAuthority;
use super::signed::has_signed;
use super::untrusted::Untrusted;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The most certificates that a client may send: its own, the six that webpki lets stand between, and the root, which
/// some send along.
pub(super) const CERTIFICATES: usize = 8;
/// The most bytes of all of them. Four with keys of 4096 bits are some eight thousand.
pub(super) const BYTES: usize = 16 << 10;
/// How many signatures are verified to tell what is genuine, besides one for each authority of the file.
const SIGNATURES: usize = 16;

/// Whether it is no more than a client may send. Nothing of it has been looked at before.
pub(super) fn check_size(chain: &[CertificateDer<'_>]) -> Result<(), Untrusted> {
    let bytes = chain.iter().map(|one| one.len()).sum();
    match chain.len() > CERTIFICATES || bytes > BYTES {
        true => Err(Untrusted::TooMuch { certificates: chain.len(), bytes }),
        false => Ok(()),
    }
}

/// A certificate, taken apart; whatever cannot be is nobody's authority.
struct Read<'a> {
    der: &'a [u8],
    parsed: X509Certificate<'a>,
}

impl<'a> Read<'a> {
    fn from(der: &'a [u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        Some(Self { der, parsed })
    }
}

/// The authorities of the file below the topmost, and what was sent and is signed by one of the file, or by one of
/// those in turn.
///
/// # Errors
/// It takes more signatures than any chain needs.
pub(super) fn genuine<'a>(
    authorities: &'a [PathAuthority],
    sent: &'a [CertificateDer<'_>],
) -> Result<Vec<CertificateDer<'a>>, Untrusted> {
    let of_file = authorities.iter().filter(|authority| authority.anchor.is_none());
    let mut between: Vec<_> = of_file.map(|one| borrowed(&one.der)).collect();
    let is_new = |der: &&[u8]| authorities.iter().all(|one| one.der.as_ref() != *der);
    let new = sent.iter().map(AsRef::as_ref).filter(is_new);
    let mut unknown: Vec<_> = new.filter_map(Read::from).collect();
    if unknown.is_empty() {
        return Ok(between);
    }
    let mut budget = SIGNATURES.saturating_add(authorities.len());
    let mut known: Vec<_> = authorities.iter().filter_map(|one| Read::from(&one.der)).collect();
    while let Some(issuer) = known.pop() {
        let mut left = Vec::new();
        for one in unknown {
            if one.parsed.issuer().as_raw() != issuer.parsed.subject().as_raw() {
                left.push(one);
                continue;
            }
            budget = budget.checked_sub(1).ok_or(Untrusted::TooManySignatures)?;
            match has_signed(issuer.parsed.public_key().raw, one.der) {
                true => {
                    between.push(borrowed(one.der));
                    known.push(one);
                }
                false => left.push(one),
            }
        }
        unknown = left;
    }
    Ok(between)
}

fn borrowed(der: &[u8]) -> CertificateDer<'_> {
    CertificateDer::from(der)
}
