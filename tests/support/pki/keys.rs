//! Keys, made once each, and what they sign: with aws-lc-rs where it does, with the `openssl` command for
//! what it refuses (RSA-1024, DSA, SHA-1, MD5).

use super::der::{element, oid, sequence};
use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize, SigningKey as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A key pair.
pub struct Key {
    pub kind: String,
    /// SubjectPublicKeyInfo.
    pub public: Vec<u8>,
    /// The private key, PEM.
    pub pem: String,
    pair: Option<KeyPair>,
}

/// All keys of a run, by kind and owner.
#[derive(Default)]
pub struct Keys {
    made: HashMap<(String, String), Arc<Key>>,
}

impl Keys {
    /// The key of this owner: always the same.
    pub fn of(&mut self, kind: &str, owner: &str) -> Arc<Key> {
        let made = self.made.entry((kind.to_owned(), owner.to_owned()));
        Arc::clone(made.or_insert_with(|| Arc::new(Key::new(kind))))
    }

    /// One that was asked for before.
    pub fn made(&self, kind: &str, owner: &str) -> &Key {
        &self.made[&(kind.to_owned(), owner.to_owned())]
    }
}

impl Key {
    pub fn new(kind: &str) -> Self {
        let pair = match kind {
            "p256" => Some(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)),
            "p384" => Some(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)),
            "p521" => Some(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512)),
            "ed25519" => Some(KeyPair::generate_for(&rcgen::PKCS_ED25519)),
            "rsa2048" => {
                Some(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048))
            }
            "rsa4096" => {
                Some(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096))
            }
            _ => None,
        };
        let pair = pair.map(Result::unwrap);
        let (pem, public) = match &pair {
            Some(pair) => (pair.serialize_pem(), pair.subject_public_key_info()),
            None => generate(kind),
        };
        Self { kind: kind.to_owned(), public, pem, pair }
    }

    /// The algorithm that a certificate is signed with where nothing else is said.
    pub fn usual(&self) -> &'static str {
        match self.kind.as_str() {
            "p384" => "ecdsa-sha384",
            "p521" => "ecdsa-sha512",
            "ed25519" => "ed25519",
            "dsa" => "dsa-sha256",
            kind if kind.starts_with("rsa") => "rsa-sha256",
            _ => "ecdsa-sha256",
        }
    }

    /// A signature as it stands in a certificate.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Some(pair) if algorithm == self.usual() => pair.sign(message).unwrap(),
            _ => {
                let digest = algorithm.split('-').nth(1).unwrap();
                let padding: &[&str] = match algorithm.starts_with("rsapss") {
                    true => &PSS,
                    false => &[],
                };
                dgst(&self.pem, digest, padding, message)
            }
        }
    }

    /// For the client's side of a handshake.
    pub fn for_tls(self: &Arc<Self>) -> Arc<dyn SigningKey> {
        match &self.pair {
            Some(pair) => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
                rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).unwrap()
            }
            None => Arc::new(Foreign(Arc::clone(self))),
        }
    }
}

/// The AlgorithmIdentifier of a signature (RFC 3279, 4055, 5758, 8410).
pub fn algorithm(name: &str) -> Vec<u8> {
    let null = element(0x05, &[]);
    match name {
        "ecdsa-sha1" => sequence(&[oid("1.2.840.10045.4.1")]),
        "ecdsa-sha256" => sequence(&[oid("1.2.840.10045.4.3.2")]),
        "ecdsa-sha384" => sequence(&[oid("1.2.840.10045.4.3.3")]),
        "ecdsa-sha512" => sequence(&[oid("1.2.840.10045.4.3.4")]),
        "ed25519" => sequence(&[oid("1.3.101.112")]),
        "rsa-md5" => sequence(&[oid("1.2.840.113549.1.1.4"), null]),
        "rsa-sha1" => sequence(&[oid("1.2.840.113549.1.1.5"), null]),
        "rsa-sha256" => sequence(&[oid("1.2.840.113549.1.1.11"), null]),
        "dsa-sha256" => sequence(&[oid("2.16.840.1.101.3.4.3.2")]),
        "rsapss-sha256" => {
            let hash = sequence(&[oid("2.16.840.1.101.3.4.2.1"), null]);
            let mask = sequence(&[oid("1.2.840.113549.1.1.8"), hash.clone()]);
            let parameters = sequence(&[
                super::der::constructed(0, &hash),
                super::der::constructed(1, &mask),
                super::der::constructed(2, &super::der::integer(&[32])),
            ]);
            sequence(&[oid("1.2.840.113549.1.1.10"), parameters])
        }
        other => panic!("no algorithm is called {other}"),
    }
}

const PSS: [&str; 4] = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];

/// Makes a key that aws-lc-rs does not, and gives it and its SubjectPublicKeyInfo.
fn generate(kind: &str) -> (String, Vec<u8>) {
    let key = match kind {
        "rsa1024" => run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
        "dsa" => {
            let bits =
                ["-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160"];
            let made = run(&[&["genpkey", "-genparam", "-algorithm", "DSA"], &bits[..]].concat());
            run(&["genpkey", "-paramfile", file(&made).path().to_str().unwrap()])
        }
        other => panic!("no kind of key is called {other}"),
    };
    let at = file(&key);
    let public = run(&["pkey", "-in", at.path().to_str().unwrap(), "-pubout", "-outform", "DER"]);
    (String::from_utf8(key).unwrap(), public)
}

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

fn run(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("openssl, which scripts/install.sh installs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
    output.stdout
}

fn dgst(key: &str, digest: &str, padding: &[&str], message: &[u8]) -> Vec<u8> {
    let (key, message) = (file(key.as_bytes()), file(message));
    let [key, message] = [&key, &message].map(|file| file.path().to_str().unwrap());
    let digest = format!("-{digest}");
    run(&[&["dgst", &digest, "-sign", key], padding, &[message]].concat())
}

/// A key that rustls has no place for: it signs all the same, in the scheme of its kind.
#[derive(Clone)]
struct Foreign(Arc<Key>);

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.kind)
    }
}

impl SigningKey for Foreign {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.kind.as_str() {
            "dsa" => SignatureAlgorithm::DSA,
            _ => SignatureAlgorithm::RSA,
        }
    }
}

impl Signer for Foreign {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let padding: &[&str] = if self.0.kind == "dsa" { &[] } else { &PSS };
        Ok(dgst(&self.0.pem, "sha256", padding, message))
    }

    fn scheme(&self) -> SignatureScheme {
        match self.0.kind.as_str() {
            // dsa_sha256 of RFC 5246, which no gate offers
            "dsa" => SignatureScheme::Unknown(0x0402),
            _ => SignatureScheme::RSA_PSS_SHA256,
        }
    }
}
