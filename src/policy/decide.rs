//! The second half of the judgement: the whole request, after its body was read.

use super::admit::{self, Judge};
use super::answer::Rewrite;
use super::authorize::{Candidates, candidates, verb_finding};
use super::decision::{Decision, Denial, Finding};
use super::facts::{Facts, Ground, JoinedNetwork, LOOKUPS_MAX, Needs, Seen, Volume};
use super::judgement::Subject;
use super::manner::Execs;
use super::model::{Policy, Role};
use super::permit::Permit;
use super::reason::Reason;
use super::terms::{self, Term};
use crate::docker::body::Body;
use crate::docker::image::Reference;
use crate::docker::{
    ApiCall, CallHead, Framing, Hijack, Life, Mention, Object, Outbound, OutboundBody, Resource,
    Route, Spot, Use, Verb,
};
use crate::identity::{Identity, Mode};
use bytes::Bytes;

/// What must be looked up before [`decide`], for every role that could still carry the request, given what is
/// known: one answer may raise the next question. Nothing is left when all is known, or when it is refused
/// whatever would be found.
pub(super) fn needs(by: Subject<'_>, call: &ApiCall<'_>, known: &Facts) -> Needs {
    let candidates = candidates(by, call.head.route);
    let verb = verb_finding(by, call.head.route, &candidates);
    let mut tried = tried(by, &candidates, verb.as_ref());
    let needs = needs_of(&tried, call, known);
    if needs.is_empty() {
        return needs;
    }
    let before = tried.len();
    tried.retain(|role| !is_refused(by, role, call, known));
    match tried.len() {
        open if open == before => needs,
        0 => Needs::default(),
        _ => needs_of(&tried, call, known),
    }
}

/// Whether a role cannot carry the request, whatever would be found.
fn is_refused(by: Subject<'_>, role: &Role, call: &ApiCall<'_>, known: &Facts) -> bool {
    refuse(by, call.head.route, &findings(role, call, known))
}

/// Whether these refuse a request, whatever would be found of what was not seen; of who is only observed, whether it
/// is not even let through as that.
fn refuse(by: Subject<'_>, route: &Route, findings: &[Finding]) -> bool {
    let observed = matches!(by.identity.mode, Mode::Observe { .. });
    let mut seen = findings.iter().filter(|finding| !finding.reason.is_unseen());
    seen.any(|finding| !observed || is_hard(by.identity, route, finding))
}

/// What these roles would have looked up.
fn needs_of(roles: &[&Role], call: &ApiCall<'_>, known: &Facts) -> Needs {
    let profiles = || roles.iter().filter_map(|role| role.admission.profile());
    let judged = profiles().next().is_some();
    let by_image = judged || roles.iter().any(|role| !role.runs_anything());
    let is_create = matches!(call.body, Body::ContainerCreate(_));
    let starts = call.head.route.resource == Resource::Container
        && matches!(call.head.route.verb, Verb::Start | Verb::Restart);
    let begun = matches!(call.body, Body::ExecStart(_));
    let told = judged || roles.iter().any(|role| role.execs != Execs::default());
    let mut needs = Needs::default();
    let target = admit::target(call, known).filter(|_| judged || starts && by_image);
    needs.containers.extend(target.map(|target| target.name.to_owned()));
    for Mention { object, name, used, at: _ } in call.mentions() {
        let asked = match (object, used) {
            (Object::HostPath, Use::Mount) => {
                needs.host_paths.extend(profiles().filter_map(|p| admit::listed_path(p, &name)));
                continue;
            }
            // a service's image is pulled by the nodes, which look after their own
            (Object::Image, Use::Run) if by_image && is_create => &mut needs.images,
            (Object::Volume, Use::Mount) if judged && admit::is_volume_name(&name) => {
                &mut needs.volumes
            }
            (Object::Network, Use::Join) if judged && admit::is_network_askable(&name) => {
                &mut needs.networks
            }
            (Object::Exec, Use::Target) if begun && told || outputs_only(call) => {
                needs.exec = Some(name.into_owned());
                continue;
            }
            (
                Object::HostPath
                | Object::Image
                | Object::Volume
                | Object::Network
                | Object::Container
                | Object::Exec
                | Object::Host
                | Object::Kept(_),
                _,
            ) => continue,
        };
        asked.insert(name.into_owned());
    }
    let container = target.and_then(|target| known.containers.get(target.name)?.found());
    if let (true, Some(container)) = (starts && by_image, container) {
        needs.images.insert(container.image.clone());
        let networks = container.networks.iter().map(JoinedNetwork::asked);
        let networks = networks.filter(|name| judged && admit::is_network_askable(name));
        needs.networks.extend(networks.map(str::to_owned));
    }
    let container = container.filter(|_| judged);
    needs.volumes.extend(container.into_iter().flat_map(|c| c.volumes.clone()));
    needs.default_runtime = container.is_some_and(|container| {
        profiles().any(|profile| admit::asks_for_default_runtime(profile, container))
    });
    for source in container.iter().flat_map(|c| &c.mounts).filter_map(|m| m.bind.as_ref()) {
        needs.host_paths.extend(profiles().filter_map(|p| admit::listed_path(p, source)));
    }
    let volumes = needs.volumes.iter().filter_map(|name| known.volumes.get(name));
    for path in volumes.filter_map(Seen::found).flat_map(Volume::host_paths) {
        needs.host_paths.extend(profiles().filter_map(|p| admit::listed_path(p, path)));
    }
    needs.images.retain(|image| Reference::is_askable(image));
    // to answer these the daemon mounts all that the container has: only once that was looked at
    if let (Some(container), true) = (container, needs.are_met(known)) {
        let deciding = admit::deciding_paths(call, container);
        let deciding = deciding.into_iter().map(|path| (container.id.clone(), path));
        needs.container_paths = deciding.collect();
    }
    needs
}

/// An exec that is begun by a client that did not ask to upgrade.
fn outputs_only(call: &ApiCall<'_>) -> bool {
    let begins = matches!(&call.body, Body::ExecStart(start) if !start.detach.or_zero());
    begins && !call.head.upgrade
}

/// Judges a request: the first role, in the order written, that holds in everything carries it.
/// Roles are never mixed.
pub(super) fn decide(by: Subject<'_>, call: &ApiCall<'_>, ground: Ground) -> Decision {
    let (route, policy) = (call.head.route, by.policy);
    let candidates = candidates(by, route);
    let verb = verb_finding(by, route, &candidates);
    if verb.is_none() {
        if candidates.everybody && candidates.roles.is_empty() {
            return Decision::Allow(permit(policy, call, "", Vec::new(), ground.facts));
        }
        let carried =
            candidates.roles.iter().find(|(role, _)| judge(by, role, call, &ground).is_empty());
        if let Some((role, _)) = carried {
            return Decision::Allow(permit(policy, call, &role.name, Vec::new(), ground.facts));
        }
    }
    let denial = denial(by, call, &ground, &candidates, verb);
    observe(by, call, denial, ground.facts)
}

/// The roles by which a request is judged: those that grant the verb. What is only observed is judged as if the
/// verb were granted, so that the log says all; but a verb that was not granted is not granted unrestricted.
fn tried<'p>(
    Subject { identity, policy }: Subject<'p>,
    candidates: &Candidates<'p>,
    verb: Option<&Finding>,
) -> Vec<&'p Role> {
    let observed = matches!(identity.mode, Mode::Observe { .. });
    let profiled = |role: &&Role| role.admission.profile().is_some();
    match verb {
        None => candidates.roles.iter().map(|(role, _)| *role).collect(),
        Some(_) if observed => policy.roles_of(&identity.roles).filter(profiled).collect(),
        Some(_) => Vec::new(),
    }
}

/// The refusal of the role that came furthest.
fn denial(
    by: Subject<'_>,
    call: &ApiCall<'_>,
    ground: &Ground,
    candidates: &Candidates<'_>,
    verb: Option<Finding>,
) -> Denial {
    let tried = tried(by, candidates, verb.as_ref());
    let judged = tried.into_iter().map(|role| (role.name.clone(), judge(by, role, call, ground)));
    let (role, findings) = match judged.min_by_key(|(_, findings)| findings.len()) {
        Some(furthest) => furthest,
        None if matches!(by.identity.mode, Mode::Observe { .. }) => {
            (String::new(), vec![unjudged(call.head.route)])
        }
        None => Default::default(),
    };
    Denial { role, findings: verb.into_iter().chain(findings).collect() }
}

/// In `mode: observe` a refusal becomes a permit that says what would have been denied, unless it
/// amounts to root on the host or is a deny that somebody wrote.
fn observe(
    Subject { identity, policy }: Subject<'_>,
    call: &ApiCall<'_>,
    denial: Denial,
    facts: Facts,
) -> Decision {
    let Mode::Observe { .. } = identity.mode else { return Decision::Deny(denial) };
    if denial.findings.iter().any(|finding| is_hard(identity, call.head.route, finding)) {
        return Decision::Deny(denial);
    }
    Decision::Allow(permit(policy, call, &denial.role, denial.findings, facts))
}

/// Whether it refuses also who is only observed.
fn is_hard(identity: &Identity, route: &Route, finding: &Finding) -> bool {
    let root = match finding.reason {
        Reason::VerbNotGranted => route.root || route.dagger || route.body.is_stream(),
        reason => reason.rule().root,
    };
    matches!(finding.reason, Reason::RouteNever | Reason::VerbDenied | Reason::TargetAbsent)
        || (root && !identity.danger_observe_root)
}

/// All that speaks against a role carrying the request. Of what is refused in any case nothing was looked up, so
/// that something was not seen counts where nothing else refuses.
fn judge(by: Subject<'_>, role: &Role, call: &ApiCall<'_>, ground: &Ground) -> Vec<Finding> {
    let mut found = findings(role, call, &ground.facts);
    let unseen = found.iter().any(|finding| finding.reason.is_unseen());
    let refused = refuse(by, call.head.route, &found);
    if refused || unseen && ground.too_many.is_some() {
        found.retain(|finding| !finding.reason.is_unseen());
    }
    if let Some(count) = ground.too_many.filter(|_| unseen && !refused) {
        let what = format!("name {count} things in one request that must be looked at");
        let too_many = Finding::new(Reason::LookupsTooMany, "", &count.to_string(), what);
        found.push(too_many.allowing(format!("at most {LOOKUPS_MAX} are")));
    }
    found
}

/// All that can be said against it by what is known.
fn findings(role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let mut found = match role.admission.profile() {
        None => unrestricted(role, call, facts),
        Some(profile) => {
            let mut judge = Judge::new(role, profile, facts);
            admit::call(&mut judge, call);
            judge.findings
        }
    };
    found.extend(admit::manner(role, call, facts));
    found
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
            let image = spec.container().map_or("", |container| container.image.text());
            let at = "TaskTemplate.ContainerSpec.Image";
            if role.runs_anything() { None } else { admit::serve(role, at, image) }
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
    let what = format!("use {}: no role with a profile judges it", route.operation);
    Finding::new(Reason::Reserved, "", route.operation, what).allowing(admit::UNRESTRICTED_ALONE)
}

/// The permit, with the request as the daemon gets it: the terms applied to what was judged.
fn permit(
    policy: &Policy,
    call: &ApiCall<'_>,
    role: &str,
    would: Vec<Finding>,
    facts: Facts,
) -> Box<Permit> {
    let route = call.head.route;
    let judged = policy.roles.get(role).and_then(|role| Some((role, role.admission.profile()?)));
    let mut terms: Vec<Term> = resolved(call.head, &facts).into_iter().collect();
    terms.extend(committed(call, &facts));
    terms.extend(judged.into_iter().flat_map(|(role, profile)| admit::terms(role, profile, call)));
    if judged.is_some() {
        terms.extend(networks_by_id(call, &facts));
    }
    let mut head = call.head.clone();
    let touched = terms::touch_body(&terms);
    let mut body = if touched { call.body.clone() } else { Body::None };
    terms::apply(&terms, &mut head, &mut body);
    let json = if touched { &body } else { &call.body }.serialise();
    Box::new(Permit {
        role: role.to_owned(),
        grant: format!("{}.{}", route.resource, route.verb),
        would,
        terms,
        facts,
        policy: Some(policy.hash),
        outbound: outbound(&head, call, json),
        answer: Some(rewritten(call.head)),
    })
}

/// A container or network that was looked at is named by its full id, so that the one that was judged is
/// the one that is meant.
fn resolved(head: &CallHead, facts: &Facts) -> Option<Term> {
    let Mention { object, name, .. } = head.mention()?;
    let id = match object {
        Object::Container => &facts.containers.get(name.as_ref())?.found()?.id,
        Object::Network => &facts.networks.get(name.as_ref())?.found()?.id,
        _ => return None,
    };
    (name != *id).then(|| Term::Resolve(id.clone()))
}

/// The same of a container that an image is made of.
fn committed(call: &ApiCall<'_>, facts: &Facts) -> Option<Term> {
    let given = call.head.query.text("container")?;
    let target = admit::target(call, facts)?;
    let id = &facts.containers.get(target.name)?.found()?.id;
    (given != *id).then(|| Term::Container { given: given.to_owned(), id: id.clone() })
}

/// The networks that a body or a build names, by their full ids: what each was judged as is what the daemon looks for.
fn networks_by_id(call: &ApiCall<'_>, facts: &Facts) -> Vec<Term> {
    let mut terms = Vec::new();
    for Mention { object, name, used, at } in call.mentions() {
        let found = facts.networks.get(name.as_ref()).and_then(Seen::found);
        let Some(network) = found.filter(|network| network.id != name) else { continue };
        let term = Term::Network { given: name.into_owned(), id: network.id.clone() };
        let joins = object == Object::Network && used == Use::Join && at != Spot::Path;
        if joins && !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms
}

/// A client that believed the daemon's own numbers would speak a version that the gate refuses.
fn rewritten(head: &CallHead) -> Rewrite {
    match (head.route.resource, head.route.verb) {
        (Resource::System, Verb::Version) => Rewrite::Versions(head.accepted),
        _ => Rewrite::Header(head.accepted),
    }
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
        headers: head.headers.clone(),
        body,
        hijack: if detached { Hijack::No } else { route.hijack },
        life: if detached { Life::Write } else { route.life },
    }
}
