//! `dockward explain` (being furnished).

use super::{ExplainArgs, Failure, Outcome};

/// Runs it.
///
/// # Errors
/// What keeps it from being run.
pub fn run(_args: &ExplainArgs) -> Result<Outcome, Failure> {
    Err(Failure("explain is not built yet".to_owned()))
}
