//! Names that are given to what is made: a name is whose object bears it first, so that nobody can put something in
//! the place of what others mean by it.

use super::{Sighting, Subjects, sighting, unseen};
use crate::docker::body::Body;
use crate::docker::image::{NotAReference, Reference};
use crate::docker::{ApiCall, CallHead, Mention, Object, Resource, Verb};
use crate::policy::admit;
use crate::policy::decision::Finding;
use crate::policy::facts::{Facts, Seen};
use crate::policy::owner::Viewer;
use crate::policy::reason::Reason;
use crate::policy::scope::Owned;

/// Names that a request gives to images on this host, in full.
pub(super) fn written_names(head: &CallHead) -> Vec<Result<String, String>> {
    let text = |key| head.query.text(key).unwrap_or_default();
    let (from, tag) = (text("fromImage"), text("tag"));
    let by_digest = tag.starts_with("sha256:") || from.contains('@');
    let names: Vec<(&str, &str)> = match (head.route.resource, head.route.verb) {
        (Resource::Image, Verb::Tag) => vec![(text("repo"), tag)],
        (Resource::Image, Verb::Commit | Verb::Import) if !text("repo").is_empty() => {
            vec![(text("repo"), tag)]
        }
        (Resource::Image, Verb::Pull) if !by_digest => vec![(from, tag)],
        (Resource::Build, Verb::Create) => head.query.all("t").map(|name| (name, "")).collect(),
        _ => Vec::new(),
    };
    let full = |(name, tag): (&str, &str)| match admit::named_image(name, tag) {
        Ok(reference) if reference.digest.is_none() => Ok(reference.full()),
        _ => Err(format!("{name}:{tag}")),
    };
    names.into_iter().map(full).collect()
}

/// Whether this can be nothing but the id of one image.
fn is_whole_id(name: &str) -> bool {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A repository without a tag, where the daemon takes that for all of its tags, whoever's they are.
pub(super) fn all_tags(call: &ApiCall<'_>) -> Option<Finding> {
    let route = call.head.route;
    let at_once = (route.resource, route.verb) == (Resource::Image, route.verb)
        && matches!(route.verb, Verb::Push | Verb::Pull | Verb::Save);
    let untagged = |mention: &Mention<'_>| {
        let is_all = match Reference::parse(&mention.name) {
            Ok(reference) => reference.tag.is_none() && reference.digest.is_none(),
            // hexadecimal digits: a name before they are the beginning of an id
            Err(NotAReference::Id) => !is_whole_id(&mention.name),
            Err(NotAReference::Syntax) => true,
        };
        mention.object == Object::Image && call.head.query.text("tag").is_none() && is_all
    };
    let all = call.mentions().into_iter().filter(|_| at_once).find(untagged)?;
    let what = format!("{} all tags of {:?} at once", route.verb, all.name);
    Some(Finding::new(Reason::OwnerAllTags, "", &all.name, what).allowing("one tag at a time"))
}

/// Names that are given to what is made, and are somebody else's by now.
pub(super) fn taken(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
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
            found.extend(match name {
                Ok(name) => rewritten(viewer, call.head, &name, facts),
                Err(name) => {
                    let what = format!("give an image the name {name:?}: it is no plain one");
                    Some(Finding::new(Reason::ImageSyntax, "query", &name, what))
                }
            });
        }
    }
    found
}

/// Links that would give another container a name of its own: names are shared by all owners.
pub(super) fn links(viewer: &Viewer, call: &ApiCall<'_>) -> Option<Finding> {
    let Body::ContainerCreate(body) = &call.body else { return None };
    let links = body.host_config.value().map_or(&[][..], |host| host.links.items());
    let (nth, text) = links.iter().enumerate().find(|(_, text)| !admit::is_sound_link(text))?;
    let what = format!("link by {text:?}");
    let finding = || Finding::new(Reason::Link, &format!("HostConfig.Links[{nth}]"), text, what);
    viewer.is_narrow(Resource::Container).then(finding)
}

/// A name of an image that another image has: it is taken by who has written it first. To give an image the name that it
/// has changes nothing, and to pull one anew what a registry says of it.
fn rewritten(viewer: &Viewer, head: &CallHead, name: &str, facts: &Facts) -> Option<Finding> {
    let there = match facts.images.get(name) {
        Some(Seen::Several) | None => return Some(unseen(Resource::Image, "query", name)),
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
