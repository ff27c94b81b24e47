//! Every request that names an object (`walk.yaml`), sent by its owner, by somebody of the owner's team, by a stranger and by
//! who may look at all: to the stranger it is as if it were not there, in status, words and heads.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::{Answer, Side};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dockward::facade::docker::{ROUTES, Resource, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What must be in no answer to anybody but its owner.
fn canary(owner: &str) -> String {
    format!("canary-of-{owner}-alone")
}

/// What stands in every place whose values are told to nobody who may only look.
fn value(owner: &str) -> String {
    format!("value-of-{owner}-alone")
}

/// It, and it in the form in which data is told.
fn values(owner: &str) -> [String; 2] {
    let value = value(owner);
    [STANDARD.encode(&value), value]
}

/// One row.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    does: String,
    send: String,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body is an empty archive.
    #[serde(default)]
    tar: bool,
    #[serde(default)]
    websocket: bool,
    /// The only ways in which it can be named; all where left out.
    #[serde(default)]
    by: Vec<String>,
    /// What comes of it to the owner; nothing: it is not sent by him, as it does not end.
    owner: Vec<u16>,
    #[serde(default = "not_there")]
    stranger: u16,
    /// To who may look at all; 403 is for whoever may not so much as look.
    #[serde(default)]
    auditor: Vec<u16>,
    /// Whether the same of what is not there comes to the same.
    #[serde(default = "yes")]
    absent: bool,
}

const fn not_there() -> u16 {
    404
}

const fn yes() -> bool {
    true
}

/// An object by every name it has: the first is the one it was given, or else its id.
type Names = BTreeMap<&'static str, Vec<String>>;

/// Resources of which somebody owns the objects.
const OWNED: [Resource; 9] = [
    Resource::Container,
    Resource::Image,
    Resource::Build,
    Resource::Volume,
    Resource::Network,
    Resource::Service,
    Resource::Task,
    Resource::Secret,
    Resource::Config,
];

/// What names no object that is there: lists, and what makes something or removes by the way.
const NAMELESS: [&str; 20] = [
    "BuildCancel",
    "BuildPrune",
    "ConfigCreate",
    "ConfigList",
    "ContainerPrune",
    "Grpc",
    "ImageAttestations", // of newer engines alone: tests/tenants/images.yaml
    "ImageList",
    "ImageLoad",
    "ImagePrune",
    "NetworkCreate",
    "NetworkList",
    "NetworkPrune",
    "SecretCreate",
    "SecretList",
    "ServiceList",
    "Session",
    "TaskList",
    "VolumeList",
    "VolumePrune",
];

/// Every operation on an object that has an owner has a row.
fn covers(rows: &[Row]) {
    let open = |verb| !matches!(verb, Verb::Never | Verb::Checkpoint);
    let owned = ROUTES.iter().filter(|row| OWNED.contains(&row.resource) && open(row.verb));
    let owned = owned.filter(|row| !row.reserved).map(|row| row.operation);
    let wanted: BTreeSet<_> = owned.filter(|of| !NAMELESS.contains(of)).collect();
    let walked: BTreeSet<_> = rows.iter().map(|row| row.does.as_str()).collect();
    assert_eq!(wanted, walked, "left: operations there are; right: those of walk.yaml");
}

/// Walks.
pub(crate) fn play(engine: Engine) {
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("walk.yaml")).unwrap();
    covers(&rows);
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let gate = super::tenants::gate(&scratch.path().join("gate"), &daemon.socket);
    let side = |name: &str| Side::gate(gate.port, gate.bundle(name));
    let straight = Side::daemon(&daemon.socket);
    let swarm = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#;
    let joined = straight.send("POST", "/swarm/init", swarm);
    assert_eq!(joined.status, 200, "{joined:?}");
    // who makes it, who uses it as his own, who has nothing to do with it
    for (maker, user, stranger) in [("anna", "anna", "bert"), ("shop-1", "shop-2", "anna")] {
        let names = made(&side(maker), maker);
        let absent = nowhere(&names);
        // by every name of the first; of the team's it is the same way
        let ways = if maker == user { usize::MAX } else { 1 };
        let walk = Walk { names: &names, absent: &absent, owner: maker, ways };
        let mut wrong = Vec::new();
        for row in &rows {
            wrong.extend(walk.of_stranger(row, &side(stranger), &gate, stranger));
            wrong.extend(walk.of_auditor(row, &side("auditor")));
        }
        wrong.extend(lists(&side(stranger), &names, maker));
        wrong.extend(told(&side(maker), &side("auditor"), &names, maker));
        for row in &rows {
            wrong.extend(walk.of_owner(row, &side(user)));
        }
        assert!(wrong.is_empty(), "{} of {maker}'s:\n{}", wrong.len(), wrong.join("\n"));
    }
    super::log::judge(&gate.end());
    println!("walk: {} rows", rows.len());
}

/// One of each kind, made by its owner.
fn made(owner: &Side, name: &str) -> Names {
    let post = |target: &str, body: Value| {
        let answer = owner.send("POST", &format!("/v1.41{target}"), &body.to_string());
        assert!((200..300).contains(&answer.status), "{target}: {answer:?}");
        answer.json()
    };
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let [c, n, v, i, s, k, f] =
        ["c", "n", "v", "i", "s", "k", "f"].map(|kind| format!("{name}-of-{kind}"));
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"],
        "Env": [format!("SECRET={}", canary(name)), format!("VALUE={}", value(name))],
        "Labels": { "secret": canary(name) },
        "HostConfig": { "LogConfig": { "Type": "json-file", "Config": { "tag": value(name) } } } });
    let container = text(&post(&format!("/containers/create?name={c}"), body), "Id");
    let started = owner.send("POST", &format!("/v1.41/containers/{c}/start"), "");
    assert_eq!(started.status, 204, "{started:?}");
    let works = json!({ "Cmd": ["sh", "-c", format!("sleep 1000; : {}", value(name))] });
    let works = text(&post(&format!("/containers/{c}/exec"), works), "Id");
    let works = owner.send("POST", &format!("/v1.41/exec/{works}/start"), r#"{ "Detach": true }"#);
    assert_eq!(works.status, 200, "{works:?}");
    let exec = text(&post(&format!("/containers/{c}/exec"), json!({ "Cmd": ["true"] })), "Id");
    let network = post("/networks/create", json!({ "Name": n, "CheckDuplicate": true }));
    post(
        "/volumes/create",
        json!({ "Name": v, "Labels": { "secret": canary(name) },
        "DriverOpts": { "type": "tmpfs", "device": "tmpfs", "o": format!("size=1m,uid={}", value(name)) } }),
    );
    let image = text(&post(&format!("/commit?container={c}&repo={i}"), json!({})), "Id");
    let secret = post("/secrets/create", json!({ "Name": k, "Data": "YQ==" }));
    let config =
        post("/configs/create", json!({ "Name": f, "Data": STANDARD.encode(value(name)) }));
    let service = json!({ "Name": s, "TaskTemplate": { "ContainerSpec": { "Image": "busybox", "Command": ["sleep", "1000"],
        "Env": [format!("SECRET={}", canary(name)), format!("VALUE={}", value(name))],
        "Mounts": [{ "Type": "volume", "Target": "/t", "VolumeOptions": { "DriverConfig": { "Name": "local",
            "Options": { "type": "tmpfs", "device": value(name) } } } }] } } });
    let service = text(&post("/services/create", service), "ID");
    let task = loop {
        let filter = format!("/v1.41/tasks?filters=%7B%22service%22:%5B%22{s}%22%5D%7D");
        let tasks = owner.send("GET", &filter, "").json();
        if let Some(id) = tasks[0]["ID"].as_str() {
            break id.to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let short = |id: &str| id.trim_start_matches("sha256:").chars().take(12).collect::<String>();
    let named = |name: String, id: String| vec![name, short(&id), id];
    Names::from([
        ("c", named(c, container)),
        ("x", vec![exec]),
        ("n", named(n, text(&network, "Id"))),
        ("v", vec![v]),
        ("i", named(i, image)),
        ("s", named(s, service)),
        ("t", vec![task]),
        ("k", named(k, text(&secret, "ID"))),
        ("f", named(f, text(&config, "ID"))),
    ])
}

/// Names of the same forms that nothing has.
fn nowhere(names: &Names) -> Names {
    let other = |name: &String| match name.contains("-of-") {
        true => name.replace("-of-", "-on-"),
        // of the same length and letters
        false => match name.strip_prefix("sha256:") {
            Some(hex) => format!("sha256:{}", hex.chars().rev().collect::<String>()),
            None => name.chars().rev().collect(),
        },
    };
    names.iter().map(|(kind, names)| (*kind, names.iter().map(other).collect())).collect()
}

struct Walk<'n> {
    names: &'n Names,
    absent: &'n Names,
    owner: &'n str,
    /// In how many ways each is named, at most.
    ways: usize,
}

impl Walk<'_> {
    /// How many ways there are to name what the row names.
    fn ways(&self, row: &Row) -> usize {
        let text = format!("{} {}", row.send, row.body.clone().unwrap_or_default());
        let of = self.names.iter().filter(|(kind, _)| text.contains(&format!("{{{kind}}}")));
        let ways = of.map(|(_, names)| names.len()).max().unwrap_or(1);
        if row.by.is_empty() { ways.min(self.ways) } else { 1 }
    }

    fn send(&self, row: &Row, side: &Side, names: &Names, way: usize) -> Answer {
        let fill = |text: &str| {
            names.iter().fold(text.to_owned(), |text, (kind, names)| {
                text.replace(&format!("{{{kind}}}"), &names[way.min(names.len() - 1)])
            })
        };
        let (method, target) = row.send.split_once(' ').unwrap();
        let body = row.body.as_ref().map(|body| fill(&body.to_string()));
        let mut headers: Vec<(String, String)> =
            row.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        if row.body.is_some() {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        if row.tar {
            headers.push(("Content-Type".into(), "application/x-tar".into()));
        }
        if row.websocket {
            for (name, value) in [
                ("Connection", "Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] {
                headers.push((name.into(), value.into()));
            }
        }
        let bytes = match (row.tar, &body) {
            (true, _) => vec![0; 1024],
            (false, Some(body)) => body.clone().into_bytes(),
            (false, None) => Vec::new(),
        };
        side.send_with(method, &format!("/v1.41{}", fill(target)), &headers, &bytes)
    }

    /// What the stranger is told, and that it is what is told of nothing at all; the log says whose it is.
    fn of_stranger(&self, row: &Row, side: &Side, gate: &Gate, name: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for way in 0..self.ways(row) {
            let there = self.send(row, side, self.names, way);
            let mut say = |what: String| wrong.push(format!("{} ({way}): {what}", row.send));
            if there.status != row.stranger {
                say(format!("to {name} {there:?}"));
            }
            let [encoded, value] = values(self.owner);
            if [canary(self.owner), encoded, value].iter().any(|secret| there.body.contains(secret))
            {
                say(format!("tells {name} {}", there.body));
            }
            if row.absent {
                let absent = self.send(row, side, self.absent, way);
                let same = |answer: &Answer, names: &Names| {
                    let mut all: Vec<&String> = names.values().flatten().collect();
                    all.sort_by_key(|name| std::cmp::Reverse(name.len())); // a short id begins a whole one
                    let text = all
                        .into_iter()
                        .fold(answer.told(), |text, name| text.replace(name.as_str(), "NAME"));
                    (answer.status, text)
                };
                let (there, absent) = (same(&there, self.names), same(&absent, self.absent));
                if there != absent {
                    say(format!(
                        "told apart by {name}: {there:?} and of what is not there {absent:?}"
                    ));
                }
            }
        }
        let of = format!("of {}", self.owner);
        let team = format!("of team-{}", self.owner.split('-').next().unwrap());
        let told = |event: &Value| {
            let reasons = event["decision"]["reasons"].as_array();
            reasons.into_iter().flatten().any(|reason| {
                let value = reason["value"].as_str().unwrap_or_default();
                reason["id"] == "owner.foreign" && (value.ends_with(&of) || value.ends_with(&team))
            })
        };
        if row.stranger == 404 && !gate.audit().iter().rev().take(12).any(told) {
            wrong.push(format!("{}: the log does not say whose it was", row.send));
        }
        wrong
    }

    fn of_auditor(&self, row: &Row, side: &Side) -> Vec<String> {
        let expected = if row.auditor.is_empty() { vec![403] } else { row.auditor.clone() };
        let of = |way| (way, self.send(row, side, self.names, way));
        // who may look at all is told no value
        let secrets = values(self.owner);
        let wrong = (0..self.ways(row)).map(of).filter(|(_, to)| {
            !expected.contains(&to.status) || secrets.iter().any(|secret| to.body.contains(secret))
        });
        wrong.map(|(way, to)| format!("{} ({way}): to the auditor {to:?}", row.send)).collect()
    }

    fn of_owner(&self, row: &Row, side: &Side) -> Vec<String> {
        let of = |way| (way, self.send(row, side, self.names, way));
        let ways = if row.owner.is_empty() { 0 } else { self.ways(row) };
        let wrong = (0..ways).map(of).filter(|(_, to)| !row.owner.contains(&to.status));
        wrong.map(|(way, to)| format!("{} ({way}): to its owner {to:?}", row.send)).collect()
    }
}

const LISTS: [&str; 13] = [
    "/containers/json?all=1&size=1",
    "/images/json?all=1",
    "/volumes",
    "/networks",
    "/services",
    "/tasks",
    "/secrets",
    "/configs",
    "/system/df",
    "/info",
    "/networks/bridge",
    "/networks/host",
    "/events?since=1&until=NOW",
];

/// What somebody is told there, of what was until now.
fn listed(side: &Side, list: &str) -> Answer {
    let now = jiff::Timestamp::now().as_second().to_string();
    side.send("GET", &format!("/v1.41{}", list.replace("NOW", &now)), "")
}

/// Whoever made it is told each value in these places, and who may look at all in none.
fn told(maker: &Side, auditor: &Side, names: &Names, owner: &str) -> Vec<String> {
    let name = |kind: &str| names[kind][0].clone();
    let places = [
        format!("/containers/{}/json", name("c")),
        format!("/containers/{}/top", name("c")),
        format!("/volumes/{}", name("v")),
        format!("/images/{}/json", name("i")),
        format!("/configs/{}", name("f")),
        format!("/services/{}", name("s")),
        format!("/tasks/{}", name("t")),
    ];
    let mut wrong = Vec::new();
    let has = |answer: &Answer| values(owner).iter().any(|value| answer.body.contains(value));
    for place in places.iter().map(String::as_str).chain(["/events?since=1&until=NOW"]) {
        if !has(&listed(maker, place)) {
            wrong.push(format!("{place} does not tell its maker what is in it"));
        }
    }
    for place in places.iter().map(String::as_str).chain(LISTS) {
        let told = listed(auditor, place);
        let forbidden = told.status == 403;
        if told.status != 200 && !forbidden || has(&told) {
            wrong.push(format!("{place} tells the auditor {told:?}"));
        }
        if forbidden {
            println!("walk: {place} is not for the auditor");
        }
    }
    wrong
}

/// Nothing of another's is in any list, in no event, and in no sum.
fn lists(side: &Side, names: &Names, owner: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for list in LISTS {
        let answer = listed(side, list);
        if answer.status != 200 {
            wrong.push(format!("{list}: {answer:?}"));
        }
        let ids = names.values().flatten().filter(|name| name.len() >= 12);
        for told in ids.filter(|name| answer.body.contains(name.as_str())) {
            wrong.push(format!("{list} tells of {told}"));
        }
        let [encoded, value] = values(owner);
        if [canary(owner), encoded, value].iter().any(|secret| answer.body.contains(secret)) {
            wrong.push(format!("{list} tells a secret"));
        }
    }
    wrong
}
