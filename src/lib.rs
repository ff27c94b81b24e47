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
//! | L0 | [`rule`], [`problem`], [`digest`], [`identity`], [`docker`] | no IO, no clock, no async |
//! | L1 | [`policy`] | L0; the same |
//! | L2 | [`audit`], [`config`] | L0, L1; files and formats |
//! | L3 | [`facts`], [`proxy`], [`daemon`], [`pki`] | L0 to L2 |
//! | L4 | [`pipeline`], [`control`], [`server`] | all below |
//! | L5 | [`cli`] | all |
//!
//! `docs/architecture.md` says why; `tests/tidy.rs` keeps it.

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
mod who;
