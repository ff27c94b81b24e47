//! What happened: the log that cannot be quietly edited. A gate is worth what can be proven about
//! it afterwards, so nothing reaches the daemon without a [`Permitted`], which only the [`Writer`]
//! makes, after the line is written (for reads) or on disk (for everything that changes state).
//! Lines form a SHA-256 chain, one chain per process, each file naming the one before it; what an
//! outsider can cause without an identity is folded and bounded so that it cannot fill the disk.
//!
//! The chain shows edits by whoever cannot rewrite all of it: a line changed, removed, added or
//! moved, a file taken out of the middle. It cannot show that the newest lines were cut off or
//! that everything was computed anew; for that, keep the `FileSummary::tip` of the newest file somewhere else.

mod case;
mod chain;
mod clock;
pub mod describe;
mod directory;
mod error;
mod escape;
pub mod event;
pub mod fold;
mod id;
mod keep;
mod ledger;
mod line;
mod loss;
pub mod permitted;
mod read;
pub mod redact;
mod segment;
mod verify;
mod worker;
mod writer;

pub use case::Case;
pub use directory::{room, trial, vet};
pub use error::AuditError;
pub use event::{Event, GateInstance, Stage};
pub(crate) use fold::Noise;
pub use fold::{PutOff, Refusal, RefusalKind, Whence};
pub use id::EventId;
pub use keep::keep_policy;
pub use line::Logged;
pub use permitted::Permitted;
pub use read::{Found, containers_made, find, last_seen, line_of, observed};
pub use verify::{FileSummary, LineFault, Summary, VerifyError, verify};
pub(crate) use writer::Counts;
pub use writer::{Durability, Recorded, Writer};
