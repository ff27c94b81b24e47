//! The second half of the judgement: the whole request, after its body was read.

use super::admit::{self, Judge};
use super::authorize::{Candidates, candidates, verb_finding};
use super::decision::{Decision, Denial, Finding, Permit};
use super::facts::{Facts, Needs};
use super::model::{Policy, Role};
use super::reason::Reason;
use crate::docker::body::Body;
use crate::docker::{
    ApiCall, BodyKind, Framing, Hijack, Life, Outbound, OutboundBody, Resource, Route, Verb,
};
use crate::identity::{Identity, Mode};
use bytes::Bytes;

/// What must be looked up before [`decide`]: for every role that could carry the request.
#[must_use]
pub fn needs(identity: &Identity, call: &ApiCall<'_>, policy: &Policy) -> Needs {
    let mut needs = Needs::default();
    match &call.body {
        Body::ContainerCreate(body) => {
            let profiles = policy.roles_of(&identity.roles).filter_map(|r| r.admission.profile());
            needs.host_paths = profiles.flat_map(|p| admit::host_paths_of(p, body)).collect();
            needs.host_paths.sort_unstable();
            needs.host_paths.dedup();
        }
        Body::ExecStart(start) if !start.detach.or_zero() && !call.head.upgrade => {
            needs.exec = call.head.target().map(str::to_owned);
        }
        _ => {}
    }
    needs
}

/// Judges a request: the first role, in the order written, that holds in everything carries it.
/// Roles are never mixed.
pub fn decide(identity: &Identity, call: &ApiCall<'_>, facts: &Facts, policy: &Policy) -> Decision {
    let route = call.head.route;
    let candidates = candidates(identity, route, policy);
    let verb = verb_finding(identity, route, policy, &candidates);
    if verb.is_none() {
        if candidates.everybody && candidates.roles.is_empty() {
            return Decision::Allow(permit(call, "", Vec::new(), None));
        }
        let carried = candidates.roles.iter().find(|(role, _)| judge(role, call, facts).is_empty());
        if let Some((role, _)) = carried {
            return Decision::Allow(permit(call, &role.name, Vec::new(), Some(role)));
        }
    }
    let denial = denial(identity, call, facts, policy, &candidates, verb);
    observe(identity, call, policy, denial)
}

/// The refusal of the role that came furthest.
fn denial(
    identity: &Identity,
    call: &ApiCall<'_>,
    facts: &Facts,
    policy: &Policy,
    candidates: &Candidates<'_>,
    verb: Option<Finding>,
) -> Denial {
    let granting = candidates.roles.iter().map(|(role, _)| *role);
    let observed = matches!(identity.mode, Mode::Observe { .. });
    // what is only observed is judged as if the verb were granted, so that the log says all; but a
    // verb that was not granted is not granted unrestricted
    let profiled = |role: &&Role| role.admission.profile().is_some();
    let tried: Vec<&Role> = match verb {
        None => granting.collect(),
        Some(_) if observed => policy.roles_of(&identity.roles).filter(profiled).collect(),
        Some(_) => Vec::new(),
    };
    let judged = tried.into_iter().map(|role| (role.name.clone(), judge(role, call, facts)));
    let (role, findings) = match judged.min_by_key(|(_, findings)| findings.len()) {
        Some(furthest) => furthest,
        None if observed => {
            let body = (!matches!(call.body, Body::None)).then(|| unjudged(call.head.route));
            (String::new(), guarded(call).into_iter().chain(body).collect())
        }
        None => Default::default(),
    };
    Denial { role, findings: verb.into_iter().chain(findings).collect() }
}

/// In `mode: observe` a refusal becomes a permit that says what would have been denied, unless it
/// amounts to root on the host or is a deny that somebody wrote.
fn observe(identity: &Identity, call: &ApiCall<'_>, policy: &Policy, denial: Denial) -> Decision {
    let Mode::Observe { .. } = identity.mode else { return Decision::Deny(denial) };
    let route = call.head.route;
    let root = |finding: &Finding| match finding.reason {
        Reason::VerbNotGranted => route.root || route.dagger || route.body == BodyKind::Opaque,
        reason => reason.rule().root,
    };
    let hard = |finding: &Finding| {
        matches!(finding.reason, Reason::RouteNever | Reason::VerbDenied)
            || (root(finding) && !identity.danger_observe_root)
    };
    if denial.findings.iter().any(hard) {
        return Decision::Deny(denial);
    }
    let role = policy.roles.get(&denial.role);
    Decision::Allow(permit(call, &denial.role, denial.findings, role))
}

/// All that speaks against a role carrying the request.
fn judge(role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    match role.admission.profile() {
        None => unrestricted(role, call),
        Some(profile) => {
            let mut judge = Judge::new(role, profile, facts);
            judge.findings.extend(guarded(call));
            judge.findings.extend(untyped(call.head.route));
            judge.findings.extend(images(role, call));
            match &call.body {
                Body::ContainerCreate(body) => admit::create(&mut judge, call.head, body),
                Body::ExecCreate(body) => admit::exec_create(&mut judge, body),
                Body::None if call.head.route.verb == Verb::Rename => {
                    judge.container_name(call.head);
                }
                Body::None | Body::ExecStart(_) | Body::Json(_) | Body::Opaque => {}
            }
            judge.findings
        }
    }
}

/// `admission: unrestricted` skips the rules of admission; the images of the role still hold. An
/// image by id is its own to use.
fn unrestricted(role: &Role, call: &ApiCall<'_>) -> Vec<Finding> {
    let image = match &call.body {
        Body::ContainerCreate(body) => admit::run(role, body.image.text()),
        _ => images(role, call),
    };
    image.into_iter().filter(|finding| finding.reason != Reason::ImageById).collect()
}

/// The references that a route names outside of a body.
fn images(role: &Role, call: &ApiCall<'_>) -> Option<Finding> {
    match (call.head.route.resource, call.head.route.verb) {
        (Resource::Image, Verb::Pull) => admit::pull(role, call.head),
        (Resource::Registry, Verb::Resolve) => admit::resolve(role, call.head),
        _ => None,
    }
}

/// Query keys that are not judged by type yet.
fn guarded(call: &ApiCall<'_>) -> Vec<Finding> {
    let finding = |param: &crate::docker::route::Param| Finding {
        reason: Reason::QueryGuarded,
        field: format!("query {}", param.name),
        value: call.head.query.text(param.name).unwrap_or_default().to_owned(),
        what: format!("use query key {:?} of {}", param.name, call.head.route.operation),
        allowed: Some("only a role with admission: unrestricted may".to_owned()),
    };
    call.head.query.guarded().map(finding).collect()
}

/// Routes that are not judged by type yet: JSON, and writes to what is shared by the whole host.
fn untyped(route: &Route) -> Option<Finding> {
    let json = matches!(route.body, BodyKind::Json { .. });
    let shared = matches!(
        route.resource,
        Resource::Plugin | Resource::Swarm | Resource::Node | Resource::Service | Resource::Debug
    ) && route.life.changes_state();
    let push = (route.resource, route.verb) == (Resource::Image, Verb::Push);
    (json || shared || push).then(|| unjudged(route))
}

fn unjudged(route: &Route) -> Finding {
    Finding {
        reason: Reason::Untyped,
        field: String::new(),
        value: route.operation.to_owned(),
        what: format!("use {}: it is not judged field by field yet", route.operation),
        allowed: Some("only a role with admission: unrestricted may".to_owned()),
    }
}

/// The permit, with the request as the daemon gets it.
fn permit(call: &ApiCall<'_>, role: &str, would: Vec<Finding>, judged: Option<&Role>) -> Permit {
    let route = call.head.route;
    let profile = judged.and_then(|role| role.admission.profile());
    let (json, terms) = match (&call.body, profile) {
        (Body::ContainerCreate(body), Some(profile)) => {
            let mut body = body.clone();
            let terms = admit::amend(profile, &mut body);
            (Body::ContainerCreate(body).serialise(), terms)
        }
        (body, _) => (body.serialise(), Vec::new()),
    };
    Permit {
        role: role.to_owned(),
        grant: format!("{}.{}", route.resource, route.verb),
        would,
        terms,
        outbound: outbound(call, json),
    }
}

fn outbound(call: &ApiCall<'_>, json: Option<Vec<u8>>) -> Outbound {
    let route = call.head.route;
    let detached = matches!(&call.body, Body::ExecStart(start) if start.detach.or_zero());
    let body = match (json, &call.body) {
        (Some(json), _) => OutboundBody::Json(Bytes::from(json)),
        (None, Body::Opaque) => OutboundBody::Stream {
            length: match call.head.framing {
                Framing::Empty => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
        },
        (None, _) => OutboundBody::Empty,
    };
    Outbound {
        method: route.method,
        target: call.head.target_uri(),
        version: call.head.version,
        headers: call.head.headers.clone(),
        body,
        hijack: if detached { Hijack::No } else { route.hijack },
        life: if detached { Life::Write } else { route.life },
    }
}
