//! Patterns of names that are each identity's own: `{identity}` is its name, `{1}` what the first `*` of its entry caught.

use super::glob::Glob;
use crate::docker::image::ImagePattern;
use crate::identity::Identity;

/// Whether a pattern has one.
#[must_use]
pub fn has_any(pattern: &str) -> bool {
    pattern.contains(['{', '}'])
}

/// Whether each that a pattern has is one that is known.
#[must_use]
pub fn are_known(pattern: &str) -> bool {
    let mut rest = pattern.to_owned();
    for known in (1..=9).map(|number| format!("{{{number}}}")).chain(["{identity}".to_owned()]) {
        rest = rest.replace(&known, "");
    }
    !has_any(&rest)
}

/// The pattern for one identity; `None` where nothing was caught that it could have. What is put in has no star.
fn fill(pattern: &str, identity: &Identity) -> Option<String> {
    let mut filled = pattern.replace("{identity}", identity.name.as_str());
    for number in (1..=9_usize).filter(|number| pattern.contains(&format!("{{{number}}}"))) {
        let caught = identity.captures.get(number.checked_sub(1)?)?;
        let plain = !caught.is_empty() && !caught.contains(['*', '{', '}']);
        filled = filled.replace(&format!("{{{number}}}"), Some(caught).filter(|_| plain)?);
    }
    Some(filled)
}

/// Patterns of names for one identity.
pub(super) fn globs(patterns: &[Glob], identity: &Identity) -> Vec<Glob> {
    patterns.iter().filter_map(|pattern| fill(pattern.as_str(), identity)).map(Glob::new).collect()
}

/// Patterns of images for one identity.
pub(super) fn images(patterns: &[ImagePattern], identity: &Identity) -> Vec<ImagePattern> {
    patterns.iter().filter_map(|pattern| pattern.filled(|text| fill(text, identity))).collect()
}
