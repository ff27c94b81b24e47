//! Request targets: what is accepted is a fixed point, and the daemon reads the target that we write
//! as it would have read the client's.
//!
//! The daemon's reading is written down here once more, from Go's `net/url` and moby's `httputils`,
//! and shares nothing with the product.

use super::json::folded;
use bytes::Bytes;
use dockward::facade::docker::LeftOut;
use dockward::facade::docker::route::{Param, ParamKind, QueryJson, When};
use dockward::facade::docker::{
    Accepted, ApiVersion, CallHead, Malformed, Method, ROUTES, RequestHead, Route, classify,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::Value;

/// The versions that are accepted here.
pub(super) const ACCEPTED: Accepted =
    Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::NEWEST };

/// Header fields with which one or other endpoint is reached.
const FIELDS: [&[(&str, &str)]; 6] = [
    &[],
    &[("content-type", "application/json"), ("content-length", "2")],
    &[
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
        ("upgrade", "tcp"),
    ],
    &[("connection", "upgrade"), ("upgrade", "tcp")],
    &[("connection", "upgrade"), ("upgrade", "websocket")],
    &[("connection", "upgrade"), ("upgrade", "h2c")],
];

/// A method and a target, as in `GET /v1.41/info`.
pub fn path(data: &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b' ');
    let (Some(method), Some(target)) = (halves.next(), halves.next()) else { return };
    let Ok(method) = http::Method::from_bytes(method) else { return };
    check(&method, target);
}

/// A query, behind a byte that chooses the endpoint.
pub fn query(data: &[u8]) {
    let Some((row, text)) = data.split_first() else { return };
    let row = &ROUTES[usize::from(*row) % ROUTES.len()];
    let Ok(method) = row.method.as_str().parse() else { return };
    let (path, _) = sample(row, ApiVersion::NEWEST);
    check(&method, &[path.as_bytes(), b"?", text].concat());
}

/// A path that is of this row, and the query without which it would be another.
pub fn sample(row: &Route, version: ApiVersion) -> (String, String) {
    let parts = row.path.split('{').enumerate().map(|(nth, part)| match part.split_once('}') {
        Some((place, after)) if nth > 0 => {
            let value = match place {
                "exec" => "e".repeat(64),
                "grpc.service" => "a.B".to_owned(),
                _ => "a".to_owned(),
            };
            format!("{value}{after}")
        }
        _ => part.to_owned(),
    });
    let path: String = parts.collect();
    let version = if row.is_versioned() { format!("/v{version}") } else { String::new() };
    let query = match row.when {
        When::Always if row.path.ends_with("{link}") => "?link=1".to_owned(),
        When::Always => String::new(),
        When::QuerySet(key) => format!("?{key}=1"),
        When::QueryIs(key, value) => format!("?{key}={value}"),
    };
    (format!("{version}{path}"), query)
}

/// Classifies as the server would.
pub(super) fn classified(
    method: &http::Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<CallHead, Malformed> {
    classify(&RequestHead { method, uri, version: http::Version::HTTP_11, headers }, ACCEPTED)
}

/// Header fields with a Host.
pub(super) fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", "docker")].iter().chain(pairs) {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn check(method: &http::Method, target: &[u8]) {
    let Ok(uri) = Uri::from_maybe_shared(Bytes::copy_from_slice(target)) else { return };
    for pairs in FIELDS {
        let headers = fields(pairs);
        match classified(method, &uri, &headers) {
            Ok(head) => holds(method, &uri, &headers, &head),
            Err(flaw) => assert!(!flaw.to_string().is_empty()),
        }
    }
}

/// What holds of every head that was accepted.
pub(super) fn holds(method: &http::Method, uri: &Uri, headers: &HeaderMap, head: &CallHead) {
    let ours = head.target_uri();
    let again: Uri = ours.parse().unwrap_or_else(|why| panic!("{uri} becomes {ours:?}: {why}"));
    assert_eq!(again.to_string(), ours, "{uri} becomes a target that is read otherwise");
    let twice = classified(method, &again, headers);
    // what no daemon reads is not there the second time
    let read = CallHead { left_out: LeftOut::default(), ..head.clone() };
    assert_eq!(twice.as_ref(), Ok(&read), "{uri} becomes {ours}");
    assert!(head.route.method == Method::Any || head.route.method.as_str() == method.as_str());
    let (path, query) = ours.split_once('?').unwrap_or((&ours, ""));
    same_path(uri.path(), path);
    same_query(uri.query().unwrap_or_default(), query, head);
}

/// `url.PathUnescape`, then the version that moby's router takes off.
fn daemon_path(raw: &str) -> String {
    let path = String::from_utf8(unescape(raw, false)).unwrap();
    let version = path.strip_prefix("/v").and_then(|tail| tail.split_once('/'));
    match version {
        Some((version, rest)) if version.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            format!("/{rest}")
        }
        _ => path,
    }
}

fn same_path(theirs: &str, ours: &str) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._:@-".contains(&b);
    // the one escape that is written: a blank, in a network's name
    let words = ours.replace("%20", "");
    assert!(words.starts_with('/') && words.bytes().all(plain), "{ours:?}");
    assert!(words == ours || daemon_path(ours).starts_with("/networks/"), "{ours:?}");
    let dots = ours.split('/').any(|part| matches!(part, "." | ".."));
    assert!(!dots && !ours.contains("//"), "{ours:?} is cleaned by the daemon");
    assert_eq!(daemon_path(theirs), daemon_path(ours));
}

fn unescape(text: &str, plus: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        out.push(match first {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2).expect("an escape cut short");
                rest = after;
                let digits = std::str::from_utf8(digits).unwrap();
                assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()), "%{digits}");
                u8::from_str_radix(digits, 16).unwrap()
            }
            b'+' if plus => b' ',
            plain => *plain,
        });
    }
    out
}

/// `url.ParseQuery`; what it would refuse is refused by us.
fn pairs(raw: &str) -> Vec<(String, String)> {
    assert!(!raw.contains(';'), "{raw:?}");
    let decoded = |text: &str| String::from_utf8(unescape(text, true)).unwrap();
    let pieces = raw.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

fn same_query(theirs: &str, ours: &str, head: &CallHead) {
    let route = head.route;
    let (theirs, ours) = (pairs(theirs), pairs(ours));
    for (key, _) in &ours {
        assert!(route.query.iter().any(|param| param.name == key), "{key:?} is sent on");
    }
    // a key of a later version is text that nobody reads
    for param in route.query.iter().filter(|param| param.since <= head.version.minor()) {
        let of = |pairs: &[(String, String)]| -> Vec<String> {
            let own = pairs.iter().filter(|(key, _)| key == param.name);
            own.map(|(_, value)| value.clone()).collect()
        };
        let (theirs, ours) = (of(&theirs), of(&ours));
        let same = means(param, &theirs) == means(param, &ours);
        assert!(same, "{} of {}: {theirs:?} becomes {ours:?}", param.name, route.operation);
    }
}

/// What the daemon makes of the values of a key.
fn means(param: &Param, values: &[String]) -> Value {
    // `r.Form.Get`: the first of several, empty where there is none
    let first = values.first().map_or("", String::as_str);
    match param.kind {
        ParamKind::Text
        | ParamKind::Word
        | ParamKind::Moment
        | ParamKind::Tail
        | ParamKind::Object => match param.repeat {
            true => values.iter().filter(|value| !value.is_empty()).cloned().collect(),
            false => first.into(),
        },
        ParamKind::Lines => values
            .iter()
            .flat_map(|value| value.split('\n'))
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect(),
        ParamKind::Bool => bool_value(first).into(),
        ParamKind::Switch => values.first().map(|value| bool_value(value)).into(),
        ParamKind::Int if first.is_empty() => Value::Null,
        ParamKind::Int => first.parse::<i64>().unwrap().into(),
        ParamKind::Json(_) | ParamKind::Filters(_) if first.is_empty() => Value::Null,
        ParamKind::Json(QueryJson::TextMap | QueryJson::OptionalTextMap) => {
            said(serde_json::from_str(first).unwrap())
        }
        ParamKind::Json(_) => said(respelled(serde_json::from_str(first).unwrap())),
        ParamKind::Filters(_) => said(listed(serde_json::from_str(first).unwrap())),
    }
}

/// The keys of objects in one spelling, as they are fields of Go's.
fn respelled(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (folded(&key), respelled(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(respelled).collect(),
        other => other,
    }
}

/// Without the keys that say nothing, which are not sent on.
fn said(value: Value) -> Value {
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    };
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().map(|(key, value)| (key, said(value)));
            let kept: serde_json::Map<_, _> = kept.filter(|(_, value)| !nothing(value)).collect();
            if kept.is_empty() { Value::Null } else { kept.into() }
        }
        Value::Array(items) => items.into_iter().map(said).collect(),
        other => other,
    }
}

/// `httputils.BoolValue`.
fn bool_value(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    !matches!(text.as_str(), "" | "0" | "no" | "false" | "none")
}

/// Filters may be written as `{"label": {"a": true}}` too; the daemon reads a list.
fn listed(value: Value) -> Value {
    let Value::Object(filters) = value else { return value };
    let each_once = |words: Vec<Value>| {
        let words: std::collections::BTreeSet<String> =
            words.into_iter().map(|word| word.to_string()).collect();
        words.into_iter().collect()
    };
    let list = |value: Value| match value {
        Value::Array(words) => each_once(words),
        Value::Object(set) if set.values().all(|on| *on == Value::Bool(true)) => {
            each_once(set.into_iter().map(|(word, _)| word.into()).collect())
        }
        other => other,
    };
    Value::Object(filters.into_iter().map(|(key, value)| (key, list(value))).collect())
}
