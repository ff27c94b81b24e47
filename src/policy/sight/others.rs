//! What an answer tells of others by the way: ids in errors, containers of images and networks.

use crate::docker::Resource;
use serde_json::{Map, Value};

/// Letters of an id as it is shown at least.
const SHORT_ID: usize = 12;

/// An error of the daemon, without the ids of what whoever asks has not named.
#[must_use]
pub fn error_without_ids(body: &[u8], named: &str) -> Vec<u8> {
    let Ok(mut whole) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return without_ids(&String::from_utf8_lossy(body), named).into_bytes();
    };
    for value in whole.values_mut() {
        if let Value::String(text) = value {
            // swarmkit tells which service has a port, by name and id
            if let Some((before, _)) = text.split_once(" by service ") {
                *text = before.to_owned();
            }
            *text = without_ids(text, named);
        }
    }
    Value::Object(whole).to_string().into_bytes()
}

/// Takes out of an object what it tells of containers, whoever's they are: how many an image has, and which; those on a network, as
/// lists of old versions have them. Whether there was some.
pub(super) fn counts_others(kind: Resource, object: &mut Value) -> bool {
    let Some(fields) = object.as_object_mut() else { return false };
    let mut changed = false;
    match kind {
        Resource::Image => {
            if let Some(count) =
                fields.get_mut("Containers").filter(|count| count.as_i64() != Some(-1))
            {
                *count = (-1).into(); // as where nobody has counted them
                changed = true;
            }
            let manifests = fields.get_mut("Manifests").and_then(Value::as_array_mut);
            for manifest in manifests.into_iter().flatten() {
                if let Some(containers) = manifest.pointer_mut("/ImageData/Containers") {
                    *containers = Value::Array(Vec::new());
                    changed = true;
                }
            }
        }
        Resource::Network => {
            let there = fields.get("Containers").and_then(Value::as_object);
            if there.is_some_and(|containers| !containers.is_empty()) {
                fields.insert("Containers".to_owned(), Value::Object(Map::new()));
                changed = true;
            }
        }
        _ => {}
    }
    changed
}

/// A text without runs of hexadecimal digits that are long enough for an id, but for those that were named.
fn without_ids(text: &str, named: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        let (run, after) = from.split_at_checked(end).unwrap_or((from, ""));
        out.push_str(before);
        let hidden = run.len() >= SHORT_ID && !named.contains(run);
        out.push_str(if hidden { "(another)" } else { run });
        rest = after;
    }
    out.push_str(rest);
    out
}
