//! Sets of verbs by resource, and whether each was spelled out or came with `*`.

use crate::docker::{Resource, Route, Verb};
use std::collections::BTreeMap;

/// What an `allow` or `deny` of a role says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(BTreeMap<(Resource, Verb), Spelling>);

/// How a verb was granted. A spelled one grants more than one that came with `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spelling {
    /// By `*` or by a group (`read`, `run`).
    Wild,
    /// By its own name.
    Named,
}

impl Grants {
    /// Adds a verb.
    pub fn add(&mut self, resource: Resource, verb: Verb, spelling: Spelling) {
        let entry = self.0.entry((resource, verb)).or_insert(spelling);
        *entry = (*entry).max(spelling);
    }

    /// Adds all that another set holds.
    pub fn extend(&mut self, other: &Self) {
        for (&(resource, verb), &spelling) in &other.0 {
            self.add(resource, verb, spelling);
        }
    }

    /// How the verb of this route was granted, if it was. A verb with a dagger and an opaque
    /// stream must be spelled out: `*` does not hold for them.
    #[must_use]
    pub fn grants(&self, route: &Route) -> Option<Spelling> {
        let spelling = *self.0.get(&(route.resource, route.verb))?;
        let named_only = route.dagger || route.is_opaque();
        (spelling == Spelling::Named || !named_only).then_some(spelling)
    }

    /// Whether this verb of this resource is held in any spelling.
    #[must_use]
    pub fn has(&self, resource: Resource, verb: Verb) -> bool {
        self.0.contains_key(&(resource, verb))
    }

    /// Every pair, with its spelling.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, Verb, Spelling)> {
        self.0.iter().map(|(&(resource, verb), &spelling)| (resource, verb, spelling))
    }
}
