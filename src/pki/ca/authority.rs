//! The two authorities: a root for ten years that signs one issuing CA for three, which signs everything
//! else. The issuing key is the one in daily use; should it be lost, the root's list says so, and clients
//! need no new `ca.pem`.

use super::super::error::PkiError;
use super::keys;
use super::layout;
use super::lifetime::DAY;
use super::names::PermittedNames;
use super::sealed::Passphrase;
use super::serial::Serial;
use super::store::Store;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const ROOT_LIFE: u64 = 3_652 * DAY;
const ISSUING_LIFE: u64 = 1_096 * DAY;
/// Validity starts this much earlier, for clients whose clock is behind.
const CLOCK_SKEW: u64 = 60 * 60;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The root.
    Root,
    /// The issuing CA.
    Issuing,
}

impl Which {
    /// Its certificate's and its key's file.
    const fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Root => (layout::ROOT, layout::ROOT_KEY),
            Self::Issuing => (layout::ISSUING, layout::ISSUING_KEY),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Issuing => "issuing CA",
        })
    }
}

/// A certificate that can sign.
pub(super) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
    /// Last moment of its validity.
    pub(super) until: Timestamp,
}

impl Authority {
    /// Reads it, once certificate and key are known to belong together.
    pub(super) fn load(
        store: &Store,
        which: Which,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, PkiError> {
        let (certificate, key) = which.files();
        let (path, key_path) = (store.path(certificate), store.path(key));
        let pem = fs::read_to_string(&path).map_err(PkiError::io(&path))?;
        let key = keys::read(&key_path, passphrase)?;
        let der = der(&path, pem.as_bytes())?;
        let read = parsed(&path, &der)?;
        if read.public_key().raw != key.subject_public_key_info() {
            let why = "not the key of the certificate beside it";
            return Err(PkiError::Unusable { path: key_path, why });
        }
        let until = Timestamp::from_second(read.validity().not_after.timestamp());
        let until = until.map_err(|_| PkiError::Clock)?;
        Ok(Self { issuer: Issuer::from_ca_cert_der(&der, key)?, pem, until })
    }

    /// The subject of its certificate, as it stands there: what its list calls its issuer.
    pub(super) fn subject(store: &Store, which: Which) -> Result<Vec<u8>, PkiError> {
        let path = store.path(which.files().0);
        let der = der(&path, &fs::read(&path).map_err(PkiError::io(&path))?)?;
        Ok(parsed(&path, &der)?.subject().as_raw().to_vec())
    }

    /// A new root.
    pub(super) fn root(now: Timestamp, key: KeyPair) -> Result<Self, PkiError> {
        let serial = Serial::random()?;
        let (params, until) = params(now, ROOT_LIFE, "root", &serial, 1)?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, until })
    }

    /// A new issuing CA under this root, and its certificate.
    pub(super) fn issuing(
        &self,
        now: Timestamp,
        key: KeyPair,
        permitted: &PermittedNames,
    ) -> Result<(Self, Certificate), PkiError> {
        let serial = Serial::random()?;
        let (mut params, until) = params(now, ISSUING_LIFE, "issuing", &serial, 0)?;
        params.name_constraints = Some(permitted.constraints());
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let pem = certificate.pem();
        Ok((Self { issuer: Issuer::new(params, key), pem, until }, certificate))
    }
}

fn der(path: &Path, pem: &[u8]) -> Result<CertificateDer<'static>, PkiError> {
    CertificateDer::from_pem_slice(pem).map_err(|_| not_a_certificate(path))
}

fn parsed<'d>(path: &Path, der: &'d [u8]) -> Result<X509Certificate<'d>, PkiError> {
    X509Certificate::from_der(der).map(|(_, read)| read).map_err(|_| not_a_certificate(path))
}

fn not_a_certificate(path: &Path) -> PkiError {
    PkiError::Unusable { path: path.to_owned(), why: "not a certificate" }
}

/// An authority's certificate, and the last moment of its validity. The end of the serial number is in
/// the name, so that two authorities in one file are never taken for one another.
fn params(
    now: Timestamp,
    life: u64,
    what: &str,
    serial: &Serial,
    below: u8,
) -> Result<(CertificateParams, Timestamp), PkiError> {
    let now = seconds(now)?;
    let until = now.saturating_add(life);
    let mark: String = serial.as_str().chars().skip(24).collect();
    let mut params = named(now, until, &format!("dockward {what} CA {mark}"));
    params.serial_number = Some(SerialNumber::from_slice(&serial.bytes()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params, moment(until)?))
}

/// A certificate that says nothing but its name and time: from an hour before `now` to `until`, both in
/// seconds since 1970.
pub(super) fn named(now: u64, until: u64, common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(CLOCK_SKEW));
    params.not_after = epoch + Duration::from_secs(until);
    params
}

/// Seconds since 1970.
pub(super) fn seconds(moment: Timestamp) -> Result<u64, PkiError> {
    u64::try_from(moment.as_second()).map_err(|_| PkiError::Clock)
}

/// The moment so many seconds after 1970.
pub(super) fn moment(seconds: u64) -> Result<Timestamp, PkiError> {
    let seconds = i64::try_from(seconds).map_err(|_| PkiError::Clock)?;
    Timestamp::from_second(seconds).map_err(|_| PkiError::Clock)
}
