//! The one maker of test certificates: good ones in a word, and any bad one that a test can wish for.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "support for tests, which fail by panicking; each test uses a part of it"
)]

#[path = "pki/der.rs"]
mod der;
#[path = "pki/keys.rs"]
mod keys;
#[path = "pki/lists.rs"]
mod lists;
#[path = "pki/maker.rs"]
mod maker;
#[path = "pki/wish.rs"]
mod wish;

pub use der::hex;
pub use keys::Key;
pub use lists::ListWish;
pub use maker::{Made, Maker};
pub use wish::{AuthorityWish, Extension, Moment, Wish};

use base64::Engine as _;
use lists::Revoked;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

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

    /// The key as rustls takes it.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    /// The content of its serial number, hexadecimal.
    fn serial(&self) -> String {
        let chain = self.chain();
        let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
        leaf.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An authority.
pub struct Authority {
    /// Its certificate, PEM.
    pub certificate: String,
    name: String,
    /// Shared with those above and below it.
    maker: Arc<Mutex<Maker>>,
}

impl Authority {
    /// A fresh one.
    pub fn new(common_name: &str) -> Self {
        Self::of(&AuthorityWish::new(common_name))
    }

    /// One as it is wished for.
    pub fn of(wish: &AuthorityWish) -> Self {
        Self::made(Arc::new(Mutex::new(Maker::new(&[]))), wish)
    }

    /// Another one, signed by this.
    pub fn under(&self, mut wish: AuthorityWish) -> Self {
        wish.says.signed_by = Some(self.name.clone());
        Self::made(Arc::clone(&self.maker), &wish)
    }

    /// Another one beside this, which may have its key.
    pub fn beside(&self, wish: &AuthorityWish) -> Self {
        Self::made(Arc::clone(&self.maker), wish)
    }

    fn made(maker: Arc<Mutex<Maker>>, wish: &AuthorityWish) -> Self {
        maker.lock().unwrap().establish(wish);
        let certificate = pem("CERTIFICATE", &maker.lock().unwrap().authority(&wish.name).der);
        Self { certificate, name: wish.name.clone(), maker }
    }

    /// Issues what is wished for.
    pub fn issue(&self, wish: &Wish) -> Pair {
        let made = self.maker.lock().unwrap().issue(wish, &self.name);
        Pair { certificate: pem("CERTIFICATE", &made.der), key: made.key.pem.clone() }
    }

    /// What it has revoked, as a list that ends at that moment, PEM.
    pub fn list(&self, revoked: &[&Pair], until: SystemTime) -> String {
        let of = |pair: &&Pair| Revoked { reason: Some(1), ..Revoked::of(pair.serial()) };
        let (revokes, until) = (revoked.iter().map(of).collect(), Some(Moment::of(until)));
        self.listed(&ListWish { revokes, until, ..ListWish::default() })
    }

    /// A list of it as it is wished for, PEM.
    pub fn listed(&self, wish: &ListWish) -> String {
        let wish = ListWish { of: self.name.clone(), ..wish.clone() };
        pem("X509 CRL", &self.maker.lock().unwrap().list(&wish))
    }

    /// The certificate as rustls takes it.
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

/// As PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        writeln!(pem, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    pem + &format!("-----END {label}-----\n")
}
