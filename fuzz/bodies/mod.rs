//! What must hold whatever comes in: one function for each door that bytes of strangers come in by.
//!
//! A function panics where something does not hold, and says so with the input. The targets of
//! libFuzzer (`fuzz/fuzz_targets`) and the test that runs on every change (`tests/fuzz.rs`) call the
//! same functions, so that neither can fall behind the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    reason = "these fail by panicking"
)]

mod heads;
mod json;
mod request;
mod texts;
mod token;
mod wire;

pub use heads::{path, query, sample};
pub use json::{body, json};
pub use request::{IDENTITIES, MEASURED, forwarded, request};
pub use texts::{certificate, image_reference, policy_file, redaction};
pub use token::{taken, token};

/// Something that must hold for any bytes.
pub type Property = fn(&[u8]);

/// Every target by name, as `fuzz/fuzz_targets` has them.
pub const TARGETS: [(&str, Property); 10] = [
    ("path", path),
    ("query", query),
    ("json", json),
    ("body", body),
    ("request", request),
    ("certificate", certificate),
    ("policy_file", policy_file),
    ("image_reference", image_reference),
    ("redaction", redaction),
    ("token", token),
];
