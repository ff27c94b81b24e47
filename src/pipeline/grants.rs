//! Break-glass: a role held for a while by somebody who does not hold it. Granted by root on the gate's own
//! socket, with a reason; it adds to the roles of the policy and never takes from them, and it ends by
//! itself.

use crate::audit::EventId;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::sync::Arc;

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
}

/// The grants in force.
#[derive(Debug, Default)]
pub struct Grants(ArcSwap<Vec<Grant>>);

impl Grants {
    /// Adds one.
    pub fn add(&self, grant: Grant) {
        self.0.rcu(|grants| {
            let mut all = Vec::clone(grants);
            all.push(grant.clone());
            all
        });
    }

    /// Takes one back; whether it was there.
    pub fn remove(&self, id: EventId) -> Option<Grant> {
        let before =
            self.0.rcu(|grants| grants.iter().filter(|g| g.id != id).cloned().collect::<Vec<_>>());
        before.iter().find(|grant| grant.id == id).cloned()
    }

    /// Takes away those that have ended, and gives them.
    pub fn expire(&self, now: Timestamp) -> Vec<Grant> {
        if self.0.load().iter().all(|grant| now < grant.until) {
            return Vec::new();
        }
        let before = self
            .0
            .rcu(|grants| grants.iter().filter(|g| now < g.until).cloned().collect::<Vec<_>>());
        before.iter().filter(|grant| now >= grant.until).cloned().collect()
    }

    /// Those that there are.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Grant>> {
        self.0.load_full()
    }

    /// Adds the roles that this name holds for a while to those that it holds.
    pub(super) fn extend(&self, name: &str, now: Timestamp, roles: &mut Vec<String>) {
        for grant in self.0.load().iter() {
            if grant.identity == name && now < grant.until && !roles.contains(&grant.role) {
                roles.push(grant.role.clone());
            }
        }
    }
}
