//! A bridge of the owner's own, in the place of the one that every daemon has: on that one containers of all owners reach each
//! other. It is made on first use, by the gate, and bears its owner; what names it are the words for the daemon's own.

use super::decision::Finding;
use super::facts::{Facts, Needs, Seen};
use super::model::Role;
use super::reason::Reason;
use super::scope::OwnBridge;
use super::subject::Subject;
use super::terms::{Filled, Term};
use crate::docker::body::Body;
use crate::docker::{ApiCall, Resource, Verb};

/// Words for the daemon's own bridge.
const WORDS: [&str; 2] = ["default", "bridge"];

/// The words by which a request asks for the daemon's bridge, empty where saying nothing does, or for the owner's.
fn asked(by: Subject<'_>, call: &ApiCall<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let own = OwnBridge::name_of(&by.identity.owner);
    let mut add = |text: &str| {
        if text.is_empty() || WORDS.contains(&text) || text == own {
            found.push(text.to_owned());
        }
    };
    match (&call.body, call.head.route.resource, call.head.route.verb) {
        (Body::ContainerCreate(body), ..) => {
            add(body.host_config.value().map_or("", |host| host.network_mode.text()));
            let networking = body.networking_config.value();
            let endpoints = networking.into_iter().flat_map(|n| n.endpoints_config.entries());
            endpoints.filter(|(name, _)| !name.is_empty()).for_each(|(name, _)| add(name));
        }
        (_, Resource::Build, Verb::Create) => {
            add(call.head.query.text("networkmode").unwrap_or_default());
        }
        (_, Resource::Network, Verb::Connect | Verb::Disconnect) => {
            call.head.target().filter(|name| !name.is_empty()).into_iter().for_each(add);
        }
        _ => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What must be looked up to have the owner's bridge in the daemon's place.
pub(super) fn needs(by: Subject<'_>, roles: &[&Role], call: &ApiCall<'_>, needs: &mut Needs) {
    if roles.iter().any(|role| role.bridge.is_some()) && !asked(by, call).is_empty() {
        needs.networks.insert(OwnBridge::name_of(&by.identity.owner));
    }
}

/// The owner's bridge as it is, where the role has none that leads outside and this one does, having been made by another role.
pub(super) fn finding(
    by: Subject<'_>,
    role: &Role,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> Option<Finding> {
    let name = OwnBridge::name_of(&by.identity.owner);
    let begins = matches!(call.head.route.verb, Verb::Start | Verb::Restart);
    let target = call.head.target().filter(|_| begins).and_then(|name| facts.containers.get(name));
    let container = target.and_then(Seen::found);
    let on_it = container.is_some_and(|of| of.networks.iter().any(|joined| joined.name == name));
    let joins = call.head.route.verb != Verb::Disconnect && !asked(by, call).is_empty();
    let known = facts.networks.values().filter_map(Seen::found);
    let leads_outside = known.into_iter().any(|network| network.name == name && !network.internal);
    let what = || format!("be on {name}, which leads outside");
    (role.bridge == Some(true) && leads_outside && (joins || on_it))
        .then(|| Finding::new(Reason::OwnerBridge, "", &name, what()))
}

/// The terms that put the owner's bridge in the daemon's place, and the bridge, where there is none yet.
pub(super) fn terms(
    by: Subject<'_>,
    role: &Role,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> (Vec<Term>, Option<OwnBridge>) {
    let Some(internal) = role.bridge else { return (Vec::new(), None) };
    let words = asked(by, call);
    if words.is_empty() {
        return (Vec::new(), None);
    }
    let (owner, maker) = (by.identity.owner.clone(), by.identity.name.clone());
    let bridge = OwnBridge { owner, maker, internal };
    let there = facts.networks.get(&bridge.name()).and_then(Seen::found);
    let id = there.map_or_else(|| bridge.name(), |network| network.id.clone());
    let by_path = call.head.route.resource == Resource::Network;
    let term = |word: String| match word.as_str() {
        _ if by_path => Term::Resolve(id.clone()),
        "" => Term::Fill(Filled::NetworkMode(id.clone())),
        _ => Term::Network { given: word, id: id.clone() },
    };
    let terms = words.into_iter().filter(|word| *word != id).map(term).collect();
    (terms, there.is_none().then_some(bridge))
}
