//! The front on real TCP and TLS with a gate that does as the path says: who gets in, what is read,
//! what the client sees of a refusal, and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

#[path = "front/house.rs"]
mod house;
#[path = "support/pki.rs"]
mod pki;

#[path = "front/bodies.rs"]
mod bodies;
#[path = "front/crowd.rs"]
mod crowd;
#[path = "front/doors.rs"]
mod doors;
#[path = "front/files.rs"]
mod files;
#[path = "front/heads.rs"]
mod heads;
#[path = "front/lives.rs"]
mod lives;
