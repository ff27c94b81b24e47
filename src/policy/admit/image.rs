//! Images: by normalised reference, against the role's own lists.

use super::{Judge, listed};
use crate::docker::CallHead;
use crate::docker::image::{ImagePattern, NotAReference, Reference};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::model::Role;
use crate::policy::pattern::Pattern;

impl Judge<'_> {
    /// `Image` of a container.
    pub(super) fn image(&mut self, image: &str) {
        if let Some(finding) = run(self.role, image) {
            self.findings.push(finding);
        }
    }
}

/// Whether the role may run the image. An id says nothing of where it came from.
#[must_use]
pub fn run(role: &Role, image: &str) -> Option<Finding> {
    match Reference::parse(image) {
        Ok(reference) if role.run.iter().any(|p| p.matches(&reference, glob)) => None,
        Ok(reference) => Some(not_allowed(&reference.full(), "run", "Image", image, &role.run)),
        Err(error) => Some(unreadable(error, "Image", image)),
    }
}

/// Whether the role may pull what the query names.
#[must_use]
pub fn pull(role: &Role, head: &CallHead) -> Option<Finding> {
    let name = head.query.text("fromImage").unwrap_or_default();
    let tag = head.query.text("tag").unwrap_or_default();
    let field = "query fromImage";
    let joined = match (tag, name.contains('@')) {
        ("", _) => name.to_owned(),
        (tag, false) if tag.starts_with("sha256:") => format!("{name}@{tag}"),
        (tag, _) => format!("{name}:{tag}"),
    };
    let reference = match Reference::parse(&joined) {
        Ok(reference) => reference,
        Err(NotAReference::Id) if tag.is_empty() => {
            // a name of hex digits alone is a name to a registry
            match Reference::parse(&format!("{name}:latest")) {
                Ok(named) => Reference { tag: None, ..named },
                Err(error) => return Some(unreadable(error, field, name)),
            }
        }
        Err(error) => return Some(unreadable(error, field, &joined)),
    };
    let whole = reference.tag.is_none() && reference.digest.is_none();
    let matches = |p: &ImagePattern| match whole {
        true => p.matches_all_of(&reference.repository, glob),
        false => p.matches(&reference, glob),
    };
    if role.pull.iter().any(matches) {
        return None;
    }
    let shown =
        if whole { format!("{} (all tags)", reference.repository) } else { reference.full() };
    Some(not_allowed(&shown, "pull", field, &joined, &role.pull))
}

/// Whether the role may have the daemon ask a registry about what the path names.
#[must_use]
pub fn resolve(role: &Role, head: &CallHead) -> Option<Finding> {
    let name = head.target().unwrap_or_default();
    match Reference::parse(name) {
        Ok(reference) if role.pull.iter().any(|p| p.matches(&reference, glob)) => None,
        Ok(reference) => Some(not_allowed(&reference.full(), "resolve", "path", name, &role.pull)),
        Err(error) => Some(unreadable(error, "path", name)),
    }
}

fn not_allowed(
    full: &str,
    verb: &str,
    field: &str,
    value: &str,
    patterns: &[ImagePattern],
) -> Finding {
    let shown: Vec<_> = patterns.iter().map(ImagePattern::as_str).collect();
    Finding {
        reason: Reason::ImageNotAllowed,
        field: field.to_owned(),
        value: value.to_owned(),
        what: format!("{verb} image {full:?}"),
        allowed: Some(format!("allowed images: {}", listed(&shown))),
    }
}

fn unreadable(error: NotAReference, field: &str, value: &str) -> Finding {
    let (reason, what, allowed) = match error {
        NotAReference::Id => (
            Reason::ImageById,
            format!("use image {value:?} by its id"),
            "name it with repository and tag, or with a digest: repository@sha256:...",
        ),
        NotAReference::Syntax => (
            Reason::ImageSyntax,
            format!("use image {value:?}: it is no plain reference"),
            "registry/name:tag or registry/name@sha256:...",
        ),
    };
    let (field, value) = (field.to_owned(), value.to_owned());
    Finding { reason, field, value, what, allowed: Some(allowed.to_owned()) }
}

fn glob(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).matches(text)
}
