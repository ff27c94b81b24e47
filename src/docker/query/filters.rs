//! `filters`: an object of arrays or of objects of booleans, in which moby takes an empty list for no
//! filter at all and `false` for set (`api/types/filters/parse.go`). A prune whose filter says nothing
//! removes everything, so each key that is named must have a value.

use super::query_json::parsed;
use crate::docker::body::field::{Map, Typed as _};
use crate::docker::json::{self, JsonObject, JsonValue};
use crate::docker::{Flaw, Malformed};
use std::borrow::Cow;

/// Reads the value of `filters` and writes it anew as the daemon understands it in one way:
/// `{"key":{"value":true}}`. `None` where it says nothing.
///
/// # Errors
/// [`Flaw::QueryFilter`] for keys that the endpoint does not have, keys without a value, and values
/// that are switched off; the flaws of [`json::read`].
pub(super) fn read(keys: &[&str], text: &str) -> Result<Option<String>, Malformed> {
    let object = match json::read(text.as_bytes())? {
        JsonValue::Null => return Ok(None),
        JsonValue::Object(object) => object,
        other => return Err(wrong("", format!("{} where an object belongs", other.kind()))),
    };
    if object.0.is_empty() {
        return Ok(None);
    }
    let is_list = |(_, value): &(Cow<'_, str>, JsonValue<'_>)| matches!(value, JsonValue::Array(_));
    let lists = object.0.iter().filter(|entry| is_list(entry)).count();
    if lists != 0 && lists != object.0.len() {
        return Err(wrong(
            "",
            "arrays and objects beside one another: the daemon reads one or the other",
        ));
    }
    let mut out = vec![b'{'];
    for (nth, (key, value)) in object.0.into_iter().enumerate() {
        if !keys.contains(&key.as_ref()) {
            return Err(wrong(&key, format!("this endpoint filters by: {}", keys.join(", "))));
        }
        json::separate(&mut out, nth);
        json::write_text(&mut out, &key);
        out.push(b':');
        json::write_object(&mut out, &values(&key, value)?, bool::write);
    }
    out.push(b'}');
    String::from_utf8(out).map(Some).map_err(|_| wrong("", "the filters are not UTF-8"))
}

/// What [`read`] has written, or nothing, narrowed by one more value: values of one key are alternatives to the
/// daemon but for labels, so a key that a term uses is one of which all must hold.
pub(super) fn and(written: Option<&str>, key: &str, value: &str) -> String {
    let mut filters: Map<'_, Map<'_, bool>> = written.and_then(parsed).unwrap_or_default();
    let entry = (Cow::Borrowed(value), true);
    match filters.0.iter_mut().find(|(known, _)| known == key) {
        Some((_, Map(values))) => {
            values.retain(|(known, _)| known != value);
            values.push(entry);
        }
        None => filters.0.push((Cow::Borrowed(key), Map(vec![entry]))),
    }
    let mut out = Vec::new();
    filters.write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// What [`read`] has written, with another value for one of these keys; `None` where it has none such.
pub(super) fn replaced(written: &str, keys: &[&str], from: &str, to: &str) -> Option<String> {
    let mut filters: Map<'_, Map<'_, bool>> = parsed(written)?;
    let mut found = false;
    for (key, values) in &mut filters.0 {
        if keys.contains(&key.as_ref()) && values.0.iter().any(|(value, _)| value == from) {
            values.rename(from, to);
            found = true;
        }
    }
    let mut out = Vec::new();
    filters.write(&mut out);
    found.then(|| String::from_utf8(out).unwrap_or_default())
}

/// The values that [`read`] has written for a key.
pub(super) fn values_of(written: &str, key: &str) -> Vec<String> {
    let filters: Map<'_, Map<'_, bool>> = parsed(written).unwrap_or_default();
    let of_key = filters.0.iter().filter(|(known, _)| known == key);
    of_key.flat_map(|(_, values)| values.iter().map(|(value, _)| value.to_owned())).collect()
}

/// The values of a key, each once, at least one.
fn values<'a>(key: &str, value: JsonValue<'a>) -> Result<Vec<(Cow<'a, str>, bool)>, Malformed> {
    let mut found: Vec<(Cow<'a, str>, bool)> = Vec::new();
    let mut add = |text: Cow<'a, str>| {
        if text.chars().any(char::is_control) {
            return Err(wrong(key, "a value has a control character"));
        }
        // it becomes a key, and keys have a bound
        if text.len() > json::MAX_KEY {
            return Err(wrong(key, "a value of more than 4096 bytes"));
        }
        if !found.iter().any(|(known, _)| *known == text) {
            found.push((text, true));
        }
        Ok(())
    };
    match value {
        JsonValue::Array(items) => {
            for item in items {
                let JsonValue::Text(text) = item else {
                    return Err(wrong(key, format!("{} where a string belongs", item.kind())));
                };
                add(text)?;
            }
        }
        JsonValue::Object(JsonObject(entries)) => {
            for (text, on) in entries {
                if on != JsonValue::Bool(true) {
                    return Err(wrong(
                        key,
                        "the daemon takes a value with false for set: leave it out",
                    ));
                }
                add(text)?;
            }
        }
        other => return Err(wrong(key, format!("{} where an array belongs", other.kind()))),
    }
    if found.is_empty() {
        return Err(wrong(key, "a filter without a value filters nothing: leave the key out"));
    }
    Ok(found)
}

fn wrong(at: &str, why: impl Into<Cow<'static, str>>) -> Malformed {
    Malformed::new(Flaw::QueryFilter, at, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(text: &str) -> Result<Option<String>, Malformed> {
        read(&["label", "until"], text)
    }

    #[test]
    fn both_forms_become_one() {
        let one = Some(r#"{"label":{"a=b":true}}"#.to_owned());
        assert_eq!(filters(r#"{"label":["a=b"]}"#), Ok(one.clone()));
        assert_eq!(filters(r#"{"label":{"a=b":true}}"#), Ok(one.clone()));
        assert_eq!(filters(r#"{"label":["a=b","a=b"]}"#), Ok(one));
        assert_eq!(filters("null"), Ok(None));
        assert_eq!(filters("{}"), Ok(None));
    }

    #[test]
    fn a_value_is_no_longer_than_the_key_that_it_becomes() {
        let long = |length| format!(r#"{{"label":["{}"]}}"#, "a".repeat(length));
        assert!(filters(&long(json::MAX_KEY)).is_ok());
        assert_eq!(filters(&long(json::MAX_KEY + 1)).unwrap_err().flaw, Flaw::QueryFilter);
    }

    #[test]
    fn nothing_is_empty_by_accident() {
        for text in [
            r#"{"label":[]}"#,
            r#"{"label":{}}"#,
            r#"{"label":null}"#,
            r#"{"label":"a"}"#,
            r#"{"label":{"a":false}}"#,
            r#"{"label":{"a":1}}"#,
            r#"{"label":[1]}"#,
            r#"{"Label":["a"]}"#,
            r#"{"labels":["a"]}"#,
            r#"["label"]"#,
            r#"{"label":["a"],"until":{"1":true}}"#,
            r#"{"label":["a\u0001"]}"#,
        ] {
            assert_eq!(filters(text).unwrap_err().flaw, Flaw::QueryFilter, "{text}");
        }
        assert_eq!(filters(r#"{"label":["a"],"label":[]}"#).unwrap_err().flaw, Flaw::JsonDuplicate);
    }
}
