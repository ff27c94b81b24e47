//! The keys of an issuer, as it publishes them (a JWK set, RFC 7517). The key says which algorithm
//! there is, and never the token: so no token can have its signature checked as something else.

use super::algorithm::Algorithm;
use super::error::{KeyFlaw, KeysError, TokenError};
use super::read::{decode, member, text_if_any};
use crate::docker::Malformed;
use crate::docker::json::{self, JsonObject, JsonValue};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use std::fmt;

/// Most keys of one set that are read.
const MOST: usize = 64;

/// Members that only a private or a shared key has (RFC 7518, 6.2.2, 6.3.2, 6.4).
const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    kid: Option<String>,
    public: Public,
}

#[derive(Clone, PartialEq, Eq)]
enum Public {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.algorithm().fmt(f)
    }
}

impl Public {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
        }
    }
}

impl TokenKey {
    /// What it verifies.
    pub(super) const fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Whether the holder of the private key signed these bytes.
    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        let held = match &self.public {
            Public::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            ),
            Public::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
        };
        held.map_err(|_| TokenError::Signature)
    }
}

/// The keys of an issuer. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(pub(super) Vec<TokenKey>);

impl KeySet {
    /// Reads a JWK set, with a word about each key that is left out: one of a kind that is not
    /// verified with here, or not for signatures.
    ///
    /// # Errors
    /// The text is no JWK set; a key for signatures cannot be read or is weak; a private or shared
    /// key stands in it; one `kid` is there twice; no key is left.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<String>), KeysError> {
        let shown = |e: Malformed| KeysError::NotJson(e.to_string().escape_debug().to_string());
        let set = json::read(bytes).map_err(shown)?;
        let JsonValue::Object(set) = set else { return Err(KeysError::NoList) };
        let Some(JsonValue::Array(list)) = member(&set, "keys") else {
            return Err(KeysError::NoList);
        };
        if list.len() > MOST {
            return Err(KeysError::TooMany);
        }
        let (mut keys, mut left_out): (Vec<TokenKey>, _) = (Vec::new(), Vec::new());
        for (nth, value) in list.iter().enumerate() {
            let nth = nth + 1;
            let key = one(value).map_err(|flaw| KeysError::Key { nth, flaw })?;
            match key {
                Ok(key) if key.kid.is_some() && keys.iter().any(|other| other.kid == key.kid) => {
                    return Err(KeysError::Key { nth, flaw: KeyFlaw::KidTwice });
                }
                Ok(key) => keys.push(key),
                Err(why) => left_out.push(format!("key {nth} is left out: {why}")),
            }
        }
        if keys.is_empty() { Err(KeysError::None) } else { Ok((Self(keys), left_out)) }
    }

    /// The one key that a token of this header must be signed with: that of its `kid`, or without a
    /// `kid` the only one for its algorithm.
    pub(super) fn choose(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<&TokenKey, TokenError> {
        let fits = |key: &&TokenKey| key.public.algorithm() == algorithm;
        let Some(kid) = kid else {
            let mut fitting = self.0.iter().filter(fits);
            let only = fitting.next().filter(|_| fitting.next().is_none());
            return only.ok_or(TokenError::KeyUnknown);
        };
        let named = self.0.iter().find(|key| key.kid.as_deref() == Some(kid));
        let named = named.ok_or(TokenError::KeyUnknown)?;
        Some(named).filter(fits).ok_or(TokenError::Algorithm)
    }
}

/// A key, or why it is none for tokens.
fn one(value: &JsonValue<'_>) -> Result<Result<TokenKey, &'static str>, KeyFlaw> {
    let JsonValue::Object(key) = value else { return Err(KeyFlaw::NotAnObject) };
    if SECRET.iter().any(|name| member(key, name).is_some()) {
        return Err(KeyFlaw::Secret);
    }
    let kind = text(key, "kty")?.ok_or(KeyFlaw::Member("kty"))?;
    let curve = text(key, "crv")?;
    if !matches!((kind, curve), ("RSA", _) | ("EC", Some("P-256"))) {
        return Ok(Err("only RSA and EC on P-256 are verified with"));
    }
    if text(key, "use")?.is_some_and(|what| what != "sig") || !may_verify(key)? {
        return Ok(Err("it is not for signatures"));
    }
    let public = if kind == "RSA" { rsa(key)? } else { p256(key)? };
    if text(key, "alg")?.is_some_and(|name| Algorithm::named(name) != Some(public.algorithm())) {
        return Ok(Err("it is for another algorithm than RS256 and ES256"));
    }
    Ok(Ok(TokenKey { kid: text(key, "kid")?.map(str::to_owned), public }))
}

fn may_verify(key: &JsonObject<'_>) -> Result<bool, KeyFlaw> {
    match member(key, "key_ops") {
        None => Ok(true),
        Some(JsonValue::Array(uses)) => {
            Ok(uses.iter().any(|what| matches!(what, JsonValue::Text(what) if what == "verify")))
        }
        Some(_) => Err(KeyFlaw::Member("key_ops")),
    }
}

/// RFC 7518, 6.3.1. The exponent is 65537 in every key there is; a smaller one is refused.
fn rsa(key: &JsonObject<'_>) -> Result<Public, KeyFlaw> {
    let (n, e) = (octets(key, "n")?, octets(key, "e")?);
    let first = |bytes: &[u8]| bytes.first().copied();
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    if first(&n).is_none_or(|byte| byte == 0) || !odd(&n) {
        return Err(KeyFlaw::Member("n"));
    }
    let unused = first(&n).map_or(0, u8::leading_zeros) as usize;
    if !(2048..=8192).contains(&(n.len() * 8 - unused)) {
        return Err(KeyFlaw::Size);
    }
    if !(3..=4).contains(&e.len()) || first(&e) == Some(0) || !odd(&e) {
        return Err(KeyFlaw::Member("e"));
    }
    Ok(Public::Rsa { n, e })
}

/// RFC 7518, 6.2.1: both coordinates in full length, and a point of the curve.
fn p256(key: &JsonObject<'_>) -> Result<Public, KeyFlaw> {
    let (x, y) = (octets(key, "x")?, octets(key, "y")?);
    for (name, bytes) in [("x", &x), ("y", &y)] {
        if bytes.len() != 32 {
            return Err(KeyFlaw::Member(name));
        }
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    match ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point) {
        Ok(_) => Ok(Public::P256(point)),
        Err(_) => Err(KeyFlaw::Member("x and y")),
    }
}

fn octets(key: &JsonObject<'_>, name: &'static str) -> Result<Vec<u8>, KeyFlaw> {
    let text = text(key, name)?.ok_or(KeyFlaw::Member(name))?;
    decode(text).map_err(|_| KeyFlaw::Member(name))
}

fn text<'o>(key: &'o JsonObject<'_>, name: &'static str) -> Result<Option<&'o str>, KeyFlaw> {
    text_if_any(key, name, KeyFlaw::Member(name))
}
