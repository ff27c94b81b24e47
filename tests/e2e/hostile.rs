//! No differential in heads: requests are spelled in every way that a daemon and a gate could read apart.
//! What the gate lets through must have the effect that the same bytes have on a twin without a gate; what
//! the daemon reads in two ways, the gate refuses or writes in one.

use super::wire::{Came, Wire};
use serde_json::Value;

/// How many requests of each kind are made.
const EACH: usize = 400;
/// Where the dice begin; printed with every failure.
const SEED: u64 = 20_261_126;

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) same: usize,
    pub(crate) refused: usize,
    /// The gate wrote in one way what this daemon refuses as it came.
    pub(crate) mended: usize,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }
}

/// A gate with its daemon, and a twin without a gate.
pub(crate) struct Twins<'a> {
    pub(crate) gate: &'a Wire,
    pub(crate) behind: &'a Wire,
    pub(crate) direct: &'a Wire,
}

const PREFIXES: [&str; 16] = [
    "/v1.41", "/v1.41", "/v1.41", "/v1.40", "/v1.38", "", "/v1.041", "/v01.41", "/v1.41.",
    "/v1.41.0", "/V1.41", "/v1%2e41", "/v1.37", "/v1.99", "//v1.41", "/v1.24",
];

/// What is read, with queries that belong there, as clients write them and otherwise.
const READS: [(&str, &[&str]); 8] = [
    (
        "/containers/json",
        &[
            "all=1",
            "all=0",
            "all=off",
            "all=False",
            "all=%20no%20",
            "all=",
            "%61ll=1",
            "limit=1",
            "limit=-1",
            "size=1",
            "size=x",
            "before=web",
            "all=1&size=0",
            "all=1&limit=2&&",
            "all=1&filters={%22name%22:[%22web%22]}",
            "all=1&filters={%22name%22:{%22web%22:true}}",
            "all=1&filters={%22status%22:[%22running%22,%22created%22]}",
            "all=true&filters={}",
            "filters=null&all=1",
            "all=1&filters={%22label%22:[%22a%3Db%22]}",
            "all=1&filters=%7B+%22label%22+:%7B%22a%22:true%7D%7D",
            "all=1&trunc_cmd=0",
        ],
    ),
    (
        "/images/json",
        &["all=1", "digests=1", "filters={%22dangling%22:[%22true%22]}", "all=yes&digests=none"],
    ),
    (
        "/networks",
        &["", "filters={%22driver%22:[%22null%22]}", "filters={%22name%22:{%22none%22:true}}"],
    ),
    (
        "/volumes",
        &["", "filters={%22dangling%22:[%22true%22]}", "filters={%22label%22:[%22a=b%22]}"],
    ),
    ("/containers/web/json", &["size=1", "size=no", ""]),
    ("/images/busybox/json", &[""]),
    ("/images/busybox/history", &[""]),
    (
        "/containers/web/logs",
        &["stdout=1&tail=2", "tail=all&stdout=yes", "since=0.5&stdout=1", "stdout=1&stderr=off"],
    ),
];

/// What is read in two ways, or not at all.
const READ_TWICE: [&str; 13] = [
    "ALL=1",
    "all=0&all=1",
    "all=1;limit=1",
    "limit=01",
    "limit=1e1",
    "filters=x",
    "filters=%5B%5D",
    "filters={%22name%22:{%22web%22:false}}",
    "filters={%22name%22:[]}",
    "filters={%22Name%22:[%22x%22]}",
    "filters={%22name%22:[%22web%22],%22name%22:[]}",
    "filters={%22nope%22:[%22web%22]}",
    "all=%zz",
];

/// Writes whose effect is seen in what is listed afterwards.
const WRITES: [(&str, &str, &str); 30] = [
    ("POST", "/images/busybox/tag?repo=one&tag=1", ""),
    ("POST", "/images/busybox/tag?repo=two&repo=three&tag=1", ""),
    ("POST", "/images/busybox/tag?%72epo=four&tag=%31", ""),
    ("POST", "/images/busybox/tag?repo=five+&tag=1", ""),
    ("POST", "/images/busybox/tag?tag=2&repo=six;x", ""),
    ("POST", "/images/busybox/tag?repo=seven%3a3", ""),
    ("POST", "/images/busybox%2Ftag?repo=eight&tag=1", ""),
    ("POST", "/images/./busybox/tag?repo=nine&tag=1", ""),
    ("DELETE", "/images/one:1?noprune=no", ""),
    ("DELETE", "/images/one:1?force=f", ""),
    ("POST", "/containers/web/rename?name=web2", ""),
    ("POST", "/containers/web2/rename?name=%2Fweb", ""),
    ("POST", "/containers/web2/rename?name=web&name=other", ""),
    ("POST", "/containers/web2/rename?name=web", ""),
    ("POST", "/containers/web/update", r#"{"Memory":8000000,"MemorySwap":16000000}"#),
    ("POST", "/containers/web/update", r#"{"Memory":9000000,"memory":7000000}"#),
    ("POST", "/containers/web/update", r#"{"CpuShares":512,"RestartPolicy":{"Name":"no"}}"#),
    ("POST", "/containers/web/update", r#"{"CpuShares":256} {"CpuShares":2}"#),
    ("POST", "/containers/web/update", r#"{"cpushares":128}"#),
    ("POST", "/volumes/create", r#"{"Name":"v1","Labels":{"a":"b"}}"#),
    ("POST", "/volumes/create", r#"{"name":"v2"}"#),
    ("POST", "/volumes/create", r#"{"Name":"v3","Name":"v4"}"#),
    ("POST", "/volumes/create", r#"{"Name":"v5","DriverOpts":null,"Labels":null}"#),
    ("POST", "/volumes/create", r#"{"Name":"v6","Labels":{"x":"1","X":"2"},"New":null}"#),
    ("DELETE", "/volumes/v1?force=no", ""),
    ("POST", "/volumes/prune?filters={%22label%22:[%22a%3Db%22]}", ""),
    ("POST", "/volumes/prune?filters={%22label%22:[]}", ""),
    ("POST", "/images/prune?filters={%22dangling%22:{%22true%22:true}}", ""),
    ("POST", "/containers/prune?filters={%22until%22:[%221%22]}", ""),
    ("POST", "/containers/web/stop?t=0", ""),
];

/// Heads that carry something that must not matter, or that must be refused.
const NOISE: [&str; 12] = [
    "",
    "",
    "",
    "",
    "X-HTTP-Method-Override: DELETE\r\n",
    "Transfer_Encoding: chunked\r\n",
    "Content_Length: 100\r\n",
    "Upgrade: tcp\r\nConnection: Upgrade\r\n",
    "Expect: 100-continue\r\n",
    "Content-Encoding: gzip\r\n",
    "TE: trailers\r\n",
    "Content-Type: application/x-www-form-urlencoded\r\n",
];

/// Tries reads and writes.
pub(crate) fn play(twins: &Twins<'_>) -> (Tried, Tried) {
    for side in [twins.behind, twins.direct] {
        let body = r#"{"Image":"busybox","Cmd":["true"],"Labels":{"a":"b"},"HostConfig":{"NetworkMode":"none"}}"#;
        assert_eq!(side.ask("POST", "/containers/create?name=web", body).status, 201);
    }
    let mut dice = Dice(SEED);
    let (mut reads, mut writes, mut wrong) = (Tried::default(), Tried::default(), Vec::new());
    for _ in 0..EACH {
        let (path, queries) = dice.pick(&READS);
        let path = spelled(&mut dice, path);
        let query = match dice.roll(6) {
            0 => format!("?{}", dice.pick(&READ_TWICE)),
            _ => format!("?{}", dice.pick(queries)),
        };
        let request = bytes(&mut dice, "GET", &format!("{path}{query}"), "");
        // one daemon, so that the answers can be held side by side
        let (gated, straight) = (twins.gate.send(&request), twins.behind.send(&request));
        compare(&mut reads, &request, &gated, &straight, true, &mut wrong);
    }
    for _ in 0..EACH {
        let (method, path, body) = *dice.pick(&WRITES);
        let prefix = if dice.roll(4) == 0 { *dice.pick(&PREFIXES) } else { "/v1.41" };
        let request = bytes(&mut dice, method, &format!("{prefix}{path}"), body);
        let gated = twins.gate.send(&request);
        if is_refusal(&gated) {
            writes.refused += 1;
        } else {
            let straight = twins.direct.send(&request);
            compare(&mut writes, &request, &gated, &straight, false, &mut wrong);
        }
        let (behind, direct) = (state(twins.behind), state(twins.direct));
        if behind != direct {
            wrong.push(format!(
                "{}: leaves {behind} behind the gate, {direct} straight",
                told(&request)
            ));
            break;
        }
    }
    println!("hostile heads: seed {SEED}, reads {reads:?}, writes {writes:?}");
    assert!(wrong.is_empty(), "seed {SEED}:\n{}", wrong.join("\n"));
    (reads, writes)
}

/// A path in one of its spellings.
fn spelled(dice: &mut Dice, path: &str) -> String {
    let prefix = if dice.roll(4) == 0 { *dice.pick(&PREFIXES) } else { "/v1.41" };
    let path = match dice.roll(28) {
        0 => path.replacen("/json", "%2fjson", 1),
        1 => path.replacen('c', "%63", 1),
        2 => format!("{path}/"),
        3 => path.replacen('/', "//", 1),
        4 => format!("/.{path}"),
        5 => path.replacen("/web", "/x/../web", 1),
        6 => path.to_uppercase(),
        _ => path.to_owned(),
    };
    format!("{prefix}{path}")
}

fn bytes(dice: &mut Dice, method: &str, target: &str, body: &str) -> Vec<u8> {
    let noise = if dice.roll(3) == 0 { *dice.pick(&NOISE) } else { "" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\nHost: docker\r\n{noise}{kind}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A refusal of the gate's own: in its words, or those of the parser before it.
fn is_refusal(came: &Came) -> bool {
    let bare = came.status == 400 && came.body.is_empty();
    came.body.contains("dockward:")
        || bare
        || (400..500).contains(&came.status) && !from_daemon(came)
}

fn from_daemon(came: &Came) -> bool {
    came.head.to_ascii_lowercase().contains("\r\nserver: docker/")
}

fn compare(
    tried: &mut Tried,
    request: &[u8],
    gated: &Came,
    straight: &Came,
    whole: bool,
    wrong: &mut Vec<String>,
) {
    if is_refusal(gated) {
        tried.refused += 1;
    } else if gated.status == straight.status
        && (!whole || plain(&gated.body) == plain(&straight.body))
    {
        tried.same += 1;
    } else if straight.status >= 300 && gated.status < 300 && whole {
        tried.mended += 1;
    } else {
        let request = told(request);
        wrong.push(format!("{request}: gated {gated:?}, straight {straight:?}"));
    }
}

fn told(request: &[u8]) -> String {
    String::from_utf8_lossy(request).replace("\r\n", " | ")
}

/// An answer without what changes from second to second.
fn plain(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let items: Vec<&mut Value> = match &mut value {
        Value::Array(items) => items.iter_mut().collect(),
        other => vec![other],
    };
    for item in items {
        if let Value::Object(fields) = item {
            fields.remove("Status");
        }
    }
    if let Value::Array(items) = &mut value {
        items.sort_by_key(Value::to_string); // networks come in any order
    }
    value.to_string()
}

/// What can be seen of a daemon's names and limits, without ids and times.
fn state(daemon: &Wire) -> Value {
    let list = |path: &str| -> Value {
        let came = daemon.ask("GET", path, "");
        serde_json::from_str(&came.body).unwrap_or_else(|error| panic!("{path}: {error}: {came:?}"))
    };
    let mut tags: Vec<String> = list("/v1.41/images/json")
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|image| image["RepoTags"].as_array().cloned().unwrap_or_default())
        .map(|tag| tag.to_string())
        .collect();
    tags.sort();
    let mut volumes: Vec<String> = list("/v1.41/volumes")["Volumes"]
        .as_array()
        .cloned()
        .unwrap_or_default()
        .iter()
        .map(|volume| format!("{} {}", volume["Name"], volume["Labels"]))
        .collect();
    volumes.sort();
    let containers: Vec<Value> = list("/v1.41/containers/json?all=1").as_array().unwrap().clone();
    let containers: Vec<String> = containers
        .iter()
        .map(|container| {
            let id = container["Id"].as_str().unwrap();
            let inspected = list(&format!("/v1.41/containers/{id}/json"));
            let host = &inspected["HostConfig"];
            format!(
                "{} {} {} {} {}",
                inspected["Name"],
                host["Memory"],
                host["MemorySwap"],
                host["CpuShares"],
                host["RestartPolicy"]
            )
        })
        .collect();
    serde_json::json!({ "tags": tags, "volumes": volumes, "containers": containers })
}
