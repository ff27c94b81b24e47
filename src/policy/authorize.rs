//! The first half of the judgement: the head alone, before anybody's body is read.

use super::decision::{Denial, Finding};
use super::grants::Spelling;
use super::model::Role;
use super::reason::Reason;
use super::subject::Subject;
use crate::docker::{CallHead, Resource, Route, Verb};
use crate::identity::Mode;
use std::sync::Arc;

/// The roles that may carry a request, in the order written.
#[derive(Debug)]
pub(super) struct Candidates<'p> {
    /// Roles whose `allow` has the verb, and how.
    pub(super) roles: Vec<(&'p Arc<Role>, Spelling)>,
    /// Whether the request is one that every identity may make.
    pub(super) everybody: bool,
}

/// Whether a request of this identity may be received at all. In `mode: observe` every verb may,
/// so that the whole judgement can be recorded; the decision then says what it comes to.
///
/// # Errors
/// A [`Denial`] when no role grants the verb, or one denies it.
pub(super) fn authorize(by: Subject<'_>, head: &CallHead) -> Result<(), Denial> {
    let observed = matches!(by.identity.mode, Mode::Observe { .. });
    match verb_finding(by, head.route, &candidates(by, head.route)) {
        Some(finding) if !observed || finding.reason != Reason::VerbNotGranted => {
            Err(Denial { role: String::new(), findings: vec![finding], even_observed: false })
        }
        _ => Ok(()),
    }
}

/// The roles that grant the verb.
pub(super) fn candidates<'p>(by: Subject<'p>, route: &Route) -> Candidates<'p> {
    let granting = |role: &'p Arc<Role>| role.allow.grants(route).map(|spelling| (role, spelling));
    Candidates {
        roles: by.policy.roles_of(&by.identity.roles).filter_map(granting).collect(),
        everybody: route.resource == Resource::System
            && matches!(route.verb, Verb::Ping | Verb::Version),
    }
}

/// How many roles that would grant a verb are named.
const GRANTING: usize = 3;

/// What stands against the verb itself, if anything does.
pub(super) fn verb_finding(
    Subject { identity, policy }: Subject<'_>,
    route: &Route,
    candidates: &Candidates<'_>,
) -> Option<Finding> {
    let grant = format!("{}.{}", route.resource, route.verb);
    let finding = |reason, what: String| Finding::new(reason, "", &grant, what);
    if route.verb == Verb::Never || route.resource == Resource::Nothing {
        return Some(finding(Reason::RouteNever, "use this route; nobody may".into()));
    }
    let denies = |role: &&Arc<Role>| role.deny.has(route.resource, route.verb);
    if let Some(role) = policy.roles_of(&identity.roles).find(denies) {
        let what = format!("{} a {}: role {:?} denies it", route.verb, route.resource, role.name);
        return Some(finding(Reason::VerbDenied, what));
    }
    if candidates.everybody || !candidates.roles.is_empty() {
        return None;
    }
    let roles = identity.roles.join(", ");
    if policy.roles_of(&identity.roles).any(|role| role.allow.has(route.resource, route.verb)) {
        let what = format!("use {} with {grant} granted by * or a group alone", route.operation);
        let spelled = format!("a role that spells {grant} out; roles held: {roles}");
        return Some(finding(Reason::VerbNotGranted, what).allowing(spelled));
    }
    let what = format!("use {grant} ({})", route.operation);
    let granting = policy.roles.values().filter(|role| role.allow.grants(route).is_some());
    let granting: Vec<_> = granting.take(GRANTING + 1).map(|role| role.name.as_str()).collect();
    let granted = match granting.split_at_checked(GRANTING) {
        _ if granting.is_empty() => "no role grants it".to_owned(),
        Some((some, [_, ..])) => format!("{}, ... grant it", some.join(", ")),
        _ => format!("granted by {}", granting.join(", ")),
    };
    Some(finding(Reason::VerbNotGranted, what).allowing(format!("roles held: {roles}; {granted}")))
}
