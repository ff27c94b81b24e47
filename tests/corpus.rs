//! The corpus against the pure core: each case in `tests/corpus` is judged as it would be when
//! served. See `tests/corpus/README.md` for how a case is written.
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

#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "the invariants ask which row of the table a case is")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;
#[path = "support/survives.rs"]
mod survives;

use corpus::{Bench, Case, Verdict, World, cases};
use dockward::facade::docker::{Hijack, OutboundBody};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use survives::{lost, recorded};

#[test]
fn every_case_comes_out_as_it_says() {
    let cases = cases();
    assert!(cases.len() >= 3800, "{} cases are fewer than there were", cases.len());
    come_out(&Bench::new(), &cases);
}

/// The same where roles mean their own objects alone, of which a daemon has those of several owners.
#[test]
fn every_case_among_tenants_comes_out_as_it_says() {
    let cases = corpus::cases_in("tests/tenants");
    assert!(cases.len() >= 360, "{} cases are fewer than there were", cases.len());
    come_out(&Bench::reading("tests/tenants", 56), &cases);
}

fn come_out(bench: &Bench, cases: &[Case]) {
    let mut failures = Vec::new();
    for case in cases {
        let verdict = bench.judge(case);
        let mut wrong = differences(case, &verdict);
        wrong.extend(again(bench, case, &verdict));
        if !wrong.is_empty() {
            let body = String::from_utf8_lossy(&case.bytes);
            failures.push(format!(
                "{}: {}\n  {} sends {} {}\n  {body}\n    {}",
                case.file,
                case.name,
                case.identity,
                case.method,
                case.target,
                wrong.join("\n    ")
            ));
        }
    }
    println!("corpus: {} cases", cases.len());
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

/// What is remembered of a container is what it is, and not what it does: nothing hangs on that where it may be
/// remembered.
#[test]
fn what_may_be_remembered_of_a_container_holds_while_it_is_there() {
    let corpora = [
        (Bench::new(), cases()),
        (Bench::reading("tests/tenants", 56), corpus::cases_in("tests/tenants")),
    ];
    let (mut judged, mut turned) = (0, 0);
    for (bench, cases) in &corpora {
        for case in cases {
            let verdict = bench.judge(case);
            let other = bench.judge_in(case, World::Turned);
            let told = |of: &Verdict| (of.status.clone(), of.reasons.clone(), of.terms.clone());
            if !verdict.remembered {
                turned += usize::from(told(&verdict) != told(&other));
                continue;
            }
            judged += 1;
            assert_eq!(told(&verdict), told(&other), "{}: {}", case.file, case.name);
            assert_eq!(verdict.outbound, other.outbound, "{}: {}", case.file, case.name);
        }
    }
    assert!(judged > 300 && turned > 0, "{judged} were judged, {turned} others hang on it");
}

/// People keep tokens in labels, annotations, options and the like, and what refuses one is its name.
#[test]
fn of_what_is_refused_by_its_name_the_log_gets_no_value() {
    let bench = Bench::new();
    let named = [
        "label.not-allowed",
        "label.required",
        "annotation.not-allowed",
        "logging.option",
        "resource.sysctl",
        "network.driver-option",
        "network.setting",
    ];
    let mut masked = BTreeSet::new();
    for case in cases() {
        for (id, value) in bench.judge(&case).told {
            if named.contains(&id) && !value.is_empty() {
                assert_eq!(value, "***", "{id} of {}: {}", case.file, case.name);
                masked.insert(id);
            }
        }
    }
    assert_eq!(masked, BTreeSet::from(named), "each has a case with a value");
}

#[test]
fn names_are_unique_within_a_file() {
    let mut seen = BTreeMap::new();
    for case in cases() {
        assert!(
            seen.insert((case.file.clone(), case.name.clone()), ()).is_none(),
            "{}: {:?} is there twice",
            case.file,
            case.name
        );
    }
}

fn differences(case: &Case, verdict: &Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    if case.expect != verdict.status {
        wrong.push(format!("expected {}, was {}", case.expect, verdict.status));
    }
    if !same_reasons(&case.reasons, &verdict.reasons) {
        wrong.push(format!("reasons expected: {:?}", case.reasons));
        wrong.push(format!("reasons found:    {:?}", verdict.reasons));
        wrong.extend(verdict.texts.iter().map(|text| format!("  {text}")));
    }
    let left: Vec<_> =
        verdict.terms.iter().filter_map(|term| term.strip_prefix("left out: ")).collect();
    if case.left != left {
        wrong.push(format!("left out expected: {:?}", case.left));
        wrong.push(format!("left out:          {left:?}"));
    }
    if case.would != verdict.would {
        wrong.push(format!("expected that would be denied: {:?}", case.would));
        wrong.push(format!("found that would be denied:    {:?}", verdict.would));
    }
    let Some(out) = &verdict.outbound else { return wrong };
    let forwarded = format!("{} {}", out.method.as_str(), out.target);
    if let Some(wanted) = case.forwards.as_ref().filter(|wanted| **wanted != forwarded) {
        wrong.push(format!("forwarded: {forwarded}\n    expected:  {wanted}"));
    }
    let hijacks = out.hijack != Hijack::No;
    if case.upgrades.is_some_and(|wanted| wanted != hijacks) {
        wrong.push(format!("upgrades: {hijacks}"));
    }
    if let Some(wanted) = &case.passes {
        let text = |v: &http::HeaderValue| v.to_str().unwrap().to_owned();
        let passed: BTreeMap<_, _> =
            out.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
        if &passed != wanted {
            wrong.push(format!("headers passed on: {passed:?}"));
        }
    }
    let got = forwarded_json(verdict);
    if let Some(missing) = case.with.as_ref().and_then(|with| missing(with, got.as_ref(), "")) {
        wrong.push(missing);
    }
    if let (Some(got), Ok(sent)) = (&got, serde_json::from_slice::<Value>(&case.bytes)) {
        wrong.extend(lost(&sent, got, &verdict.terms));
    }
    wrong
}

/// The same, in order; `id *` is that reason at any place.
fn same_reasons(wanted: &[String], found: &[String]) -> bool {
    let same = |(wanted, found): (&String, &String)| match wanted.strip_suffix(" *") {
        Some(id) => found.split(' ').next() == Some(id),
        None => wanted == found,
    };
    wanted.len() == found.len() && wanted.iter().zip(found).all(same)
}

fn forwarded_json(verdict: &Verdict) -> Option<Value> {
    match &verdict.outbound.as_ref()?.body {
        OutboundBody::Json(bytes) => Some(serde_json::from_slice(bytes).unwrap()),
        OutboundBody::Empty | OutboundBody::Stream { .. } => None,
    }
}

/// The first place at which `with` is not held.
fn missing(with: &Value, got: Option<&Value>, at: &str) -> Option<String> {
    match (with, got) {
        (Value::Object(with), Some(Value::Object(got))) => with
            .iter()
            .find_map(|(key, value)| missing(value, got.get(key), &format!("{at}.{key}"))),
        (with, Some(got)) if with == got => None,
        (with, got) => Some(format!("forwarded at {at:?}: {got:?}, expected {with}")),
    }
}

/// What is forwarded, judged again, must be allowed and come out the same: the daemon's request is
/// one that we understand in one way.
fn again(bench: &Bench, case: &Case, verdict: &Verdict) -> Vec<String> {
    let Some(out) = &verdict.outbound else { return Vec::new() };
    let mut second = Case {
        target: out.target.clone(),
        headers: case.headers.iter().filter(|(n, _)| kept(n)).cloned().collect(),
        http: String::new(),
        ..case.clone()
    };
    second.headers.push(("Host".to_owned(), "docker".to_owned()));
    match &out.body {
        OutboundBody::Json(bytes) => {
            second.bytes = bytes.to_vec();
            second.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            second.headers.push(("Content-Length".to_owned(), bytes.len().to_string()));
        }
        OutboundBody::Empty => second.bytes.clear(),
        OutboundBody::Stream { .. } => {
            second.headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()))
        }
    }
    let twice = bench.judge(&second);
    let Some(same) = &twice.outbound else {
        return vec![format!(
            "what is forwarded is refused when judged again: {:?}",
            twice.reasons
        )];
    };
    let streamed = matches!(out.body, OutboundBody::Stream { .. });
    let equal = same.target == out.target && (streamed || same.body == out.body);
    if equal { Vec::new() } else { vec![format!("judged again, {out:?} becomes {same:?}")] }
}

fn kept(name: &str) -> bool {
    !["host", "content-type", "content-length", "transfer-encoding"]
        .contains(&name.to_ascii_lowercase().as_str())
}

#[test]
fn what_real_clients_send_is_allowed_to_an_administrator_and_arrives_whole() {
    let bench = Bench::new();
    let (mut count, mut failures) = (0, Vec::new());
    for case in recorded("admin") {
        let verdict = bench.judge(&case);
        let wrong = differences(&case, &verdict);
        if !wrong.is_empty() {
            failures.push(format!(
                "{}: {}: {} {}\n    {}",
                case.file,
                case.name,
                case.method,
                case.target,
                wrong.join("\n    ")
            ));
        }
        count += 1;
    }
    println!("corpus: {count} recorded requests");
    assert!(count >= 300, "{count} recorded requests are fewer than there were");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

/// All that real clients do every day a developer may, but for the lines of that file.
#[test]
fn a_developer_is_refused_nothing_that_is_ordinary() {
    let bench = Bench::new();
    let mut refused = BTreeSet::new();
    for case in recorded("dev") {
        let verdict = bench.judge(&case);
        if verdict.status != "allow" {
            let operation = verdict.operation.unwrap_or("no operation");
            refused.insert(format!("{operation}: {}", verdict.reasons.join(", ")));
        }
    }
    let known = include_str!("fixtures/refused_to_a_developer.txt").lines();
    let known: BTreeSet<_> = known.filter(|l| !l.starts_with('#')).map(str::to_owned).collect();
    let new: Vec<_> = refused.difference(&known).collect();
    let gone: Vec<_> = known.difference(&refused).collect();
    assert!(new.is_empty() && gone.is_empty(), "refused anew: {new:#?}\nallowed anew: {gone:#?}");
}
