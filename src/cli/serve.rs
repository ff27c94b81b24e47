//! `dockward serve` (being furnished).

use super::{Failure, Outcome, ServeArgs};

/// Runs it.
///
/// # Errors
/// What keeps it from being run.
pub fn run(_args: &ServeArgs) -> Result<Outcome, Failure> {
    Err(Failure("serve is not built yet".to_owned()))
}
