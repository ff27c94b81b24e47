//! dockward: a mutual-TLS gate before the Docker socket.
//!
//! The route of a request is one file, [`pipeline`]: identify, classify, limit, authorize, receive,
//! gather facts, decide, record, forward. Two things make or break it. *No differential*: the daemon
//! never understands a request otherwise than it was judged, because what the daemon gets is written
//! here from the typed values that were judged. *No gap*: nothing reaches the daemon without a
//! decision on record, because only the log makes the [`audit::Permitted`] that
//! [`daemon::Daemon::forward`] takes.
//!
//! | layer | rooms | may use |
//! |---|---|---|
//! | ground | [`rule`], [`problem`], [`digest`], [`visible`] | nothing of ours |
//! | L0 | [`identity`], [`docker`] | the ground; no IO, no clock, no async |
//! | L1 | [`policy`] | L0; the same |
//! | L2 | [`audit`], [`config`], [`telemetry`] | L0, L1; files and formats |
//! | L3 | [`proxy`], [`daemon`], [`pki`], [`facts`] | L0 to L2; facts asks the daemon |
//! | L4 | [`who`], [`sessions`], [`operator`], [`pipeline`], [`control`], [`server`] | all below, in this order |
//! | L5 | [`cli`] | all |
//!
//! Rooms are private; what the binary, tests and benches use of them is the [`facade`], where it is also shown
//! what does not compile. `docs/architecture.md` says why; `tests/tidy.rs` keeps it.

mod audit;
mod cli;
mod config;
mod control;
mod daemon;
mod digest;
mod docker;
pub mod facade;
mod facts;
mod identity;
mod operator;
mod pipeline;
mod pki;
mod policy;
mod problem;
mod proxy;
mod rule;
mod server;
mod sessions;
mod telemetry;
mod visible;
mod who;
