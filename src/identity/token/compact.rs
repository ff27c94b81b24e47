//! The text of a token taken apart (RFC 7515, 7.1: the compact serialisation), in one way or not at
//! all: three parts, base64url without padding and without stray bits, strict JSON.

use super::algorithm::Algorithm;
use super::error::TokenError;
use super::read::{decode, member, object, text_if_any, text_of};
use crate::docker::json::JsonValue;

/// The longest token that is read, in bytes. GitHub's and GitLab's have one to three thousand.
pub const LONGEST: usize = 16 << 10;

/// Header parameters that bring a key of the token's own, change what is signed, or must be
/// understood (RFC 7515, 4.1; RFC 7516; RFC 7797). A token that needs one of them is none of ours.
const REFUSED: [&str; 8] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"];

/// The parts of a token.
pub(super) struct Parts<'t> {
    /// The bytes that were signed: header and claims as they stand in the text.
    pub(super) signed: &'t [u8],
    /// The header, JSON.
    pub(super) header: Vec<u8>,
    /// The claims, JSON.
    pub(super) claims: Vec<u8>,
    /// The signature.
    pub(super) signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    pub(super) fn split(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > LONGEST {
            return Err(TokenError::Malformed("it is longer than 16 KiB"));
        }
        let wrong = TokenError::Malformed("it is not three parts with a dot between them");
        let (signed, signature) = text.rsplit_once('.').ok_or(wrong.clone())?;
        let (header, claims) = signed.split_once('.').ok_or(wrong.clone())?;
        if claims.contains('.') {
            return Err(wrong);
        }
        Ok(Self {
            signed: signed.as_bytes(),
            header: decode(header)?,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }
}

/// What a header says that counts.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, TokenError> {
        let header = object(bytes)?;
        if REFUSED.iter().any(|name| member(&header, name).is_some()) {
            return Err(TokenError::Malformed(
                "its header has a parameter that is not taken (crit, jku, jwk, x5u, x5c, b64, zip, enc)",
            ));
        }
        // RFC 8725, 3.11: what the issuer signs for another use says so here
        let is_jwt =
            |typ: &_| matches!(typ, JsonValue::Text(typ) if typ.eq_ignore_ascii_case("JWT"));
        if !member(&header, "typ").is_none_or(is_jwt) {
            return Err(TokenError::Malformed("its typ is not JWT"));
        }
        let algorithm = text_of(&header, "alg", "its header has no alg, or one that is no string")?;
        let algorithm = Algorithm::named(algorithm).ok_or(TokenError::Algorithm)?;
        let kid = text_if_any(&header, "kid", TokenError::Malformed("its kid is no string"))?;
        Ok(Self { algorithm, kid: kid.map(str::to_owned) })
    }
}
