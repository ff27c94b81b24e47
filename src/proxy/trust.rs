//! Whom we believe: the authorities of a listener, what they have revoked, and the one question asked of
//! a client's chain, [`Trust::verify`]. It is asked in the handshake, again after every resumed one
//! (where TLS asks nobody), and again of whoever is connected when the answer may have changed.
//!
//! webpki builds and verifies the path, from the topmost authorities of the file down: the others of the file are
//! links, as if the client had sent them, so that what stands above them holds for them too. What webpki
//! leaves to its caller is here: what a stranger may make us verify, what keys may be used for,
//! revocation along the whole path, and validity, purpose and path length of the topmost authority itself,
//! which RFC 5280 does not ask of a trust anchor and which people expect all the same.

mod asked;
mod between;
mod deny;
mod doubt;
mod path;
mod revocation;
mod signed;
mod untrusted;

use super::credentials::{Credentials, TlsError, TrustFiles};
use crate::identity::check_key_usage;
use crate::identity::expiry::Dated;
use deny::DenyList;
use path::PathAuthority;
use revocation::RevocationIndex;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use std::cell::RefCell;
use std::sync::Arc;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

pub use asked::NamedCertificate;
pub use doubt::Doubt;
pub use untrusted::Untrusted;
pub(super) use untrusted::shown;

tokio::task_local! {
    /// What the verifier said of the chain in the handshake of this task, for whoever records it: the
    /// error that TLS passes on names no certificate.
    static VERDICT: RefCell<Option<TrustVerdict>>;
}

/// What the verifier said in a handshake.
#[derive(Debug)]
pub(super) enum TrustVerdict {
    /// The chain holds under this trust until that moment.
    Held(Arc<Trust>, i64),
    /// It does not; with its subject and serial, escaped.
    Refused(Untrusted, String),
}

/// Runs a handshake and gives what the verifier said in it.
pub(super) async fn with_verdict<F: Future>(handshake: F) -> (F::Output, Option<TrustVerdict>) {
    let heard = async { (handshake.await, VERDICT.with(RefCell::take)) };
    VERDICT.scope(RefCell::new(None), heard).await
}

/// The authorities of a listener and what they have revoked, as the files said when they were read.
#[derive(Debug)]
pub struct Trust {
    authorities: Vec<PathAuthority>,
    anchors: Vec<TrustAnchor<'static>>,
    subjects: Vec<DistinguishedName>,
    revocation: Option<RevocationIndex>,
    denied: DenyList,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// Reads what a listener's clients are verified by, without its own certificate and key; `now` is
    /// seconds since 1970.
    ///
    /// # Errors
    /// Names the file and what to do.
    pub fn read(files: &Credentials, now: i64) -> Result<Self, TlsError> {
        Self::load(&TrustFiles::read(files)?, now)
    }

    /// Reads authorities, revocation lists (and whether expired ones count) and the deny-list. Everything that
    /// cannot be read whole is an error; `now` is seconds since 1970.
    ///
    /// # Errors
    /// Names the file and what to do.
    pub(super) fn load(files: &TrustFiles, now: i64) -> Result<Self, TlsError> {
        let authorities = path::authorities(&files.authorities)?;
        let lists = files
            .crl
            .as_ref()
            .map(|crl| RevocationIndex::load(crl, &authorities, files.accept_expired_crl, now));
        let revocation = lists.transpose()?;
        let denied = files.deny.as_ref().map(DenyList::load).transpose()?.unwrap_or_default();
        let subjects = authorities.iter().map(|one| &one.step.key.subject);
        Ok(Self {
            anchors: authorities.iter().filter_map(|authority| authority.anchor.clone()).collect(),
            subjects: subjects.map(|one| DistinguishedName::in_sequence(one)).collect(),
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
            authorities,
            revocation,
            denied,
        })
    }

    /// Whether a client with this chain, leaf first, is to be believed: chain, purpose, time and
    /// revocation. Gives the last second (since 1970) for which that holds under these files.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<i64, Untrusted> {
        let Some((leaf, others)) = chain.split_first() else { return Err(Untrusted::Unreadable) };
        between::check_size(chain)?;
        let end_entity = EndEntityCert::try_from(leaf)?;
        // what the leaf says of itself costs nothing, and no signature is verified before it is well
        match self.path(&end_entity, &[], &[], now) {
            Ok(_) | Err(webpki::Error::UnknownIssuer) => {}
            Err(why) => return Err(why.into()),
        }
        check_key_usage(leaf, [])?;
        let between = between::genuine(&self.authorities, others)?;
        let verified = self.path(&end_entity, &self.anchors, &between, now);
        let verified = verified.map_err(Untrusted::above)?;
        let passed: Vec<_> = verified.intermediate_certificates().map(|one| one.der()).collect();
        check_key_usage(leaf, passed.iter().map(AsRef::as_ref))?;
        let path = path::whole(&verified, &self.authorities)?;
        self.denied.check(&path)?;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let until = path::end(&path, seconds)?;
        let listed = self.revocation.as_ref().map(|lists| lists.check(&path, seconds));
        Ok(listed.transpose()?.map_or(until, |listed| until.min(listed)))
    }

    fn path<'p>(
        &self,
        leaf: &'p EndEntityCert<'p>,
        anchors: &'p [TrustAnchor<'p>],
        between: &'p [CertificateDer<'p>],
        now: UnixTime,
    ) -> Result<VerifiedPath<'p>, webpki::Error> {
        // webpki would verify revocation lists anew each time; they were, when they were read
        let (usage, algorithms) = (KeyUsage::client_auth(), self.algorithms.all);
        leaf.verify_for_usage(algorithms, anchors, between, now, usage, None, None)
    }

    /// What ends some day: each authority and each revocation list.
    pub fn dated(&self) -> impl Iterator<Item = Dated> {
        let authorities = self.authorities.iter().map(|authority| authority.dated.clone());
        authorities.chain(self.revocation.iter().flat_map(RevocationIndex::dated))
    }
}

/// The verifier of a listener's handshakes.
#[derive(Debug)]
pub(super) struct Verifier(pub(super) Arc<Trust>);

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.0.subjects
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain: Vec<_> = std::iter::once(leaf)
            .chain(others)
            .map(|one| CertificateDer::from(one.as_ref()))
            .collect();
        let heard = match self.0.verify(&chain, now) {
            Ok(until) => TrustVerdict::Held(Arc::clone(&self.0), until),
            Err(why) => TrustVerdict::Refused(why, shown(leaf)),
        };
        let answer = match &heard {
            TrustVerdict::Held(..) => Ok(ClientCertVerified::assertion()),
            TrustVerdict::Refused(why, _) => Err(rustls::Error::InvalidCertificate(why.alert())),
        };
        // outside a handshake of ours nobody listens
        let _ = VERDICT.try_with(|slot| slot.replace(Some(heard)));
        answer
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
