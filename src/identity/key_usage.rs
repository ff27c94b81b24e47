//! What a key may be used for (RFC 5280, 4.2.1.3). The TLS library verifies signatures, time, extended
//! key usage and constraints, and passes over this: a key that may only encipher could sign a handshake,
//! and one that may sign no certificates could issue clients.

use crate::problem::{Actionable, Problem};
use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A use that a certificate does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum KeyUsageError {
    /// A certificate, or what it says of its key, cannot be read.
    Unreadable,
    /// The client's key may not sign, and a handshake is a signature (RFC 8446, 4.4.2.2).
    NoDigitalSignature,
    /// An authority's key may not sign certificates.
    NoKeyCertSign,
}

impl Actionable for KeyUsageError {
    fn problem(&self) -> Problem {
        let (what, next) = match self {
            Self::Unreadable => (
                "a certificate of the client's chain, or its key usage, cannot be read",
                "issue it again",
            ),
            Self::NoDigitalSignature => (
                "the key usage of the client certificate lacks digitalSignature",
                "issue it again with it",
            ),
            Self::NoKeyCertSign => (
                "the key usage of an authority in the client's chain lacks keyCertSign",
                "issue it again with it",
            ),
        };
        Problem::new(what, next)
    }
}

/// Whether the leaf may sign, and every authority above it may issue. A certificate that does not limit
/// its key may do both.
///
/// # Errors
/// The first use that is not allowed, or what cannot be read.
pub fn check_key_usage<'a>(
    leaf: &[u8],
    authorities: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), KeyUsageError> {
    check(leaf, KeyUsage::digital_signature, KeyUsageError::NoDigitalSignature)?;
    authorities.into_iter().try_for_each(check_issues)
}

/// Whether an authority may issue.
///
/// # Errors
/// It may not, or cannot be read.
pub fn check_issues(authority: &[u8]) -> Result<(), KeyUsageError> {
    check(authority, KeyUsage::key_cert_sign, KeyUsageError::NoKeyCertSign)
}

/// Whether a certificate allows its key this use, or says nothing of it.
fn check(
    der: &[u8],
    allows: fn(&KeyUsage) -> bool,
    forbidden: KeyUsageError,
) -> Result<(), KeyUsageError> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| KeyUsageError::Unreadable)?;
    // an error is also one that is there twice, or that is no bit string
    let usage = certificate.key_usage().map_err(|_| KeyUsageError::Unreadable)?;
    if usage.is_none_or(|usage| allows(usage.value)) { Ok(()) } else { Err(forbidden) }
}

#[cfg(test)]
mod tests {
    use super::{KeyUsageError, check_key_usage};
    use rcgen::{CertificateParams, CustomExtension, KeyPair, KeyUsagePurpose};

    const KEY_USAGE: &[u64] = &[2, 5, 29, 15];

    fn made(params: &CertificateParams) -> Vec<u8> {
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn allowed(usages: &[KeyUsagePurpose]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.key_usages = usages.to_vec();
        made(&params)
    }

    fn check(leaf: &[u8], chain: &[&[u8]]) -> Result<(), KeyUsageError> {
        check_key_usage(leaf, chain.iter().copied())
    }

    #[test]
    fn a_client_must_be_allowed_to_sign() {
        use KeyUsagePurpose::{DigitalSignature, KeyEncipherment};
        assert_eq!(check(&allowed(&[DigitalSignature]), &[]), Ok(()));
        assert_eq!(check(&allowed(&[KeyEncipherment, DigitalSignature]), &[]), Ok(()));
        assert_eq!(check(&allowed(&[]), &[]), Ok(()));
        let encipherment = allowed(&[KeyEncipherment]);
        assert_eq!(check(&encipherment, &[]), Err(KeyUsageError::NoDigitalSignature));
    }

    #[test]
    fn an_authority_must_be_allowed_to_issue() {
        use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign};
        let (good, bad) = (allowed(&[KeyCertSign]), allowed(&[CrlSign, DigitalSignature]));
        let client = allowed(&[DigitalSignature]);
        assert_eq!(check(&client, &[&good, &allowed(&[])]), Ok(()));
        assert_eq!(check(&client, &[&good, &bad]), Err(KeyUsageError::NoKeyCertSign));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let client = allowed(&[KeyUsagePurpose::DigitalSignature]);
        assert_eq!(check(&[0x30, 0], &[]), Err(KeyUsageError::Unreadable));
        assert_eq!(check(&client, &[&[0x30, 0]]), Err(KeyUsageError::Unreadable));
        let mut params = CertificateParams::default();
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(KEY_USAGE, vec![0x02, 0x01, 0x07])];
        assert_eq!(check(&made(&params), &[]), Err(KeyUsageError::Unreadable));
    }
}
