//! JSON: read in one way, written so that every reader reads the same, and never more than was sent.

use super::heads::{classified, fields, sample};
use bytes::Bytes;
use dockward::facade::docker::body;
use dockward::facade::docker::body::tolerated::{Meaning, TOLERATED};
use dockward::facade::docker::json::{
    BYTES_PER_VALUE, JsonObject, JsonValue, MAX_DEPTH, MAX_ITEMS, MAX_KEY, MAX_VALUES, read,
};
use dockward::facade::docker::{
    ApiVersion, BodyKind, CallHead, Flaw, LeftOut, Malformed, ROUTES, Route,
};
use http::Uri;
use serde_json::Value;

/// Values that a text may hold however short it is.
const FREE_VALUES: usize = 1024;

/// Any bytes as a JSON text.
pub fn json(data: &[u8]) {
    let value = match read(data) {
        Ok(value) => value,
        Err(flaw) => return assert!(!flaw.to_string().is_empty()),
    };
    let count = bounded(&value, 0);
    let most = (FREE_VALUES + data.len() / BYTES_PER_VALUE).min(MAX_VALUES);
    assert!(count <= most, "{count} values of {} bytes", data.len());
    let mut written = Vec::new();
    value.write(&mut written);
    assert_eq!(plain(data), plain(&written), "another reader sees a difference");
    match read(&written) {
        Ok(again) => assert_eq!(again, value),
        Err(flaw) => only_shorter(&flaw, data, &written),
    }
}

/// A text that lost its spaces may have more values than one of its new size may have. That is a
/// refusal at worst, never another reading.
fn only_shorter(flaw: &Malformed, data: &[u8], written: &[u8]) {
    let shorter = flaw.flaw == Flaw::JsonValues && written.len() < data.len();
    assert!(shorter, "what is written is refused: {flaw}: {}", String::from_utf8_lossy(written));
}

fn plain(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|why| panic!("{why}: {text:?}"))
}

/// Counts the values, and holds them against the bounds.
fn bounded(value: &JsonValue<'_>, depth: usize) -> usize {
    assert!(depth <= MAX_DEPTH);
    match value {
        JsonValue::Array(items) => {
            assert!(items.len() <= MAX_ITEMS);
            1 + items.iter().map(|item| bounded(item, depth + 1)).sum::<usize>()
        }
        JsonValue::Object(JsonObject(entries)) => {
            assert!(entries.len() <= MAX_ITEMS);
            let mut keys: Vec<_> = entries.iter().map(|(key, _)| key).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|two| two[0] != two[1]), "a key twice");
            assert!(keys.iter().all(|key| key.len() <= MAX_KEY));
            1 + entries.iter().map(|(_, value)| bounded(value, depth + 1)).sum::<usize>()
        }
        JsonValue::Float(number) => {
            assert!(number.is_finite());
            1
        }
        _ => 1,
    }
}

/// A request line that chooses the endpoint, as in `POST /v1.41/containers/create`, and the body from
/// the next line on. A line that is of no endpoint with JSON chooses one by its length.
pub fn body(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (Some(line), Some(bytes)) = (parts.next(), parts.next()) else { return };
    let head = named(line).unwrap_or_else(|| chosen(line));
    reads(&head, bytes);
}

fn is_json(row: &Route) -> bool {
    matches!(row.body, BodyKind::Json { .. })
}

fn named(line: &[u8]) -> Option<CallHead> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    let method = http::Method::from_bytes(&line[..at]).ok()?;
    let uri = Uri::from_maybe_shared(Bytes::copy_from_slice(&line[at + 1..])).ok()?;
    head(&method, &uri).ok().filter(|head| is_json(head.route))
}

fn chosen(line: &[u8]) -> CallHead {
    let rows: Vec<_> = ROUTES.iter().filter(|row| is_json(row)).collect();
    let row = rows[line.len() % rows.len()];
    let (path, query) = sample(row, ApiVersion::NEWEST);
    let uri = format!("{path}{query}").parse().unwrap();
    head(&row.method.as_str().parse().unwrap(), &uri).unwrap_or_else(|flaw| panic!("{uri}: {flaw}"))
}

fn head(method: &http::Method, uri: &Uri) -> Result<CallHead, Malformed> {
    let json = [("content-type", "application/json"), ("content-length", "2")];
    classified(method, uri, &fields(&json))
}

/// What holds of every body that is read.
pub(super) fn reads(head: &CallHead, bytes: &[u8]) {
    let typed = match body::read(head, bytes, &mut LeftOut::default()) {
        Ok(typed) => typed,
        Err(flaw) => return assert!(!flaw.to_string().is_empty()),
    };
    let Some(written) = typed.serialise() else {
        return assert!(bytes.is_empty() || !is_json(head.route), "a body is passed over");
    };
    let operation = head.route.operation;
    let mut sent = plain(bytes);
    moved(&mut sent);
    gained(&sent, &plain(&written), operation);
    match body::read(head, &written, &mut LeftOut::nothing()) {
        Ok(again) => {
            let twice = again.serialise().expect("a body twice");
            let text = String::from_utf8_lossy;
            assert_eq!(text(&twice), text(&written), "{operation}");
        }
        Err(flaw) => only_shorter(&flaw, bytes, &written),
    }
}

/// Everything that is written was sent, at its place.
fn gained(sent: &Value, got: &Value, at: &str) {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            for (key, value) in got {
                let at = format!("{at}.{key}");
                // a field in another case
                let folded = || sent.iter().find(|(k, _)| folded(k) == folded(key)).map(|(_, v)| v);
                match sent.get(key).or_else(folded) {
                    Some(sent) => gained(sent, value, &at),
                    None => assert!(says_nothing(value), "{at} was not sent: {value}"),
                }
            }
        }
        (Value::Array(sent), Value::Array(got)) => {
            assert_eq!(sent.len(), got.len(), "{at}");
            sent.iter().zip(got).for_each(|(sent, got)| gained(sent, got, at));
        }
        // one string stands for an array of it
        (Value::String(_), Value::Array(words)) if words.as_slice() == [sent.clone()] => {}
        _ => {
            let nothing = says_nothing(sent) && says_nothing(got);
            assert!(sent == got || nothing, "{at}: {sent} becomes {got}");
        }
    }
}

/// A key as Go's decoder compares it (`encoding/json/fold.go`).
pub(super) fn folded(key: &str) -> String {
    key.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_lowercase()
}

/// Puts what was sent beside the object that it belongs into where it belongs.
fn moved(sent: &mut Value) {
    let Some(fields) = sent.as_object_mut() else { return };
    for row in TOLERATED {
        let Meaning::Within(outer) = row.meaning else { continue };
        let Some(value) = fields.get(row.key).cloned() else { continue };
        let inside = fields.entry(outer).or_insert(Value::Null);
        if inside.is_null() {
            *inside = Value::Object(serde_json::Map::new());
        }
        if let Some(inside) = inside.as_object_mut() {
            inside.entry(row.key).or_insert(value);
        }
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}
