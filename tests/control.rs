//! The gate's own socket, asked by the binary as its users ask it: what is seen, what is ended, what is
//! granted, who is not listened to, and that all of it is on record first.
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

#[path = "support/fake_daemon.rs"]
mod fake_daemon;
#[path = "support/pki.rs"]
mod pki;

#[path = "proxy/client.rs"]
#[expect(dead_code, reason = "the tests of the wire write more bytes by hand")]
mod client;
#[path = "proxy/gate.rs"]
#[expect(dead_code, reason = "the tests of the wire look closer at the gate")]
mod gate;

#[path = "control/asked.rs"]
mod asked;
#[path = "control/disk.rs"]
mod disk;
#[path = "control/grants.rs"]
mod grants;
#[path = "control/kills.rs"]
mod kills;
#[path = "control/reloads.rs"]
mod reloads;
#[path = "control/strangers.rs"]
mod strangers;
#[path = "control/thousand.rs"]
mod thousand;
#[path = "control/verdict.rs"]
mod verdict;
