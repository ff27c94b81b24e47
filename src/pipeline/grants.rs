//! Break-glass: a role held for a while by somebody who does not hold it. Granted by root on the gate's own
//! socket, with a reason; it adds to the roles of the policy and never takes from them, and it ends by
//! itself.

mod hold;
mod kept;

pub use hold::{LONGEST, REASON_MAX, Ungranted, Wanted, is_reason};

use crate::audit::EventId;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// A role held for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The event that opened it: its name.
    pub id: EventId,
    /// Whose.
    pub identity: String,
    /// Which role.
    pub role: String,
    /// When it ends.
    pub until: Timestamp,
    /// Why, in the words of who granted it.
    pub reason: String,
    /// Whether a restart of the gate leaves it in force.
    pub persist: bool,
}

/// The grants in force.
#[derive(Debug, Default)]
pub struct Grants {
    all: ArcSwap<Vec<Grant>>,
    /// One change after the other, its record and the file included.
    turn: Mutex<Turn>,
}

/// The right to change the grants.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The gate stops: nothing is granted any more.
    stopped: bool,
}

impl Grants {
    /// Those that there are.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Grant>> {
        self.all.load_full()
    }

    fn add(&self, grant: &Grant) {
        self.all.rcu(|grants| {
            let mut all = Vec::clone(grants);
            all.push(grant.clone());
            all
        });
    }

    fn remove(&self, id: EventId) {
        self.all.rcu(|grants| grants.iter().filter(|g| g.id != id).cloned().collect::<Vec<_>>());
    }

    async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }

    /// Adds the roles that this name holds for a while to those that it holds.
    pub(super) fn extend(&self, name: &str, now: Timestamp, roles: &mut Vec<String>) {
        for grant in self.all.load().iter() {
            if grant.identity == name && now < grant.until && !roles.contains(&grant.role) {
                roles.push(grant.role.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_adds_to_the_roles_of_its_identity_until_its_end_and_not_longer() {
        let grants = Grants::default();
        let until = Timestamp::from_second(1_800_000_000).unwrap();
        let id = EventId::new();
        grants.add(&Grant {
            id,
            identity: "dev".to_owned(),
            role: "administrator".to_owned(),
            until,
            reason: "disk full".to_owned(),
            persist: false,
        });
        let roles = |name: &str, second: i64| {
            let mut roles = vec!["developer".to_owned()];
            grants.extend(name, Timestamp::from_second(second).unwrap(), &mut roles);
            roles
        };
        assert_eq!(roles("dev", 1_799_999_999), ["developer", "administrator"]);
        assert_eq!(roles("dev", 1_800_000_000), ["developer"]);
        assert_eq!(roles("dev2", 1_799_999_999), ["developer"]);
        grants.remove(id);
        assert_eq!(roles("dev", 1_799_999_999), ["developer"]);
    }
}
