//! The second half of the judgement: the whole request, after its body was read.

use super::admit::{self, Judge};
use super::authorize::{Candidates, candidates, verb_finding};
use super::decision::{Decision, Denial, Finding, Permit};
use super::facts::{Facts, Needs, Seen};
use super::model::{Policy, Role};
use super::reason::Reason;
use crate::docker::body::Body;
use crate::docker::body::service::{ContainerSpec, ServiceSpec};
use crate::docker::image::{ImagePattern, Reference};
use crate::docker::{
    ApiCall, CallHead, Framing, Hijack, Life, Outbound, OutboundBody, Resource, Route, Verb,
};
use crate::identity::{Identity, Mode};
use bytes::Bytes;

/// What must be looked up before [`decide`], for every role that could carry the request, given what is
/// known: one answer may raise the next question. Nothing is left when all is known.
#[must_use]
pub fn needs(identity: &Identity, call: &ApiCall<'_>, policy: &Policy, known: &Facts) -> Needs {
    let mut needs = Needs::default();
    let profiles = || policy.roles_of(&identity.roles).filter_map(|role| role.admission.profile());
    let judged = profiles().next().is_some();
    let by_image = judged || policy.roles_of(&identity.roles).any(|role| !runs_anything(role));
    let target = call.head.target().unwrap_or_default();
    match (&call.body, call.head.route.resource, call.head.route.verb) {
        (Body::ContainerCreate(body), ..) => {
            let host = body.host_config.value();
            let binds = host.map_or(&[][..], |host| host.binds.items());
            let mounts = host.map_or(&[][..], |host| host.mounts.items());
            needs.host_paths =
                profiles().flat_map(|p| admit::host_paths_of(p, binds, mounts)).collect();
            needs.images.extend(by_image.then(|| body.config.image.text().to_owned()));
            needs.volumes.extend(admit::volumes_of(binds, mounts).into_iter().filter(|_| judged));
        }
        // of this node: what the others have is theirs to look after
        (Body::Service(spec), ..) => {
            let mounts = container_of(spec).map_or(&[][..], |container| container.mounts.items());
            needs.host_paths =
                profiles().flat_map(|p| admit::host_paths_of(p, &[], mounts)).collect();
            needs.volumes.extend(admit::volumes_of(&[], mounts).into_iter().filter(|_| judged));
        }
        (Body::ExecStart(start), ..) if !start.detach.or_zero() && !call.head.upgrade => {
            needs.exec = Some(target.to_owned());
        }
        (Body::None, Resource::Container, Verb::Start | Verb::Restart) if by_image => {
            needs.containers.insert(target.to_owned());
            if let Some(Seen::Found(container)) = known.containers.get(target) {
                needs.images.insert(container.image.clone());
                needs.volumes.extend(container.volumes.iter().filter(|_| judged).cloned());
            }
        }
        (_, Resource::Container, Verb::CopyIn | Verb::CopyOut)
            if profiles().any(|profile| !profile.copy.running_with_mounts) =>
        {
            needs.containers.insert(target.to_owned());
        }
        _ => {}
    }
    needs.networks.extend(admit::networks_of(call).into_iter().filter(|_| judged));
    needs.images.retain(|image| Reference::is_askable(image));
    needs.without(known);
    needs
}

fn container_of<'s, 'a>(spec: &'s ServiceSpec<'a>) -> Option<&'s ContainerSpec<'a>> {
    spec.task_template.value()?.container_spec.value()
}

/// Whether the role may run every image, wherever it came from.
fn runs_anything(role: &Role) -> bool {
    role.run.iter().any(ImagePattern::is_any)
}

/// Judges a request: the first role, in the order written, that holds in everything carries it.
/// Roles are never mixed.
pub fn decide(identity: &Identity, call: &ApiCall<'_>, facts: &Facts, policy: &Policy) -> Decision {
    let route = call.head.route;
    let candidates = candidates(identity, route, policy);
    let verb = verb_finding(identity, route, policy, &candidates);
    if verb.is_none() {
        if candidates.everybody && candidates.roles.is_empty() {
            return Decision::Allow(permit(call, "", Vec::new(), None, facts));
        }
        let carried = candidates.roles.iter().find(|(role, _)| judge(role, call, facts).is_empty());
        if let Some((role, _)) = carried {
            return Decision::Allow(permit(call, &role.name, Vec::new(), Some(role), facts));
        }
    }
    let denial = denial(identity, call, facts, policy, &candidates, verb);
    observe(identity, call, policy, denial, facts)
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
        None if observed => (String::new(), vec![unjudged(call.head.route)]),
        None => Default::default(),
    };
    Denial { role, findings: verb.into_iter().chain(findings).collect() }
}

/// In `mode: observe` a refusal becomes a permit that says what would have been denied, unless it
/// amounts to root on the host or is a deny that somebody wrote.
fn observe(
    identity: &Identity,
    call: &ApiCall<'_>,
    policy: &Policy,
    denial: Denial,
    facts: &Facts,
) -> Decision {
    let Mode::Observe { .. } = identity.mode else { return Decision::Deny(denial) };
    let route = call.head.route;
    let root = |finding: &Finding| match finding.reason {
        Reason::VerbNotGranted => route.root || route.dagger || route.body.is_stream(),
        reason => reason.rule().root,
    };
    let hard = |finding: &Finding| {
        matches!(finding.reason, Reason::RouteNever | Reason::VerbDenied | Reason::TargetAbsent)
            || (root(finding) && !identity.danger_observe_root)
    };
    if denial.findings.iter().any(hard) {
        return Decision::Deny(denial);
    }
    let role = policy.roles.get(&denial.role);
    Decision::Allow(permit(call, &denial.role, denial.findings, role, facts))
}

/// All that speaks against a role carrying the request.
fn judge(role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    match role.admission.profile() {
        None => unrestricted(role, call, facts),
        Some(profile) => {
            let mut judge = Judge::new(role, profile, facts);
            admit::call(&mut judge, call);
            judge.findings
        }
    }
}

/// `admission: unrestricted` skips the rules of admission; the images of the role still hold, on
/// whichever registry.
fn unrestricted(role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let route = call.head.route;
    let image = match (&call.body, route.resource, route.verb) {
        (Body::ContainerCreate(body), ..) => {
            admit::run(role, "Image", body.config.image.text(), facts)
        }
        (Body::Service(spec), ..) => {
            let image = container_of(spec).map_or("", |container| container.image.text());
            let at = "TaskTemplate.ContainerSpec.Image";
            if runs_anything(role) { None } else { admit::serve(role, at, image) }
        }
        (Body::None, Resource::Container, Verb::Start | Verb::Restart) => {
            admit::started_image(role, call.head, facts)
        }
        _ => admit::images(role, call.head),
    };
    image.into_iter().filter(|finding| finding.reason != Reason::RegistryHost).collect()
}

/// Of an identity that is only observed and holds no role with a profile.
fn unjudged(route: &Route) -> Finding {
    Finding {
        reason: Reason::Reserved,
        field: String::new(),
        value: route.operation.to_owned(),
        what: format!("use {}: no role with a profile judges it", route.operation),
        allowed: Some("only a role with admission: unrestricted may".to_owned()),
    }
}

/// The permit, with the request as the daemon gets it.
fn permit(
    call: &ApiCall<'_>,
    role: &str,
    would: Vec<Finding>,
    judged: Option<&Role>,
    facts: &Facts,
) -> Permit {
    let route = call.head.route;
    let rules = judged.and_then(|role| Some((role, role.admission.profile()?)));
    let mut head = call.head.clone();
    let mut terms = resolve(&mut head, facts);
    let json = match (&call.body, rules) {
        (Body::ContainerCreate(body), Some((_, profile))) => {
            let mut body = body.clone();
            terms.extend(admit::amend(profile, &mut body));
            Body::ContainerCreate(body).serialise()
        }
        (body, Some((role, profile)))
            if (route.resource, route.verb) == (Resource::Build, Verb::Create) =>
        {
            terms.extend(admit::amend_build(role, profile, &mut head));
            body.serialise()
        }
        (body, _) => body.serialise(),
    };
    Permit {
        role: role.to_owned(),
        grant: format!("{}.{}", route.resource, route.verb),
        would,
        terms,
        outbound: outbound(&head, call, json),
    }
}

/// A container or network that was looked at is named by its full id, so that the one that was judged is
/// the one that is meant.
fn resolve(head: &mut CallHead, facts: &Facts) -> Vec<String> {
    let Some(name) = head.params.first_mut() else { return Vec::new() };
    let id = match head.route.resource {
        Resource::Container => match facts.containers.get(name.as_str()) {
            Some(Seen::Found(container)) => &container.id,
            _ => return Vec::new(),
        },
        Resource::Network => match facts.networks.get(name.as_str()) {
            Some(Seen::Found(network)) => &network.id,
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    if name == id {
        return Vec::new();
    }
    name.clone_from(id);
    vec![format!("path={name}")]
}

fn outbound(head: &CallHead, call: &ApiCall<'_>, json: Option<Vec<u8>>) -> Outbound {
    let route = head.route;
    let detached = matches!(&call.body, Body::ExecStart(start) if start.detach.or_zero());
    let body = match (json, &call.body) {
        (Some(json), _) => OutboundBody::Json(Bytes::from(json)),
        (None, Body::Opaque | Body::Archive(_)) => OutboundBody::Stream {
            length: match head.framing {
                Framing::Empty => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
        },
        (None, _) => OutboundBody::Empty,
    };
    Outbound {
        method: route.method,
        target: head.target_uri(),
        version: head.version,
        headers: head.headers.clone(),
        body,
        hijack: if detached { Hijack::No } else { route.hijack },
        life: if detached { Life::Write } else { route.life },
    }
}
