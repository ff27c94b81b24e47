//! No differential, asked of the daemon itself: bodies generated from a table of fields and values go
//! through the gate; then every value sent must be found in what the daemon says it made, and what it
//! filled in must be in a listed table or be just what a twin made of the same bytes straight.

use super::http::Side;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How many bodies are generated, beyond one for each value alone.
const MIXED: usize = 60;

/// `defaults.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    /// JSON pointer in the create body, to the values it is tried with.
    fields: BTreeMap<String, Vec<Value>>,
    /// JSON pointer in `inspect`, to what the daemon fills in where nothing was sent.
    defaults: BTreeMap<String, Vec<Value>>,
    /// Pointers at which the daemon may write another form of what was sent: (sent, made).
    forms: BTreeMap<String, Vec<(Value, Value)>>,
    /// Pairs that the daemon refuses together.
    apart: Vec<(String, String)>,
}

/// Runs the table: `gated` and `behind` reach the same daemon, `direct` its twin.
pub(crate) fn run(gated: &Side, behind: &Side, direct: &Side) {
    let tables: Tables = serde_saphyr::from_str(include_str!("defaults.yaml")).unwrap();
    let mut wrong = BTreeMap::<String, Vec<&Value>>::new();
    let bodies = bodies(&tables);
    for (number, body) in bodies.iter().enumerate() {
        let text = body.to_string();
        let name = format!("case{number}");
        let made = create(gated, behind, &name, &text);
        let twin = create(direct, direct, &name, &text);
        match (made, twin) {
            (Ok(made), Ok(twin)) => {
                for difference in judge(&tables, body, &made, &twin) {
                    wrong.entry(difference).or_default().push(body);
                }
            }
            (made, twin) => {
                let told = format!("made {made:?}, twin {twin:?}");
                wrong.entry(told).or_default().push(body);
            }
        }
    }
    println!("differential: {} bodies, {} kinds of difference", bodies.len(), wrong.len());
    let told = wrong
        .iter()
        .map(|(what, bodies)| format!("{what}\n  in {} bodies, as {}", bodies.len(), bodies[0]));
    assert!(wrong.is_empty(), "{}", told.collect::<Vec<_>>().join("\n"));
}

/// Creates, inspects, removes.
fn create(through: &Side, daemon: &Side, name: &str, body: &str) -> Result<Value, String> {
    let made = through.send("POST", &format!("/v1.41/containers/create?name={name}"), body);
    if made.status != 201 {
        return Err(format!("{made:?}"));
    }
    let inspected = daemon.send("GET", &format!("/v1.41/containers/{name}/json"), "").json();
    daemon.send("DELETE", &format!("/v1.41/containers/{name}?force=1&v=1"), "");
    Ok(inspected)
}

/// Each value alone, then mixtures drawn by a fixed sequence: the same bodies on every run.
fn bodies(tables: &Tables) -> Vec<Value> {
    let mut out = vec![json!({ "Image": "busybox" })];
    for (pointer, values) in &tables.fields {
        for value in values {
            let mut body = json!({ "Image": "busybox" });
            put(&mut body, pointer, value.clone());
            out.push(body);
        }
    }
    let mut drawn = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: usize| {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        usize::try_from(drawn % u64::try_from(below).unwrap()).unwrap()
    };
    for _ in 0..MIXED {
        let mut body = json!({ "Image": "busybox" });
        for (pointer, values) in &tables.fields {
            let clashes = tables
                .apart
                .iter()
                .any(|(first, second)| second == pointer && body.pointer(first).is_some());
            if draw(3) == 0 && !clashes {
                put(&mut body, pointer, values[draw(values.len())].clone());
            }
        }
        out.push(body);
    }
    out
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for key in pointer.trim_start_matches('/').split('/').map(unescaped) {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = at.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
    }
    *at = value;
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// Where `inspect` shows a field of the create body.
fn shown(pointer: &str) -> String {
    if let Some(rest) = pointer.strip_prefix("/NetworkingConfig/EndpointsConfig") {
        return format!("/NetworkSettings/Networks{rest}");
    }
    if pointer.starts_with("/HostConfig") {
        pointer.to_owned()
    } else {
        format!("/Config{pointer}")
    }
}

fn judge(tables: &Tables, body: &Value, made: &Value, twin: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut sent = Vec::new();
    for pointer in tables.fields.keys() {
        let Some(value) = body.pointer(pointer) else { continue };
        let place = shown(pointer);
        let found = made.pointer(&place).unwrap_or(&Value::Null);
        let forms = tables.forms.get(pointer).map_or(&[][..], Vec::as_slice);
        let mut made_of = forms.iter().filter(|(sent, _)| sent == value).map(|(_, made)| made);
        if !holds(value, found) && !made_of.any(|made| holds(made, found)) {
            wrong.push(format!("{pointer}: sent {value}, the daemon made {found}"));
        }
        sent.push(place);
    }
    for part in ["/Config", "/HostConfig"] {
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        leaves(part, made.pointer(part).unwrap(), &mut ours);
        leaves(part, twin.pointer(part).unwrap(), &mut theirs);
        for (place, value) in &ours {
            if sent.iter().any(|sent| place == sent || place.starts_with(&format!("{sent}/"))) {
                continue;
            }
            let listed = tables.defaults.get(place).is_some_and(|values| values.contains(value));
            if !listed && !says_nothing(value) && place != "/Config/Hostname" {
                wrong.push(format!("{place}: not sent, and {value} is no listed default"));
            }
        }
        for place in ours.keys().chain(theirs.keys()) {
            if ours.get(place) != theirs.get(place) && place != "/Config/Hostname" {
                let (ours, theirs) = (ours.get(place), theirs.get(place));
                wrong.push(format!("{place}: {ours:?} through the gate, {theirs:?} straight"));
            }
        }
    }
    wrong
}

/// Everything that was sent is in what was found, which may say more inside objects.
fn holds(sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => {
            sent.iter().all(|(key, value)| holds(value, found.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(sent), Value::Array(found)) => {
            sent.len() == found.len()
                && sent.iter().zip(found).all(|(sent, found)| holds(sent, found))
        }
        (sent, found) => sent == found || says_nothing(sent) && says_nothing(found),
    }
}

/// Go's zero values, which the daemon writes, omits and reads alike.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(items) => items.is_empty(),
        Value::Bool(true) => false,
    }
}

/// The leaves of objects; arrays count as leaves.
fn leaves(at: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(items) if !items.is_empty() => {
            for (key, value) in items {
                leaves(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), value, out);
            }
        }
        leaf => {
            out.insert(at.to_owned(), leaf.clone());
        }
    }
}
