//! `dockward reload`: the policy and the certificates read again, and what came of it.

use super::asking;
use super::out::Paint;
use super::{Exit, Failure, ReloadArgs};
use crate::control::wire::{Ask, Reloaded, Said};

/// Asks, and waits until it has taken effect.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &ReloadArgs) -> Result<Exit, Failure> {
    let take = |said| match said {
        Said::Reloaded(reloaded) => Some(reloaded),
        _ => None,
    };
    asking::show(&args.gate, Ask::Reload, take, text)
}

fn text(reloaded: &Reloaded, paint: Paint) -> String {
    let Reloaded { policy, identities, roles, listeners, warnings } = reloaded;
    let mut text = format!(
        "policy {policy} is in force: {identities} identities, {roles} roles, {listeners} listeners\n"
    );
    for warning in warnings {
        text.push_str(&format!("{}: {warning}\n", paint.yellow("warning")));
    }
    text
}
