//! What a proven token says, flat: the part of it that a rule can name, and that the log may keep.

use super::keys::TokenKey;
use crate::docker::json::{JsonObject, JsonValue};
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
    by: Option<ProvenBy>,
}

/// What a token was proven by, to ask later whether it would be still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProvenBy {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) kid: Option<String>,
    pub(super) key: TokenKey,
}

impl Claims {
    pub(super) fn new(
        object: &JsonObject<'_>,
        expires: i64,
        log: Arc<[String]>,
        by: ProvenBy,
    ) -> Self {
        let flat = |(name, value): &(_, JsonValue<'_>)| {
            let name: &str = std::borrow::Cow::as_ref(name);
            Some((name.to_owned(), plain(value)?))
        };
        Self { values: object.0.iter().filter_map(flat).collect(), expires, log, by: Some(by) }
    }

    pub(super) const fn by(&self) -> Option<&ProvenBy> {
        self.by.as_ref()
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

fn plain(value: &JsonValue<'_>) -> Option<String> {
    match value {
        JsonValue::Text(text) => Some(text.clone().into_owned()),
        JsonValue::Bool(flag) => Some(flag.to_string()),
        JsonValue::Int(number) => Some(number.to_string()),
        JsonValue::Big(number) => Some(number.to_string()),
        JsonValue::Null | JsonValue::Float(_) | JsonValue::Array(_) | JsonValue::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;

    impl Claims {
        /// Claims that nobody signed.
        pub(in crate::identity) fn unsigned(
            values: &[(&str, &str)],
            expires: i64,
            log: &[&str],
        ) -> Self {
            let values =
                values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let log = log.iter().map(|name| (*name).to_owned()).collect();
            Self { values: values.collect(), expires, log, by: None }
        }
    }
}
