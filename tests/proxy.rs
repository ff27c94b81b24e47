//! The whole gate before a daemon that records every byte: what reaches it, in which form, and what is
//! on record by then. The binary is started as its users start it; clients write bytes over real TLS.
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
#[path = "support/tokens.rs"]
mod issuer;
#[path = "support/pki.rs"]
mod pki;

#[path = "proxy/client.rs"]
mod client;
#[path = "proxy/gate.rs"]
mod gate;

#[path = "proxy/away.rs"]
mod away;
#[path = "proxy/bounds.rs"]
mod bounds;
#[path = "proxy/confused.rs"]
mod confused;
#[path = "proxy/expired.rs"]
mod expired;
#[path = "proxy/full_disk.rs"]
mod full_disk;
#[path = "proxy/gone.rs"]
mod gone;
#[path = "proxy/idle.rs"]
mod idle;
#[path = "proxy/lives.rs"]
mod lives;
#[path = "proxy/lookups.rs"]
mod lookups;
#[path = "proxy/lost_log.rs"]
mod lost_log;
#[path = "proxy/observed.rs"]
mod observed;
#[path = "proxy/passed.rs"]
mod passed;
#[path = "proxy/record.rs"]
mod record;
#[path = "proxy/refused.rs"]
mod refused;
#[path = "proxy/revoked.rs"]
mod revoked;
#[path = "proxy/slow.rs"]
mod slow;
#[path = "proxy/smuggled.rs"]
mod smuggled;
#[path = "proxy/synced.rs"]
mod synced;
#[path = "proxy/tokens.rs"]
mod tokens;
#[path = "proxy/tunnels.rs"]
mod tunnels;
#[path = "proxy/uploads.rs"]
mod uploads;
#[path = "proxy/users.rs"]
mod users;
