//! Whether all that a request names is there for whoever asks: every container, image, volume, network and object of
//! the swarm, wherever it is named, by the owner of that very object. What is somebody else's is not there, in the
//! words in which the daemon says that of what it does not have.

mod names;

use self::names::{all_tags, links, taken, written_names};
use super::admit;
use super::decision::Finding;
use super::facts::{Container, Facts, JoinedNetwork, Needs, Seen};
use super::model::Role;
use super::owner::Viewer;
use super::reason::Reason;
use super::scope::{Owned, kind_of};
use crate::docker::body::Body;
use crate::docker::image::Reference;
use crate::docker::{ApiCall, CallHead, Mention, Object, Resource, Route, Spot, Use, Verb};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is done to an object by naming it where the request is about another: nobody is granted that for what he only
/// sees.
const USED: Verb = Verb::Join;

/// Findings beyond which no more are looked for: whoever names so many is refused.
const FINDINGS_MAX: usize = 256;

/// An object that a request names and somebody owns.
struct Concern<'c> {
    kind: Resource,
    verb: Verb,
    /// By which the daemon finds it; `None` where it could find nothing by that.
    name: Option<Cow<'c, str>>,
    mention: Mention<'c>,
}

/// Everything with an owner that a request names.
fn concerns<'c>(call: &'c ApiCall<'_>) -> impl Iterator<Item = Concern<'c>> {
    let route = call.head.route;
    call.mentions().into_iter().filter_map(move |mention| {
        let (kind, verb) = asked_of(&mention, route)?;
        let name = askable(&mention, call.head);
        Some(Concern { kind, verb, name, mention })
    })
}

/// What a request asks to do with something that it names, and of which kind that is. `None` of what nobody owns, and of
/// names that are given to what is made.
fn asked_of(mention: &Mention<'_>, route: &Route) -> Option<(Resource, Verb)> {
    let by_path = mention.at == Spot::Path;
    Some(match (mention.object, mention.used) {
        (_, Use::Name) | (Object::HostPath | Object::Host, _) => return None,
        (Object::Container, Use::Target) if by_path => (Resource::Container, route.verb),
        (Object::Container, Use::Read) if route.verb == Verb::List => {
            (Resource::Container, Verb::List)
        }
        (Object::Container, _) => (Resource::Container, USED),
        (Object::Exec, _) => (Resource::Container, Verb::Exec),
        // what a registry is asked about, or sends, is no object here
        (Object::Image, _) if route.resource == Resource::Registry => return None,
        (Object::Image, Use::Target) if matches!(route.verb, Verb::Pull) => return None,
        (Object::Image, Use::Target) => (Resource::Image, route.verb),
        (Object::Image, Use::Read) if route.verb == Verb::Save => (Resource::Image, Verb::Save),
        (Object::Image, Use::Run | Use::Mount) => (Resource::Image, Verb::Create),
        (Object::Image, _) => (Resource::Image, Verb::Inspect),
        (Object::Volume, Use::Target) => (Resource::Volume, route.verb),
        (Object::Volume, _) => (Resource::Volume, USED),
        (Object::Network, Use::Target) => (Resource::Network, route.verb),
        (Object::Network, Use::Join) if by_path => (Resource::Network, route.verb),
        (Object::Network, Use::Join) => (Resource::Network, Verb::Connect),
        (Object::Network, _) => (Resource::Network, Verb::Inspect),
        (Object::Kept(resource), Use::Target) => (kind_of(resource)?, route.verb),
        (Object::Kept(resource), Use::Read) => (kind_of(resource)?, Verb::List),
        (Object::Kept(resource), _) => (kind_of(resource)?, USED),
    })
}

/// The name as it can stand in a question to the daemon.
fn askable<'c>(mention: &Mention<'c>, head: &CallHead) -> Option<Cow<'c, str>> {
    let name = match (mention.object, &mention.name) {
        // as the daemon keeps a container's
        (Object::Container, Cow::Borrowed(name)) => {
            Cow::Borrowed(name.strip_prefix('/').unwrap_or(name))
        }
        (Object::Image, name) if head.route.verb == Verb::Push => match head.query.text("tag") {
            Some(tag) => Cow::Owned(format!("{name}:{tag}")),
            None => name.clone(),
        },
        (_, name) => name.clone(),
    };
    let fits = match mention.object {
        Object::Container | Object::Exec | Object::Kept(_) => {
            !name.is_empty() && admit::is_plain(&name)
        }
        Object::Volume => admit::is_volume_name(&name),
        Object::Network => admit::is_network_askable(&name),
        Object::Image => Reference::is_askable(&name),
        Object::HostPath | Object::Host => false,
    };
    fits.then_some(name)
}

/// What must be looked up to know whose all of it is, for roles that do not mean everybody's.
pub(super) fn needs(roles: &[&Role], call: &ApiCall<'_>, known: &Facts, needs: &mut Needs) {
    let narrow = |kind| roles.iter().any(|role| role.is_narrow(kind));
    for Concern { name, mention, .. } in concerns(call).filter(|one| narrow(one.kind)) {
        let Some(name) = name.map(Cow::into_owned) else { continue };
        match mention.object {
            Object::Container => drop(needs.containers.insert(name)),
            Object::Exec => needs.exec = Some(name),
            Object::Image => drop(needs.images.insert(name)),
            Object::Volume => drop(needs.volumes.insert(name)),
            Object::Network => drop(needs.networks.insert(name)),
            Object::Kept(resource) => drop(needs.kept.insert((resource, name))),
            Object::HostPath | Object::Host => {}
        }
    }
    if narrow(Resource::Network) {
        let joined = started(call, known).into_iter().flat_map(|container| &container.networks);
        let names = joined.map(JoinedNetwork::asked).filter(|name| admit::is_network_askable(name));
        needs.networks.extend(names.map(str::to_owned));
        // which these are is known of the container alone
        if is_start(call.head) {
            needs.containers.extend(call.head.target().map(str::to_owned));
        }
    }
    let exec = known.exec.as_ref().and_then(Seen::found).filter(|_| narrow(Resource::Container));
    needs
        .containers
        .extend(exec.filter(|_| needs.exec.is_some()).map(|exec| exec.container.clone()));
    let tasks = needs.kept.iter().filter_map(|of| known.kept.get(of)?.found()?.service.clone());
    let services: Vec<_> = tasks.map(|service| (Resource::Service, service)).collect();
    needs.kept.extend(services);
    if narrow(Resource::Image) {
        needs.images.extend(written_names(call.head).into_iter().flatten());
    }
    if let (Resource::Volume, Verb::Create) = (call.head.route.resource, call.head.route.verb)
        && narrow(Resource::Volume)
    {
        let names = call.mentions().into_iter().filter(|m| m.object == Object::Volume);
        needs
            .volumes
            .extend(names.map(|m| m.name.into_owned()).filter(|name| admit::is_volume_name(name)));
    }
}

/// What of it is not there for whoever asks.
pub(super) fn findings(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for concern in concerns(call).filter(|one| viewer.is_narrow(one.kind)) {
        if let Some(finding) = foreign(viewer, &concern, call.head, facts)
            && !found.contains(&finding)
        {
            found.push(finding);
        }
        if found.len() >= FINDINGS_MAX {
            break;
        }
    }
    found.extend(joined(viewer, call, facts));
    if viewer.is_narrow(Resource::Image) {
        found.extend(all_tags(call));
    }
    found.extend(untold(viewer, call));
    found.extend(taken(viewer, call, facts));
    found.extend(links(viewer, call));
    found
}

/// Whether a request starts the container that its path names.
fn is_start(head: &CallHead) -> bool {
    head.route.resource == Resource::Container
        && matches!(head.route.verb, Verb::Start | Verb::Restart)
}

/// The container that a request starts, as far as it is known.
fn started<'f>(call: &ApiCall<'_>, facts: &'f Facts) -> Option<&'f Container> {
    let name = call.head.target().filter(|_| is_start(call.head))?;
    facts.containers.get(name)?.found()
}

/// Networks of others that a container would be on once it starts. The daemon looks for them by name until it has been on
/// one, whichever it was when it was made or connected.
fn joined(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    if !viewer.is_narrow(Resource::Network) {
        return Vec::new();
    }
    let networks = started(call, facts).into_iter().flat_map(|container| &container.networks);
    let (askable, words): (Vec<_>, Vec<_>) =
        networks.partition(|joined| admit::is_network_askable(joined.asked()));
    let mut found = Vec::new();
    // one's own was in its place when others were made
    let replaced = words.iter().filter(|joined| viewer.has_bridge() && is_bridge(joined.asked()));
    found.extend(replaced.map(|joined| {
        let (field, name) = (format!("NetworkSettings.Networks.{}", joined.name), &joined.name);
        let text = format!("network {name} not found: connect it to another, and disconnect it");
        Finding::new(Reason::OwnerForeign, &field, name, text)
    }));
    for joined in askable {
        let (field, name) = (format!("NetworkSettings.Networks.{}", joined.name), &joined.name);
        found.extend(match sighting(Object::Network, joined.asked(), facts) {
            Sighting::Unseen => Some(unseen(Resource::Network, &field, name)),
            Sighting::Absent => None, // the daemon says so
            Sighting::There(Subjects { name: full, labels, .. }) => {
                let object = Owned { kind: Resource::Network, name: full, labels, references: &[] };
                let whose = viewer.owner_of(&object).map_or("nobody", |(owner, _)| owner);
                let value = format!("{name} of {whose}");
                let text = format!("network {name} not found");
                let finding = || Finding::new(Reason::OwnerForeign, &field, &value, text);
                (!viewer.may(Verb::Connect, &object)).then(finding)
            }
        });
    }
    found
}

/// What makes things that bear no label, or removes what bears none, or what nobody has marked.
fn untold(viewer: &Viewer, call: &ApiCall<'_>) -> Option<Finding> {
    let route = call.head.route;
    let of_images = matches!(
        (route.resource, route.verb),
        (Resource::Image, Verb::Load) | (Resource::Build, Verb::Prune | Verb::Buildkit)
    );
    let cluster = match &call.body {
        Body::VolumeCreate(body) => body.cluster_volume_spec.value().is_some(),
        Body::Service(spec) => {
            let mounts = spec.container().map_or(&[][..], |container| container.mounts.items());
            mounts.iter().any(|mount| mount.kind.text() == "cluster")
        }
        _ => false,
    };
    let marked = route.verb == Verb::Prune && viewer.is_marked(route.resource);
    let untold = of_images && viewer.is_narrow(Resource::Image)
        || cluster && viewer.is_narrow(Resource::Volume)
        || marked;
    let what = format!("use {}: whose it would be about could not be told", route.operation);
    untold.then(|| Finding::new(Reason::OwnerUntold, "", route.operation, what))
}

/// What a lookup came to.
enum Sighting<'f> {
    /// It was not looked up, or nothing came of it.
    Unseen,
    /// There is none.
    Absent,
    /// It is this one.
    There(Subjects<'f>),
}

/// What is known of an object, as far as it matters whose it is.
struct Subjects<'f> {
    name: &'f str,
    labels: &'f BTreeMap<String, String>,
    references: Vec<String>,
}

fn foreign(
    viewer: &Viewer,
    concern: &Concern<'_>,
    head: &CallHead,
    facts: &Facts,
) -> Option<Finding> {
    let Concern { kind, verb, name, mention } = concern;
    let at = match mention.at {
        Spot::Path => "path".to_owned(),
        Spot::Query(key) => format!("query {key}"),
        Spot::Body(field) => field.to_owned(),
    };
    let of_service = head.route.resource == Resource::Service;
    if is_everybodys(mention) && !(of_service && viewer.has_bridge()) {
        return None;
    }
    let absent = || absent(mention, head);
    let finding = |reason, value: &str| Finding::new(reason, &at, value, absent());
    let Some(name) = name.as_deref() else {
        return Some(finding(Reason::TargetAbsent, &mention.name));
    };
    match sighting(mention.object, name, facts) {
        Sighting::Unseen => Some(unseen(*kind, &at, &mention.name)),
        // one that is missing is made; of a service it may be there on another node, where nobody looks
        Sighting::Absent if mention.object == Object::Volume && mention.used == Use::Mount => {
            let what = format!(
                "have volume {name:?} made by a service: it may be somebody's on another node"
            );
            of_service.then(|| Finding::new(Reason::OwnerVolume, &at, name, what))
        }
        Sighting::Absent
            if mention.object == Object::Network
                && mention.used == Use::Join
                && viewer.names_its_bridge(name) =>
        {
            None
        }
        // every node pulls its own
        Sighting::Absent
            if mention.object == Object::Image && head.route.resource == Resource::Service =>
        {
            None
        }
        Sighting::Absent => Some(finding(Reason::TargetAbsent, &mention.name)),
        Sighting::There(Subjects { name: full, labels, references }) => {
            let object = Owned { kind: *kind, name: full, labels, references: &references };
            (!viewer.may(*verb, &object)).then(|| {
                let whose = viewer.owner_of(&object).map_or("nobody", |(owner, _)| owner);
                finding(Reason::OwnerForeign, &format!("{} of {whose}", mention.name))
            })
        }
    }
}

/// Whether it is a word for the daemon's own bridge.
fn is_bridge(name: &str) -> bool {
    matches!(name, "" | "default" | "bridge")
}

/// Whether a network is meant that every daemon has, or none: profiles judge these.
fn is_everybodys(mention: &Mention<'_>) -> bool {
    let daemons = ["", "default", "bridge", "host", "none"];
    mention.object == Object::Network && daemons.contains(&mention.name.as_ref())
}

fn sighting<'f>(object: Object, name: &str, facts: &'f Facts) -> Sighting<'f> {
    fn of<'f, T>(
        seen: Option<&'f Seen<T>>,
        told: impl FnOnce(&'f T) -> Option<Subjects<'f>>,
    ) -> Sighting<'f> {
        match seen {
            None => Sighting::Unseen,
            // whoever may not see them is not told that there are several
            Some(Seen::Missing | Seen::Several) => Sighting::Absent,
            Some(Seen::Found(found)) => told(found).map_or(Sighting::Unseen, Sighting::There),
        }
    }
    let plain = |name, labels| Some(Subjects { name, labels, references: Vec::new() });
    match object {
        Object::Container => of(facts.containers.get(name), |c| plain(&c.name, &c.labels)),
        Object::Exec => match &facts.exec {
            None => Sighting::Unseen,
            Some(Seen::Missing | Seen::Several) => Sighting::Absent,
            Some(Seen::Found(exec)) => sighting(Object::Container, &exec.container, facts),
        },
        Object::Volume => of(facts.volumes.get(name), |v| plain(&v.name, &v.labels)),
        Object::Network => of(facts.networks.get(name), |n| plain(&n.name, &n.labels)),
        Object::Image => of(facts.images.get(name), |image| {
            let references = image.references();
            Some(Subjects { name: "", labels: &image.labels, references })
        }),
        Object::Kept(resource) => of(facts.kept.get(&(resource, name.to_owned())), |kept| {
            match (&kept.service, resource) {
                (Some(service), _) => {
                    let of = facts.kept.get(&(Resource::Service, service.clone()))?.found()?;
                    plain(&of.name, &of.labels)
                }
                (None, Resource::Task) => None,
                (None, _) => plain(&kept.name, &kept.labels),
            }
        }),
        Object::HostPath | Object::Host => Sighting::Unseen,
    }
}

fn unseen(kind: Resource, at: &str, name: &str) -> Finding {
    let reason = match kind {
        Resource::Image => Reason::ImageUnseen,
        Resource::Volume => Reason::VolumeUnseen,
        Resource::Network => Reason::NetworkUnseen,
        _ => Reason::TargetUnseen,
    };
    Finding::new(reason, at, name, format!("use {kind} {name:?}: it cannot be looked at"))
}

/// That it is not there, as the daemon says it.
fn absent(mention: &Mention<'_>, head: &CallHead) -> String {
    let name = &mention.name;
    match mention.object {
        Object::Container => format!("No such container: {name}"),
        Object::Exec => format!("No such exec instance: {name}"),
        Object::Image => {
            let named =
                Reference::parse(name).ok().filter(|of| of.tag.is_none() && of.digest.is_none());
            let tag = if named.is_some() { ":latest" } else { "" };
            format!("No such image: {name}{tag}")
        }
        Object::Volume => format!("get {name}: no such volume"),
        Object::Network => format!("network {name} not found"),
        Object::Kept(kind) => format!("{kind} {name} not found"),
        Object::HostPath | Object::Host => format!("{} {name} not found", head.route.resource),
    }
}
