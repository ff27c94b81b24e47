//! `dockward grant`: break-glass. A role for an identity that does not hold it, for a while and with a
//! reason, and its end before its time.

use super::asking::{self, only};
use super::out::Paint;
use super::{Exit, Failure, GrantArgs};
use crate::config;
use crate::control::wire::{Ask, Grant, GrantWanted, GrantedView, Named};

/// Grants, or takes back.
///
/// # Errors
/// The gate cannot be asked, or the time is none.
pub fn run(args: &GrantArgs) -> Result<Exit, Failure> {
    if let Some(id) = &args.revoke {
        let ask = Ask::RevokeGrant(Named { id: id.clone(), reason: args.reason.clone() });
        let text = |grant: &Grant, _: Paint| {
            format!("{} does not hold {} any more by this grant\n", grant.identity, grant.role)
        };
        return asking::show(&args.gate, ask, only!(Revoked), text);
    }
    asking::show(&args.gate, Ask::Grant(wanted(args)?), only!(Granted), granted)
}

fn wanted(args: &GrantArgs) -> Result<GrantWanted, Failure> {
    let text = args.lasts.as_deref().unwrap_or_default();
    let lasts = config::duration(text);
    let lasts = lasts.map_err(|next| Failure::new(format!("--for {text:?} is no time"), next))?;
    Ok(GrantWanted {
        identity: args.name.clone().unwrap_or_default(),
        role: args.role.clone().unwrap_or_default(),
        for_seconds: lasts.as_secs(),
        reason: args.reason.clone(),
        persist: args.persist,
    })
}

fn granted(granted: &GrantedView, paint: Paint) -> String {
    let GrantedView { grant, root, listeners } = granted;
    let mut text = format!(
        "{} holds {} until {}\nto take it back: dockward grant --revoke {} --reason ..\n",
        grant.identity, grant.role, grant.until, grant.id
    );
    match listeners.is_empty() {
        true => text.push_str(&format!(
            "{}\n",
            paint.yellow(
                "nobody of that name may come in at any listener (`identities:` under listen)"
            )
        )),
        false => text.push_str(&format!("in force at {}\n", listeners.join(", "))),
    }
    if !root.is_empty() {
        text.push_str(&format!("{}\n", paint.red("ROOT ON THE HOST")));
        text.extend(root.iter().map(|what| format!("  {what}\n")));
    }
    text
}
