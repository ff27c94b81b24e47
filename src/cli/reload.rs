//! `dockward reload`: the policy and the certificates read again, and what came of it.

use super::asking::{self, only};
use super::out::Paint;
use super::{ControlArgs, Exit, Failure};
use crate::control::wire::{Ask, ListenerInForce, Reloaded};

/// Asks, and waits until it has taken effect.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &ControlArgs) -> Result<Exit, Failure> {
    asking::show(args, Ask::Reload, only!(Reloaded), text)
}

fn text(reloaded: &Reloaded, paint: Paint) -> String {
    let Reloaded { policy, identities, roles, listeners, warnings, at } = reloaded;
    let mut text = format!(
        "policy {policy} is in force: {identities} identities, {roles} roles, {listeners} listeners\n"
    );
    for ListenerInForce { listener, certificate_until, authorities, crl_until } in at {
        let until = certificate_until.as_deref().unwrap_or("?");
        let lists = crl_until.as_ref().map_or_else(
            || paint.yellow("no crl: what is revoked stays good"),
            |until| format!("crl until {until}"),
        );
        text.push_str(&format!(
            "  {listener}: certificate until {until}, {authorities} authorities, {lists}\n"
        ));
    }
    for warning in warnings {
        text.push_str(&format!("{}: {warning}\n", paint.yellow("warning")));
    }
    text
}
