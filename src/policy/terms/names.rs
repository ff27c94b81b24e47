//! The names by which a request goes on: of containers and networks their ids, and on a network others than were given.

use crate::docker::CallHead;
use crate::docker::body::Body;
use crate::docker::body::create::{Endpoint, Text, Texts};
use crate::docker::body::field::Field;
use std::borrow::Cow;

/// Everywhere that a body, or a build's query, joins this network. Of two names of one network the second
/// goes, with what it says: a map has no key twice, and the other name may be another network's by then.
pub(super) fn network(given: &str, id: &str, head: &mut CallHead, body: &mut Body<'_>) {
    let rename = |text: &mut Text<'_>| {
        if text.text() == given {
            *text = Field::Set(Cow::Owned(id.to_owned()));
        }
    };
    match body {
        Body::ContainerCreate(create) => {
            if let Field::Set(host) = &mut create.host_config {
                rename(&mut host.network_mode);
            }
            if let Field::Set(networking) = &mut create.networking_config
                && let Field::Set(endpoints) = &mut networking.endpoints_config
            {
                endpoints.rename(given, id);
            }
        }
        Body::Service(spec) => {
            if let Field::Set(networks) = &mut spec.networks {
                networks.iter_mut().for_each(|network| rename(&mut network.target));
            }
            if let Field::Set(task) = &mut spec.task_template
                && let Field::Set(networks) = &mut task.networks
            {
                networks.iter_mut().for_each(|network| rename(&mut network.target));
            }
        }
        _ => head.query.replace_text(head.route.query, "networkmode", given, id),
    }
}

/// At this network alone, which the path names where the request is about one.
pub(super) fn alias(network: &str, [given, told]: [&str; 2], body: &mut Body<'_>) {
    let rename = |endpoint: &mut Endpoint<'_>| {
        let Field::Set(aliases) = &mut endpoint.aliases else { return };
        for alias in aliases.iter_mut().filter(|alias| *alias == given) {
            *alias = Cow::Owned(told.to_owned());
        }
    };
    match body {
        Body::ContainerCreate(create) => {
            if let Field::Set(networking) = &mut create.networking_config
                && let Field::Set(endpoints) = &mut networking.endpoints_config
            {
                let of = endpoints.values_mut(network);
                of.filter_map(Option::as_mut).for_each(rename);
            }
        }
        Body::NetworkConnect(body) => {
            if let Field::Set(endpoint) = &mut body.endpoint_config {
                rename(endpoint);
            }
        }
        _ => {}
    }
}

/// Everywhere that a request names this container beside its path.
pub(super) fn container(given: &str, id: &str, head: &mut CallHead, body: &mut Body<'_>) {
    for key in ["container", "since", "before"] {
        head.query.replace_text(head.route.query, key, given, id);
    }
    let (mode, by_id) = (format!("container:{given}"), format!("container:{id}"));
    head.query.replace_text(head.route.query, "networkmode", &mode, &by_id);
    head.query.replace_filter(head.route.query, &["since", "before"], given, id);
    let replace = |text: &mut Text<'_>, from: &str, to: &str| {
        if text.text() == from {
            *text = Field::Set(Cow::Owned(to.to_owned()));
        }
    };
    // a name, perhaps with a colon and more behind it
    let begin = |items: &mut Texts<'_>| {
        let Field::Set(items) = items else { return };
        for item in items.iter_mut() {
            let rest =
                item.strip_prefix(given).filter(|rest| rest.is_empty() || rest.starts_with(':'));
            if let Some(rest) = rest {
                *item = Cow::Owned(format!("{id}{rest}"));
            }
        }
    };
    // the other name is the first, where none is told, and the last part of one that `inspect` tells of (`ParseLink` in
    // moby's `opts/opts.go`)
    let link = |items: &mut Texts<'_>| {
        let Field::Set(items) = items else { return };
        for item in items.iter_mut() {
            let (name, alias) = item.split_once(':').unwrap_or((item, item));
            if name == given {
                let last = || alias.rsplit('/').next().unwrap_or_default();
                let alias = if name.starts_with('/') { last() } else { alias };
                *item = Cow::Owned(format!("{id}:{alias}"));
            }
        }
    };
    match body {
        Body::NetworkConnect(body) => replace(&mut body.container, given, id),
        Body::NetworkDisconnect(body) => replace(&mut body.container, given, id),
        Body::ContainerCreate(body) => {
            if let Field::Set(host) = &mut body.host_config {
                begin(&mut host.volumes_from);
                link(&mut host.links);
                let modes = [
                    &mut host.network_mode,
                    &mut host.pid_mode,
                    &mut host.ipc_mode,
                    &mut host.cgroup,
                ];
                modes.into_iter().for_each(|field| replace(field, &mode, &by_id));
            }
        }
        _ => {}
    }
}
