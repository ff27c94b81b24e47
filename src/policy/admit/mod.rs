//! The judgement of bodies, field by field (admission). Each family looks at its own fields and
//! adds what it finds; nothing stops at the first. The bodies are taken apart here, whole, without
//! `..`, so that a field nobody judges does not compile.

mod create;
mod devices;
mod exec;
mod host_paths;
mod image;
mod labels;
mod mounts;
mod names;
mod namespaces;
mod network;
mod ports;
mod privilege;
mod resources;
mod runtime;
mod terms;
mod user;

pub use create::create;
pub use exec::exec_create;
pub use host_paths::of_create as host_paths_of;
pub use image::{pull, resolve, run};
pub use terms::amend;

use super::decision::Finding;
use super::facts::Facts;
use super::model::Role;
use super::profile::Profile;
use super::reason::Reason;

/// What the families judge by, and what they find.
pub struct Judge<'a> {
    /// The role, for its images.
    pub role: &'a Role,
    /// The profile.
    pub profile: &'a Profile,
    /// What was looked up.
    pub facts: &'a Facts,
    /// All that speaks against the request.
    pub findings: Vec<Finding>,
}

impl<'a> Judge<'a> {
    /// A judge who has found nothing yet.
    #[must_use]
    pub const fn new(role: &'a Role, profile: &'a Profile, facts: &'a Facts) -> Self {
        Self { role, profile, facts, findings: Vec::new() }
    }

    /// Adds a finding.
    fn deny(
        &mut self,
        reason: Reason,
        field: impl Into<String>,
        value: impl Into<String>,
        what: impl Into<String>,
    ) {
        self.findings.push(Finding {
            reason,
            field: field.into(),
            value: value.into(),
            what: what.into(),
            allowed: None,
        });
    }

    /// Says of the last finding what would be allowed.
    fn allowing(&mut self, allowed: impl Into<String>) {
        if let Some(last) = self.findings.last_mut() {
            last.allowed = Some(allowed.into());
        }
    }

    /// Refuses a list that must be empty or absent.
    fn deny_items<T: AsRef<str>>(&mut self, reason: Reason, field: &str, items: &[T], what: &str) {
        for (i, item) in items.iter().enumerate() {
            self.deny(reason, format!("{field}[{i}]"), item.as_ref(), what);
        }
    }
}

/// `a, b, c`, or a word for none.
fn listed<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
