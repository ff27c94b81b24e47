//! The gate before a real daemon, used by the clients that people use: each everyday command must do
//! the same as straight to the socket, each dangerous one must be refused, and what was accepted must
//! be what the daemon made of it. Needs root and what `make install` brings.
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

#[path = "e2e/bollard.rs"]
mod bollard_client;
#[path = "e2e/bollard_surface.rs"]
mod bollard_surface;
#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "the replay asks for less of a case than the corpus does")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;
#[path = "e2e/differential.rs"]
mod differential;
#[path = "support/dockerd.rs"]
mod dockerd;
#[path = "e2e/engines.rs"]
mod engines;
#[path = "e2e/gate.rs"]
mod gate;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/http.rs"]
mod http;
#[path = "e2e/issued.rs"]
mod issued;
#[path = "support/tokens.rs"]
mod issuer;
#[path = "e2e/limited.rs"]
mod limited;
#[path = "e2e/local.rs"]
mod local;
#[path = "e2e/log.rs"]
mod log;
#[path = "e2e/moved.rs"]
mod moved;
#[path = "e2e/parts.rs"]
mod parts;
#[path = "e2e/raw.rs"]
mod raw;
#[path = "e2e/registry.rs"]
mod registry;
#[path = "e2e/remembered.rs"]
mod remembered;
#[path = "e2e/replay.rs"]
mod replay;
#[path = "e2e/storm.rs"]
mod storm;
#[path = "e2e/surface.rs"]
mod surface;
#[path = "e2e/targets.rs"]
mod targets;
#[path = "e2e/tenants.rs"]
mod tenants;
#[path = "e2e/tokens.rs"]
mod tokens;
#[path = "e2e/walk.rs"]
mod walk;
#[path = "e2e/wire.rs"]
mod wire;
#[path = "e2e/world.rs"]
mod world;

use dockerd::version_of;
use std::path::Path;
use world::Step;

fn steps(text: &str) -> Vec<Step> {
    serde_saphyr::from_str(text).expect("a table of steps")
}

/// The docker command line of that version, wherever it is on this machine.
fn cli(version: &str) -> Option<String> {
    let sid = Path::new(env!("CARGO_MANIFEST_DIR")).join(".run/engines/sid/usr/bin/docker");
    let places = ["/usr/bin/docker", "/usr/local/bin/docker", sid.to_str()?];
    places.into_iter().find(|place| version_of(place) == version).map(str::to_owned)
}
