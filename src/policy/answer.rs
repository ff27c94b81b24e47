//! What is changed of the daemon's answer: decided with the request, as data, and done in one place on its way back
//! (`daemon/filter`).

use super::owner::Viewer;
use super::scope::kind_of;
use super::sight::{Shown, Sight};
use crate::docker::{Accepted, CallHead, Resource, Verb};

/// What is changed of an answer.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// The newest version that its `Api-Version` header may tell of.
    pub accepted: Accepted,
    /// What is changed of its body.
    pub body: BodyRewrite,
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

/// What is changed of the answer to a request that somebody may make; `viewer` is who, by the role that carries it.
pub(super) fn rewrite(head: &CallHead, viewer: Option<&Viewer>) -> Rewrite {
    let (resource, verb) = (head.route.resource, head.route.verb);
    let narrow = |kind| viewer.filter(|viewer| viewer.is_narrow(kind));
    let any = || {
        let kinds = [Resource::Container, Resource::Image, Resource::Volume, Resource::Network];
        kinds.into_iter().find_map(narrow)
    };
    let seen = |viewer: Option<&Viewer>, shown| {
        viewer.map(|viewer| BodyRewrite::Seen(Box::new(Sight::new(viewer.clone(), shown))))
    };
    let body = match (resource, verb) {
        (Resource::System, Verb::Version) => Some(BodyRewrite::Versions),
        (Resource::System, Verb::Info) => seen(any(), Shown::Info),
        (Resource::System, Verb::Df) => seen(any(), Shown::Usage),
        (Resource::System, Verb::Events) => seen(any(), Shown::Events),
        _ => match kind_of(resource) {
            Some(kind) => seen(narrow(kind), shown(head, resource, kind)),
            None => None,
        },
    };
    Rewrite { accepted: head.accepted, body: body.unwrap_or(BodyRewrite::AsItIs) }
}

fn shown(head: &CallHead, resource: Resource, kind: Resource) -> Shown {
    match (kind, head.route.verb) {
        (Resource::Service, Verb::List) if resource == Resource::Task => Shown::Tasks,
        (_, Verb::List) => Shown::List(kind),
        // these are sent by name, which may be another's when they arrive
        (Resource::Volume, Verb::Inspect) => Shown::One(kind),
        (Resource::Image, Verb::Inspect) if head.route.path.ends_with("/json") => Shown::One(kind),
        (Resource::Volume, Verb::Create) => Shown::Made,
        (Resource::Network, Verb::Inspect) => Shown::Joined,
        _ => Shown::Nothing,
    }
}
