//! The invariants of the house, as tests: who may use whom, what has a case, what is named.
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

#[path = "tidy/circles.rs"]
mod circles;
#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "the runner of the corpus reads more of a verdict")]
mod corpus;
#[path = "support/corpus_daemon.rs"]
mod corpus_daemon;
#[path = "support/corpus_policy.rs"]
mod corpus_policy;
#[path = "tidy/covered.rs"]
mod covered;
#[path = "tidy/cves.rs"]
mod cves;
#[path = "tidy/errors.rs"]
mod errors;
#[path = "tidy/exceptions.rs"]
mod exceptions;
#[path = "tidy/facts.rs"]
mod facts;
#[path = "tidy/inventory.rs"]
mod inventory;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/transport.rs"]
mod transport;
