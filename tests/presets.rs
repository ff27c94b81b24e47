//! The presets: the requests that each client sends, as its source or itself shows them, are judged under the preset that bears
//! its name, and the ways out are tried under every one. See `tests/corpus/README.md` for how a case is written.
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
#[expect(dead_code, reason = "the corpus asks for more")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;

use corpus::{Bench, Case, cases_in};
use std::collections::BTreeMap;

const ROOT: &str = "tests/presets";

/// The file with the ways out, which are tried under every preset.
const ESCAPES: &str = "escapes.yaml";

fn bench() -> Bench {
    Bench::reading(ROOT, 56).from(24)
}

fn of_clients() -> Vec<Case> {
    cases_in(ROOT).into_iter().filter(|case| case.file != ESCAPES).collect()
}

#[test]
fn what_each_client_sends_comes_out_as_it_says() {
    let bench = bench();
    let (mut failures, mut counts) = (Vec::new(), BTreeMap::<_, (usize, usize)>::new());
    for case in of_clients() {
        let verdict = bench.judge(&case);
        let count = counts.entry(case.file.clone()).or_default();
        count.0 += 1;
        count.1 += usize::from(case.expect == "allow");
        let reasons = case.reasons.is_empty() || case.reasons == verdict.reasons;
        if case.expect != verdict.status || !reasons {
            failures.push(format!(
                "{}: {}\n  {} sends {} {}\n    expected {} {:?}, was {}: {:?}\n    {}",
                case.file,
                case.name,
                case.identity,
                case.method,
                case.target,
                case.expect,
                case.reasons,
                verdict.status,
                verdict.reasons,
                verdict.texts.join("\n    ")
            ));
        }
    }
    for (file, (count, allowed)) in counts {
        println!("{file}: {count} requests, {allowed} allowed");
    }
    assert!(failures.is_empty(), "{} failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// What a preset lets through of the ways out, since it is its very work; each is said by `dockward check`, and stands here.
const LET_THROUGH: &[(&str, &str)] = &[];

#[test]
fn every_way_out_is_refused_under_every_preset() {
    let bench = bench();
    let escapes: Vec<Case> =
        cases_in(ROOT).into_iter().filter(|case| case.file == ESCAPES).collect();
    assert!(escapes.len() >= 70, "{} ways out are fewer than there were", escapes.len());
    let mut wrong = Vec::new();
    let identities = bench.identities();
    for identity in identities.iter().filter(|name| *name != "administrator") {
        for escape in &escapes {
            let case = Case { identity: identity.clone(), ..escape.clone() };
            let verdict = bench.judge(&case);
            let known = LET_THROUGH.contains(&(identity.as_str(), case.name.as_str()));
            if (verdict.status == "allow") != known {
                wrong.push(format!(
                    "{identity}: {}: {} {:?}",
                    case.name, verdict.status, verdict.terms
                ));
            }
        }
    }
    println!("{} ways out under {} presets", escapes.len(), identities.len() - 1);
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Each preset has an identity, a file of requests, and among these some that pass and some that do not.
#[test]
fn every_preset_is_tried() {
    let mut presets: Vec<String> = std::fs::read_dir("config/presets")
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    presets.sort();
    let mut identities = bench().identities();
    identities.sort();
    assert_eq!(presets, identities);
    let cases = of_clients();
    for preset in &presets {
        let own = || cases.iter().filter(|case| case.identity == *preset);
        assert!(own().any(|case| case.expect == "allow"), "{preset}: nothing passes");
        assert!(own().any(|case| case.expect != "allow"), "{preset}: nothing is refused");
    }
}
