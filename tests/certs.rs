//! `dockward certs` by the real binary: what it leaves on the disk, what it refuses, and what others (rustls as
//! the gate has it, openssl) make of its certificates and lists.
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

#[path = "certs/house.rs"]
mod house;

#[path = "certs/believed.rs"]
mod believed;
#[path = "certs/chains.rs"]
mod chains;
#[path = "certs/crash.rs"]
mod crash;
#[path = "certs/issuing.rs"]
mod issuing;
#[path = "certs/requests.rs"]
mod requests;
#[path = "certs/revoking.rs"]
mod revoking;
