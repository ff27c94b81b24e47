//! `dockward quickstart` (being furnished).

use super::{Failure, Outcome, QuickstartArgs};

/// Runs it.
///
/// # Errors
/// What keeps it from being run.
pub fn run(_args: &QuickstartArgs) -> Result<Outcome, Failure> {
    Err(Failure("quickstart is not built yet".to_owned()))
}
