//! The policy as it is judged by: compiled from the file, complete, with no text left to interpret.

use super::glob::Glob;
use super::grants::Grants;
use super::manner::{Deletes, Execs};
use super::placeholder;
use super::profile::Profile;
use super::quota::Limits;
use super::scope::{Adoption, Scope, Scopes};
use crate::digest::Sha256;
use crate::docker::Resource;
use crate::docker::image::ImagePattern;
use crate::identity::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A whole policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// SHA-256 of the text it was compiled from: the log names it with every decision.
    pub hash: Sha256,
    /// Whom to ask, as it is told at the end of what roles and limits refuse.
    pub contact: Option<String>,
    /// Who is who, in the order of the file.
    pub identities: Vec<crate::identity::IdentityRule>,
    /// Tokens that are asked for beside the certificate; `None` is none, and the header is no matter.
    pub tokens: Option<crate::identity::Tokens>,
    /// The roles by name.
    pub roles: BTreeMap<String, Arc<Role>>,
    /// Who owns what was there before, in the order of the file: the first that has it.
    pub adopted: Arc<[Adoption]>,
    /// What identities may have at once, by name.
    pub limits: BTreeMap<String, Arc<Limits>>,
    /// Kinds of objects of which some role that somebody holds means its own alone: whatever is made of them bears its owner's labels.
    pub owned: BTreeSet<Resource>,
}

impl Policy {
    /// The roles that an identity holds, in the order written.
    pub fn roles_of<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a Arc<Role>> {
        names.iter().filter_map(|name| self.roles.get(name))
    }
}

/// A named bundle of grants with the admission that goes with them.
#[derive(Clone, Debug)]
pub struct Role {
    /// The name in the policy file.
    pub name: String,
    /// What is allowed.
    pub allow: Grants,
    /// What is denied, whatever else allows it.
    pub deny: Grants,
    /// Whose objects it means.
    pub scopes: Scopes,
    /// What it grants of objects that its identities see besides.
    pub shared: Grants,
    /// Labels that the containers and services must bear that it means, of those in its scope.
    pub only: Vec<(String, Glob)>,
    /// Whether what it makes keeps the owner whom the client names, in labels as `inspect` shows them.
    pub keeps_owner: bool,
    /// Whether what no daemon reads refuses a request, where it is left out otherwise.
    pub refuses_unknown: bool,
    /// Whether it has a bridge of its owner's own in the place of the daemon's; and then whether nothing outside of
    /// it is reached.
    pub bridge: Option<bool>,
    /// How bodies are judged.
    pub admission: Admission,
    /// Whether it has patterns that are each identity's own ([`Role::held_by`]).
    pub placeholders: bool,
    /// In which manner containers may be deleted.
    pub deletes: Deletes,
    /// In which manner something may be run in containers.
    pub execs: Execs,
    /// Images that may be run.
    pub run: Vec<ImagePattern>,
    /// Images that may be pulled.
    pub pull: Vec<ImagePattern>,
    /// Images that may be pushed.
    pub push: Vec<ImagePattern>,
    /// Names on this host that may be given to images: by tag, build, commit, import.
    pub write: Vec<ImagePattern>,
}

impl Role {
    /// Whether it has patterns that are each identity's own.
    #[must_use]
    pub fn has_placeholders(&self) -> bool {
        let images = [&self.run, &self.pull, &self.push, &self.write];
        let of_images =
            images.into_iter().flatten().any(|image| placeholder::has_any(image.as_str()));
        let profiles = self.admission.profile().into_iter().flat_map(Profile::with_exceptions);
        let mut names = profiles.flat_map(|of| of.volumes.iter().chain(of.networks.iter()));
        let of_names = names.any(|name| placeholder::has_any(name.as_str()));
        of_images || of_names
    }

    /// The role as this identity holds it.
    #[must_use]
    pub fn held_by(self: &Arc<Self>, identity: &Identity) -> Arc<Self> {
        if !self.placeholders {
            return Arc::clone(self);
        }
        let mut held = Self::clone(self);
        for images in [&mut held.run, &mut held.pull, &mut held.push, &mut held.write] {
            *images = placeholder::images(images, identity);
        }
        if let Admission::Profile(profile) = &mut held.admission {
            let profile = Arc::make_mut(profile);
            fill(profile, identity);
            for exception in &mut profile.images {
                fill(Arc::make_mut(&mut exception.profile), identity);
            }
        }
        Arc::new(held)
    }

    /// Whether there may be objects of this kind with which it has nothing to do.
    #[must_use]
    pub fn is_narrow(&self, kind: Resource) -> bool {
        self.scopes.of(kind) != Scope::Any || !self.only_of(kind).is_empty()
    }

    /// Labels that objects of this kind must bear besides: containers, and services, which make some.
    pub(super) fn only_of(&self, kind: Resource) -> &[(String, Glob)] {
        let of_containers = matches!(kind, Resource::Container | Resource::Service);
        if of_containers { &self.only } else { &[] }
    }

    /// Whether it may run every image, wherever it came from.
    pub(super) fn runs_anything(&self) -> bool {
        self.run.iter().any(ImagePattern::is_any)
    }
}

/// Makes the patterns of a profile those of an identity.
fn fill(profile: &mut Profile, identity: &Identity) {
    profile.volumes.0 = placeholder::globs(&profile.volumes, identity);
    profile.networks.0 = placeholder::globs(&profile.networks, identity);
}

/// How the bodies of a role are judged.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Strictly read and re-built, judged by no rule: root on the host.
    Unrestricted,
    /// By this profile.
    Profile(Arc<Profile>),
}

impl Admission {
    /// The profile, where there is one.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Unrestricted => None,
            Self::Profile(profile) => Some(profile),
        }
    }
}
