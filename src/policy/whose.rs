//! Whether all that a request names is there for whoever asks: every container, image, volume, network and object of
//! the swarm, wherever it is named, by the owner of that very object. What is somebody else's is not there, in the
//! words in which the daemon says that of what it does not have.

use super::admit;
use super::decision::Finding;
use super::facts::{Facts, Needs, Seen};
use super::model::Role;
use super::owner::Viewer;
use super::reason::Reason;
use super::scope::{Owned, kind_of};
use crate::docker::image::Reference;
use crate::docker::{ApiCall, CallHead, Mention, Object, Resource, Route, Spot, Use, Verb};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is done to an object by naming it where the request is about another: nobody is granted that for what he only
/// sees.
const USED: Verb = Verb::Join;

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

/// Names that a request gives to images on this host, in full.
pub(super) fn written_names(head: &CallHead) -> Vec<String> {
    let text = |key| head.query.text(key).unwrap_or_default();
    let named = |name: &str, tag: &str| match tag {
        "" => Reference::parse(name),
        tag if name.contains(['@']) => Reference::parse(&format!("{name}{tag}")),
        tag => Reference::parse(&format!("{name}:{tag}")).or_else(|_| Reference::parse(name)),
    };
    let names: Vec<_> = match (head.route.resource, head.route.verb) {
        (Resource::Image, Verb::Tag | Verb::Commit | Verb::Import) => {
            vec![named(text("repo"), text("tag"))]
        }
        (Resource::Image, Verb::Pull) if text("tag").starts_with("sha256:") => Vec::new(),
        (Resource::Image, Verb::Pull) => vec![named(text("fromImage"), text("tag"))],
        (Resource::Build, Verb::Create) => {
            head.query.all("t").map(|name| named(name, "")).collect()
        }
        _ => Vec::new(),
    };
    let tagged = names.into_iter().flatten().filter(|reference| reference.digest.is_none());
    tagged.map(|reference| reference.full()).collect()
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
    let exec = known.exec.as_ref().and_then(Seen::found).filter(|_| narrow(Resource::Container));
    needs
        .containers
        .extend(exec.filter(|_| needs.exec.is_some()).map(|exec| exec.container.clone()));
    let tasks = needs.kept.iter().filter_map(|of| known.kept.get(of)?.found()?.service.clone());
    let services: Vec<_> = tasks.map(|service| (Resource::Service, service)).collect();
    needs.kept.extend(services);
    if narrow(Resource::Image) {
        needs.images.extend(written_names(call.head));
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
    }
    if viewer.is_narrow(Resource::Image) {
        found.extend(all_tags(call));
        found.extend(untold(call.head.route));
    }
    found.extend(taken(viewer, call, facts));
    found
}

/// What makes images that bear no label, or removes what bears none.
fn untold(route: &Route) -> Option<Finding> {
    let told = !matches!(
        (route.resource, route.verb),
        (Resource::Image, Verb::Load) | (Resource::Build, Verb::Prune | Verb::Buildkit)
    );
    let what = format!("use {}: whose it would be could not be told", route.operation);
    (!told).then(|| Finding::new(Reason::OwnerUntold, "", route.operation, what))
}

/// A repository without a tag, where the daemon takes that for all of its tags, whoever's they are.
fn all_tags(call: &ApiCall<'_>) -> Option<Finding> {
    let route = call.head.route;
    let at_once = (route.resource, route.verb) == (Resource::Image, route.verb)
        && matches!(route.verb, Verb::Push | Verb::Pull | Verb::Save);
    let untagged = |mention: &Mention<'_>| {
        let reference = Reference::parse(&mention.name).ok();
        mention.object == Object::Image
            && call.head.query.text("tag").is_none()
            && reference.is_some_and(|of| of.tag.is_none() && of.digest.is_none())
    };
    let all = call.mentions().into_iter().filter(|_| at_once).find(untagged)?;
    let what = format!("{} all tags of {:?} at once", route.verb, all.name);
    Some(Finding::new(Reason::OwnerAllTags, "", &all.name, what).allowing("one tag at a time"))
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
    if is_everybodys(mention) {
        return None;
    }
    let absent = || absent(mention, head);
    let finding = |reason, value: &str| Finding::new(reason, &at, value, absent());
    let Some(name) = name.as_deref() else {
        return Some(finding(Reason::TargetAbsent, &mention.name));
    };
    match sighting(mention.object, name, facts) {
        Sighting::Unseen => Some(unseen(*kind, &at, &mention.name)),
        // one that is missing is made
        Sighting::Absent if mention.object == Object::Volume && mention.used == Use::Mount => None,
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
            Some(Seen::Missing) => Sighting::Absent,
            Some(Seen::Found(found)) => told(found).map_or(Sighting::Unseen, Sighting::There),
        }
    }
    let plain = |name, labels| Some(Subjects { name, labels, references: Vec::new() });
    match object {
        Object::Container => of(facts.containers.get(name), |c| plain(&c.name, &c.labels)),
        Object::Exec => match &facts.exec {
            None => Sighting::Unseen,
            Some(Seen::Missing) => Sighting::Absent,
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

/// Names that are given to what is made, and are somebody else's by now.
fn taken(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    let route = call.head.route;
    let mut found = Vec::new();
    if (route.resource, route.verb) == (Resource::Volume, Verb::Create)
        && viewer.is_narrow(Resource::Volume)
    {
        let named = call.mentions().into_iter().filter(|m| m.object == Object::Volume);
        for name in named.map(|mention| mention.name) {
            let text = format!("create {name}: conflict: volume name must be unique");
            let kind = Resource::Volume;
            found.extend(match sighting(Object::Volume, &name, facts) {
                Sighting::Unseen => Some(unseen(kind, "Name", &name)),
                Sighting::Absent => None,
                Sighting::There(Subjects { name: full, labels, references }) => {
                    let object = Owned { kind, name: full, labels, references: &references };
                    let theirs = !viewer.may(Verb::Create, &object);
                    theirs.then(|| Finding::new(Reason::OwnerTaken, "Name", &name, text))
                }
            });
        }
    }
    if viewer.is_narrow(Resource::Image) {
        for name in written_names(call.head) {
            found.extend(rewritten(viewer, call.head, &name, facts));
        }
    }
    found
}

/// A name of an image that another image has: it is taken by who has written it first. To give an image the name that it
/// has changes nothing, and to pull one anew what a registry says of it.
fn rewritten(viewer: &Viewer, head: &CallHead, name: &str, facts: &Facts) -> Option<Finding> {
    let there = match facts.images.get(name) {
        None => return Some(unseen(Resource::Image, "query", name)),
        Some(Seen::Missing) => return None,
        Some(Seen::Found(image)) => image,
    };
    let references = there.references();
    let object =
        Owned { kind: Resource::Image, name: "", labels: &there.labels, references: &references };
    let same = || {
        let source = facts.images.get(head.target()?)?.found()?;
        Some(source.id == there.id)
    };
    let nobodys = viewer.owner_of(&object).is_none();
    let pulls = head.route.verb == Verb::Pull && nobodys;
    let free = viewer.may(Verb::Delete, &object)
        || pulls
        || head.route.verb == Verb::Tag && same() == Some(true);
    let text = format!("conflict: the name {name} is taken by another image");
    (!free).then(|| Finding::new(Reason::OwnerTaken, "query", name, text))
}
