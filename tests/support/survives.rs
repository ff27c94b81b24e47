//! Requests as real clients sent them, and what of a body may change on its way to the daemon.

use super::corpus::Case;
use dockward::facade::docker::body::tolerated::{Meaning, TOLERATED, Tolerated};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    name: String,
    method: String,
    target: String,
    #[serde(rename = "status")]
    _status: Option<u16>,
    headers: Vec<(String, String)>,
    raw: Option<String>,
    opaque: Option<Opaque>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opaque {
    length: usize,
    sha256: String,
}

impl Opaque {
    /// Bytes of that length; the old command line's `null` with a line end is known by its digest.
    fn bytes(&self) -> Vec<u8> {
        const NULL: &str = "38e0b9de817f645c4bec37c0d4a3e58baecccb040f5718dc069a72c7385a0bed";
        if self.sha256 == NULL { b"null\n".to_vec() } else { vec![0; self.length] }
    }
}

/// Every recorded request, as sent by this identity, expected to be allowed.
pub(crate) fn recorded(identity: &str) -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clients");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for one in serde_saphyr::from_str::<Vec<Recorded>>(&text).unwrap() {
            let raw = one.raw.map(String::into_bytes);
            cases.push(Case {
                file: file.clone(),
                name: one.name,
                identity: identity.to_owned(),
                method: one.method,
                target: one.target,
                headers: one.headers,
                bytes: raw.or(one.opaque.map(|o| o.bytes())).unwrap_or_default(),
                expect: "allow".to_owned(),
                ..Case::default()
            });
        }
    }
    cases
}

/// Fields of an endpoint that only answers have: never sent on.
const ANSWER_ONLY: [&str; 9] = [
    "DNSNames",
    "EndpointID",
    "Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "NetworkID",
];

/// Whether one key is another in other letters, where Go takes it for a field: in what is no map of the client's own.
fn respelled(at: &str, sent: &str, got: &str) -> bool {
    let maps = ["Labels", "Options", "DriverOpts", "Sysctls", "Annotations", "EndpointsConfig"];
    let map = maps.iter().any(|map| at.ends_with(&format!(".{map}")));
    let folded = sent.replace('\u{17f}', "s").replace('\u{212a}', "k");
    !map && sent != got && folded.eq_ignore_ascii_case(got)
}

/// Whether a text names the same container by its id, and all else that it says: a namespace, volumes, a link.
fn joins(at: &str, sent: &str, got: &str, terms: &[String]) -> bool {
    let by_id = terms.iter().filter_map(|term| term.strip_prefix("container ")?.split_once('='));
    by_id.into_iter().any(|(name, id)| {
        let expected = if at.contains(".VolumesFrom[") {
            sent.strip_prefix(name).map(|rest| format!("{id}{rest}"))
        } else if at.contains(".Links[") {
            let alias = sent.strip_prefix(name).map(|rest| match (rest, name.strip_prefix('/')) {
                ("", _) => name.trim_start_matches('/'),
                (rest, None) => &rest[1..],
                (rest, Some(_)) => rest.rsplit(['/', ':']).next().unwrap(),
            });
            alias.map(|alias| format!("{id}:{alias}"))
        } else {
            (sent == format!("container:{name}")).then(|| format!("container:{id}"))
        };
        expected.as_deref() == Some(got)
    })
}

/// What was sent but for the mounts of the daemon's socket and the MAC addresses that a term names.
fn without_omitted(sent: &Value, terms: &[String]) -> Value {
    let mut sent = sent.clone();
    for place in terms.iter().filter_map(|term| term.strip_prefix("without a MAC address: ")) {
        let (way, last) = place.rsplit_once('.').unwrap_or(("", place));
        let steps = way.split('.').filter(|step| !step.is_empty());
        let holder = steps.fold(&mut sent, |at, step| &mut at[step]);
        holder.as_object_mut().unwrap().remove(last);
    }
    let host = sent.get_mut("HostConfig").and_then(Value::as_object_mut);
    for (key, list) in host.into_iter().flatten() {
        let Some(items) = list.as_array_mut() else { continue };
        let mut places =
            (0..).map(|i| format!("without the daemon's socket: HostConfig.{key}[{i}]"));
        items.retain(|_| !terms.contains(&places.next().unwrap()));
    }
    sent
}

/// What was sent and did not arrive, or arrived and was neither sent nor one of the terms.
pub(crate) fn lost(sent: &Value, got: &Value, terms: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let sent = &without_omitted(sent, terms);
    compare(sent, got, "", terms, &mut wrong);
    wrong
}

fn compare(sent: &Value, got: &Value, at: &str, terms: &[String], wrong: &mut Vec<String>) {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            // a network goes on by its id, under which its settings then stand
            let network = |key: &String| {
                let prefix = format!("network {key}=");
                let id = terms.iter().find_map(|term| term.strip_prefix(&prefix));
                id.filter(|_| at.ends_with(".EndpointsConfig")).map(str::to_owned)
            };
            let by_id = |key: &String| network(key).is_some_and(|id| got.contains_key(&id));
            for (key, value) in
                sent.iter().filter(|(key, _)| !got.contains_key(*key) && !by_id(key))
            {
                let endpoint = at.contains(".EndpointsConfig.") || at == ".EndpointConfig";
                let dropped = endpoint && ANSWER_ONLY.contains(&key.as_str());
                let renamed = got.keys().any(|name| respelled(at, key, name));
                let place = format!("left out: {at}.{key}").replace(": .", ": ");
                let own = format!("{at}.{key}=default").trim_start_matches('.').to_owned();
                let left = terms.contains(&place) || terms.contains(&own);
                if !left && !says_nothing(value) && !tolerated(key, got) && !dropped && !renamed {
                    wrong.push(format!("lost: {at}.{key}"));
                }
            }
            for (key, value) in got {
                let (parent, at) = (at, format!("{at}.{key}"));
                let filled = |sent: &Value| {
                    let one_word =
                        value.as_array().is_some_and(|words| words.as_slice() == [sent.clone()]);
                    let objects = sent.is_object() && value.is_object();
                    says_nothing(sent) && !says_nothing(value) && !objects && !one_word
                };
                let alias = sent.iter().find(|(sent, _)| respelled(parent, sent, key));
                let alias = alias.map(|(_, value)| value);
                let named = sent.iter().find(|(sent, _)| network(sent).as_ref() == Some(key));
                let named = named.map(|(_, value)| value);
                match sent.get(key).or(alias).or(named) {
                    Some(sent) if !filled(sent) => compare(sent, value, &at, terms, wrong),
                    _ => added(value, &at, terms, wrong),
                }
            }
        }
        (Value::Array(sent), Value::Array(got)) if sent.len() == got.len() => {
            for (i, (sent, got)) in sent.iter().zip(got).enumerate() {
                compare(sent, got, &format!("{at}[{i}]"), terms, wrong);
            }
        }
        // one string stands for an array of it
        (Value::String(_), Value::Array(words)) if words.as_slice() == [sent.clone()] => {}
        // null in the place of an object without fields
        (Value::Null, Value::Object(got)) if got.is_empty() => {}
        // 0 and 0.0 are one ratio
        (sent, got) if at.ends_with(".MaxFailureRatio") && sent.as_f64() == got.as_f64() => {}
        (sent, got) if sent == got => {}
        (Value::String(sent), Value::String(got))
            if terms.contains(&format!("container {sent}={got}")) => {}
        (Value::String(sent), Value::String(got)) if joins(at, sent, got, terms) => {}
        (Value::String(sent), Value::String(got))
            if at.contains(".Aliases[")
                && terms
                    .iter()
                    .any(|term| term.starts_with(&format!("alias {sent}={got} on "))) => {}
        (Value::Array(_), Value::Array(_))
            if moves_volumes(terms) && matches!(at, ".HostConfig.Binds" | ".HostConfig.Mounts") => {
        }
        (Value::String(sent), Value::String(got))
            if (at.ends_with(".NetworkMode") || at.ends_with(".Target"))
                && terms.contains(&format!("network {sent}={got}")) => {}
        _ if is_set(at, sent, got, terms) => {}
        _ => wrong.push(format!("changed: {at}: {sent} into {got}")),
    }
}

/// What a profile writes over what was sent, or behind it.
fn is_set(at: &str, sent: &Value, got: &Value, terms: &[String]) -> bool {
    let of = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        _ => Vec::new(),
    };
    let value = match got {
        Value::Array(items) => match items.split_last() {
            Some((last, before)) if before == of(sent) || at.ends_with(".CapDrop") => last,
            _ => return false,
        },
        value => value,
    };
    let text = value.as_str().map_or(value.to_string(), str::to_owned);
    terms.contains(&format!("{}={text}", at.trim_start_matches('.')))
}

/// A value that was not sent: one of the terms, or the object that holds them.
fn added(value: &Value, at: &str, terms: &[String], wrong: &mut Vec<String>) {
    let at = at.trim_start_matches('.');
    let text = value.as_str().map_or(value.to_string(), str::to_owned);
    let into = |row: &Tolerated| match row.meaning {
        Meaning::Within(outer) => at == format!("{outer}.{}", row.key),
        Meaning::PathTarget | Meaning::Again(_) => false,
    };
    let moved = TOLERATED.iter().any(into);
    match value {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(key, value)| added(value, &format!("{at}.{key}"), terms, wrong));
        }
        _ if moved || terms.contains(&format!("{at}={text}")) => {}
        _ if is_ours(at, &text, terms) => {}
        _ if at.ends_with("].HostIp")
            && terms.contains(&format!("HostConfig.PortBindings.*.HostIp={text}")) => {}
        Value::Array(_) if at == "HostConfig.Mounts" && moves_volumes(terms) => {}
        Value::Array(_) if is_set(at, &Value::Null, value, terms) => {}
        _ => wrong.push(format!("added: {at}={text}, which is no term")),
    }
}

/// A label of ours, on what is made or on a volume that it brings about.
fn is_ours(at: &str, value: &str, terms: &[String]) -> bool {
    let key = at.rsplit_once("Labels.").map(|(_, key)| key);
    key.is_some_and(|key| terms.contains(&format!("label {key}={value}")))
}

/// Binds that become mounts stand in the cases by themselves.
fn moves_volumes(terms: &[String]) -> bool {
    terms.iter().any(|term| term.starts_with("volumes labelled: "))
}

fn tolerated(key: &str, got: &serde_json::Map<String, Value>) -> bool {
    TOLERATED.iter().filter(|row| row.key == key).any(|row| match row.meaning {
        Meaning::PathTarget => true,
        Meaning::Again(own) => got.contains_key(own),
        Meaning::Within(other) => got.contains_key(other),
    })
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}
