//! An issuer of ID tokens: a key that signs whatever a test wants claimed, and its set of public keys.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses what it needs")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Its `iss`.
pub const ISSUER: &str = "https://gitlab.example.org";
/// The gate's `aud`.
pub const AUDIENCE: &str = "dockward.example.org";

/// A key of the issuer.
pub struct Signer {
    key: EcdsaKeyPair,
    kid: String,
}

impl Signer {
    /// A fresh one.
    pub fn new(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key, kid: kid.to_owned() }
    }

    /// The file of keys with this one in it.
    pub fn set(&self) -> String {
        let point = self.key.public_key().as_ref();
        let key = json!({"kty": "EC", "kid": self.kid, "use": "sig", "alg": "ES256", "crv": "P-256",
                         "x": b64(&point[1..33]), "y": b64(&point[33..])});
        json!({ "keys": [key] }).to_string()
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.kid, "typ": "JWT"});
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", b64(signature))
    }

    /// A good token of this project's protected branch.
    pub fn good(&self, project: &str) -> String {
        self.sign(&claims(project))
    }
}

/// What a good token of this project's protected branch says, for an hour.
pub fn claims(project: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": format!("project_path:{project}:ref:main"),
           "iat": now - 5, "nbf": now - 5, "exp": now + 3600, "project_path": project,
           "ref": "main", "ref_protected": "true", "user_email": "confidential@example.org"})
}

/// The claims with one of them changed.
pub fn with(project: &str, name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims(project);
    claims[name] = value.into();
    claims
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
