//! A second proof beside the certificate: the ID token that GitHub or GitLab gives to a CI job (a JWT,
//! RFC 7519, signed as RFC 7515 says). A certificate lives on the runner and may be copied; a token
//! lives for one job and says which project and branch it is. It adds to a certificate and never
//! stands in for one.
//!
//! All that decides is here in few lines, in one order: the text splits in one way, header and claims
//! are read by the strict reader of request bodies, the issuer is one of the file's, the key is the
//! issuer's and chooses the algorithm, the signature holds, and only then are audience and times
//! looked at. The claims are read from the very bytes that were signed. No clock is read.

mod algorithm;
mod claims;
mod compact;
mod error;
mod keys;
mod read;
mod worthless;

pub use claims::Claims;
pub use error::{IssuerError, TokenError};
pub use keys::KeySet;
pub use worthless::Worthless;

use crate::docker::json::{JsonObject, JsonValue};
use claims::ProvenBy;
use compact::{Header, Parts};
use http::HeaderName;
use read::{member, object, seconds, text_of};
use std::sync::Arc;

/// How far the issuer's clock may be ahead, in seconds, when it says from when on a token counts.
/// There is no such grace at its end: a clock that is behind the issuer's makes a fresh token look
/// like one of the future on every job, while an end is what the token is for.
pub const LEEWAY: i64 = 60;

/// The longest time from `iat` to `exp`, in seconds. What is meant for longer is no token of a job.
pub const LONGEST_LIFE: i64 = 24 * 60 * 60;

/// Who may issue tokens for this gate, and how they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    issuer: String,
    audience: String,
    keys: KeySet,
    log: Arc<[String]>,
}

impl Issuer {
    /// Puts an issuer together: its `iss`, compared exactly; the `aud` that a token must have to be
    /// meant for this gate; its keys; and the claims that the log keeps.
    ///
    /// # Errors
    /// `iss` is no `https://` address without query and fragment (OpenID Connect Core 1.0, 2), or the
    /// audience is empty or not printable ASCII.
    pub fn new(
        issuer: &str,
        audience: &str,
        keys: KeySet,
        log: Vec<String>,
    ) -> Result<Self, IssuerError> {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        let host = issuer.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || !plain(host) || host.contains(['?', '#']) {
            return Err(IssuerError::Address);
        }
        if audience.is_empty() || !plain(audience) {
            return Err(IssuerError::Audience);
        }
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Ok(Self { issuer, audience, keys, log: log.into() })
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `aud` that is this gate.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// RFC 7519, 4.1.3: one string, or an array of strings of which one must be us.
    fn check_audience(&self, claims: &JsonObject<'_>) -> Result<(), TokenError> {
        const WRONG: TokenError = TokenError::Malformed("aud is no string and no list of strings");
        let audiences = match member(claims, "aud") {
            Some(one @ JsonValue::Text(_)) => std::slice::from_ref(one),
            Some(JsonValue::Array(several)) => several,
            Some(_) => return Err(WRONG),
            None => &[],
        };
        let mut meant = false;
        for audience in audiences {
            let JsonValue::Text(audience) = audience else { return Err(WRONG) };
            meant |= *audience == self.audience;
        }
        self.check_meant(meant)
    }

    fn check_meant(&self, meant: bool) -> Result<(), TokenError> {
        if meant { Ok(()) } else { Err(TokenError::Audience { wanted: self.audience.clone() }) }
    }
}

/// The issuers of the policy file, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers(Vec<Issuer>);

impl Issuers {
    /// Puts a list together.
    ///
    /// # Errors
    /// It is empty, or one issuer is there twice.
    pub fn new(list: Vec<Issuer>) -> Result<Self, IssuerError> {
        if list.is_empty() {
            return Err(IssuerError::None);
        }
        for (nth, issuer) in list.iter().enumerate() {
            if list.iter().take(nth).any(|earlier| earlier.issuer == issuer.issuer) {
                return Err(IssuerError::Twice(issuer.issuer.clone()));
            }
        }
        Ok(Self(list))
    }

    /// Each issuer, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.0.iter()
    }

    fn named(&self, name: &str) -> Result<&Issuer, TokenError> {
        self.iter().find(|issuer| issuer.issuer == name).ok_or(TokenError::Issuer)
    }
}

/// Tokens as a second proof: in which header they come, and whose they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The header field that holds the token and nothing else.
    pub header: HeaderName,
    /// Who may issue them.
    pub issuers: Issuers,
}

/// Reads a token and proves it, at this moment (seconds since 1970). What it claims counts only
/// together with a certificate; see [`super::identify`].
///
/// # Errors
/// Whatever is not as it must be. None of them is ever "no token".
pub fn verify(text: &str, issuers: &Issuers, now: i64) -> Result<Claims, TokenError> {
    let parts = Parts::split(text)?;
    let header = Header::read(&parts.header)?;
    let claims = object(&parts.claims)?;
    // which issuer it says it is only chooses the keys that must prove it
    let says = text_of(&claims, "iss", "iss is missing or no string")?;
    let issuer = issuers.named(says)?;
    let key = issuer.keys.choose(header.algorithm, header.kid.as_deref())?;
    key.verify(parts.signed, &parts.signature)?;
    issuer.check_audience(&claims)?;
    let expires = check_times(&claims, now)?;
    let by = ProvenBy {
        issuer: issuer.issuer.clone(),
        audience: issuer.audience.clone(),
        kid: header.kid,
        key: key.clone(),
    };
    Ok(Claims::new(&claims, expires, Arc::clone(&issuer.log), by))
}

/// Whether what a token has proven would be proven still, under issuers that may have changed since:
/// for what it opened, when the token itself is no longer at hand. Its end is not asked for here.
///
/// # Errors
/// Its issuer is no longer listed or asks for another audience, or the key that signed it is no longer
/// the one that a token of its header must be signed with.
pub fn proven_still(claims: &Claims, issuers: &Issuers) -> Result<(), TokenError> {
    let by = claims.by().ok_or(TokenError::Issuer)?;
    let issuer = issuers.named(&by.issuer)?;
    let key = issuer.keys.choose(by.key.algorithm(), by.kid.as_deref())?;
    if *key != by.key {
        return Err(TokenError::Signature);
    }
    issuer.check_meant(issuer.audience == by.audience)
}

/// RFC 7519, 4.1.4 to 4.1.6. `exp` and `iat` must be there, as in every ID token (OpenID Connect Core
/// 1.0, 2). Returns `exp`.
fn check_times(claims: &JsonObject<'_>, now: i64) -> Result<i64, TokenError> {
    let expires = seconds(claims, "exp", "exp is no whole number of seconds")?
        .ok_or(TokenError::Malformed("it has no exp, and so no end"))?;
    let issued = seconds(claims, "iat", "iat is no whole number of seconds")?
        .ok_or(TokenError::Malformed("it has no iat"))?;
    let not_before = seconds(claims, "nbf", "nbf is no whole number of seconds")?;
    if now >= expires {
        return Err(TokenError::Expired);
    }
    let soon = now.saturating_add(LEEWAY);
    if issued > soon || not_before.is_some_and(|from| from > soon) {
        return Err(TokenError::NotYet);
    }
    match expires.checked_sub(issued) {
        Some(1..=LONGEST_LIFE) => Ok(expires),
        _ => Err(TokenError::Lifetime),
    }
}

#[cfg(test)]
mod tests;
