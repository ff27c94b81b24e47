//! The authorities' keys: made, kept with or without a passphrase, and read back.

use super::super::error::PkiError;
use super::sealed::{self, Passphrase};
use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// ECDSA on P-256.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// RSA of 3072 bits.
    Rsa,
}

impl KeyKind {
    /// A new key.
    pub(super) fn generate(self) -> Result<KeyPair, PkiError> {
        Ok(match self {
            Self::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            Self::Ed25519 => ed25519()?,
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?,
        })
    }
}

/// An Ed25519 key in the first version of PKCS #8: openssl reads no other, and so do clients that are built
/// on it.
fn ed25519() -> Result<KeyPair, PkiError> {
    let key = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1())?;
    let der = PrivatePkcs8KeyDer::from(key.as_ref());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)?)
}

impl FromStr for KeyKind {
    type Err = PkiError;

    fn from_str(text: &str) -> Result<Self, PkiError> {
        serde_json::from_value(text.into()).map_err(|_| PkiError::KeyKind(text.to_owned()))
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The key's file.
pub(super) fn text(key: &KeyPair, passphrase: Option<&Passphrase>) -> Result<String, PkiError> {
    match passphrase {
        Some(passphrase) => sealed::seal(key.serialized_der(), passphrase),
        None => Ok(key.serialize_pem()),
    }
}

/// Reads a key of an authority.
pub(super) fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<KeyPair, PkiError> {
    let pem = fs::read_to_string(path).map_err(PkiError::io(path))?;
    let unusable = |why| PkiError::Unusable { path: path.to_owned(), why };
    let Some(sealed) = sealed::armoured(&pem) else {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        let key = key.map_err(|_| unusable("not a private key in PEM (PKCS #8)"))?;
        return KeyPair::try_from(&key).map_err(|_| unusable("not a private key that is known"));
    };
    let locked = |why| PkiError::Locked { path: path.to_owned(), why };
    let passphrase = passphrase.ok_or_else(|| locked("it needs its passphrase"))?;
    let der = sealed::open(&sealed, passphrase).map_err(locked)?;
    // a wrong passphrase passes the padding once in 256 times
    let key = KeyPair::try_from(der.as_slice());
    key.map_err(|_| locked("the passphrase is not the one it was encrypted with"))
}
