//! Whether a revocation is in force here, asked by whoever revoked: of a certificate that is not at hand, by its
//! issuer and serial number.

use super::Trust;
use super::deny::hex;
use super::path::{PathAuthority, has_issued, key_of};
use crate::digest::Sha256;
use crate::problem::Problem;

/// A certificate by what revoking knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCertificate {
    /// Its serial number, as in DER.
    serial: Vec<u8>,
    /// SHA-256 of its DER, if that is known.
    sha256: Option<Sha256>,
}

impl NamedCertificate {
    /// By its serial number in hexadecimal digits; `None` if they are none.
    #[must_use]
    pub fn of(serial: &str, sha256: Option<Sha256>) -> Option<Self> {
        Some(Self { serial: hex(serial)?, sha256 })
    }
}

impl Trust {
    /// Why the client who shows this certificate of that issuer (DER) is not refused for it: nothing here says at
    /// `now` (seconds since 1970) that it was revoked or denied. `None` if it is refused, whatever for: no authority
    /// of this listener may be above it, its list names it, or nobody under that authority is believed without one.
    pub(in crate::proxy) fn still_believes(
        &self,
        issuer: &[u8],
        certificate: &NamedCertificate,
        now: i64,
    ) -> Option<Problem> {
        let key = key_of(issuer)?;
        let known = |one: &PathAuthority| one.step.key == key || has_issued(&one.der, issuer);
        if !self.authorities.iter().any(known)
            || self.denied.names(&certificate.serial, certificate.sha256.as_ref())
        {
            return None;
        }
        let Some(lists) = &self.revocation else {
            return Some(Problem::new(
                "has no crl",
                "write `crl:` with the list of its authority there and reload, or put the serial number on its deny list",
            ));
        };
        lists.still_believes(&key, &certificate.serial, now)
    }
}
