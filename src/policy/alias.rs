//! Names that a container has on a network besides its own. On one that others are on too they begin with its maker's
//! name: else whoever is there first with `db` is asked for what is meant for another's.

use super::admit;
use super::facts::{Facts, Needs, Seen};
use super::model::Role;
use super::owner::Viewer;
use super::scope::Owned;
use super::terms::Term;
use crate::docker::body::Body;
use crate::docker::body::create::Endpoint;
use crate::docker::{ApiCall, Resource};

/// The networks at which a request gives such names, as it names them.
fn endpoints<'c>(call: &'c ApiCall<'_>) -> Vec<(&'c str, &'c Endpoint<'c>)> {
    match &call.body {
        Body::ContainerCreate(body) => {
            let networking = body.networking_config.value();
            let all = networking.into_iter().flat_map(|n| n.endpoints_config.entries());
            all.filter_map(|(name, endpoint)| Some((name, endpoint.as_ref()?))).collect()
        }
        Body::NetworkConnect(body) => {
            let endpoint = body.endpoint_config.value();
            call.head.target().zip(endpoint).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What must be looked up to know who else is there.
pub(super) fn needs(roles: &[&Role], call: &ApiCall<'_>, needs: &mut Needs) {
    if !roles.iter().any(|role| role.is_narrow(Resource::Container)) {
        return;
    }
    for (network, endpoint) in endpoints(call) {
        if !endpoint.aliases.items().is_empty() && admit::is_network_askable(network) {
            needs.networks.insert(network.to_owned());
        }
    }
}

/// The terms by which names begin as they are to.
pub(super) fn terms(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Term> {
    let mut terms = Vec::new();
    if !viewer.is_narrow(Resource::Container) {
        return terms;
    }
    for (network, endpoint) in endpoints(call) {
        let known = facts.networks.get(network).and_then(Seen::found);
        let own = known.is_some_and(|known| {
            let (kind, name) = (Resource::Network, known.name.as_str());
            viewer.owns(&Owned { kind, name, labels: &known.labels, references: &[] })
        });
        // on the daemon's own there are none, and one's own may stand in its place
        if own || !admit::is_network_askable(network) {
            continue;
        }
        for alias in endpoint.aliases.items() {
            let beginning = viewer.name();
            let rest = alias.strip_prefix(beginning);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_'])) {
                terms.push(Term::Alias {
                    network: network.to_owned(),
                    given: alias.to_string(),
                    told: format!("{beginning}-{alias}"),
                });
            }
        }
    }
    terms
}
