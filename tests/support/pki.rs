//! A test authority: makes any certificate that a test can wish for, good or bad, in memory.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses what it needs")]

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::time::{Duration, SystemTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate and its key.
pub struct Pair {
    /// The certificate, PEM.
    pub certificate: String,
    /// The key, PEM (PKCS #8).
    pub key: String,
}

impl Pair {
    /// The chain as rustls takes it.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()]
    }

    /// The serial number.
    pub fn serial(&self) -> SerialNumber {
        let chain = self.chain();
        let (_, leaf) = X509Certificate::from_der(chain.first().unwrap()).unwrap();
        SerialNumber::from_slice(leaf.raw_serial())
    }

    /// The key as rustls takes it.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

/// What a leaf is to say. Starts as a good client certificate.
#[derive(Clone)]
pub struct Wish {
    common_name: Option<String>,
    alt_names: Vec<SanType>,
    usages: Vec<ExtendedKeyUsagePurpose>,
    days: (i32, i32),
    until: Option<SystemTime>,
    authority: bool,
}

impl Wish {
    /// A good client certificate with this common name.
    pub fn client(common_name: &str) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            alt_names: Vec::new(),
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            days: (-1, 30),
            until: None,
            authority: false,
        }
    }

    /// A good server certificate for `localhost` and 127.0.0.1.
    pub fn server() -> Self {
        let mut wish = Self::client("localhost");
        wish.usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wish.dns("localhost").ip([127, 0, 0, 1])
    }

    /// With this URI.
    pub fn uri(mut self, uri: &str) -> Self {
        self.alt_names.push(SanType::URI(uri.try_into().unwrap()));
        self
    }

    /// With this DNS name.
    pub fn dns(mut self, name: &str) -> Self {
        self.alt_names.push(SanType::DnsName(name.try_into().unwrap()));
        self
    }

    /// With this address.
    pub fn ip(mut self, address: [u8; 4]) -> Self {
        self.alt_names.push(SanType::IpAddress(address.into()));
        self
    }

    /// Valid between these days from today.
    pub fn days(mut self, first: i32, last: i32) -> Self {
        self.days = (first, last);
        self
    }

    /// Valid until this moment, to the second.
    pub fn until(mut self, moment: SystemTime) -> Self {
        self.until = Some(moment);
        self
    }

    /// For servers only.
    pub fn for_servers(mut self) -> Self {
        self.usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self
    }

    /// Itself an authority.
    pub fn authority(mut self) -> Self {
        self.authority = true;
        self
    }

    fn params(&self) -> CertificateParams {
        let mut params = params(self.common_name.as_deref(), self.days);
        if let Some(moment) = self.until {
            params.not_after = moment.into();
        }
        params.subject_alt_names.clone_from(&self.alt_names);
        params.extended_key_usages.clone_from(&self.usages);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if self.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }
        params
    }
}

/// An authority.
pub struct Authority {
    /// Its certificate, PEM.
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A fresh one.
    pub fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params(Some(common_name), (-1, 30));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Issues what is wished for.
    pub fn issue(&self, wish: &Wish) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = wish.params().signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// What it has revoked, as a list that ends at that moment, PEM.
    pub fn list(&self, revoked: &[&Pair], until: SystemTime) -> String {
        let revoked = revoked.iter().map(|pair| RevokedCertParams {
            serial_number: pair.serial(),
            revocation_time: SystemTime::now().into(),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: (SystemTime::now() - DAY).into(),
            next_update: until.into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// The certificate as rustls takes it.
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

fn params(common_name: Option<&str>, (first, last): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let today = SystemTime::now();
    let day = |days: i32| match days < 0 {
        true => today - DAY * days.unsigned_abs(),
        false => today + DAY * days.unsigned_abs(),
    };
    params.not_before = day(first).into();
    params.not_after = day(last).into();
    params
}
