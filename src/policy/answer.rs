//! What is changed of the daemon's answer: decided with the request, as data, and done in one place on its way back
//! (`daemon/filter`).

use super::facts::{Facts, Seen};
use super::owner::Viewer;
use super::scope::{Owned, kind_of};
use super::sight::{Shown, Sight};
use crate::docker::{Accepted, ApiCall, CallHead, Resource, Verb};

/// What is changed of an answer.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// The newest version that its `Api-Version` header may tell of.
    pub accepted: Accepted,
    /// What is changed of its body.
    pub body: BodyRewrite,
    /// What its list of warnings has besides.
    pub warnings: Vec<String>,
}

/// What is changed of the body of an answer.
#[derive(Clone, Debug)]
pub enum BodyRewrite {
    /// Nothing.
    AsItIs,
    /// The versions that `/version` tells of.
    Versions,
    /// What somebody else's is left out.
    Seen(Box<Sight>),
}

/// What is changed of the answer to a request that somebody may make; `viewer` is who, by the role that carries it; `told` is
/// what else its maker hears.
pub(super) fn rewrite(
    call: &ApiCall<'_>,
    viewer: Option<&Viewer>,
    facts: &Facts,
    told: Vec<String>,
) -> Rewrite {
    let head = call.head;
    let versions = (head.route.resource, head.route.verb) == (Resource::System, Verb::Version);
    let sight = viewer.and_then(|viewer| {
        let shown = shown(head, viewer, facts)?;
        let verb = match shown {
            Shown::One(_) | Shown::Made => head.route.verb,
            _ => Verb::List,
        };
        Some(BodyRewrite::Seen(Box::new(Sight::new(viewer.clone(), shown, verb))))
    });
    let plain = if versions { BodyRewrite::Versions } else { BodyRewrite::AsItIs };
    Rewrite {
        accepted: head.accepted,
        body: sight.unwrap_or(plain),
        warnings: warnings(call, told),
    }
}

/// Warnings in one answer, and letters of a place in each.
const WARNED: usize = 4;
const TOLD: usize = 120;

/// Who asked for something that no daemon knows hears that he did not get it, and who got what he did not ask for
/// hears of that, where the answer has a place for it.
fn warnings(call: &ApiCall<'_>, told: Vec<String>) -> Vec<String> {
    let listed = matches!(call.head.route.resource, Resource::Container | Resource::Service)
        && matches!(call.head.route.verb, Verb::Create | Verb::Update);
    let places = if listed { call.left_out.places() } else { &[] };
    let said = |place: &String| {
        let place: String = place.chars().take(TOLD).collect();
        format!("dockward left out {place:?}: no daemon reads it")
    };
    let mut warnings: Vec<String> = places.iter().take(WARNED).map(said).collect();
    match places.len().saturating_sub(WARNED) {
        0 => {}
        more => warnings.push(format!("and {more} more, which the audit log names")),
    }
    warnings.extend(told.into_iter().filter(|_| listed));
    warnings
}

/// What an answer shows that is not for everybody, if it does: objects of others to who means some alone, and what is not
/// told of others' to who may look at them.
fn shown(head: &CallHead, viewer: &Viewer, facts: &Facts) -> Option<Shown> {
    let (resource, verb) = (head.route.resource, head.route.verb);
    let narrow = |kind| viewer.is_narrow(kind);
    let any = viewer.is_narrow_at_all();
    let sifted = |shown, is| if is { Some(shown) } else { None };
    match (resource, verb) {
        (Resource::System, Verb::Info) => {
            return sifted(Shown::Info, any || viewer.hides(Resource::System));
        }
        (Resource::System, Verb::Df) => {
            return sifted(Shown::Usage, any || viewer.hides(Resource::Volume));
        }
        (Resource::System, Verb::Events) => {
            return sifted(Shown::Events, any || viewer.hides(Resource::Container));
        }
        (Resource::Plugin, Verb::List) => {
            return sifted(Shown::List(resource), viewer.hides(resource));
        }
        (Resource::Plugin, Verb::Inspect) => {
            return sifted(Shown::One(resource), viewer.hides(resource));
        }
        _ => {}
    }
    let kind = kind_of(resource)?;
    let (narrow, hides) = (narrow(kind), viewer.hides(resource));
    let of_containers = viewer.is_narrow(Resource::Container);
    let told = match (kind, verb) {
        (Resource::Container | Resource::Secret, Verb::List) => {
            sifted(Shown::List(resource), narrow)
        }
        // these tell of containers
        (Resource::Image | Resource::Network, Verb::List) => {
            let hides = hides && kind == Resource::Image;
            sifted(Shown::List(resource), narrow || hides || of_containers)
        }
        (_, Verb::List) => sifted(Shown::List(resource), narrow || hides),
        // these are sent by name, which may be another's when they arrive
        (Resource::Volume, Verb::Inspect) => sifted(Shown::One(kind), narrow || hides),
        (Resource::Volume, Verb::Create) => sifted(Shown::Made, narrow || hides),
        (Resource::Image, Verb::Inspect) if head.route.path.ends_with("/json") => {
            sifted(Shown::One(kind), narrow || hides || of_containers)
        }
        (Resource::Image, Verb::Inspect) if head.route.path.ends_with("/history") => {
            sifted(Shown::History, hides && !is_own(head, viewer, facts))
        }
        (Resource::Image, Verb::Inspect) if head.route.path.ends_with("/attestations") => {
            sifted(Shown::Attestations, hides && !is_own(head, viewer, facts))
        }
        (Resource::Container, Verb::Top) => {
            sifted(Shown::Processes, hides && !is_own(head, viewer, facts))
        }
        (Resource::Network, Verb::Inspect) => sifted(Shown::Joined, narrow || of_containers),
        (Resource::Container | Resource::Service | Resource::Config, Verb::Inspect) => {
            sifted(Shown::One(resource), hides)
        }
        _ => None,
    };
    told.or_else(|| sifted(Shown::Nothing, narrow))
}

/// Whether the path names an object of which everything is told, as far as that is known.
fn is_own(head: &CallHead, viewer: &Viewer, facts: &Facts) -> bool {
    let name = head.target().unwrap_or_default();
    let resource = head.route.resource;
    let (labels, references) = match resource {
        Resource::Container => match facts.containers.get(name).and_then(Seen::found) {
            Some(container) => (&container.labels, Vec::new()),
            None => return false,
        },
        _ => match facts.images.get(name).and_then(Seen::found) {
            Some(image) => (&image.labels, image.references()),
            None => return false,
        },
    };
    let object = Owned { kind: resource, name: "", labels, references: &references };
    !viewer.hides_of(&object)
}
