//! Elevation, the break-glass: a role held for a while by somebody who does not hold it. Given by root on the
//! gate's own socket, with a reason; it adds to the roles of the policy and never takes from them, and it
//! ends by itself.

use crate::audit::EventId;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// A role held for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elevation {
    /// The event that opened it: its name.
    pub id: EventId,
    /// Whose.
    pub identity: String,
    /// Which role.
    pub role: String,
    /// When it ends.
    pub until: Timestamp,
    /// Why, in the words of who gave it.
    pub reason: String,
    /// Whether a restart of the gate leaves it in force.
    #[serde(skip)]
    pub persist: bool,
}

/// The elevations in force.
#[derive(Debug, Default)]
pub struct Elevations {
    all: ArcSwap<Vec<Elevation>>,
    /// One change after the other, its record and the file included.
    turn: Mutex<Turn>,
}

/// The right to change the elevations.
#[derive(Debug, Default)]
pub struct Turn {
    /// The gate stops: nobody is elevated any more.
    pub stopped: bool,
}

impl Elevations {
    /// Those that there are.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Elevation>> {
        self.all.load_full()
    }

    pub(crate) fn add(&self, elevation: &Elevation) {
        self.all.rcu(|elevations| {
            let mut all = Vec::clone(elevations);
            all.push(elevation.clone());
            all
        });
    }

    pub(crate) fn remove(&self, id: EventId) {
        self.all.rcu(|elevations| {
            elevations.iter().filter(|e| e.id != id).cloned().collect::<Vec<_>>()
        });
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }

    /// Adds the roles that this name holds for a while to those that it holds.
    pub(super) fn extend(&self, name: &str, now: Timestamp, roles: &mut Vec<String>) {
        for elevation in self.all.load().iter() {
            let holds = elevation.identity == name && now < elevation.until;
            if holds && !roles.contains(&elevation.role) {
                roles.push(elevation.role.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_elevation_adds_to_the_roles_of_its_identity_until_its_end_and_not_longer() {
        let elevations = Elevations::default();
        let until = Timestamp::from_second(1_800_000_000).unwrap();
        let id = EventId::new();
        elevations.add(&Elevation {
            id,
            identity: "dev".to_owned(),
            role: "administrator".to_owned(),
            until,
            reason: "disk full".to_owned(),
            persist: false,
        });
        let roles = |name: &str, second: i64| {
            let mut roles = vec!["developer".to_owned()];
            elevations.extend(name, Timestamp::from_second(second).unwrap(), &mut roles);
            roles
        };
        assert_eq!(roles("dev", 1_799_999_999), ["developer", "administrator"]);
        assert_eq!(roles("dev", 1_800_000_000), ["developer"]);
        assert_eq!(roles("dev2", 1_799_999_999), ["developer"]);
        elevations.remove(id);
        assert_eq!(roles("dev", 1_799_999_999), ["developer"]);
    }
}
