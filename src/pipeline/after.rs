//! What a request that ends leaves behind of what is known of containers.

use crate::docker::CallHead;
use crate::facts::{Gatherer, Moment};
use crate::policy::Permit;
use crate::policy::facts::Seen;
use crate::policy::permit::Makes;

/// What is known otherwise once the daemon has answered.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    identity: String,
    /// What is made.
    makes: Option<Makes>,
    /// The full ids of containers that may be others than they were.
    changes: Vec<String>,
}

impl Aftermath {
    /// Of a request of an identity that is about to go on. What carried it is remembered if it was found since a moment
    /// and will do for the next one.
    pub(super) fn of(
        (identity, head): (&str, &CallHead),
        permit: &Permit,
        gatherer: &Gatherer,
        since: Option<Moment>,
    ) -> Self {
        let mut changes = Vec::new();
        match since {
            Some(since) => gatherer.remember(identity, since, permit.facts()),
            None => {
                let found = permit.facts().containers.values();
                let found = found.filter_map(Seen::found);
                changes.extend(found.map(|container| container.id.clone()));
                // of whom nothing is to be known nothing was looked up
                changes.extend(head.target().map(str::to_owned));
            }
        }
        Self { identity: identity.to_owned(), makes: permit.makes().cloned(), changes }
    }

    /// The daemon has answered with this status, and the id of what it has made, or the answer is lost.
    pub(super) fn settle(self, gatherer: &Gatherer, status: Option<u16>, id: Option<&str>) {
        let Self { identity, makes, changes } = self;
        for id in changes {
            gatherer.forget(&id);
        }
        if let (Some(makes), Some(id), Some(201)) = (makes, id, status) {
            gatherer.made(&identity, id, makes);
        }
    }
}
