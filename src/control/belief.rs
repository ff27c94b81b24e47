//! Whether what was revoked is refused at each listener: asked of what is in force there, and not of a file.

use super::status::House;
use super::wire;
use crate::proxy::{NamedCertificate, Way};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

impl House {
    /// What each listener that has TLS says of these certificates at `now` (seconds since 1970).
    pub(super) fn believed(
        &self,
        wanted: &wire::BelievedWanted,
        now: i64,
    ) -> Result<wire::BelievedView, String> {
        let issuer = CertificateDer::from_pem_slice(wanted.issuer.as_bytes());
        let issuer =
            issuer.map_err(|_| "the issuer is no certificate, send it as PEM".to_owned())?;
        let mut certificates = Vec::new();
        for one in &wanted.certificates {
            let named = NamedCertificate::of(&one.serial, one.sha256);
            let unread =
                || format!("{:?} is no serial number, write hexadecimal digits", one.serial);
            certificates.push((&one.serial, named.ok_or_else(unread)?));
        }
        let mut listeners = Vec::new();
        for (listener, way) in &self.doors {
            let Way::Tls(tls) = way else { continue };
            let secured = tls.secured();
            let still = |(serial, named): &(&String, NamedCertificate)| {
                let why = secured.still_believes(&issuer, named, now)?;
                let (serial, what, next) =
                    ((*serial).clone(), why.what.into_owned(), why.next.into_owned());
                Some(wire::StillBelieved { serial, what, next })
            };
            let believed = certificates.iter().filter_map(still).collect();
            listeners.push(wire::ListenerBelief { listener: listener.clone(), believed });
        }
        Ok(wire::BelievedView { listeners })
    }
}
