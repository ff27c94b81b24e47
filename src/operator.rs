//! What an operator does to a gate that serves (L4): ends what somebody has open, gives a role for a while and takes it
//! back, looks for what a revoked key left running. Each act is on record, with who and why, before it is done.

mod elevate;
mod kept;
mod kill;
mod left;
mod turned;

pub use elevate::{ElevationWanted, LONGEST, NotElevated, is_reason};
pub use kill::{KillTarget, Killed};
pub use left::LeftRunning;
pub(crate) use turned::Turned;

use crate::audit::{AuditError, Durability, Event};
use crate::daemon::Daemon;
use crate::docker::ApiVersion;
use crate::sessions::Revalidator;
use jiff::Timestamp;
use std::path::PathBuf;

/// Acts for operators.
#[derive(Debug)]
pub struct Operator {
    /// Who asks again of everybody, with what is in force, who is connected, and the log.
    pub revalidator: Revalidator,
    /// The daemon.
    pub daemon: Daemon,
    /// The lowest API version that is accepted.
    pub floor: ApiVersion,
    /// Where the log is, and beside it what outlasts a restart.
    pub directory: PathBuf,
}

impl Operator {
    /// Writes an act down, synced, before it is done.
    pub(crate) async fn record(&self, event: Event) -> Result<(), AuditError> {
        self.revalidator.log.record(event, Durability::Synced).await.map(drop)
    }

    /// Looks at the clock and at what was loaded: closes elevations that are over, and ends whoever may not stay.
    pub async fn look_again(&self) {
        self.close_ended(Timestamp::now()).await;
        self.revalidator.revalidate().await;
    }
}
