//! A grant from its beginning to its end. Its record comes first, so that nobody ever held a role of which
//! the log knows nothing; its end is on record however it comes: by the clock, by hand, by a policy that
//! does not have the role any more, with the gate.

use super::{Grant, Turn, kept};
use crate::audit::event::{Actor, Granted};
use crate::audit::{AuditError, Durability, Event, EventId, Stage};
use crate::identity::{IdentityName, supposed};
use crate::pipeline::Pipeline;
use crate::policy::Policy;
use crate::problem::{Actionable, Problem};
use jiff::Timestamp;
use std::io;
use std::time::Duration;
use tokio::sync::MutexGuard;

/// The longest that a role is granted for.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest reason, in bytes.
pub const REASON_MAX: usize = 512;
/// The most grants in force.
const MOST: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whose role it is to be.
    pub identity: String,
    /// Which role.
    pub role: String,
    /// For how long.
    pub lasts: Duration,
    /// Whether a restart of the gate leaves it in force.
    pub persist: bool,
}

/// Why nothing was granted or taken back.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum Ungranted {
    /// What was asked for cannot be, with what would be.
    Wrong(Problem),
    /// It cannot be written down.
    Unrecorded(#[source] AuditError),
    /// It cannot be kept for the next start.
    Unkept(#[source] io::Error),
}

impl Actionable for Ungranted {
    fn problem(&self) -> Problem {
        match self {
            Self::Wrong(why) => why.clone(),
            Self::Unrecorded(error) => {
                error.problem().at("nothing was changed, as it cannot be recorded")
            }
            Self::Unkept(error) => Problem::new(
                format!("grants.json beside the log cannot be written ({error})"),
                "remove it before the next start, or what it holds is in force again",
            ),
        }
    }
}

/// Whether these words do as a reason: some, not too many, on one line.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= REASON_MAX && !text.chars().any(char::is_control)
}

impl Pipeline {
    /// Gives a role to an identity for a while. `actor` has the reason.
    ///
    /// # Errors
    /// Nothing was granted.
    pub async fn open_grant(
        &self,
        wanted: Wanted,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Grant, Ungranted> {
        let turn = self.grants.turn().await;
        let identity = self.may_be_granted(&wanted, &turn).map_err(Ungranted::Wrong)?;
        let mut event = Event::new(Stage::GrantOpen);
        let grant = Grant {
            id: event.id,
            identity: identity.to_string(),
            role: wanted.role,
            until: now.saturating_add(wanted.lasts).unwrap_or(now),
            reason: actor.reason.clone().unwrap_or_default(),
            persist: wanted.persist,
        };
        event.grant = Some(told(&grant));
        event.actor = Some(actor);
        self.log.record(event, Durability::Synced).await.map_err(Ungranted::Unrecorded)?;
        self.grants.add(&grant);
        if grant.persist
            && let Err(error) = self.keep(&turn).await
        {
            self.grants.remove(grant.id);
            self.log.note(closed(&grant, "grant.unkept"));
            return Err(Ungranted::Wrong(Problem::new(
                format!("nothing was granted, as it cannot be kept for the next start ({error})"),
                "make room beside the log, or grant it without --persist",
            )));
        }
        Ok(grant)
    }

    fn may_be_granted(&self, wanted: &Wanted, turn: &Turn) -> Result<IdentityName, Problem> {
        let policy = self.policy();
        let Wanted { identity, role, lasts, persist: _ } = wanted;
        if turn.stopped {
            return Err(Problem::new("the gate stops", "ask again when it is back"));
        }
        if !policy.roles.contains_key(role) {
            let roles = policy.roles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let what = format!("no role {role:?} is in the policy");
            return Err(Problem::new(what, format!("there are: {roles}")));
        }
        let name: Option<IdentityName> = identity.parse().ok();
        let Some(bearer) = name.and_then(|name| supposed(&policy.identities, &name)) else {
            let what = format!("no identity of the policy can be {identity:?}");
            return Err(Problem::new(what, "see `dockward check`"));
        };
        if bearer.roles.contains(role) {
            let what = format!("{} holds {role} by the policy", bearer.name);
            return Err(Problem::new(what, "there is nothing to grant"));
        }
        if *lasts < Duration::from_secs(1) || *lasts > LONGEST {
            let what = "a role is granted for 1s at least and 24h at most";
            return Err(Problem::new(what, "choose a time between them"));
        }
        if self.grants.all().len() >= MOST {
            return Err(Problem::new(format!("{MOST} grants are in force"), "revoke one first"));
        }
        Ok(bearer.name)
    }

    /// Takes a grant back before its end.
    ///
    /// # Errors
    /// It is still in force, unless it says that it could not be kept.
    pub async fn revoke_grant(&self, id: EventId, actor: Actor) -> Result<Grant, Ungranted> {
        let turn = self.grants.turn().await;
        let Some(grant) = self.grants.all().iter().find(|grant| grant.id == id).cloned() else {
            let what = format!("no grant {id} is in force");
            return Err(Ungranted::Wrong(Problem::new(what, "see `dockward status`")));
        };
        let mut event = closed(&grant, "grant.revoked");
        event.actor = Some(actor);
        self.log.record(event, Durability::Synced).await.map_err(Ungranted::Unrecorded)?;
        self.grants.remove(id);
        if grant.persist {
            self.keep(&turn).await.map_err(Ungranted::Unkept)?;
        }
        Ok(grant)
    }

    /// Closes what has ended, and what the policy in force does not know any more.
    pub async fn close_grants(&self, now: Timestamp) {
        let policy = self.policy();
        if self.grants.all().iter().all(|grant| over(grant, &policy, now).is_none()) {
            return;
        }
        let turn = self.grants.turn().await;
        let mut rewrite = false;
        for grant in self.grants.all().iter() {
            if let Some(why) = over(grant, &policy, now) {
                self.grants.remove(grant.id);
                self.log.note(closed(grant, why));
                rewrite |= grant.persist;
            }
        }
        if rewrite && let Err(error) = self.keep(&turn).await {
            tracing::error!("{}", Ungranted::Unkept(error));
        }
    }

    /// Puts into force again what was to outlast a restart. To be called once, before anybody is served.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn resume_grants(&self, now: Timestamp) -> Result<(), AuditError> {
        let turn = self.grants.turn().await;
        let path = kept::path(&self.places.audit);
        let kept = kept::read(&self.places.audit, now).unwrap_or_else(|why| {
            let aside = path.with_extension("json.damaged");
            let moved = std::fs::rename(&path, &aside);
            tracing::error!(?moved, "{}: {why}: nothing of it is in force", path.display());
            Vec::new()
        });
        let (policy, some) = (self.policy(), !kept.is_empty());
        for grant in kept.into_iter().take(MOST) {
            if let Some(why) = over(&grant, &policy, now) {
                self.log.note(closed(&grant, why));
                continue;
            }
            let mut event = Event::new(Stage::GrantOpen);
            event.parent = Some(grant.id);
            event.grant = Some(told(&grant));
            event.reason = Some("grant.resumed".to_owned());
            event.text = Some(grant.reason.clone());
            self.log.record(event, Durability::Synced).await?;
            self.grants.add(&grant);
        }
        if some && let Err(error) = self.keep(&turn).await {
            tracing::error!("{}", Ungranted::Unkept(error));
        }
        Ok(())
    }

    /// Says of all grants that they end with the gate; the file keeps those that persist.
    pub async fn stop_grants(&self) {
        let mut turn = self.grants.turn().await;
        turn.stopped = true;
        for grant in self.grants.all().iter() {
            self.grants.remove(grant.id);
            self.log.note(closed(grant, "gate.stopped"));
        }
    }

    /// Writes the file beside the log as the grants are now.
    async fn keep(&self, _turn: &MutexGuard<'_, Turn>) -> io::Result<()> {
        let (directory, grants) = (self.places.audit.clone(), self.grants.all());
        let written = tokio::task::spawn_blocking(move || kept::write(&directory, &grants));
        written.await.map_err(io::Error::other)?
    }
}

/// Why a grant is over, if it is.
fn over(grant: &Grant, policy: &Policy, now: Timestamp) -> Option<&'static str> {
    if now >= grant.until {
        return Some("grant.expired");
    }
    if !policy.roles.contains_key(&grant.role) {
        return Some("grant.role-gone");
    }
    let name: Option<IdentityName> = grant.identity.parse().ok();
    let bearer = name.and_then(|name| supposed(&policy.identities, &name));
    bearer.is_none().then_some("grant.identity-gone")
}

fn closed(grant: &Grant, why: &str) -> Event {
    let mut event = Event::new(Stage::GrantClose);
    event.parent = Some(grant.id);
    event.grant = Some(told(grant));
    event.reason = Some(why.to_owned());
    event
}

fn told(grant: &Grant) -> Granted {
    Granted {
        identity: grant.identity.clone(),
        role: grant.role.clone(),
        until: format!("{:.6}", grant.until),
        persist: grant.persist,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_some_words_on_one_line() {
        assert!(is_reason("disk full on web-1"));
        assert!(is_reason(&"x".repeat(REASON_MAX)));
        for wrong in ["", "  ", "a\nb", "a\u{7}b", &"x".repeat(REASON_MAX + 1)] {
            assert!(!is_reason(wrong), "{wrong:?}");
        }
    }
}
