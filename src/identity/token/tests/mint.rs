//! An issuer in the hand: keys that sign, and tokens of any form.

use super::super::{Issuer, Issuers, KeySet};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(crate) const ISSUER: &str = "https://issuer.example.org";
pub(crate) const AUDIENCE: &str = "dockward.example.org";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static EC: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    key.to_pkcs8v1().unwrap().as_ref().to_vec()
});

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(algorithm, &EC).unwrap()
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa_jwk() -> Value {
    let public: RsaPublicKeyComponents<Vec<u8>> = RSA.public_key().into();
    json!({"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256",
           "n": b64(public.n), "e": b64(public.e)})
}

pub(crate) fn ec_jwk() -> Value {
    let key = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let point = key.public_key().as_ref();
    json!({"kty": "EC", "kid": "ec", "use": "sig", "alg": "ES256", "crv": "P-256",
           "x": b64(&point[1..33]), "y": b64(&point[33..])})
}

pub(crate) fn jwks() -> String {
    json!({"keys": [rsa_jwk(), ec_jwk()]}).to_string()
}

/// The issuers that this set of keys makes.
pub(crate) fn issuers_of(jwks: &str) -> Issuers {
    let (keys, _) = KeySet::read(jwks.as_bytes()).unwrap();
    let log = vec!["project_path".to_owned(), "run_id".to_owned(), "absent".to_owned()];
    Issuers::new(vec![Issuer::new(ISSUER, AUDIENCE, keys, log).unwrap()]).unwrap()
}

pub(crate) fn issuers() -> Issuers {
    issuers_of(&jwks())
}

/// What a good token claims.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "project_path:acme/web:ref_type:branch:ref:main",
           "iat": NOW - 5, "nbf": NOW - 5, "exp": NOW + 3600, "project_path": "acme/web",
           "ref_protected": "true", "run_id": 77, "job": {"id": 7}, "groups": ["acme"]})
}

/// The claims with one of them changed; `null` takes it away.
pub(crate) fn with(name: &str, value: Value) -> String {
    let mut claims = claims();
    let object = claims.as_object_mut().unwrap();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    claims.to_string()
}

fn signed(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", b64(header), b64(claims));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", b64(signature))
}

pub(crate) fn by_rsa(header: &str, claims: &str) -> String {
    signed(header, claims, |bytes| {
        let mut signature = vec![0; RSA.public_modulus_len()];
        RSA.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature).unwrap();
        signature
    })
}

pub(crate) fn by_ec(header: &str, claims: &str) -> String {
    let key = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let sign = |bytes: &[u8]| key.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec();
    signed(header, claims, sign)
}

/// With claims in base64url with padding, and signed so.
pub(crate) fn with_padding(claims: &str) -> String {
    let claims = base64::engine::general_purpose::URL_SAFE.encode(claims);
    assert!(claims.ends_with('='));
    let signed = format!("{}.{claims}", b64(ES256));
    let key = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", b64(signature))
}

pub(crate) fn by_ec_in_der(header: &str, claims: &str) -> String {
    let key = ec(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let sign = |bytes: &[u8]| key.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec();
    signed(header, claims, sign)
}

pub(crate) fn by_hmac(secret: &[u8], header: &str, claims: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    signed(header, claims, |bytes| aws_lc_rs::hmac::sign(&key, bytes).as_ref().to_vec())
}

pub(crate) const RS256: &str = r#"{"alg":"RS256","kid":"rsa","typ":"JWT"}"#;
pub(crate) const ES256: &str = r#"{"alg":"ES256","kid":"ec","typ":"JWT"}"#;
