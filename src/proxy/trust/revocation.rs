//! What authorities have revoked, as an index by authority and serial. Each list's signature is verified
//! once, when the file is read, by the very authority that it speaks for; webpki would do it again in
//! each handshake. A list that speaks for a part only (RFC 5280, 5.2.4 and 5.2.5) is refused: what it is
//! silent about would pass for good.

use super::path::{PathAuthority, PathKey, PathStep};
use super::signed::has_signed;
use super::untrusted::Untrusted;
use crate::identity::expiry::{Dated, Span, What};
use crate::identity::is_integer;
use crate::problem::Problem;
use crate::proxy::credentials::{SourceFile, TlsError};
use rustls::pki_types::CertificateRevocationListDer;
use std::collections::HashMap;
use std::path::PathBuf;
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

/// How far a list's beginning may lie in the future, for an authority whose clock is ahead, in seconds.
const CLOCK_SKEW: i64 = 300;

/// The lists of one file.
#[derive(Debug)]
pub(super) struct RevocationIndex {
    file: PathBuf,
    lists: HashMap<PathKey, Vec<VerifiedList>>,
    accept_expired: bool,
}

#[derive(Debug)]
struct VerifiedList {
    /// The authority's name, escaped.
    name: String,
    revoked: CertRevocationList<'static>,
    /// For which time it speaks.
    span: Span,
}

impl RevocationIndex {
    /// Reads the lists. Each must be of an authority that is trusted, since nothing else can say whether
    /// it is genuine; an expired one is read, and refuses whoever asks.
    pub(super) fn load(
        file: &SourceFile,
        authorities: &[PathAuthority],
        accept_expired: bool,
        now: i64,
    ) -> Result<Self, TlsError> {
        let found: Vec<CertificateRevocationListDer<'_>> = file.items()?;
        if found.is_empty() {
            return Err(file.damaged(Problem::new(
                "there is no revocation list in it",
                "put at least one `BEGIN X509 CRL` block",
            )));
        }
        let mut lists: HashMap<PathKey, Vec<VerifiedList>> = HashMap::new();
        for der in found {
            let (key, list) =
                VerifiedList::read(&der, authorities, now).map_err(|why| file.damaged(why))?;
            lists.entry(key).or_default().push(list);
        }
        Ok(Self { file: file.path.clone(), lists, accept_expired })
    }

    /// Whether none of the path was revoked by the one above it, and since when nobody could say: the
    /// first moment at which a list that was needed ends.
    pub(super) fn check(&self, path: &[PathStep], now: i64) -> Result<i64, Untrusted> {
        let mut until = i64::MAX;
        for (certificate, issuer) in path.iter().zip(path.iter().skip(1)) {
            let silent = || Untrusted::NoList { file: self.file.clone() };
            let lists = self.lists.get(&issuer.key).ok_or_else(silent)?;
            for list in lists {
                match list.revoked.find_serial(&certificate.serial) {
                    Ok(None) => {}
                    Ok(Some(found)) => return Err(Untrusted::revoked(&found)),
                    Err(_) => return Err(Untrusted::Unreadable),
                }
            }
            if self.accept_expired {
                continue;
            }
            let current = lists.iter().map(|list| list.span.not_after).max().unwrap_or(i64::MIN);
            if now > current {
                return Err(self.expired(lists));
            }
            until = until.min(current);
        }
        Ok(until)
    }

    /// Why a certificate of this authority passes: `None` if it is listed, or if nobody under that authority passes
    /// because there is no list of it that counts at `now`.
    pub(super) fn still_believes(
        &self,
        issuer: &PathKey,
        serial: &[u8],
        now: i64,
    ) -> Option<Problem> {
        let lists = self.lists.get(issuer)?;
        let over = lists.iter().all(|list| now > list.span.not_after) && !self.accept_expired;
        let listed = |list: &VerifiedList| !matches!(list.revoked.find_serial(serial), Ok(None));
        if over || lists.iter().any(listed) {
            return None;
        }
        let what = format!("has a crl that does not name it: {}", self.file.display());
        Some(Problem::new(what, "put the new list there and reload"))
    }

    pub(super) fn dated(&self) -> impl Iterator<Item = Dated> {
        self.lists.values().filter_map(|lists| {
            let latest = lists.iter().max_by_key(|list| list.span.not_after)?;
            let (subject, path) = (latest.name.clone(), Some(self.file.clone()));
            Some(Dated { what: What::RevocationList, subject, path, span: latest.span })
        })
    }

    fn expired(&self, lists: &[VerifiedList]) -> Untrusted {
        let name = lists.first().map(|list| list.name.clone()).unwrap_or_default();
        Untrusted::ListExpired { file: self.file.clone(), authority: name }
    }
}

impl VerifiedList {
    fn read(
        der: &CertificateRevocationListDer<'_>,
        authorities: &[PathAuthority],
        now: i64,
    ) -> Result<(PathKey, Self), Problem> {
        // webpki refuses what it has no reading for: delta and indirect lists, critical extensions
        let revoked = OwnedCertRevocationList::from_der(der).map_err(|error| {
            let what = format!("a revocation list in it cannot be used ({error})");
            Problem::new(what, "have another one made")
        })?;
        let revoked = CertRevocationList::from(revoked);
        let (rest, parsed) = CertificateRevocationList::from_der(der).map_err(|_| {
            Problem::new("a revocation list in it cannot be read", "have it made anew")
        })?;
        let said = crate::identity::shown_name(parsed.issuer());
        let of = |what: &str, next: &'static str| {
            Problem::new(format!("the revocation list of {said} {what}"), next)
        };
        if !rest.is_empty() || parsed.signature_algorithm != parsed.tbs_cert_list.signature {
            return Err(of("is damaged", "have it made anew"));
        }
        if revoked.issuing_distribution_point().is_some() {
            return Err(of("speaks for a part of the certificates only", "have a full one made"));
        }
        let not_before = parsed.last_update().timestamp();
        if not_before > now.saturating_add(CLOCK_SKEW) {
            return Err(of("begins in the future", "see whether the clock is right"));
        }
        if parsed.iter_revoked_certificates().any(|entry| !is_integer(entry.raw_serial())) {
            return Err(of("has a serial number that is not in its one form", "have it made anew"));
        }
        let not_after = parsed
            .next_update()
            .ok_or_else(|| of("does not say until when", "have one made that does"))?
            .timestamp();
        let authority = signer(&revoked, der, authorities).ok_or_else(|| {
            of("is signed by no authority of client_ca", "put its certificate there")
        })?;
        let (name, span) = (authority.dated.subject.clone(), Span { not_before, not_after });
        let list = Self { name, revoked, span };
        Ok((authority.step.key.clone(), list))
    }
}

/// The authority that the list speaks for: the name, a key that may sign lists, and the signature.
fn signer<'a>(
    revoked: &CertRevocationList<'_>,
    der: &[u8],
    authorities: &'a [PathAuthority],
) -> Option<&'a PathAuthority> {
    authorities.iter().find(|authority| {
        authority.step.key.subject == revoked.issuer()
            && X509Certificate::from_der(&authority.der).is_ok_and(|(_, certificate)| {
                let usage = certificate.key_usage().ok().flatten();
                usage.is_none_or(|usage| usage.value.crl_sign())
                    && has_signed(certificate.public_key().raw, der)
            })
    })
}
