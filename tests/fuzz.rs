//! The fuzz targets on every change: each over every seed (the corpus, what real clients sent, the
//! policy files, what was found before) and over some thousands of mutations of these, always the
//! same ones. `DOCKWARD_FUZZ=20` makes twenty times as many, other ones; `DOCKWARD_FUZZ_SEEDS=1`
//! writes the seeds to `fuzz/corpus` for cargo-fuzz. See `fuzz/README.md`.
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

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "the runner of the corpus reads more of a case")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "support/survives.rs"]
#[expect(dead_code, reason = "only what was recorded is read here")]
mod survives;

use mutate::Mutator;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A directory of the fuzzer's.
fn directory(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target)
}

/// Runs a target over its seeds and over this many mutations.
fn run(name: &str, mutations: usize) {
    let (_, property) = bodies::TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let seeds = seeds::of(name);
    assert!(seeds.len() >= 10, "{name}: {} seeds are fewer than there were", seeds.len());
    if std::env::var_os("DOCKWARD_FUZZ_SEEDS").is_some() {
        write(name, &seeds);
    }
    let times: usize =
        std::env::var("DOCKWARD_FUZZ").map_or(1, |times| times.parse().expect("DOCKWARD_FUZZ"));
    let mutations = mutations * times;
    let mut mutator = Mutator::new(u64::try_from(times).unwrap());
    let mutated = (0..mutations).map(|_| mutator.next(&seeds));
    for input in seeds.iter().cloned().chain(mutated) {
        if catch_unwind(AssertUnwindSafe(|| property(&input))).is_err() {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
            std::fs::write(&file, &input).unwrap();
            let text = String::from_utf8_lossy(&input);
            panic!("{name}: does not hold of this, also in {}:\n{text:?}", file.display());
        }
    }
    println!("fuzz: {name}: {} seeds, {mutations} mutations", seeds.len());
}

/// Each seed under the hash of its bytes, so that a seed that is there already stays one.
fn write(name: &str, seeds: &[Vec<u8>]) {
    let directory = directory("corpus", name);
    std::fs::create_dir_all(&directory).unwrap();
    for seed in seeds {
        let hash = dockward::facade::digest::Sha256::of(seed).to_string();
        std::fs::write(directory.join(format!("seed-{}", &hash[..16])), seed).unwrap();
    }
}

#[test]
fn paths_are_read_in_one_way() {
    run("path", 6000);
}

#[test]
fn queries_are_read_as_the_daemon_reads_them() {
    run("query", 20_000);
}

#[test]
fn json_is_read_in_one_way() {
    run("json", 20_000);
}

#[test]
fn bodies_are_written_as_they_were_read() {
    run("body", 20_000);
}

#[test]
fn what_the_daemon_gets_is_what_was_judged() {
    run("request", 6000);
    let forwarded = bodies::forwarded();
    println!("fuzz: request: {forwarded} reached the daemon");
    assert!(forwarded >= 1000, "{forwarded} reached the daemon");
}

#[test]
fn certificates_are_read_or_refused() {
    run("certificate", 10_000);
}

#[test]
fn policy_files_are_understood_or_every_mistake_has_its_place() {
    run("policy_file", 400);
}

#[test]
fn image_references_have_one_form() {
    run("image_reference", 40_000);
}

#[test]
fn secrets_stay_masked_whatever_stands_beside_them() {
    run("redaction", 2000);
}

#[test]
fn tokens_say_what_another_reader_reads_or_count_for_nothing() {
    run("token", 6000);
    let taken = bodies::taken();
    println!("fuzz: token: {taken} were taken");
    assert!(taken >= 500, "{taken} were taken");
}

#[test]
fn every_target_is_one_of_cargo_fuzz_too() {
    let files = std::fs::read_dir(directory("fuzz_targets", "")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    let targets: BTreeSet<_> = bodies::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, targets);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for name in targets {
        let target = std::fs::read_to_string(directory("fuzz_targets", &format!("{name}.rs")));
        assert!(target.unwrap().contains(&format!("dockward_fuzz::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}
