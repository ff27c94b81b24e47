//! No differential: from whatever JSON the gate takes and writes anew, Go's own decoder must read the
//! same value as from the client's bytes. Generated documents, hostile ones, for every body, query value
//! and header that is JSON, judged by a Go program that decodes as dockerd does (`tests/oracle/go`).
//! Needs the Go that `make install` brings.
//!
//! `DOCKWARD_ORACLE_DOCUMENTS` says how many, `DOCKWARD_ORACLE_SEED` which; a run of a million is
//! `DOCKWARD_ORACLE_DOCUMENTS=1000000 cargo test --release --test oracle`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "oracle/dice.rs"]
mod dice;
#[path = "oracle/dockerd.rs"]
mod dockerd;
#[path = "oracle/document.rs"]
mod document;
#[path = "oracle/gate.rs"]
mod gate;
#[path = "oracle/hostile.rs"]
mod hostile;
#[path = "oracle/shape.rs"]
mod shape;

use dice::Dice;
use dockerd::{Decoder, Report};
use dockward::facade::docker::route::{Param, ParamKind};
use document::{Document, Node};
use gate::{Door, Way};
use hostile::Change;
use shape::Shape;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

/// Enough to meet every change in every body, and quick in a debug build.
const DOCUMENTS: u64 = 30_000;
const SEED: u64 = 20_261_126;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number"))
    })
}

/// What the gate takes in no place, whatever else the document says.
const NEVER_TAKEN: &[Change] = &[
    Change::KeyTwice,
    Change::ObjectInParts,
    Change::ArrayShrinkGrow,
    Change::Trailing,
    Change::NotUtf8,
];

/// A place that takes JSON, the shape that the oracle has for it, and what real clients sent there.
struct Place {
    door: Door,
    shape: Shape,
    recorded: Vec<Node>,
}

fn places() -> Vec<Place> {
    let mut shapes = shape::shapes(&Decoder::Classic.fields());
    let recorded = gate::recorded();
    let place = |door: Door| {
        let shape = match door.way {
            Way::Query(Param { kind: ParamKind::Filters(keys), .. }) => shape::filtered(keys),
            _ => shapes
                .get(&door.name)
                .cloned()
                .unwrap_or_else(|| panic!("add {} to tests/oracle/go/bodies.go", door.name)),
        };
        let sent = recorded.iter().filter(|(of, _)| *of == door.name);
        Place { shape, recorded: sent.map(|(_, body)| Node::of(body)).collect(), door }
    };
    let mut places: Vec<_> = gate::doors().into_iter().map(place).collect();
    let largest = places.iter().position(|place| place.door.name == "ContainerCreate").unwrap();
    places.swap(0, largest);
    shapes.retain(|name, _| places.iter().all(|place| place.door.name != *name));
    assert!(shapes.is_empty(), "no route has these: {:?}", shapes.keys());
    places
}

/// The document with this number: for which place, with which changes, and its bytes.
fn generate(places: &[Place], seed: u64, nth: u64) -> (usize, Vec<Change>, Vec<u8>) {
    let mut dice = Dice::new(seed, nth);
    // Container create is the largest body by far, and stands first.
    let at = if dice.one_in(4) { 0 } else { dice.below(places.len()) };
    let Place { shape, recorded, .. } = &places[at];
    let root = if !recorded.is_empty() && dice.one_in(6) {
        recorded[dice.below(recorded.len())].clone()
    } else {
        shape.valid(&mut dice)
    };
    let mut document = Document::new(root);
    let mut changes = Vec::new();
    for _ in 0..[0, 1, 1, 1, 1, 1, 2, 2, 3][dice.below(9)] {
        let change = Change::ALL[dice.below(Change::ALL.len())];
        if hostile::change(change, &mut document, shape, &mut dice) {
            changes.push(change);
        }
    }
    let mut bytes = document.bytes();
    for change in &changes {
        hostile::damage(*change, &mut bytes, &mut dice);
    }
    (at, changes, bytes)
}

/// How many documents there were, and how many of them the gate took.
#[derive(Clone, Copy, Default)]
struct Tally {
    tried: u64,
    taken: u64,
}

impl Tally {
    const fn add(&mut self, taken: bool) {
        self.tried += 1;
        self.taken += taken as u64;
    }
}

fn table<'n>(rows: impl Iterator<Item = (&'n str, Tally)>) -> String {
    rows.fold(String::new(), |mut out, (name, Tally { tried, taken })| {
        writeln!(out, "  {name:18} {tried:8} tried {taken:8} taken").unwrap();
        out
    })
}

#[test]
fn the_daemon_reads_from_what_the_gate_writes_what_it_would_have_read_from_the_client() {
    let documents = setting("DOCKWARD_ORACLE_DOCUMENTS", DOCUMENTS);
    let seed = setting("DOCKWARD_ORACLE_SEED", SEED);
    println!("oracle: {documents} documents, DOCKWARD_ORACLE_SEED={seed}");
    let places = places();
    let mut comparisons = Decoder::ALL.map(Decoder::compare);
    let began = Instant::now();
    let mut by_place = vec![Tally::default(); places.len()];
    let mut by_change: BTreeMap<Change, Tally> = BTreeMap::new();
    let mut all = Tally::default();
    let mut numbers = Vec::new();
    for nth in 0..documents {
        let (at, changes, sent) = generate(&places, seed, nth);
        let door = &places[at].door;
        let written = door.rewritten(&sent);
        if let [change] = changes[..] {
            let never = NEVER_TAKEN.contains(&change) && written.is_ok();
            assert!(
                !never,
                "{}: {change:?} was taken: {:?}",
                door.name,
                String::from_utf8_lossy(&sent)
            );
        }
        all.add(written.is_ok());
        by_place[at].add(written.is_ok());
        for change in changes {
            by_change.entry(change).or_default().add(written.is_ok());
        }
        let Ok(written) = written else { continue };
        // In a query an escaped U+007F to U+009F is read, and written as itself, which is not read.
        let raw = std::str::from_utf8(&written).unwrap().chars().any(char::is_control);
        let again = door.rewritten(&written);
        assert!(
            again.as_ref() == Ok(&written) || raw && matches!(door.way, Way::Query(_)),
            "{}: document {nth} of seed {seed}, read again: {again:?}",
            door.name
        );
        for comparison in &mut comparisons {
            comparison.record(&door.name, &sent, &written);
        }
        numbers.push(nth);
    }
    let reports = comparisons.map(dockerd::Comparison::finish);
    let seconds = began.elapsed().as_secs_f64();

    print!(
        "{}",
        table(places.iter().map(|place| place.door.name.as_str()).zip(by_place.iter().copied()))
    );
    let named: Vec<_> = by_change.iter().map(|(c, tally)| (format!("{c:?}"), *tally)).collect();
    print!("{}", table(named.iter().map(|(name, tally)| (name.as_str(), *tally))));
    println!("oracle: {} taken of {} in {seconds:.1} s", all.taken, all.tried);
    for Report { version, records, refused, count, exempted, .. } in &reports {
        println!(
            "oracle: {version}: {records} compared, {count} differ; {refused} readings refused both; exempted {exempted:?}"
        );
    }

    let differences: Vec<_> = reports
        .iter()
        .flat_map(|report| report.differences.iter().map(move |d| (&report.version, d)))
        .map(|(version, d)| format!("{version}: document {}: {}", numbers[d.nth], d.said))
        .collect();
    assert!(
        reports.iter().all(|report| report.count == 0),
        "the daemon would not read what was judged (seed {seed}):\n{}",
        differences.join("\n")
    );
    assert!(reports.iter().all(|report| report.records == numbers.len()));
    assert!(all.taken * 5 >= all.tried, "only {} of {} were taken", all.taken, all.tried);
    if documents >= DOCUMENTS {
        let idle: Vec<_> = Change::ALL.iter().filter(|c| !by_change.contains_key(c)).collect();
        assert!(idle.is_empty(), "never tried: {idle:?}");
        assert!(by_place.iter().all(|tally| tally.taken > 50), "a body that is hardly ever taken");
        for (name, count) in reports.iter().flat_map(|report| &report.exempted) {
            assert!(
                *count > 0,
                "{name}: an exemption that nothing needs: take it out of compare.go"
            );
        }
    }
}

/// Operation, what was sent, what is written, and the reading that sees it.
type Pair<'a> = (&'a str, &'a [u8], &'a [u8], &'a str);

/// What a gate would write that reads otherwise than the daemon.
const WRONG: &[Pair<'_>] = &[
    ("ContainerCreate", br#"{"Image":"a"}"#, br#"{"Image":"b"}"#, "first value"),
    // The later key in another case counts, and objects are merged.
    (
        "ContainerCreate",
        br#"{"Image":"a","HostConfig":{"Memory":1},"hostconfig":{"Privileged":true}}"#,
        br#"{"Image":"a","HostConfig":{"Memory":1}}"#,
        "first value",
    ),
    (
        "ContainerCreate",
        "{\"Image\":\"a\",\"Ho\u{17f}tConfig\":{\"Privileged\":true}}".as_bytes(),
        br#"{"Image":"a"}"#,
        "first value",
    ),
    (
        "ContainerCreate",
        "{\"HostConfig\":{\"Networ\u{212a}Mode\":\"host\"}}".as_bytes(),
        br#"{"HostConfig":{}}"#,
        "first value",
    ),
    (
        "ContainerCreate",
        br#"{"HostConfig":{"\u0050rivileged":true}}"#,
        br#"{"HostConfig":{}}"#,
        "first value",
    ),
    // Null and empty differ.
    (
        "ContainerCreate",
        br#"{"HostConfig":{"MaskedPaths":[]}}"#,
        br#"{"HostConfig":{}}"#,
        "first value",
    ),
    (
        "ContainerCreate",
        br#"{"HostConfig":{"PidsLimit":0}}"#,
        br#"{"HostConfig":{}}"#,
        "first value",
    ),
    ("ContainerCreate", br#"{"Labels":null}"#, b"{}", "first value"),
    // The second array brings back what the first had.
    (
        "ContainerCreate",
        br#"{"HostConfig":{"Mounts":[{"Source":"/"}],"Mounts":[{"Target":"/r"}]}}"#,
        br#"{"HostConfig":{"Mounts":[{"Target":"/r"}]}}"#,
        "first value",
    ),
    // Null after a value is no value for some types, and leaves others alone.
    (
        "ContainerCreate",
        br#"{"HostConfig":{"Privileged":true,"Privileged":null}}"#,
        br#"{"HostConfig":{"Privileged":false}}"#,
        "first value",
    ),
    ("ContainerCreate", br#"{"Image":"a"}{"Image":"b"}"#, br#"{"Image":"b"}"#, "first value"),
    ("ContainerCreate", br#"{"Image":"a"} {}"#, br#"{"Image":"a"}"#, "whole body"),
    ("ContainerCreate", br#"{"Image":"a","Privileged":true}"#, br#"{"Image":"a"}"#, "embedded"),
    ("ContainerCreate", br#"{"StopTimeout":1.0}"#, br#"{"StopTimeout":1}"#, "first value"),
    ("ContainerCreate", br#"{"StopTimeout":1}"#, br#"{"StopTimeout":1.0}"#, "first value"),
    ("ContainerCreate", br#"{"Cmd":"a b"}"#, br#"{"Cmd":["a","b"]}"#, "first value"),
    // What only answers have is never sent on; that it is made up is seen.
    (
        "NetworkConnect",
        br#"{"EndpointConfig":{}}"#,
        br#"{"EndpointConfig":{"NetworkID":"a"}}"#,
        "first value",
    ),
    (
        "ServiceCreate",
        br#"{"UpdateConfig":{"MaxFailureRatio":0.3}}"#,
        br#"{"UpdateConfig":{"MaxFailureRatio":0.3000001}}"#,
        "first value",
    ),
    ("ContainerExec", br#"{"Cmd":"a"}"#, br#"{"Cmd":["a"]}"#, "first value"),
    ("SecretCreate", br#"{"Data":"AA=="}"#, br#"{"Data":"AQ=="}"#, "first value"),
    ("PluginSet", br#"["a"]"#, br#"["a","b"]"#, "first value"),
    ("?filters", br#"{"label":["a"]}"#, b"", "first value"),
    ("?filters", br#"{"label":{"a":false}}"#, br#"{"label":{"a":true}}"#, "first value"),
    ("?buildargs", br#"{"A":null}"#, br#"{"A":""}"#, "first value"),
    ("x-registry-auth", br#"{"ServerAddress":"a"}"#, b"{}", "first value"),
];

/// What reads the same, or may differ.
const RIGHT: &[(&str, &[u8], &[u8])] = &[
    ("ContainerCreate", br#"{"Cmd":"a","X":0}"#, br#"{"Cmd":["a"]}"#),
    ("ContainerCreate", br#"{"Image":"a","MaskedPaths":[]}"#, br#"{"Image":"a"}"#),
    ("NetworkConnect", br#"{"EndpointConfig":{"NetworkID":"a"}}"#, br#"{"EndpointConfig":{}}"#),
    ("?filters", br#"{"label":["a","a"]}"#, br#"{"label":{"a":true}}"#),
    ("?filters", b"null", b""),
];

#[test]
fn a_gate_that_reads_otherwise_is_seen() {
    for decoder in Decoder::ALL {
        let mut comparison = decoder.compare();
        for (operation, sent, written, _) in WRONG {
            comparison.record(operation, sent, written);
        }
        for (operation, sent, written) in RIGHT {
            comparison.record(operation, sent, written);
        }
        let report = comparison.finish();
        for (nth, (_, sent, _, reading)) in WRONG.iter().enumerate() {
            let seen = report.differences.iter().any(|d| d.nth == nth && d.reading == *reading);
            assert!(seen, "{decoder:?}: not seen: {}", String::from_utf8_lossy(sent));
        }
        let beyond = report.differences.iter().find(|d| d.nth >= WRONG.len());
        assert!(beyond.is_none(), "{decoder:?}: {}", beyond.unwrap().said);
    }
}

/// Documented, and in no type of moby's, so that no engine reads it: by the end of the path.
const NOT_IN_MOBY: &[(&str, &str)] = &[
    ("ContainerUpdate", "Init"),
    ("Service", ".PluginSpec.PluginPrivilege"),
    ("Service", ".Limits.GenericResources"),
    ("Volume", ".AccessMode.AccessibilityRequirements"),
    ("Volume", ".AccessMode.Availability"),
    ("Volume", ".AccessMode.CapacityRange"),
    ("Volume", ".AccessMode.Secrets"),
];

#[test]
fn the_oracle_has_every_field_that_is_documented() {
    let shapes = shape::shapes(&Decoder::Classic.fields());
    let (mut count, mut blind) = (0, Vec::new());
    let mut missing = [0; NOT_IN_MOBY.len()];
    for line in include_str!("fixtures/fields.txt").lines().filter(|line| !line.starts_with('#')) {
        let [_method, _path, operation, place, name, _type, _versions] =
            line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        if place != "body" || name == "." || shapes.get(operation).is_some_and(|s| s.has(name)) {
            count += usize::from(place == "body");
            continue;
        }
        let below = |path: &str| {
            let rest = name.find(path).map(|at| &name[at + path.len()..]);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        match NOT_IN_MOBY.iter().position(|(o, path)| operation.starts_with(o) && below(path)) {
            Some(nth) => missing[nth] += 1,
            None => blind.push(line),
        }
    }
    assert!(count > 800, "{count} fields");
    assert!(blind.is_empty(), "the oracle would not see these: {blind:#?}");
    assert!(!missing.contains(&0), "moby has some of these after all: {missing:?}");
}

/// Keys that the gate reads and moby has no field for, so that no engine reads them.
const SCHEMA_ONLY: &[&str] = &["PluginPrivilege"];

#[test]
fn the_oracle_has_every_field_that_the_gate_reads() {
    let mut keys = Vec::new();
    for shape in shape::shapes(&Decoder::Classic.fields()).values() {
        shape.keys(&mut keys);
    }
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/docker/body");
    let (mut count, mut blind) = (0, Vec::new());
    for file in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let declared = text.lines().filter_map(|line| {
            let (field, key) = line.strip_prefix("        ")?.split_once(" = \"")?;
            let (key, _) = key.split_once('"').filter(|_| line.ends_with("\","))?;
            field.contains(": ").then_some(key)
        });
        for key in declared {
            count += 1;
            let known = keys.iter().any(|other| other.eq_ignore_ascii_case(key));
            if !known && !SCHEMA_ONLY.contains(&key) {
                blind.push(format!("{}: {key}", file.display()));
            }
        }
    }
    assert!(count > 300, "{count} fields");
    assert!(blind.is_empty(), "add these to tests/oracle/go: {blind:#?}");
}
