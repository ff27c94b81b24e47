//! The second half of the judgement: the whole request, after its body was read.

use super::admit::{self, Judge};
use super::alias;
use super::authorize::{Candidates, candidates, verb_finding};
use super::bridge;
use super::decision::{Decision, Denial, Finding};
use super::facts::{Facts, Ground, JoinedNetwork, LOOKUPS_MAX, Needs, Seen, Volume};
use super::manner::Execs;
use super::model::Role;
use super::outgoing::permit;
use super::owner::Viewer;
use super::profile::Profile;
use super::quota;
use super::reason::Reason;
use super::stamp;
use super::subject::Subject;
use super::whose;
use crate::docker::body::Body;
use crate::docker::image::Reference;
use crate::docker::{ApiCall, Mention, Object, Resource, Route, Use, Verb};
use crate::identity::{Identity, Mode};
use std::sync::Arc;

/// What must be looked up before [`decide`], for every role that could still carry the request, given what is
/// known: one answer may raise the next question. Nothing is left when all is known, or when it is refused
/// whatever would be found.
pub(super) fn needs(by: Subject<'_>, call: &ApiCall<'_>, known: &Facts) -> Needs {
    let candidates = candidates(by, call.head.route);
    let verb = verb_finding(by, call.head.route, &candidates);
    let mut tried = tried(by, &candidates, verb.as_ref());
    let needs = needs_of(by, &tried, call, known);
    if needs.is_empty() {
        return needs;
    }
    let before = tried.len();
    let is_open = |role: &Role| has_exceptions(role) && !needs.tell_governing(known);
    tried.retain(|role| is_open(role) || !is_refused(by, role, call, known));
    match tried.len() {
        open if open == before => needs,
        0 => Needs::default(),
        _ => needs_of(by, &tried, call, known),
    }
}

/// Whether another profile governs some images: until they are known, so is not what refuses.
fn has_exceptions(role: &Role) -> bool {
    role.admission.profile().is_some_and(|profile| !profile.images.is_empty())
}

/// Whether a role cannot carry the request, whatever would be found.
fn is_refused(by: Subject<'_>, role: &Arc<Role>, call: &ApiCall<'_>, known: &Facts) -> bool {
    refuse(by, call.head.route, &findings(by, role, call, known))
}

/// Whether these refuse a request, whatever would be found of what was not seen; of who is only observed, whether it
/// is not even let through as that.
fn refuse(by: Subject<'_>, route: &Route, findings: &[Finding]) -> bool {
    let observed = matches!(by.identity.mode, Mode::Observe { .. });
    let mut seen = findings.iter().filter(|finding| !finding.reason.is_unseen());
    seen.any(|finding| !observed || is_hard(by.identity, route, finding))
}

/// What these roles would have looked up.
fn needs_of(by: Subject<'_>, roles: &[&Arc<Role>], call: &ApiCall<'_>, known: &Facts) -> Needs {
    let plain: Vec<&Role> = roles.iter().map(|role| role.as_ref()).collect();
    let (owners, roles) = (plain.as_slice(), roles);
    let whole = || roles.iter().filter_map(|role| role.admission.profile());
    let profiles = || whole().flat_map(Profile::with_exceptions);
    let by_exceptions = plain.iter().any(|role| has_exceptions(role));
    let judged = profiles().next().is_some();
    let by_image = judged || roles.iter().any(|role| !role.runs_anything());
    let is_create = matches!(call.body, Body::ContainerCreate(_));
    let starts = call.head.route.resource == Resource::Container
        && matches!(call.head.route.verb, Verb::Start | Verb::Restart);
    let begun = matches!(call.body, Body::ExecStart(_));
    let told = judged || roles.iter().any(|role| role.execs != Execs::default());
    let mut needs = Needs::default();
    whose::needs(owners, call, known, &mut needs);
    stamp::needs(by, owners, call, &mut needs);
    bridge::needs(by, owners, call, &mut needs);
    alias::needs(owners, call, known, &mut needs);
    if by.identity.limits.is_some() && quota::depends_on_target(call.head) {
        needs.containers.extend(call.head.target().map(str::to_owned));
    }
    if by.identity.limits.is_some() && quota::depends_on_service(call.head) {
        let name = call.head.target().map(str::to_owned);
        needs.kept.extend(name.map(|name| (Resource::Service, name)));
    }
    let as_of_image = begun && roles.iter().any(|role| role.execs.as_of_image());
    let target = admit::target(call, known);
    let target = target.filter(|_| judged || starts && by_image || as_of_image);
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
            (Object::Container, Use::Name) if judged && admit::is_shown_id(plain_name(&name)) => {
                needs.containers.insert(plain_name(&name).to_owned());
                continue;
            }
            (Object::Network, Use::Name) if judged && admit::is_shown_id(&name) => {
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
    let reached = container.filter(|_| judged);
    let (joined, chain) = match judged {
        true => admit::chained(call, reached, known),
        false => Default::default(),
    };
    needs.containers.extend(joined);
    if let (true, Some(container)) = (starts && by_image, container) {
        needs.images.insert(container.image.clone());
        let networks = container.networks.iter().map(JoinedNetwork::asked);
        let networks = networks.filter(|name| judged && admit::is_network_askable(name));
        needs.networks.extend(networks.map(str::to_owned));
    }
    let container = reached;
    let reached: Vec<_> = container.into_iter().chain(chain).collect();
    needs.volumes.extend(reached.iter().flat_map(|c| c.volumes.clone()));
    needs.images.extend(reached.iter().filter(|_| by_exceptions).map(|c| c.image.clone()));
    if let (Body::NetworkConnect(body), true) = (&call.body, by_exceptions) {
        let name = admit::connected(body);
        let known = known.containers.get(name).and_then(Seen::found);
        needs.images.extend(known.map(|container| container.image.clone()));
        needs.containers.insert(name.to_owned());
    }
    needs.defaults = profiles().any(|profile| admit::asks_of_daemon(profile, call, &reached));
    for source in reached.iter().flat_map(|c| &c.mounts).filter_map(|m| m.bind.as_ref()) {
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

/// A container's name, which may be given with the slash that the daemon keeps it with.
fn plain_name(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// An exec that is begun by a client that did not ask to upgrade.
fn outputs_only(call: &ApiCall<'_>) -> bool {
    let begins = matches!(&call.body, Body::ExecStart(start) if !start.detach.or_zero());
    begins && !call.head.upgrade
}

/// Judges a request: the first role, in the order written, that holds in everything carries it.
/// Roles are never mixed.
pub(super) fn decide(by: Subject<'_>, call: &ApiCall<'_>, ground: Ground) -> Decision {
    let route = call.head.route;
    let candidates = candidates(by, route);
    let verb = verb_finding(by, route, &candidates);
    if verb.is_none() {
        if candidates.everybody && candidates.roles.is_empty() {
            return Decision::Allow(permit(by, call, "", Vec::new(), ground.facts));
        }
        let carried =
            candidates.roles.iter().find(|(role, _)| judge(by, role, call, &ground).is_empty());
        if let Some((role, _)) = carried {
            return Decision::Allow(permit(by, call, &role.name, Vec::new(), ground.facts));
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
) -> Vec<&'p Arc<Role>> {
    let observed = matches!(identity.mode, Mode::Observe { .. });
    let profiled = |role: &&Arc<Role>| role.admission.profile().is_some();
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
    let findings = verb.into_iter().chain(findings).collect();
    Denial { role, findings, even_observed: false }
}

/// In `mode: observe` a refusal becomes a permit that says what would have been denied, unless it
/// amounts to root on the host or is a deny that somebody wrote.
fn observe(by: Subject<'_>, call: &ApiCall<'_>, denial: Denial, facts: Facts) -> Decision {
    let Mode::Observe { .. } = by.identity.mode else { return Decision::Deny(denial) };
    let mut hard = denial.findings.iter().filter(|of| is_hard(by.identity, call.head.route, of));
    if let Some(first) = hard.next() {
        let is_root = |of: &Finding| is_root(call.head.route, of);
        let even_observed = is_root(first) || hard.any(is_root);
        return Decision::Deny(Denial { even_observed, ..denial });
    }
    Decision::Allow(permit(by, call, &denial.role, denial.findings, facts))
}

/// Whether it refuses also who is only observed.
fn is_hard(identity: &Identity, route: &Route, finding: &Finding) -> bool {
    matches!(finding.reason, Reason::RouteNever | Reason::VerbDenied | Reason::TargetAbsent)
        || (is_root(route, finding) && !identity.danger_observe_root)
}

/// Whether what is refused amounts to root on the host, as `check` calls it: that bytes are not looked into is no reason,
/// since builds are what people come with.
const fn is_root(route: &Route, finding: &Finding) -> bool {
    match finding.reason {
        Reason::VerbNotGranted => route.root,
        reason => reason.rule().root,
    }
}

/// All that speaks against a role carrying the request. Of what is refused in any case nothing was looked up, so
/// that something was not seen counts where nothing else refuses.
fn judge(by: Subject<'_>, role: &Arc<Role>, call: &ApiCall<'_>, ground: &Ground) -> Vec<Finding> {
    let mut found = findings(by, role, call, &ground.facts);
    let observed = matches!(by.identity.mode, Mode::Observe { .. });
    if !observed && found.iter().any(|finding| finding.reason.is_absent()) {
        // of what is somebody else's nothing is told, not even what it is
        found.retain(|finding| finding.reason.is_absent());
    }
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
fn findings(by: Subject<'_>, role: &Arc<Role>, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let role = &role.held_by(by.identity);
    let stripped = admit::omitted(role, call, facts);
    let call = stripped.as_ref().map_or(call, |(call, _)| call);
    let mut found = whose::findings(&Viewer::new(by, role), call, facts);
    let admitted = match role.admission.profile() {
        None => unrestricted(role, call, facts),
        Some(profile) => {
            let mut judge = Judge::new(role, profile, facts);
            judge.profile = admit::profile_of(profile, call, facts);
            let denies = |role: &Arc<Role>| role.deny.has(Resource::Container, Verb::Exec);
            judge.exec_denied = by.policy.roles_of(&by.identity.roles).any(denies);
            admit::call(&mut judge, call);
            judge.findings
        }
    };
    let more = admitted.into_iter().chain(admit::manner(role, call, facts));
    let more = more.chain(unknown(role, call));
    let more = more.chain(stamp::findings(by, role, call, facts));
    let more = more.chain(bridge::finding(by, role, call, facts));
    let more = more.chain(alias::findings(by, &Viewer::new(by, role), call, facts));
    for finding in more {
        // whose it is, and what it is, both ask for it
        let told = |one: &Finding| one.reason == finding.reason && one.value == finding.value;
        if !(finding.reason.is_unseen() || finding.reason.is_absent()) || !found.iter().any(told) {
            found.push(finding);
        }
    }
    found
}

/// What no daemon reads, where that is not left out.
fn unknown(role: &Role, call: &ApiCall<'_>) -> Vec<Finding> {
    let places = call.left_out.places().iter().filter(|_| role.refuses_unknown);
    let what = "use what no daemon reads";
    places.map(|place| Finding::new(Reason::UnknownKey, place, "", what.to_owned())).collect()
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
