//! Whose an object is, and who may do what to it. What is made through the gate bears two labels of ours: as whom its
//! maker owns, and who made it. What bears none is nobody's, unless the policy adopts it.

use super::glob::Glob;
use super::model::Role;
use super::scope::{Adoption, MAKER, OWNER, OwnBridge, Owned, Scope, Scopes, kind_of};
use super::subject::Subject;
use crate::docker::image::Reference;
use crate::docker::{Resource, Verb};
use crate::identity::IdentityName;
use std::sync::Arc;

/// Networks that every daemon has, which are nobody's and everybody's.
const DAEMONS: [&str; 3] = ["bridge", "host", "none"];

/// What may be done to an image that is nobody's, by who may run or pull it.
const OF_NOBODYS_IMAGES: [Verb; 6] =
    [Verb::List, Verb::Inspect, Verb::Create, Verb::Push, Verb::Save, Verb::Tag];

/// An identity as it stands before objects, by one of its roles.
#[derive(Clone, Debug)]
pub struct Viewer {
    role: Arc<Role>,
    name: IdentityName,
    owner: IdentityName,
    sees: Vec<IdentityName>,
    adopted: Arc<[Adoption]>,
}

impl Viewer {
    /// This identity, by this role.
    pub(super) fn new(by: Subject<'_>, role: &Arc<Role>) -> Self {
        Self {
            role: Arc::clone(role),
            name: by.identity.name.clone(),
            owner: by.identity.owner.clone(),
            sees: by.identity.sees.clone(),
            adopted: Arc::clone(&by.policy.adopted),
        }
    }

    /// All by which it is chosen what it may see, as one text; what it may do is not among it.
    #[must_use]
    pub fn sees_by(&self) -> String {
        let Role { scopes, shared, only, bridge, run, pull, .. } = self.role.as_ref();
        let revealed: Vec<_> =
            Resource::ALL.iter().filter(|resource| self.reveals(**resource)).collect();
        let role = (scopes, shared, only, bridge, run, pull, revealed);
        format!("{role:?} {:?}", (&self.name, &self.owner, &self.sees, &self.adopted))
    }

    /// Whether there may be objects of this kind with which it has nothing to do.
    #[must_use]
    pub fn is_narrow(&self, kind: Resource) -> bool {
        self.role.is_narrow(kind)
    }

    /// Whether there are kinds of objects of which it does not mean all.
    #[must_use]
    pub fn is_narrow_at_all(&self) -> bool {
        Scopes::KINDS.into_iter().any(|kind| self.is_narrow(kind))
    }

    /// Whether of the objects of this resource it means those alone that bear a label besides.
    #[must_use]
    pub fn is_marked(&self, resource: Resource) -> bool {
        kind_of(resource).is_some_and(|kind| !self.role.only_of(kind).is_empty())
    }

    /// Whether it may do this to the object, as far as it matters whose that is.
    #[must_use]
    pub fn may(&self, verb: Verb, object: &Owned<'_>) -> bool {
        let bears = |(key, pattern): &(String, Glob)| {
            object.labels.get(key).is_some_and(|value| pattern.matches(value))
        };
        self.role.only_of(object.kind).iter().all(bears) && self.means(verb, object)
    }

    fn means(&self, verb: Verb, object: &Owned<'_>) -> bool {
        // the daemon's bridge by its id, or where one's own cannot stand in its place
        if self.is_replaced(object) && matches!(verb, Verb::Connect | Verb::Create) {
            return false;
        }
        let scope = self.role.scopes.of(object.kind);
        if scope == Scope::Any || is_daemons(object) {
            return true;
        }
        let Some((owner, maker)) = self.owner_of(object) else {
            return object.kind == Resource::Image && self.may_have(verb, object);
        };
        let (me, us) = (self.name.as_str(), self.owner.as_str());
        // whoever of us asked for it first
        let bridge =
            object.kind == Resource::Network && self.names_its_bridge(object.name) && owner == us;
        let mine = match (scope, maker) {
            (Scope::Own, Some(maker)) => maker == me,
            // adopted by me, not by a team of which I am
            (Scope::Own, None) => owner == me && us == me,
            _ => owner == us,
        };
        bridge
            || mine
            || self.sees.iter().any(|one| one.as_str() == owner)
                && self.role.shared.has(object.kind, verb)
    }

    fn is_replaced(&self, object: &Owned<'_>) -> bool {
        let bridge = object.kind == Resource::Network && object.name == DAEMONS[0];
        bridge && self.role.bridge.is_some()
    }

    /// Whether it has a bridge of its own in the place of the daemon's.
    #[must_use]
    pub fn has_bridge(&self) -> bool {
        self.role.bridge.is_some()
    }

    /// Whether a network of this name is the bridge of its owner, which is made where there is none.
    #[must_use]
    pub fn names_its_bridge(&self, name: &str) -> bool {
        self.role.bridge.is_some() && name == OwnBridge::name_of(&self.owner)
    }

    /// Whether it owns the object, or is of those who own as one.
    #[must_use]
    pub fn owns(&self, object: &Owned<'_>) -> bool {
        self.owner_of(object).is_some_and(|(owner, _)| owner == self.owner.as_str())
    }

    /// The name of the identity.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The owner of an object and who made it, where somebody owns it.
    #[must_use]
    pub fn owner_of<'o>(&'o self, object: &Owned<'o>) -> Option<(&'o str, Option<&'o str>)> {
        match object.labels.get(OWNER) {
            Some(owner) => Some((owner, object.labels.get(MAKER).map(String::as_str))),
            None => self
                .adopted
                .iter()
                .find(|one| one.has(object))
                .map(|one| (one.owner.as_str(), None)),
        }
    }

    /// An image that is nobody's is there for who may run or pull it.
    fn may_have(&self, verb: Verb, image: &Owned<'_>) -> bool {
        let glob = |pattern: &str, text: &str| Glob::new(pattern).matches(text);
        let patterns = || self.role.run.iter().chain(&self.role.pull);
        let named = image.references.iter().filter_map(|name| Reference::parse(name).ok());
        OF_NOBODYS_IMAGES.contains(&verb)
            && (patterns().any(crate::docker::image::ImagePattern::is_any)
                || named.into_iter().any(|name| patterns().any(|p| p.matches(&name, glob))))
    }

    /// Whether it is told everything of objects of this resource, whoever's they are.
    #[must_use]
    pub fn reveals(&self, resource: Resource) -> bool {
        self.role.allow.has(resource, Verb::Reveal)
    }

    /// Whether there may be objects of this resource of which it is not told everything.
    #[must_use]
    pub fn hides(&self, resource: Resource) -> bool {
        let kind = kind_of(resource).unwrap_or(resource);
        let shares = !self.sees.is_empty() && self.role.shared.iter().any(|(of, ..)| of == kind);
        let others = shares || kind == Resource::Image || self.role.scopes.of(kind) == Scope::Any;
        others && !self.reveals(resource)
    }

    /// Whether something is not told of this object: it is somebody else's. Whoever may run an image that is nobody's
    /// can see all that it says.
    #[must_use]
    pub fn hides_of(&self, object: &Owned<'_>) -> bool {
        let kind = kind_of(object.kind).unwrap_or(object.kind);
        let of = Owned { kind, ..*object };
        let own = match self.owner_of(&of) {
            Some((owner, _)) => owner == self.owner.as_str(),
            None => kind == Resource::Image && self.may_have(Verb::List, &of),
        };
        !own && self.hides(object.kind)
    }

    /// The one label that all objects of this kind have that it may list, and no others: then the daemon can choose
    /// them. `None` where it takes more to tell.
    #[must_use]
    pub fn label_of_all(&self, kind: Resource) -> Option<String> {
        let shares = !self.sees.is_empty() && self.role.shared.has(kind, Verb::List);
        let apart = shares || !self.adopted.is_empty() || !self.role.only_of(kind).is_empty();
        let everybodys = matches!(kind, Resource::Image | Resource::Network);
        (!apart && !everybodys).then(|| self.label_of_own(kind))?
    }

    /// The label of what it may delete without looking at each; `None` where its scope is all.
    #[must_use]
    pub fn label_of_own(&self, kind: Resource) -> Option<String> {
        match self.role.scopes.of(kind) {
            Scope::Own => Some(format!("{MAKER}={}", self.name)),
            Scope::Team => Some(format!("{OWNER}={}", self.owner)),
            Scope::Any => None,
        }
    }
}

/// Whether every daemon has this network.
fn is_daemons(object: &Owned<'_>) -> bool {
    object.kind == Resource::Network && DAEMONS.contains(&object.name)
}
