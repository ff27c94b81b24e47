//! Names that a container or service has on a network besides its own. On one that others are on too they begin with its
//! maker's name: else whoever is there first with `db` is asked for what is meant for another's. What a container is
//! called by itself is unique on a daemon, and is left.

use super::admit;
use super::decision::Finding;
use super::facts::{Facts, Needs, Seen};
use super::model::Role;
use super::owner::Viewer;
use super::reason::Reason;
use super::scope::Owned;
use super::subject::Subject;
use super::terms::Term;
use crate::docker::body::Body;
use crate::docker::{ApiCall, Resource};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Names at one network, at most.
const MOST: usize = 64;

/// Letters of one, as DNS has them.
const LONGEST: usize = 253;

/// Words for networks that every daemon has, on which there are no such names; one's own may stand in the place of its
/// bridge.
const DAEMONS: [&str; 5] = ["", "default", "bridge", "host", "none"];

/// A network that is joined, as it is named, with the names that are given there.
struct Joined<'c> {
    network: &'c str,
    aliases: &'c [Cow<'c, str>],
}

/// What a request joins, and of which kind it is.
fn joined<'c>(call: &'c ApiCall<'_>) -> (Resource, Vec<Joined<'c>>) {
    let mut all = Vec::new();
    let mut add = |network, aliases| all.push(Joined { network, aliases });
    match &call.body {
        Body::ContainerCreate(body) => {
            add(body.host_config.value().map_or("", |host| host.network_mode.text()), &[]);
            let networking = body.networking_config.value();
            for (name, endpoint) in
                networking.into_iter().flat_map(|n| n.endpoints_config.entries())
            {
                add(name, endpoint.as_ref().map_or(&[][..], |endpoint| endpoint.aliases.items()));
            }
        }
        Body::NetworkConnect(body) => {
            let aliases = body.endpoint_config.value().map_or(&[][..], |e| e.aliases.items());
            add(call.head.target().unwrap_or_default(), aliases);
        }
        Body::Service(spec) => {
            let task =
                spec.task_template.value().into_iter().flat_map(|task| task.networks.items());
            for attachment in spec.networks.items().iter().chain(task) {
                add(attachment.target.text(), attachment.aliases.items());
            }
            return (Resource::Service, all);
        }
        _ => {}
    }
    (Resource::Container, all)
}

/// The name that a container gives itself, by which newer engines find it too (`buildEndpointDNSNames` in moby's
/// `daemon/container_operations.go`).
fn host_name<'c>(call: &'c ApiCall<'_>, facts: &'c Facts) -> &'c str {
    match &call.body {
        // the daemon gives who has none of his own the beginning of his id
        Body::NetworkConnect(body) => {
            let known = facts.containers.get(admit::connected(body)).and_then(Seen::found);
            let given =
                known.filter(|known| known.id.get(..admit::SHORT_ID) != Some(&known.host_name));
            given.map_or("", |known| known.host_name.as_str())
        }
        Body::ContainerCreate(body) => body.config.hostname.text(),
        Body::Service(spec) => spec.container().map_or("", |container| container.hostname.text()),
        _ => "",
    }
}

/// What must be looked up to know who else is there.
pub(super) fn needs(roles: &[&Role], call: &ApiCall<'_>, known: &Facts, needs: &mut Needs) {
    let (kind, joined) = joined(call);
    if !roles.iter().any(|role| role.is_narrow(kind)) {
        return;
    }
    for Joined { network, aliases } in joined {
        let connects = matches!(call.body, Body::NetworkConnect(_));
        let named = connects || !aliases.is_empty() || !host_name(call, known).is_empty();
        if named && admit::is_network_askable(network) {
            needs.networks.insert(network.to_owned());
        }
    }
}

/// Whether others may be on a network that is joined.
fn is_shared(viewer: &Viewer, network: &str, facts: &Facts) -> bool {
    let known = facts.networks.get(network).and_then(Seen::found);
    let own = known.is_some_and(|known| {
        let (kind, name) = (Resource::Network, known.name.as_str());
        viewer.owns(&Owned { kind, name, labels: &known.labels, references: &[] })
    });
    // a container's network is another rule's
    !own && !DAEMONS.contains(&network) && !network.starts_with("container:")
}

/// A name as it is told there.
fn told(beginning: &str, alias: &str) -> String {
    match begins(beginning, alias) {
        true => alias.to_owned(),
        false => format!("{beginning}-{alias}"),
    }
}

/// Whether a name is somebody's, or begins with that.
fn begins(beginning: &str, name: &str) -> bool {
    let rest = name.strip_prefix(beginning);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
}

/// What speaks against the names that are given.
pub(super) fn findings(
    by: Subject<'_>,
    viewer: &Viewer,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> Vec<Finding> {
    let (kind, joined) = joined(call);
    if !viewer.is_narrow(kind) {
        return Vec::new();
    }
    let host = host_name(call, facts);
    let given = !host.is_empty() || joined.iter().any(|joined| !joined.aliases.is_empty());
    let names = by.policy.identities.iter().filter(|_| given).map(|rule| rule.name().to_string());
    // identities whose names begin with this one's
    let longer = |name: &String| name.len() > viewer.name().len() && begins(viewer.name(), name);
    let longer: Vec<String> = names.filter(longer).collect();
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    let mut refuse = |field: &str, name: &str, what: String| {
        let finding = Finding::new(Reason::OwnerAlias, field, name, what);
        found.push(finding.allowing(format!("names that begin with {}-", viewer.name())));
    };
    for Joined { network, aliases } in joined.iter().filter(|j| is_shared(viewer, j.network, facts))
    {
        if aliases.len() > MOST {
            refuse("Aliases", network, format!("have {} names on one network", aliases.len()));
            continue;
        }
        let ours = kind == Resource::Container; // of services they are not written anew
        for alias in *aliases {
            let told = told(viewer.name(), alias);
            if told.len() > LONGEST {
                refuse(
                    "Aliases",
                    alias,
                    format!("be called {alias:?} among others: it is too long"),
                );
            } else if longer.iter().any(|name| begins(name, &told)) {
                refuse(
                    "Aliases",
                    alias,
                    format!("be called {told:?}, as what is another identity's"),
                );
            } else if !ours && told != *alias {
                refuse("Aliases", alias, format!("be called {alias:?} on a network of others"));
            }
        }
        let longer = longer.iter().any(|name| begins(name, host));
        if host.is_empty() || begins(viewer.name(), host) && !longer {
            continue;
        }
        if !facts.networks.contains_key(*network) && admit::is_network_askable(network) {
            let what = format!("call itself {host:?} on network {network:?}, which is not known");
            unseen.push(Finding::new(Reason::NetworkUnseen, "Hostname", network, what));
        } else {
            refuse("Hostname", host, format!("call itself {host:?} on a network of others"));
        }
    }
    found.extend(unseen);
    found
}

/// The terms by which names begin as they are to.
pub(super) fn terms(viewer: &Viewer, call: &ApiCall<'_>, facts: &Facts) -> Vec<Term> {
    let (kind, joined) = joined(call);
    if !viewer.is_narrow(kind) || kind == Resource::Service {
        return Vec::new();
    }
    let shared = joined.iter().filter(|joined| is_shared(viewer, joined.network, facts));
    let given = shared.flat_map(|joined| {
        let aliases: BTreeSet<&str> = joined.aliases.iter().map(AsRef::as_ref).collect();
        aliases.into_iter().map(|alias| (joined.network, alias))
    });
    let changed = given.filter(|(_, alias)| !begins(viewer.name(), alias));
    changed
        .map(|(network, alias)| Term::Alias {
            network: network.to_owned(),
            given: alias.to_owned(),
            told: told(viewer.name(), alias),
        })
        .collect()
}
