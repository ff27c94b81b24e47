//! Certificates for keys that stay where they are.

use super::house::{House, chain, facts, mode, openssl, text};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use std::fs;
use std::path::Path;
use x509_parser::prelude::{FromDer as _, X509Certificate};

fn issue(house: &House, csr: &str, out: &str) -> (bool, String) {
    let output = house.run(&["issue", "--name", "ci-7", "--csr", csr, "--out", out]);
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

fn key_of(certificate: &Path) -> Vec<u8> {
    let chain = chain(certificate);
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    leaf.public_key().raw.to_vec()
}

#[test]
fn only_the_key_is_taken_from_a_request() {
    let house = House::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "root\u{1b}[31m");
    params.subject_alt_names.push(SanType::URI("spiffe://x/admin".try_into().unwrap()));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let request = params.serialize_request(&key).unwrap().pem().unwrap();
    fs::write(house.path("r.csr"), request).unwrap();
    let (done, said) = issue(&house, "r.csr", "c.pem");
    assert!(done, "{said}");
    for word in ["DNS:evil.example", "URI:spiffe://x/admin", "an authority", "other uses", "CN="] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains('\u{1b}') && said.contains("not taken over"), "{said}");
    let facts = facts(&house.path("c.pem"));
    assert_eq!(facts.uris, ["spiffe://dockward.internal/ci-7"]);
    assert_eq!((facts.dns.len(), facts.common_names), (0, vec!["ci-7".to_owned()]));
    let der = chain(&house.path("c.pem"));
    assert_eq!(der.len(), 2);
    let (_, leaf) = X509Certificate::from_der(&der[0]).unwrap();
    assert!(!leaf.is_ca());
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
    assert_eq!(leaf.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
    assert_eq!(mode(&house.path("c.pem")), 0o644);
    let (done, said) = issue(&house, "r.csr", "c.pem");
    assert!(!done && said.contains("c.pem: is there already"), "{said}");
}

#[test]
fn requests_of_openssl_are_served_for_keys_that_are_strong() {
    let house = House::new();
    let make = |kind: &[&str], name: &str| {
        let (key, csr) = (house.path(&format!("{name}.key")), house.path(&format!("{name}.csr")));
        openssl(&[&["genpkey", "-out", text(&key), "-algorithm"], kind].concat());
        openssl(&["req", "-new", "-key", text(&key), "-subj", "/CN=ci-7", "-out", text(&csr)]);
        format!("{name}.csr")
    };
    for (name, kind) in [
        ("p256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..]),
        ("p384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["ED25519"]),
        ("rsa2048", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ] {
        let csr = make(kind, name);
        let out = format!("{name}.pem");
        let (done, said) = issue(&house, &csr, &out);
        assert!(done && said.is_empty(), "{name}: {said}");
        let public = house.path(&format!("{name}.pub"));
        let key = house.path(&format!("{name}.key"));
        let args = ["pkey", "-in", text(&key), "-pubout", "-outform", "DER", "-out", text(&public)];
        openssl(&args);
        assert_eq!(key_of(&house.path(&out)), fs::read(&public).unwrap(), "{name}");
    }
    for (name, kind, word) in [
        ("rsa1024", &["RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..], "shorter than 2048 bits"),
        ("k1", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "of a kind that is not taken"),
        ("p521", &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "of a kind that is not taken"),
        ("ed448", &["ED448"], "of a kind that is not taken"),
    ] {
        let csr = make(kind, name);
        let refused = house.refuses(&["issue", "--name", "x", "--csr", &csr, "--out", "x.pem"]);
        assert!(refused.contains(word), "{name}: {refused}");
    }
}

#[test]
fn a_request_must_be_signed_by_its_own_key() {
    let house = House::new();
    let params = CertificateParams::new(Vec::new()).unwrap();
    let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let mut der = request.der().to_vec();
    let (good, last) = (der.clone(), der.len() - 1);
    der[last] ^= 1;
    let put = |name: &str, der: &[u8]| {
        let pem = pem(der);
        fs::write(house.path(name), pem).unwrap();
    };
    put("good", &good);
    put("bad", &der);
    put("more", &[&good[..], b"more"].concat());
    put("cut", &good[..last]);
    fs::write(house.path("text"), "no request").unwrap();
    for (name, word) in [
        ("bad", "not by its own key"),
        ("more", "more after the request"),
        ("cut", "damaged"),
        ("text", "no certificate request inside"),
        ("absent", "No such file"),
    ] {
        let refused = house.refuses(&["issue", "--name", "x", "--csr", name, "--out", "x.pem"]);
        assert!(refused.contains(word), "{name}: {refused}");
    }
    let (done, said) = issue(&house, "good", "x.pem");
    assert!(done, "{said}");
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
}

#[test]
fn a_certificate_by_request_is_renewed_by_request_in_its_place() {
    let house = House::new();
    let params = CertificateParams::new(Vec::new()).unwrap();
    for name in ["one", "two"] {
        let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap();
        fs::write(house.path(name), request.pem().unwrap()).unwrap();
    }
    house.does(&["issue", "--name", "ci-7", "--csr", "one", "--out", "c.pem", "--ttl", "8h"]);
    let (first, key) = (facts(&house.path("c.pem")), key_of(&house.path("c.pem")));
    house.does(&["renew", "--cert", "c.pem", "--csr", "two", "--out", "c.pem"]);
    let second = facts(&house.path("c.pem"));
    assert_eq!((second.uris, second.not_after - second.not_before), (first.uris, 9 * 3_600));
    assert_ne!(key_of(&house.path("c.pem")), key);
    fs::write(house.path("mine"), "mine").unwrap();
    let refused = house.refuses(&["renew", "--name", "ci-7", "--csr", "one", "--out", "mine"]);
    assert!(refused.contains("mine: is there already"), "{refused}");
}
