//! No differential, asked of the daemon itself: bodies generated from a table of fields and values go
//! through the gate; then every value sent must be found in what the daemon says it made, and what it
//! filled in must be in a listed table or be just what a twin made of the same bytes straight. Every other body goes through
//! the gate with what no daemon reads strewn into it, and fields in another letter case, and must have the effect of the body without.

use super::dockerd::Engine;
use super::http::{Answer, Side};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How many mixed bodies are generated at the newest version, beyond one for each value alone.
const MIXED: usize = 60;
/// How many at each older one.
const MIXED_OLDER: usize = 10;
/// The minor versions of the API beside the daemon's newest: what older clients pin, and the last one before
/// engines 25 read much in another way.
const OLDER: [u8; 4] = [43, 40, 39, 38];

/// `defaults.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    /// JSON pointer in the create body, to the values it is tried with.
    fields: BTreeMap<String, Vec<Value>>,
    /// JSON pointer in `inspect`, to what the daemon fills in where nothing was sent.
    defaults: BTreeMap<String, Vec<Value>>,
    /// The same below a minor version, where a `HostConfig` was sent: moby's `postContainersCreate`
    /// fills in only what is there.
    below: BTreeMap<u8, BTreeMap<String, Vec<Value>>>,
    /// Pointers at which the daemon may write another form of what was sent: (sent, made).
    forms: BTreeMap<String, Vec<(Value, Value)>>,
    /// Pairs that the daemon refuses together.
    apart: Vec<(String, String)>,
    /// JSON pointer in the create body, to what the developer's profile writes where nothing was sent.
    terms: BTreeMap<String, Value>,
    /// What some engines do otherwise.
    engines: Vec<Otherwise>,
}

/// What some engines fill in or make otherwise, put over the tables above.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    engines: Vec<Engine>,
    why: String,
    #[serde(default)]
    defaults: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    below: BTreeMap<u8, BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    forms: BTreeMap<String, Vec<(Value, Value)>>,
    /// Values of the create body that these refuse, or do not keep.
    #[serde(default)]
    without: BTreeMap<String, Vec<Value>>,
}

impl Tables {
    fn read(engine: Engine) -> Self {
        let mut tables: Self = serde_saphyr::from_str(include_str!("defaults.yaml")).unwrap();
        for other in std::mem::take(&mut tables.engines) {
            assert!(!other.why.is_empty(), "every entry has its reason");
            if other.engines.contains(&engine) {
                tables.put_over(other);
            }
        }
        tables
    }

    fn put_over(&mut self, other: Otherwise) {
        self.defaults.extend(other.defaults);
        for (minor, table) in other.below {
            self.below.entry(minor).or_default().extend(table);
        }
        for (pointer, forms) in other.forms {
            self.forms.entry(pointer).or_default().extend(forms);
        }
        for (pointer, values) in other.without {
            let kept = self.fields.get_mut(&pointer).expect("a field that is tried");
            kept.retain(|value| !values.contains(value));
        }
        self.fields.retain(|_, values| !values.is_empty());
    }

    fn lists(&self, minor: u8, body: &Value, place: &str, value: &Value) -> bool {
        let older = |(below, table): &(&u8, &BTreeMap<_, _>)| {
            minor < **below && table.contains_key(place) && body.get("HostConfig").is_some()
        };
        let older = self.below.iter().find(older);
        let table = older.map_or(&self.defaults, |(_, table)| table);
        table.get(place).is_some_and(|values| values.contains(&without_processors(value)))
    }
}

/// A list of masked paths without those that are there for each processor of some machines.
fn without_processors(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Array(items) = &mut value {
        let of_one = |item: &Value| item.as_str().is_some_and(|p| p.ends_with("/thermal_throttle"));
        items.retain(|item| !of_one(item));
    }
    value
}

/// What was wrong, with the bodies it was seen in.
#[derive(Default)]
struct Wrong(BTreeMap<String, Vec<String>>);

impl Wrong {
    fn add(&mut self, what: String, minor: u8, body: &Value) {
        self.0.entry(what).or_default().push(format!("1.{minor}: {body}"));
    }

    fn tell(&self) {
        let told = self.0.iter().map(|(what, bodies)| {
            format!("{what}\n  in {} bodies, as {}", bodies.len(), bodies[0])
        });
        assert!(self.0.is_empty(), "{}", told.collect::<Vec<_>>().join("\n"));
    }
}

/// A side that creates, and the daemon that it reaches in the end.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) through: &'a Side,
    pub(crate) daemon: &'a Side,
    /// The newest minor version that the daemon speaks.
    pub(crate) newest: u8,
}

impl At {
    fn minors(self, newest: u8) -> Vec<u8> {
        match self {
            Self::Newest => vec![newest],
            Self::Older => OLDER.into_iter().filter(|minor| *minor < newest).collect(),
        }
    }
}

/// At which versions of the API bodies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// At the newest that the daemon has.
    Newest,
    /// At older ones.
    Older,
}

/// As somebody whom no profile judges, at each version: what is made is what was sent.
pub(crate) fn unrestricted(engine: Engine, at: At, gated: Way<'_>, straight: Way<'_>) {
    let tables = Tables::read(engine);
    let mut wrong = Wrong::default();
    for minor in at.minors(gated.newest) {
        let bodies = bodies(&tables, if minor == gated.newest { MIXED } else { MIXED_OLDER });
        for (number, body) in bodies.iter().enumerate() {
            let name = format!("case{minor}-{number}");
            let (target, sent) = strewn(&name, number, body);
            let (made, twin) =
                twins(minor, &name, (gated, &sent, &target), (straight, body, &name));
            match (made, twin) {
                (Ok(made), Ok(twin)) => {
                    for difference in judge(&tables, minor, body, &made, &twin) {
                        wrong.add(difference, minor, body);
                    }
                }
                (made, twin) => wrong.add(format!("made {made:?}, twin {twin:?}"), minor, body),
            }
        }
        println!("differential: {} bodies at 1.{minor}", bodies.len());
    }
    wrong.tell();
}

/// As somebody with a profile, at the newest and the oldest version: what is accepted is made as sent,
/// with the profile's terms and nothing else; what is not accepted is not made.
pub(crate) fn judged(engine: Engine, at: At, gated: Way<'_>, straight: Way<'_>) {
    let tables = Tables::read(engine);
    let mut wrong = Wrong::default();
    for minor in at.minors(gated.newest).into_iter().rev().take(1) {
        let (mut accepted, mut refused) = (0, 0);
        for (number, body) in bodies(&tables, 0).iter().enumerate() {
            let name = format!("judged{minor}-{number}");
            let amended = amended(&tables, body);
            let (target, sent) = strewn(&name, number, body);
            let (made, twin) =
                twins(minor, &name, (gated, &sent, &target), (straight, &amended, &name));
            match (made, twin) {
                (Ok(made), Ok(twin)) => {
                    accepted += 1;
                    let (again, name) = (from_inspect(&made), format!("{name}-again"));
                    if let Err(answer) = create(minor, &name, (gated, &again, &name)) {
                        wrong.add(format!("made anew: {answer:?}"), minor, &again);
                    }
                    for difference in judge(&tables, minor, &amended, &made, &twin) {
                        wrong.add(difference, minor, body);
                    }
                }
                (Err(answer), Ok(_)) if answer.status == 403 => {
                    refused += 1;
                    let there = gated.daemon.send("GET", &format!("/containers/{name}/json"), "");
                    assert_eq!(there.status, 404, "{body} was refused and made");
                }
                (made, twin) => wrong.add(format!("made {made:?}, twin {twin:?}"), minor, body),
            }
        }
        println!("differential: a developer's, at 1.{minor}: {accepted} made, {refused} refused");
        assert!(accepted > 40 && refused > 20, "{accepted} accepted, {refused} refused");
    }
    wrong.tell();
}

/// What somebody would have to send straight to get what the gate makes of this body.
fn amended(tables: &Tables, body: &Value) -> Value {
    let mut amended = body.clone();
    // where the daemon's own default is the host's, to say so is to say nothing
    if amended.pointer("/HostConfig/CgroupnsMode") == Some(&json!("host")) {
        amended["HostConfig"]["CgroupnsMode"] = json!("private");
    }
    for (pointer, value) in &tables.terms {
        if body.pointer(pointer).is_none() {
            put(&mut amended, pointer, value.clone());
        }
    }
    amended
}

/// What a tool sends that makes a container anew from what the daemon says of it.
fn from_inspect(made: &Value) -> Value {
    let mut body = made["Config"].clone();
    body["HostConfig"] = made["HostConfig"].clone();
    body["NetworkingConfig"] = json!({ "EndpointsConfig": made["NetworkSettings"]["Networks"] });
    body
}

/// Creates on both sides at once, inspects, removes.
fn twins(
    minor: u8,
    name: &str,
    one: (Way<'_>, &Value, &str),
    other: (Way<'_>, &Value, &str),
) -> (Result<Value, Answer>, Result<Value, Answer>) {
    std::thread::scope(|scope| {
        let one = scope.spawn(move || create(minor, name, one));
        let other = create(minor, name, other);
        (one.join().unwrap(), other)
    })
}

/// Creates by a body and a query that begins with the name's value.
fn create(
    minor: u8,
    name: &str,
    (way, body, query): (Way<'_>, &Value, &str),
) -> Result<Value, Answer> {
    let target = format!("/v1.{minor}/containers/create?name={query}");
    let answer = way.through.send("POST", &target, &body.to_string());
    if answer.status != 201 {
        return Err(answer);
    }
    let there = format!("/v1.{}/containers/{name}", way.newest);
    let inspected = way.daemon.send("GET", &format!("{there}/json"), "").json();
    way.daemon.send("DELETE", &format!("{there}?force=1&v=1"), "");
    Ok(inspected)
}

/// Each value alone, then mixtures drawn by a fixed sequence: the same bodies on every run.
fn bodies(tables: &Tables, mixed: usize) -> Vec<Value> {
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
    for _ in 0..mixed {
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

/// The objects of a body whose keys are fields, if they are there; of lists the first item.
const OBJECTS: [&str; 8] = [
    "",
    "/HostConfig",
    "/HostConfig/Devices/0",
    "/HostConfig/LogConfig",
    "/HostConfig/Mounts/0",
    "/HostConfig/RestartPolicy",
    "/HostConfig/Ulimits/0",
    "/NetworkingConfig",
];

/// Every other body, and its query, with keys that no daemon reads, and with one field of each object in another letter case.
fn strewn(name: &str, number: usize, body: &Value) -> (String, Value) {
    let mut strewn = body.clone();
    if number.is_multiple_of(2) {
        return (name.to_owned(), strewn);
    }
    // the inner ones first: what holds them is then still called as the table calls it
    for (nth, pointer) in OBJECTS.iter().enumerate().rev() {
        let Some(fields) = strewn.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        let keys: Vec<_> = fields.keys().cloned().collect();
        let key = &keys[(number + nth) % keys.len()];
        let value = fields.remove(key).unwrap();
        let upper = (number / 2).is_multiple_of(2);
        let respelled = if upper { key.to_uppercase() } else { key.to_lowercase() };
        fields.insert(respelled, value);
        fields.insert("X-Nobody".to_owned(), json!({ "Privileged": true, "Binds": ["/:/host"] }));
        fields.insert("hijack".to_owned(), json!(number));
    }
    (format!("{name}&_={number}&Binds=%5B%22/:/host%22%5D&Env=%0A"), strewn)
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

fn judge(tables: &Tables, minor: u8, body: &Value, made: &Value, twin: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut sent = Vec::new();
    for pointer in tables.fields.keys().chain(tables.terms.keys()) {
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
            let listed = tables.lists(minor, body, place, value) || says_nothing(value);
            if !listed && place != "/Config/Hostname" {
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
