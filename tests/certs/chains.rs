//! What rustls makes of the chains, as the gate and its clients use it.

use super::house::{House, chain, text};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use std::path::Path;
use std::sync::Arc;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(path: &Path) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for authority in chain(path) {
        roots.add(authority).unwrap();
    }
    Arc::new(roots)
}

/// A client of the gate, with all that the gate is given.
fn client(house: &House, roots_of: &str, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
    let crls = CertificateRevocationListDer::pem_file_iter(house.ca("crl.pem")).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(&house.ca(roots_of)), provider())
            .with_crls(crls.map(Result::unwrap))
            .enforce_revocation_expiration()
            .build()
            .unwrap();
    verifier.verify_client_cert(&chain[0], &chain[1..], UnixTime::now()).map(drop)
}

/// A server, as a client with `ca.pem` sees it.
fn server(house: &House, host: &str, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
    let roots = roots(&house.ca("ca.pem"));
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build().unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let verified = verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now());
    verified.map(drop)
}

#[test]
fn client_and_server_are_verified_for_all_kinds_of_keys() {
    for kind in ["ecdsa", "ed25519", "rsa"] {
        let house = House::with(&["--key", kind]);
        house.does(&["issue", "--name", "a", "--bundle", "a"]);
        let (leaf, gate) = (chain(&house.path("a/cert.pem")), chain(&house.ca("server.pem")));
        for roots in ["client-ca.pem", "ca.pem"] {
            assert_eq!(client(&house, roots, &leaf), Ok(()), "{kind} {roots}");
        }
        for host in ["gate.example", "192.0.2.1", "localhost", "127.0.0.1", "::1"] {
            assert_eq!(server(&house, host, &gate), Ok(()), "{kind} {host}");
        }
        assert!(server(&house, "other.example", &gate).is_err());
        assert!(client(&house, "client-ca.pem", &gate).is_err(), "not in each other's part");
        assert!(server(&house, "gate.example", &leaf).is_err());
    }
}

#[test]
fn a_revoked_client_is_refused_by_the_lists() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    house.does(&["issue", "--name", "b", "--bundle", "b"]);
    house.does(&["revoke", "--name", "a"]);
    let of = |bundle: &str| chain(&house.path(bundle).join("cert.pem"));
    let revoked = Err(Error::InvalidCertificate(CertificateError::Revoked));
    for roots in ["client-ca.pem", "ca.pem"] {
        assert_eq!(client(&house, roots, &of("a")), revoked, "{roots}");
        assert_eq!(client(&house, roots, &of("b")), Ok(()), "{roots}");
    }
    house.does(&["revoke", "--ca", "issuing"]);
    assert!(client(&house, "client-ca.pem", &of("b")).is_err());
}

/// Signs with the issuing key beside the command, as one who has stolen it.
fn stolen(house: &House, host: &str) -> Vec<CertificateDer<'static>> {
    let key = std::fs::read_to_string(house.ca("issuing-key.pem")).unwrap();
    let issuing = chain(&house.ca("issuing.pem")).remove(0);
    let issuer = Issuer::from_ca_cert_der(&issuing, KeyPair::from_pem(&key).unwrap()).unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    vec![leaf.der().clone(), issuing]
}

#[test]
fn a_stolen_issuing_key_makes_no_other_server() {
    let house = House::with(&["--permit-dns", "corp.example"]);
    for host in ["gate.example", "a.corp.example", "192.0.2.1"] {
        assert_eq!(server(&house, host, &stolen(&house, host)), Ok(()), "{host}");
    }
    for host in ["registry.example", "192.0.2.2", "2001:db8::1", "example"] {
        let refused = server(&house, host, &stolen(&house, host)).unwrap_err();
        assert!(format!("{refused:?}").contains("NameConstraint"), "{host}: {refused:?}");
    }
}

#[test]
fn the_authorities_are_what_strict_readers_want() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    for (leaf, purpose) in [("a/cert.pem", "sslclient"), ("pki/server.pem", "sslserver")] {
        let (ca, issuing) = (house.ca("ca.pem"), house.ca("issuing.pem"));
        let args = ["verify", "-x509_strict", "-policy_check", "-purpose", purpose];
        let files = ["-CAfile", text(&ca), "-untrusted", text(&issuing)];
        let leaf = house.path(leaf);
        super::house::openssl(&[&args[..], &files, &[text(&leaf)]].concat());
    }
    let said = |name: &str| {
        let path = house.ca(name);
        super::house::openssl(&["x509", "-in", text(&path), "-noout", "-text"])
    };
    let (root, issuing) = (said("ca.pem"), said("issuing.pem"));
    for text in [&root, &issuing] {
        assert!(text.contains("Certificate Sign, CRL Sign"), "{text}");
    }
    assert!(root.contains("pathlen:1"), "{root}");
    for word in ["pathlen:0", "Name Constraints: critical", "DNS:gate.example", "IP:192.0.2.1/255"]
    {
        assert!(issuing.contains(word), "{word}: {issuing}");
    }
}
