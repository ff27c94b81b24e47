//! The units of packaging/systemd where they are meant to be: in a Debian that has booted with systemd, before its own
//! docker.service, installed by the commands of their README as they stand there. Needs root, debootstrap and
//! systemd-nspawn (scripts/booted-debian.sh). Run by `make test-unit`.
//!
//! The first test takes the unit as it is shipped. In the others a system call that its filter forbids ends the
//! gate instead of failing, so that no refused call is overlooked.
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

#[path = "booted/acts.rs"]
mod acts;
#[path = "booted/installed.rs"]
mod installed;
#[path = "booted/lists.rs"]
mod lists;
#[path = "booted/machine.rs"]
mod machine;
#[path = "booted/ports.rs"]
mod ports;
#[path = "booted/readme.rs"]
mod readme;
#[path = "booted/reloads.rs"]
mod reloads;
#[path = "booted/serves.rs"]
mod serves;
#[path = "booted/users.rs"]
mod users;
#[path = "booted/view.rs"]
mod view;
