//! Why a client is not believed: for the log a stable word and what to do, for the client the alert of TLS
//! that comes nearest, since that is all it gets to see.

use super::doubt::Doubt;
use crate::identity::{CertificateFacts, KeyUsageError};
use crate::problem::{Actionable, Problem};
use crate::rule::Rule;
use rustls::{CertificateError, OtherError};
use std::path::PathBuf;
use std::sync::Arc;
use webpki::{BorrowedRevokedCert, Error, RevocationReason};

/// Why a client is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum Untrusted {
    /// The chain does not hold: issuer, purpose, time, signature or form.
    Chain(#[from] Error),
    /// A key of the path is used for what it may not be.
    KeyUsage(#[from] KeyUsageError),
    /// An authority of the path has ended.
    AuthorityExpired {
        /// The last second of its validity, since 1970.
        not_after: i64,
    },
    /// An authority of the path is not valid yet.
    AuthorityNotYetValid,
    /// An authority of the path is for something else than clients.
    AuthorityPurpose,
    /// More was sent than any chain needs.
    TooMuch {
        /// How many certificates.
        certificates: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// More signatures would have to be verified than any chain needs.
    TooManySignatures,
    /// A certificate of the path was revoked.
    Revoked {
        /// Why, in the words of RFC 5280, 5.3.1.
        reason: &'static str,
        /// Since when, seconds since 1970.
        since: i64,
    },
    /// A certificate or key of the path is on the deny-list.
    Denied,
    /// There is no revocation list of an authority of the path.
    NoList {
        /// The file that should have it.
        file: PathBuf,
    },
    /// The revocation list of an authority of the path has ended.
    ListExpired {
        /// The file it is in.
        file: PathBuf,
        /// Whose list it is, escaped.
        authority: String,
    },
    /// There is no certificate, or a part of one cannot be read.
    Unreadable,
}

impl Untrusted {
    /// What webpki says of the way up, after it had nothing to say of the leaf itself.
    pub(super) fn above(error: Error) -> Self {
        match error {
            Error::CertExpired { not_after, .. } => {
                let not_after = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX);
                Self::AuthorityExpired { not_after }
            }
            Error::CertNotValidYet { .. } => Self::AuthorityNotYetValid,
            Error::RequiredEkuNotFoundContext(_) => Self::AuthorityPurpose,
            other => Self::Chain(other),
        }
    }

    pub(super) fn revoked(found: &BorrowedRevokedCert<'_>) -> Self {
        let reason = match found.reason_code {
            None | Some(RevocationReason::Unspecified) => "unspecified",
            Some(RevocationReason::KeyCompromise) => "key compromise",
            Some(RevocationReason::CaCompromise) => "CA compromise",
            Some(RevocationReason::AffiliationChanged) => "affiliation changed",
            Some(RevocationReason::Superseded) => "superseded",
            Some(RevocationReason::CessationOfOperation) => "cessation of operation",
            Some(RevocationReason::CertificateHold) => "certificate hold",
            Some(RevocationReason::RemoveFromCrl) => "remove from CRL",
            Some(RevocationReason::PrivilegeWithdrawn) => "privilege withdrawn",
            Some(RevocationReason::AaCompromise) => "AA compromise",
        };
        let since = i64::try_from(found.revocation_date.as_secs()).unwrap_or(i64::MAX);
        Self::Revoked { reason, since }
    }

    /// What is documented about it.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        let doubt = match self {
            Self::Chain(Error::CertExpired { .. }) => Doubt::Expired,
            Self::Chain(Error::CertNotValidYet { .. }) | Self::AuthorityNotYetValid => {
                Doubt::NotYetValid
            }
            Self::Chain(Error::UnknownIssuer) => Doubt::UnknownIssuer,
            Self::Chain(Error::RequiredEkuNotFoundContext(_))
            | Self::KeyUsage(_)
            | Self::AuthorityPurpose => Doubt::Purpose,
            Self::TooMuch { .. } | Self::TooManySignatures => Doubt::TooMuch,
            Self::Chain(Error::NameConstraintViolation) => Doubt::NameConstraint,
            Self::Chain(_) | Self::Unreadable => Doubt::Unusable,
            Self::AuthorityExpired { .. } => Doubt::AuthorityExpired,
            Self::Revoked { .. } => Doubt::Revoked,
            Self::Denied => Doubt::Denied,
            Self::NoList { .. } => Doubt::ListMissing,
            Self::ListExpired { .. } => Doubt::ListExpired,
        };
        doubt.rule()
    }

    /// What TLS tells the client.
    pub(super) fn alert(&self) -> CertificateError {
        match self {
            Self::Chain(Error::CertExpired { .. }) | Self::AuthorityExpired { .. } => {
                CertificateError::Expired
            }
            Self::Chain(Error::CertNotValidYet { .. }) | Self::AuthorityNotYetValid => {
                CertificateError::NotValidYet
            }
            Self::Chain(Error::UnknownIssuer) => CertificateError::UnknownIssuer,
            Self::Chain(Error::RequiredEkuNotFoundContext(_))
            | Self::KeyUsage(_)
            | Self::AuthorityPurpose => CertificateError::InvalidPurpose,
            Self::Chain(Error::BadDer | Error::BadDerTime | Error::TrailingData(_))
            | Self::TooMuch { .. }
            | Self::TooManySignatures
            | Self::Unreadable => CertificateError::BadEncoding,
            Self::Chain(Error::InvalidSignatureForPublicKey) => CertificateError::BadSignature,
            Self::Revoked { .. } | Self::Denied => CertificateError::Revoked,
            Self::NoList { .. } => CertificateError::UnknownRevocationStatus,
            Self::ListExpired { .. } => CertificateError::ExpiredRevocationList,
            Self::Chain(other) => CertificateError::Other(OtherError(Arc::new(other.clone()))),
        }
    }
}

impl Actionable for Untrusted {
    fn problem(&self) -> Problem {
        match self {
            Self::Chain(Error::CertExpired { .. }) => {
                Problem::new("the certificate has expired", "renew it")
            }
            Self::Chain(Error::CertNotValidYet { .. }) => Problem::new(
                "the certificate is not valid yet",
                "see whether both clocks are right",
            ),
            Self::Chain(Error::UnknownIssuer) => Problem::new(
                "no authority of client_ca has issued the certificate",
                "use one that it has issued",
            ),
            Self::Chain(Error::RequiredEkuNotFoundContext(_)) => {
                Problem::new("the certificate is not for clients", "issue one with clientAuth")
            }
            Self::Chain(error) => {
                Problem::new(format!("the certificate cannot be used ({error})"), "issue another")
            }
            Self::KeyUsage(error) => error.problem(),
            Self::AuthorityExpired { .. } => Problem::new(
                "an authority above the certificate has expired",
                "renew that one first",
            ),
            Self::AuthorityNotYetValid => Problem::new(
                "an authority above the certificate is not valid yet",
                "see whether both clocks are right",
            ),
            Self::AuthorityPurpose => Problem::new(
                "an authority above the certificate is not for clients",
                "issue it under one that is",
            ),
            Self::TooMuch { certificates, bytes } => Problem::new(
                format!("{certificates} certificates of {bytes} bytes were sent"),
                "send the client's own and those up to its root, and no others",
            ),
            Self::TooManySignatures => Problem::new(
                "the certificates that were sent lead to too many ways up",
                "send the client's own and those up to its root, and no others",
            ),
            Self::Revoked { reason, .. } => {
                Problem::new(format!("the certificate was revoked ({reason})"), "ask for another")
            }
            Self::Denied => {
                Problem::new("the certificate or its key is on the deny-list", "ask for another")
            }
            Self::NoList { file } => Problem::new(
                "there is no revocation list of an authority above the certificate",
                "add one",
            )
            .at(file.display()),
            Self::ListExpired { file, authority } => Problem::new(
                format!("the revocation list of {authority} has expired"),
                "put a new one",
            )
            .at(file.display()),
            Self::Unreadable => Problem::new("the certificate cannot be read", "issue it again"),
        }
    }
}

/// Which certificate it is about: subject and serial, escaped; short where it cannot be read.
pub(in crate::proxy) fn shown(leaf: &[u8]) -> String {
    match CertificateFacts::read(leaf) {
        Ok(facts) => format!("subject {}, serial {}", facts.subject, facts.serial),
        Err(_) => format!("a certificate of {} bytes", leaf.len()),
    }
}
