//! Whose objects a role means, and what says whose an object is: two labels of ours, or that the policy adopts it.

use super::glob::Glob;
use crate::docker::Resource;
use crate::identity::IdentityName;
use std::collections::BTreeMap;
use std::fmt;

/// The label of an object that says as whom its maker owns: a team, or itself.
pub const OWNER: &str = "dockward.owner";

/// The label that says who made it.
pub const MAKER: &str = "dockward.identity";

/// What the keys of our labels begin with, which clients may not write.
pub const RESERVED: &str = "dockward.";

/// Whether a client may not write a label of this key: it is ours, to whoever reads it in another letter case too.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    Glob::new(format!("{RESERVED}**")).matches_in_any_case(key)
}

/// Whose objects a role means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Those that the identity has made.
    Own,
    /// Those that its owner owns: itself, or its team.
    Team,
    /// All.
    #[default]
    Any,
}

/// The scope of each kind of object; what is not here is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(pub BTreeMap<Resource, Scope>);

impl Scopes {
    /// Kinds of objects that have owners. Builds make images, and tasks are of their service.
    pub const KINDS: [Resource; 7] = [
        Resource::Container,
        Resource::Image,
        Resource::Volume,
        Resource::Network,
        Resource::Service,
        Resource::Secret,
        Resource::Config,
    ];

    /// The same scope for every kind.
    #[must_use]
    pub fn all(scope: Scope) -> Self {
        Self(Self::KINDS.map(|kind| (kind, scope)).into())
    }

    /// The scope of this kind.
    #[must_use]
    pub fn of(&self, kind: Resource) -> Scope {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// Whether an object of this kind, which somebody may see in this scope, was made by himself: those that were adopted
    /// have no maker.
    #[must_use]
    pub fn is_self_made(&self, kind: Resource, labels: &BTreeMap<String, String>) -> bool {
        self.of(kind) == Scope::Own && labels.contains_key(MAKER)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::Team => "team",
            Self::Any => "any",
        })
    }
}

/// `own`; or, where it is not the same for all, the kinds that are somebody's: `container own, network team`.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.of(Resource::Container);
        if Self::KINDS.iter().all(|kind| self.of(*kind) == first) {
            return first.fmt(f);
        }
        let narrow = self.0.iter().filter(|(_, scope)| **scope != Scope::Any);
        let narrow: Vec<_> = narrow.map(|(kind, scope)| format!("{kind} {scope}")).collect();
        f.write_str(&narrow.join(", "))
    }
}

/// The kind of object with an owner that requests of this resource are about.
#[must_use]
pub fn kind_of(resource: Resource) -> Option<Resource> {
    match resource {
        Resource::Build => Some(Resource::Image),
        Resource::Task => Some(Resource::Service),
        other => Scopes::KINDS.contains(&other).then_some(other),
    }
}

/// Who owns what was there before the gate, or was made beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The owner.
    pub owner: IdentityName,
    /// Labels that the object bears, with their values.
    pub labels: Vec<(String, Glob)>,
    /// Names of each kind; of a kind that has none here, by labels alone.
    pub names: BTreeMap<Resource, Vec<Glob>>,
}

impl Adoption {
    pub(super) fn has(&self, object: &Owned<'_>) -> bool {
        let bears = |(key, pattern): &(String, Glob)| {
            object.labels.get(key).is_some_and(|value| pattern.matches(value))
        };
        let named = || match self.names.get(&object.kind) {
            Some(names) => names.iter().any(|name| name.matches(object.name)),
            None => self.names.is_empty(),
        };
        self.labels.iter().all(bears) && named()
    }
}

/// What is known of an object when it is asked whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Owned<'o> {
    /// Its kind.
    pub kind: Resource,
    /// Its name.
    pub name: &'o str,
    /// Its labels.
    pub labels: &'o BTreeMap<String, String>,
    /// Of an image, its names with tag or digest.
    pub references: &'o [String],
}

/// The bridge of an owner, in the place of the daemon's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnBridge {
    /// As whom it is owned.
    pub owner: IdentityName,
    /// Who asked first.
    pub maker: IdentityName,
    /// Whether nothing outside of it is reached.
    pub internal: bool,
}

impl OwnBridge {
    /// Its name, which nobody else can give.
    #[must_use]
    pub fn name(&self) -> String {
        Self::name_of(&self.owner)
    }

    /// The name of the bridge of this owner.
    #[must_use]
    pub fn name_of(owner: &IdentityName) -> String {
        format!("{RESERVED}{owner}")
    }
}
