//! An elevation from its beginning to its end. Its record comes first, so that nobody ever held a role of which
//! the log knows nothing; its end is on record however it comes: by the clock, by hand, by a policy that
//! does not have the role any more, with the gate.

use super::turned::Turned;
use super::{Operator, kept};
use crate::audit::event::{Actor, ElevationRecord};
use crate::audit::{AuditError, Event, EventId, Stage};
use crate::identity::{Identity, IdentityName, supposed};
use crate::policy::Policy;
use crate::problem::{Actionable, Problem};
use crate::who::{Elevation, Elevations, Turn};
use jiff::Timestamp;
use std::io;
use std::time::Duration;
use tokio::sync::MutexGuard;

/// The longest that a role is granted for.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest reason, in bytes.
pub(super) const REASON_MAX: usize = 512;
/// The most elevations in force.
const MOST: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElevationWanted {
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
pub enum NotElevated {
    /// What was asked for cannot be, with what would be.
    Wrong(Problem),
    /// It cannot be written down.
    Unrecorded(#[from] AuditError),
    /// It cannot be kept for the next start.
    Unkept(#[source] io::Error),
}

impl Actionable for NotElevated {
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

impl Operator {
    fn elevations(&self) -> &Elevations {
        &self.revalidator.in_force.elevations
    }

    /// Gives a role to an identity for a while. `actor` has the reason.
    ///
    /// # Errors
    /// Nothing was granted.
    pub async fn elevate(
        &self,
        wanted: ElevationWanted,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Elevation, NotElevated> {
        let turn = self.elevations().turn().await;
        let identity = self.may_hold(&wanted, &turn).map_err(NotElevated::Wrong)?;
        let mut event = Event::new(Stage::GrantOpen);
        let elevation = Elevation {
            id: event.id,
            identity: identity.to_string(),
            role: wanted.role,
            until: now.saturating_add(wanted.lasts).unwrap_or(now),
            reason: actor.reason.clone().unwrap_or_default(),
            persist: wanted.persist,
        };
        event.grant = Some(told(&elevation));
        event.actor = Some(actor);
        self.record(event).await?;
        self.elevations().add(&elevation);
        if elevation.persist
            && let Err(error) = self.keep(&turn).await
        {
            self.elevations().remove(elevation.id);
            self.revalidator.log.note(turned(Stage::GrantClose, &elevation, Turned::Unkept));
            return Err(NotElevated::Wrong(Problem::new(
                format!("nothing was granted, as it cannot be kept for the next start ({error})"),
                "make room beside the log, or grant it without --persist",
            )));
        }
        Ok(elevation)
    }

    fn may_hold(&self, wanted: &ElevationWanted, turn: &Turn) -> Result<IdentityName, Problem> {
        let policy = self.revalidator.in_force.policy();
        let ElevationWanted { identity, role, lasts, persist: _ } = wanted;
        if turn.stopped {
            return Err(Problem::new("the gate stops", "ask again when it is back"));
        }
        if !policy.roles.contains_key(role) {
            let roles = policy.roles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let what = format!("no role {role:?} is in the policy");
            return Err(Problem::new(what, format!("there are: {roles}")));
        }
        let Some(bearer) = bearer(identity, &policy) else {
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
        if self.elevations().all().len() >= MOST {
            return Err(Problem::new(format!("{MOST} grants are in force"), "revoke one first"));
        }
        Ok(bearer.name)
    }

    /// Takes an elevation back before its end.
    ///
    /// # Errors
    /// It is still in force, unless it says that it could not be kept.
    pub async fn take_back(&self, id: EventId, actor: Actor) -> Result<Elevation, NotElevated> {
        let turn = self.elevations().turn().await;
        let elevation = self.elevations().all().iter().find(|held| held.id == id).cloned();
        let elevation = elevation.ok_or_else(|| {
            let what = format!("no grant {id} is in force");
            NotElevated::Wrong(Problem::new(what, "see `dockward status`"))
        })?;
        let mut event = turned(Stage::GrantClose, &elevation, Turned::Revoked);
        event.actor = Some(actor);
        self.record(event).await?;
        self.elevations().remove(id);
        if elevation.persist {
            self.keep(&turn).await.map_err(NotElevated::Unkept)?;
        }
        Ok(elevation)
    }

    /// Closes what has ended, and what the policy in force does not know any more.
    pub async fn close_ended(&self, now: Timestamp) {
        let policy = self.revalidator.in_force.policy();
        if self.elevations().all().iter().all(|held| over(held, &policy, now).is_none()) {
            return;
        }
        let turn = self.elevations().turn().await;
        let mut rewrite = false;
        for elevation in self.elevations().all().iter() {
            if let Some(why) = over(elevation, &policy, now) {
                self.elevations().remove(elevation.id);
                self.revalidator.log.note(turned(Stage::GrantClose, elevation, why));
                rewrite |= elevation.persist;
            }
        }
        if rewrite && let Err(error) = self.keep(&turn).await {
            tracing::error!("{}", NotElevated::Unkept(error));
        }
    }

    /// Puts into force again what was to outlast a restart. To be called once, before anybody is served.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn resume(&self, now: Timestamp) -> Result<(), AuditError> {
        let turn = self.elevations().turn().await;
        let path = kept::path(&self.directory);
        let kept = kept::read(&self.directory, now).unwrap_or_else(|why| {
            let aside = path.with_extension("json.damaged");
            let moved = std::fs::rename(&path, &aside);
            tracing::error!(?moved, "{}: {why}: nothing of it is in force", path.display());
            Vec::new()
        });
        let (policy, some) = (self.revalidator.in_force.policy(), !kept.is_empty());
        for elevation in kept.into_iter().take(MOST) {
            if let Some(why) = over(&elevation, &policy, now) {
                self.revalidator.log.note(turned(Stage::GrantClose, &elevation, why));
                continue;
            }
            let mut event = turned(Stage::GrantOpen, &elevation, Turned::Resumed);
            event.text = Some(elevation.reason.clone());
            self.record(event).await?;
            self.elevations().add(&elevation);
        }
        if some && let Err(error) = self.keep(&turn).await {
            tracing::error!("{}", NotElevated::Unkept(error));
        }
        Ok(())
    }

    /// Says of all elevations that they end with the gate; the file keeps those that persist.
    pub async fn close_all(&self) {
        let mut turn = self.elevations().turn().await;
        turn.stopped = true;
        for elevation in self.elevations().all().iter() {
            self.elevations().remove(elevation.id);
            self.revalidator.log.note(turned(Stage::GrantClose, elevation, Turned::Stopped));
        }
    }

    /// Writes the file beside the log as the elevations are now.
    async fn keep(&self, _turn: &MutexGuard<'_, Turn>) -> io::Result<()> {
        let (directory, all) = (self.directory.clone(), self.elevations().all());
        let written = tokio::task::spawn_blocking(move || kept::write(&directory, &all));
        written.await.map_err(io::Error::other)?
    }
}

/// Why an elevation is over, if it is.
fn over(elevation: &Elevation, policy: &Policy, now: Timestamp) -> Option<Turned> {
    if now >= elevation.until {
        return Some(Turned::Expired);
    }
    if !policy.roles.contains_key(&elevation.role) {
        return Some(Turned::RoleGone);
    }
    bearer(&elevation.identity, policy).is_none().then_some(Turned::IdentityGone)
}

/// Who the policy says has this name, if somebody can.
fn bearer(name: &str, policy: &Policy) -> Option<Identity> {
    supposed(&policy.identities, &name.parse().ok()?)
}

fn turned(stage: Stage, elevation: &Elevation, why: Turned) -> Event {
    let mut event = Event::new(stage);
    event.parent = Some(elevation.id);
    event.grant = Some(told(elevation));
    event.because(why.rule());
    event
}

fn told(elevation: &Elevation) -> ElevationRecord {
    ElevationRecord {
        identity: elevation.identity.clone(),
        role: elevation.role.clone(),
        until: format!("{:.6}", elevation.until),
        persist: elevation.persist,
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
