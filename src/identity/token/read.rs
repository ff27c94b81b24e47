//! How the texts of a token, and of the keys that it is verified by, are read: each in one way or not at all.

use super::error::TokenError;
use crate::docker::json::{self, JsonObject, JsonValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One JSON object, read strictly.
pub(super) fn object(bytes: &[u8]) -> Result<JsonObject<'_>, TokenError> {
    match json::read(bytes) {
        Ok(JsonValue::Object(object)) => Ok(object),
        _ => Err(TokenError::Malformed(
            "header or claims are not one JSON object with each key once",
        )),
    }
}

/// Base64url without padding; bits that no byte has must be zero, so that there is one text for the
/// bytes (RFC 4648, 3.5).
pub(super) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| TokenError::Malformed("a part is not base64url without padding"))
}

/// A number of seconds, if the claim is there.
pub(super) fn seconds(
    claims: &JsonObject<'_>,
    name: &str,
    wrong: &'static str,
) -> Result<Option<i64>, TokenError> {
    match member(claims, name) {
        None => Ok(None),
        Some(JsonValue::Int(seconds)) => Ok(Some(*seconds)),
        Some(_) => Err(TokenError::Malformed(wrong)),
    }
}

/// A text that must be there.
pub(super) fn text_of<'o>(
    object: &'o JsonObject<'_>,
    name: &str,
    wrong: &'static str,
) -> Result<&'o str, TokenError> {
    let wrong = TokenError::Malformed(wrong);
    text_if_any(object, name, wrong.clone())?.ok_or(wrong)
}

/// A text, if there is anything under the name; what else stands there is wrong.
pub(super) fn text_if_any<'o, E>(
    object: &'o JsonObject<'_>,
    name: &str,
    wrong: E,
) -> Result<Option<&'o str>, E> {
    match member(object, name) {
        None => Ok(None),
        Some(JsonValue::Text(text)) => Ok(Some(text)),
        Some(_) => Err(wrong),
    }
}

/// What stands under a name.
pub(super) fn member<'o, 'a>(object: &'o JsonObject<'a>, name: &str) -> Option<&'o JsonValue<'a>> {
    object.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
