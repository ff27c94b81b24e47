//! The policy as it is judged by: compiled from the file, complete, with no text left to interpret.

use super::grants::Grants;
use super::manner::{Deletes, Execs};
use super::profile::Profile;
use crate::digest::Sha256;
use crate::docker::image::ImagePattern;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A whole policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// SHA-256 of the text it was compiled from: the log names it with every decision.
    pub hash: Sha256,
    /// Who is who, in the order of the file.
    pub identities: Vec<crate::identity::IdentityRule>,
    /// Tokens that are asked for beside the certificate; `None` is none, and the header is no matter.
    pub tokens: Option<crate::identity::Tokens>,
    /// The roles by name.
    pub roles: BTreeMap<String, Role>,
}

impl Policy {
    /// The roles that an identity holds, in the order written.
    pub fn roles_of<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a Role> {
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
    /// How bodies are judged.
    pub admission: Admission,
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
    /// Whether it may run every image, wherever it came from.
    pub(super) fn runs_anything(&self) -> bool {
        self.run.iter().any(ImagePattern::is_any)
    }
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
