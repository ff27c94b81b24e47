//! The corpus: cases that anyone who knows Docker can read and add, and the judging of one case by
//! the pure core alone. `tests/corpus.rs` runs them; `tests/tidy.rs` asks what they cover.

use super::corpus_daemon::Daemon;
use super::corpus_policy::policy_in;
use dockward::facade::docker::body::Body;
use dockward::facade::docker::{
    Accepted, ApiVersion, CallHead, Flaw, Outbound, RequestHead, classify,
};
use dockward::facade::identity::{Identity, IdentityName, supposed};
use dockward::facade::policy::facts::{Container, DaemonDefaults, Image, Network, Volume};
use dockward::facade::policy::{
    Decision, Facts, Finding, Needs, PathFact, Policy, Reason, Seen, hear,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What daemons are asked in, at most; the floor is the default one.
const CEILING: ApiVersion = ApiVersion::NEWEST;

/// One entry of a corpus file, as written. `given` alone sets what the entries below it leave out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    given: Option<Box<Entry>>,
    name: String,
    #[serde(rename = "as")]
    identity: String,
    send: String,
    http: String,
    headers: BTreeMap<String, Json>,
    body: Option<Json>,
    raw: Option<String>,
    hex: Option<String>,
    tar: Option<String>,
    each: Vec<Json>,
    expect: Option<Json>,
    reasons: Vec<String>,
    left: Vec<String>,
    would: Vec<String>,
    forwards: Option<String>,
    with: Option<Json>,
    passes: Option<BTreeMap<String, String>>,
    upgrades: Option<bool>,
}

/// One case: `each` is spread out, `given` is filled in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// The file, from `tests/corpus`.
    pub(crate) file: String,
    /// The name; unique in its file.
    pub(crate) name: String,
    /// Who sends it.
    pub(crate) identity: String,
    /// The method.
    pub(crate) method: String,
    /// The request target.
    pub(crate) target: String,
    /// `1.0` for HTTP/1.0.
    pub(crate) http: String,
    /// The header fields, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body's bytes.
    pub(crate) bytes: Vec<u8>,
    /// `allow`, or the status of the refusal.
    pub(crate) expect: String,
    /// The reasons of the refusal, `id` or `id place`: exactly these, in order.
    pub(crate) reasons: Vec<String>,
    /// What is left out of it, by place: exactly this, in order.
    pub(crate) left: Vec<String>,
    /// What would have been denied of one that is only observed.
    pub(crate) would: Vec<String>,
    /// Method and target as forwarded.
    pub(crate) forwards: Option<String>,
    /// What the forwarded body must hold at least.
    pub(crate) with: Option<serde_json::Value>,
    /// Exactly the client's headers that are passed on.
    pub(crate) passes: Option<BTreeMap<String, String>>,
    /// Whether the connection may be taken over.
    pub(crate) upgrades: Option<bool>,
}

/// What the core makes of a case.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// `allow`, or the status of the refusal.
    pub(crate) status: String,
    /// Reasons, `id` or `id place`.
    pub(crate) reasons: Vec<String>,
    /// What a person is told, by reason.
    pub(crate) texts: Vec<String>,
    /// Each reason of a denial with the value that the log gets.
    pub(crate) told: Vec<(&'static str, String)>,
    /// Docker's operation id, where the head was understood.
    pub(crate) operation: Option<&'static str>,
    /// Index in ROUTES, where the head was understood.
    pub(crate) row: Option<usize>,
    /// What would have been denied.
    pub(crate) would: Vec<String>,
    /// What we wrote in.
    pub(crate) terms: Vec<String>,
    /// Whether what was looked up may be remembered.
    pub(crate) remembered: bool,
    /// The request as forwarded.
    pub(crate) outbound: Option<Outbound>,
}

/// JSON as written in a corpus file: in order, so that what is sent is what is seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// A scalar or list as `serde_json` has it.
    Plain(serde_json::Value),
    /// A list.
    List(Vec<Json>),
    /// A mapping, in the order written.
    Map(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Json;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON written as YAML")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Plain(serde_json::Value::Null))
            }
            fn visit_none<E>(self) -> Result<Json, E> {
                Ok(Json::Plain(serde_json::Value::Null))
            }
            fn visit_bool<E>(self, b: bool) -> Result<Json, E> {
                Ok(Json::Plain(b.into()))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Json, E> {
                Ok(Json::Plain(n.into()))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Json, E> {
                Ok(Json::Plain(n.into()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Json, E> {
                Ok(Json::Plain(n.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Plain(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Json::Map(entries))
            }
        }
        reader.deserialize_any(Seen)
    }
}

impl Json {
    fn text(&self) -> String {
        match self {
            Self::Plain(serde_json::Value::String(text)) => text.clone(),
            Self::Plain(value) => value.to_string(),
            other => other.write(),
        }
    }

    fn write(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Plain(value) => value.to_string(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::write).collect::<Vec<_>>().join(","))
            }
            Self::Map(entries) => {
                let each = entries.iter().map(|(k, v)| format!("{}:{}", quoted(k), v.write()));
                format!("{{{}}}", each.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Puts a value in the place of `$each`.
    fn spread(&self, value: &Self) -> Self {
        match self {
            Self::Plain(serde_json::Value::String(text)) if text == "$each" => value.clone(),
            Self::Plain(serde_json::Value::String(text)) => {
                Self::Plain(text.replace("$each", &value.text()).into())
            }
            Self::Plain(_) => self.clone(),
            Self::List(items) => Self::List(items.iter().map(|i| i.spread(value)).collect()),
            Self::Map(entries) => {
                let each =
                    |(k, v): &(String, Self)| (k.replace("$each", &value.text()), v.spread(value));
                Self::Map(entries.iter().map(each).collect())
            }
        }
    }
}

/// Every case under `tests/corpus`, in the order of the files.
pub(crate) fn cases() -> Vec<Case> {
    cases_in("tests/corpus")
}

/// Every case of the corpus in this directory, in the order of the files.
pub(crate) fn cases_in(root: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.strip_prefix(&root).unwrap().display().to_string();
        if matches!(file.as_str(), "policy.yaml" | "host.yaml" | "daemon.yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let entries: Vec<Entry> =
            serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        let mut given = Entry::default();
        for entry in entries {
            match entry.given {
                Some(next) => given = *next,
                None => spread(&file, &given, &entry, &mut cases),
            }
        }
    }
    cases
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "yaml") {
            files.push(entry);
        }
    }
}

fn spread(file: &str, given: &Entry, entry: &Entry, cases: &mut Vec<Case>) {
    if entry.each.is_empty() {
        return cases.push(case(file, given, entry, None));
    }
    cases.extend(entry.each.iter().map(|value| case(file, given, entry, Some(value))));
}

fn case(file: &str, given: &Entry, entry: &Entry, value: Option<&Json>) -> Case {
    let fill = |text: &str| value.map_or(text.to_owned(), |v| text.replace("$each", &v.text()));
    let fills = |texts: &[String]| texts.iter().map(|t| fill(t)).collect::<Vec<_>>();
    let json = |json: &Json| value.map_or(json.clone(), |v| json.spread(v));
    let or_given = |own: &str, given: &str| fill(if own.is_empty() { given } else { own });
    let name = match value {
        Some(v) if !entry.name.contains("$each") => format!("{}: {}", entry.name, v.text()),
        _ => fill(&entry.name),
    };
    let send = or_given(&entry.send, &given.send);
    let (method, target) = send.split_once(' ').unwrap_or_else(|| panic!("{file}: {name}: send"));
    let bytes = entry.hex.as_ref().map(|hex| unhex(&fill(hex)));
    let bytes = bytes.or_else(|| entry.raw.as_ref().map(|raw| fill(raw).into_bytes()));
    let bytes = bytes.or_else(|| entry.tar.as_ref().map(|name| tar(&fill(name))));
    let bytes = bytes.or_else(|| entry.body.as_ref().map(|b| json(b).write().into_bytes()));
    let mut headers = given.headers.clone();
    headers.extend(entry.headers.iter().map(|(name, v)| (fill(name), json(v))));
    let bytes_sent = bytes.as_deref().unwrap_or_default();
    Case {
        file: file.to_owned(),
        identity: or_given(&entry.identity, &given.identity),
        method: method.to_owned(),
        target: target.to_owned(),
        http: or_given(&entry.http, &given.http),
        headers: header_fields(&headers, bytes.is_some().then_some(bytes_sent.len())),
        bytes: bytes.clone().unwrap_or_default(),
        expect: (entry.expect.as_ref().or(given.expect.as_ref()))
            .unwrap_or_else(|| panic!("{file}: {name}: expect"))
            .text(),
        reasons: fills(&entry.reasons),
        left: fills(&entry.left),
        would: fills(&entry.would),
        forwards: entry.forwards.as_deref().map(fill),
        with: entry.with.as_ref().map(|w| serde_json::from_str(&json(w).write()).unwrap()),
        passes: entry.passes.clone(),
        upgrades: entry.upgrades,
        name,
    }
}

/// A tar of one empty file.
fn tar(name: &str) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(b"00000000000");
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend([0; 1024]);
    block
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Host, and with a body its type and length, unless the case says otherwise: null is none, a list
/// is the field several times.
fn header_fields(said: &BTreeMap<String, Json>, length: Option<usize>) -> Vec<(String, String)> {
    let says = |name: &str| said.keys().any(|k| k.eq_ignore_ascii_case(name));
    let mut fields = Vec::new();
    if !says("host") {
        fields.push(("Host".to_owned(), "docker".to_owned()));
    }
    if let Some(length) = length {
        if !says("content-type") {
            fields.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        if !says("content-length") && !says("transfer-encoding") {
            fields.push(("Content-Length".to_owned(), length.to_string()));
        }
    }
    for (name, value) in said {
        match value {
            Json::Plain(serde_json::Value::Null) => {}
            Json::List(many) => fields.extend(many.iter().map(|v| (name.clone(), v.text()))),
            one => fields.push((name.clone(), one.text())),
        }
    }
    fields
}

/// What is found when the gate looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// What `host.yaml` and `daemon.yaml` say.
    Corpus,
    /// The same before a daemon whose host paths are not the gate's own: it has another root.
    Apart,
    /// The same once whatever ran has stopped and whatever did not runs.
    Turned,
    /// The daemon has nothing.
    Empty,
    /// The daemon has nothing, and has another root besides.
    EmptyApart,
    /// The daemon has whatever is named, made on this host.
    Local,
}

impl World {
    /// Those in which other things are there.
    pub(crate) const OTHERS: [Self; 2] = [Self::Empty, Self::Local];

    /// The same world without what the corpus says is there.
    pub(crate) const fn emptied(self) -> Self {
        match self {
            Self::Apart | Self::EmptyApart => Self::EmptyApart,
            Self::Corpus | Self::Turned | Self::Empty | Self::Local => Self::Empty,
        }
    }
}

/// The core with the corpus policy and host.
pub(crate) struct Bench {
    floor: ApiVersion,
    ceiling: ApiVersion,
    policy: Policy,
    host: BTreeMap<String, PathFact>,
    daemon: Daemon,
}

impl Bench {
    /// Reads policy and host.
    pub(crate) fn new() -> Self {
        Self::at(CEILING.minor())
    }

    /// The same before a daemon whose newest version is `1.minor`.
    pub(crate) fn at(minor: u8) -> Self {
        Self::reading("tests/corpus", minor)
    }

    /// The core with the policy, host and daemon of the corpus in this directory.
    pub(crate) fn reading(root: &str, minor: u8) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(root).join("host.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let host: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
        let host = host.into_iter().map(|(p, w)| (p, fact(&w))).collect();
        let ceiling = ApiVersion::new(minor);
        let floor = ApiVersion::FLOOR;
        Self { floor, ceiling, policy: policy_in(root), host, daemon: Daemon::read(root) }
    }

    /// The same where `api_min` is `1.minor`.
    pub(crate) fn from(self, minor: u8) -> Self {
        Self { floor: ApiVersion::new(minor), ..self }
    }

    /// Everybody whom the policy names.
    pub(crate) fn identities(&self) -> Vec<String> {
        self.policy.identities.iter().map(|rule| rule.name().to_string()).collect()
    }

    /// What becomes of a case.
    pub(crate) fn judge(&self, case: &Case) -> Verdict {
        self.judge_in(case, World::Corpus)
    }

    /// What would become of it where other things are found.
    pub(crate) fn judge_in(&self, case: &Case, world: World) -> Verdict {
        let method = http::Method::from_bytes(case.method.as_bytes()).unwrap();
        let Ok(uri) = case.target.parse() else {
            panic!("{}: {}: hyper itself refuses this target", case.file, case.name)
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &case.headers {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let version =
            if case.http == "1.0" { http::Version::HTTP_10 } else { http::Version::HTTP_11 };
        let head = RequestHead { method: &method, uri: &uri, version, headers: &headers };
        match classify(&head, Accepted { floor: self.floor, ceiling: self.ceiling }) {
            Err(malformed) => refused_as(&malformed),
            Ok(call) => {
                let row = dockward::facade::docker::ROUTES.iter().position(|r| r == call.route);
                Verdict {
                    operation: Some(call.route.operation),
                    row,
                    ..self.judge_head(case, &call, world)
                }
            }
        }
    }

    fn judge_head(&self, case: &Case, head: &CallHead, world: World) -> Verdict {
        let identity = self.identity(&case.identity);
        let heard = match hear(&identity, head, &self.policy) {
            Ok(heard) => heard,
            Err(denial) => return denied(&denial.findings),
        };
        let asking = match heard.read(&case.bytes) {
            Ok(asking) => asking,
            Err(malformed) => return refused_as(&malformed),
        };
        let body = &asking.call().body;
        let typed = !matches!(body, Body::None | Body::Archive(_) | Body::Opaque);
        let settled = match asking.settle(|asked| self.found(asked, world)) {
            Ok(settled) => settled,
            Err(malformed) => return refused_as(&malformed),
        };
        let remembered = settled.may_be_remembered();
        match settled.decide() {
            Decision::Deny(denial) => Verdict { remembered, ..denied(&denial.findings) },
            Decision::Allow(permit) => {
                let written = matches!(
                    permit.outbound().body,
                    dockward::facade::docker::OutboundBody::Json(_)
                );
                assert_eq!(typed, written, "{}: {}: JSON is written by us", case.file, case.name);
                Verdict {
                    status: "allow".to_owned(),
                    remembered,
                    would: permit.would().iter().map(line).collect(),
                    terms: permit.terms().collect(),
                    outbound: Some(permit.outbound().clone()),
                    ..Verdict::default()
                }
            }
        }
    }

    /// What is found in this world.
    fn found(&self, asked: &Needs, world: World) -> Facts {
        match world {
            World::Apart => Facts {
                host_paths: all(&asked.host_paths, |_| fact("unseen")),
                ..self.found(asked, World::Corpus)
            },
            World::EmptyApart => Facts {
                host_paths: all(&asked.host_paths, |_| fact("unseen")),
                ..self.found(asked, World::Empty)
            },
            World::Corpus => Facts {
                host_paths: (asked.host_paths.iter())
                    .filter_map(|path| self.host.get_key_value(path))
                    .map(|(path, fact)| (path.clone(), fact.clone()))
                    .collect(),
                exec: asked.exec.as_deref().map(|id| self.daemon.exec(id)),
                images: self.daemon.images(&asked.images).into_iter().collect(),
                volumes: self.daemon.volumes(&asked.volumes).into_iter().collect(),
                containers: self.daemon.containers(&asked.containers).into_iter().collect(),
                networks: self.daemon.networks(&asked.networks).into_iter().collect(),
                container_paths: self.daemon.container_paths(&asked.container_paths),
                kept: self.daemon.kept(&asked.kept),
                defaults: asked.defaults.then(defaults),
                remembered: false,
            },
            World::Turned => {
                let mut facts = self.found(asked, World::Corpus);
                for container in facts.containers.values_mut() {
                    if let Seen::Found(container) = container {
                        container.running = !container.running;
                    }
                }
                facts
            }
            World::Empty => Facts {
                host_paths: all(&asked.host_paths, |_| PathFact::Missing { fixed: true }),
                exec: asked.exec.as_ref().map(|_| Seen::Missing),
                images: all(&asked.images, |_| Seen::Missing),
                volumes: all(&asked.volumes, |_| Seen::Missing),
                containers: all(&asked.containers, |_| Seen::Missing),
                networks: all(&asked.networks, |_| Seen::Missing),
                kept: asked.kept.iter().map(|of| (of.clone(), Seen::Missing)).collect(),
                container_paths: BTreeMap::new(),
                defaults: None,
                remembered: false,
            },
            World::Local => Facts {
                host_paths: all(&asked.host_paths, |_| PathFact::Plain {
                    root_owned: true,
                    fixed: true,
                }),
                exec: asked.exec.as_deref().map(|id| self.daemon.exec(id)),
                images: all(&asked.images, |name| {
                    Seen::Found(Image { tags: vec![name.to_owned()], ..Image::default() })
                }),
                volumes: all(&asked.volumes, |_| {
                    Seen::Found(Volume { driver: "local".into(), ..Volume::default() })
                }),
                containers: all(&asked.containers, |_| {
                    let (id, image) = ("c".repeat(64), "sha256:5".into());
                    let host_config = "{}".to_owned();
                    Seen::Found(Container { id, image, host_config, ..Container::default() })
                }),
                networks: all(&asked.networks, |name| {
                    Seen::Found(Network {
                        id: "d".repeat(64),
                        name: name.to_owned(),
                        ..Network::default()
                    })
                }),
                container_paths: (asked.container_paths.iter())
                    .map(|of| (of.clone(), of.1.clone()))
                    .collect(),
                kept: asked.kept.iter().map(|of| (of.clone(), Seen::Missing)).collect(),
                defaults: asked.defaults.then(defaults),
                remembered: false,
            },
        }
    }

    fn identity(&self, name: &str) -> Identity {
        let wanted = name.parse::<IdentityName>().unwrap();
        let found = supposed(&self.policy.identities, &wanted);
        found.unwrap_or_else(|| panic!("no identity {name:?} in tests/corpus/policy.yaml"))
    }
}

/// The same kind of answer for each name.
fn all<T>(names: &BTreeSet<String>, found: impl Fn(&str) -> T) -> BTreeMap<String, T> {
    names.iter().map(|name| (name.clone(), found(name))).collect()
}

fn fact(word: &str) -> PathFact {
    match word {
        "plain" => PathFact::Plain { root_owned: false, fixed: true },
        "loose" => PathFact::Plain { root_owned: false, fixed: false },
        "root-owned" => PathFact::Plain { root_owned: true, fixed: true },
        "missing" => PathFact::Missing { fixed: true },
        "missing-loose" => PathFact::Missing { fixed: false },
        "link" => PathFact::Link,
        "socket" => PathFact::Socket,
        "device" => PathFact::Device,
        "other" => PathFact::Other,
        "protected" => PathFact::Protected,
        "unseen" => PathFact::Unseen { why: "hidden from the gate".to_owned() },
        _ => panic!("host.yaml: {word:?}"),
    }
}

fn refused_as(malformed: &dockward::facade::docker::Malformed) -> Verdict {
    let status = match malformed.flaw {
        Flaw::RouteUnknown => "403",
        Flaw::NameAbsent => "404",
        Flaw::BodyTooLarge => "413",
        Flaw::TargetTooLong => "414",
        _ => "400",
    };
    let reason = format!("{} {}", malformed.flaw.id(), malformed.at);
    Verdict {
        status: status.to_owned(),
        reasons: vec![reason.trim_end().to_owned()],
        texts: vec![malformed.to_string()],
        ..Verdict::default()
    }
}

fn denied(findings: &[Finding]) -> Verdict {
    let any = |is: fn(Reason) -> bool| findings.iter().any(|finding| is(finding.reason));
    let status = match () {
        () if any(Reason::is_absent) => "404",
        () if any(|reason| reason == Reason::OwnerTaken) => "409",
        () => "403",
    };
    Verdict {
        status: status.to_owned(),
        reasons: findings.iter().map(line).collect(),
        texts: findings.iter().map(|f| f.what.clone()).collect(),
        told: findings.iter().map(|f| (f.reason.id(), f.value.clone())).collect(),
        ..Verdict::default()
    }
}

fn line(finding: &Finding) -> String {
    format!("{} {}", finding.reason.id(), finding.field).trim_end().to_owned()
}

/// What the corpus's daemon does by itself.
fn defaults() -> DaemonDefaults {
    DaemonDefaults { runtime: Some("runc".to_owned()), own_cgroupns: true, builtin_seccomp: true }
}
