//! What a proven token says, flat: the part of it that a rule can name, and that the log may keep.

use super::keys::Key;
use super::{Issuer, TokenError};
use crate::docker::json::{Object, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The claims of a proven token. Strings are kept as they are, booleans as `true` and `false`,
/// integers in decimal; what is anything else (an object, an array, `null`, a fraction) cannot be
/// named by a rule and is not kept. Text may hold anything: escape it before showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    values: BTreeMap<String, String>,
    expires: i64,
    log: Arc<[String]>,
    /// What proved it; nothing does in a test of rules alone.
    proof: Option<Proof>,
}

/// By what a token was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proof {
    issuer: String,
    audience: String,
    key: Key,
}

impl Claims {
    pub(super) fn new(object: &Object<'_>, expires: i64, issuer: &Issuer, key: &Key) -> Self {
        let log = Arc::clone(&issuer.log);
        let proof = Proof {
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            key: key.clone(),
        };
        let flat = |(name, value): &(_, Value<'_>)| {
            let name: &str = std::borrow::Cow::as_ref(name);
            Some((name.to_owned(), plain(value)?))
        };
        let values = object.0.iter().filter_map(flat).collect();
        Self { values, expires, log, proof: Some(proof) }
    }

    /// Whether these issuers would prove it as well, for what lasts longer than a policy.
    ///
    /// # Errors
    /// Its issuer is not listed any more, is listed for another audience, or has another key.
    pub(super) fn held_by(&self, issuers: &[Issuer]) -> Result<(), TokenError> {
        let proof = self.proof.as_ref().ok_or(TokenError::Issuer)?;
        let issuer = issuers.iter().find(|issuer| issuer.issuer == proof.issuer);
        let issuer = issuer.ok_or(TokenError::Issuer)?;
        if issuer.audience != proof.audience {
            return Err(TokenError::Audience { wanted: issuer.audience.clone() });
        }
        if issuer.keys.has(&proof.key) { Ok(()) } else { Err(TokenError::KeyUnknown) }
    }

    /// Claims that nobody signed.
    #[cfg(test)]
    pub(in crate::identity) fn unsigned(
        values: &[(&str, &str)],
        expires: i64,
        log: &[&str],
    ) -> Self {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let log = log.iter().map(|name| (*name).to_owned()).collect();
        Self { values: values.collect(), expires, log, proof: None }
    }

    /// The value of a claim.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The end of the token, seconds since 1970: at that moment it counts no more.
    #[must_use]
    pub const fn expires(&self) -> i64 {
        self.expires
    }

    /// Whether the token still counts at this moment. The start was checked when it was proven and
    /// does not come back; the end is to be asked for on every use.
    #[must_use]
    pub const fn hold_at(&self, now: i64) -> bool {
        now < self.expires
    }

    /// The claims that the policy wants in the log, those that are there, in the order of the policy.
    pub fn logged(&self) -> impl Iterator<Item = (&str, &str)> {
        self.log.iter().filter_map(|name| Some((name.as_str(), self.value(name)?)))
    }
}

fn plain(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone().into_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Big(number) => Some(number.to_string()),
        Value::Null | Value::Float(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
