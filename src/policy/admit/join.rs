//! Containers that a container is joined to: whose namespaces it shares, whose volumes it has, whose environment it is
//! told. Whoever makes one reaches into the other as by an exec: so the other is judged as one is into which somebody
//! runs something, and the role must be one that may, where it does not mean its own containers alone.

use super::Judge;
use super::names::is_plain;
use super::start::seen_container;
use crate::docker::body::Body;
use crate::docker::body::create::HostConfig;
use crate::docker::body::field::Field;
use crate::docker::{ApiCall, Resource, Verb};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Container, Facts};
use crate::policy::grants::Grants;
use crate::policy::model::Role;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many are joined one to the next, at most.
const CHAIN: usize = 3;

/// A name as the daemon keeps it.
fn kept(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// The other container that a mode of a namespace names: all that is behind the colon (`ConnectedContainer` in moby's
/// `container/hostconfig.go`).
fn other(mode: &str) -> Option<&str> {
    mode.strip_prefix("container:").map(kept)
}

/// The container of a text with perhaps a colon and more behind it.
pub(super) fn name_in(text: &str) -> &str {
    kept(text.split(':').next().unwrap_or_default())
}

/// Whether the daemon can have a container of this name.
fn can_be(name: &str) -> bool {
    !name.is_empty() && is_plain(name)
}

/// The containers to which one is joined that is made with this.
fn named<'h>(host: &'h HostConfig<'_>) -> impl Iterator<Item = &'h str> {
    let modes = [&host.network_mode, &host.pid_mode, &host.ipc_mode];
    let modes = modes.into_iter().filter_map(|mode| other(mode.text()));
    let texts = host.volumes_from.items().iter().chain(host.links.items());
    modes.chain(texts.map(|text| name_in(text))).filter(|name| can_be(name))
}

/// The names of the containers to which one is joined that a request makes, or that is there already and into which it
/// reaches, and of those that these are joined to in turn; and these, as far as they are known.
pub(in crate::policy) fn chained<'f>(
    call: &ApiCall<'_>,
    reached: Option<&Container>,
    facts: &'f Facts,
) -> (BTreeSet<String>, Vec<&'f Container>) {
    let mut names = match (&call.body, reached) {
        (Body::ContainerCreate(body), _) => {
            body.host_config.value().into_iter().flat_map(named).map(str::to_owned).collect()
        }
        (_, Some(container)) => joined_by(container),
        _ => BTreeSet::new(),
    };
    let mut found = Vec::new();
    let mut next = names.clone();
    for _ in 0..CHAIN {
        let known: Vec<&Container> =
            next.iter().filter_map(|name| seen_container(name, facts).ok()).collect();
        next = known.iter().flat_map(|container| joined_by(container)).collect();
        next.retain(|name| !names.contains(name));
        found.extend(known);
        names.extend(next.iter().cloned());
    }
    (names, found)
}

/// The names of the containers to which one is joined that is there: the volumes of another are its own by now.
fn joined_by(container: &Container) -> BTreeSet<String> {
    let Ok(mut host) = super::target::made_with(container) else { return BTreeSet::new() };
    host.volumes_from = Field::Absent;
    named(&host).map(str::to_owned).collect()
}

/// Whether a role may join containers to others at all.
fn may_join(role: &Role) -> bool {
    let exec = |grants: &Grants| grants.has(Resource::Container, Verb::Exec);
    role.is_narrow(Resource::Container) || exec(&role.allow) && !exec(&role.deny)
}

impl Judge<'_> {
    /// A mode that shares a namespace with another container; `false` of any other mode.
    pub(super) fn shares(&mut self, reason: Reason, field: &str, mode: &str) -> bool {
        let Some(name) = other(mode) else { return false };
        self.join(reason, field, mode, name);
        true
    }

    /// `VolumesFrom`: a container, perhaps with `:ro` or `:rw` behind it.
    pub(super) fn volumes_from(&mut self, containers: &[Cow<'_, str>]) {
        for (i, text) in containers.iter().enumerate() {
            let field = self.host(&format!("VolumesFrom[{i}]"));
            match text.split_once(':').map_or("", |(_, mode)| mode) {
                "" | "ro" | "rw" => self.join(Reason::VolumesFrom, &field, text, name_in(text)),
                _ => self.refuse(Reason::VolumesFrom, field, text, "use volumes of"),
            }
        }
    }

    /// `Links`: a container, perhaps with the name behind it that it gets; on the default bridge its environment is told.
    pub(super) fn links(&mut self, field: &str, links: &[Cow<'_, str>]) {
        for (i, text) in links.iter().enumerate() {
            let field = format!("{field}[{i}]");
            match text.split(':').count() {
                1 | 2 => self.join(Reason::Link, &field, text, name_in(text)),
                _ => self.refuse(Reason::Link, field, text, "link by"),
            }
        }
    }

    /// Another container, to which one is joined by this text.
    fn join(&mut self, reason: Reason, field: &str, text: &str, name: &str) {
        if !can_be(name) {
            return self.refuse(reason, field, text, "join a container by");
        }
        if !may_join(self.role) {
            self.refuse(reason, field, text, "join a container to another by");
            return self.allowing("a role may that grants container: [exec]");
        }
        if self.chain == CHAIN {
            let what = format!("join a container to {name:?}: too many are joined to each other");
            return self.deny(Reason::TargetUnseen, field, name, what);
        }
        match seen_container(name, self.facts) {
            Ok(container) => {
                let outer = self.reached.replace(super::shortened(name.to_owned()));
                self.chain += 1;
                self.made(field, container, false);
                self.placed(&BTreeSet::new(), container); // it is not looked into
                self.joined(&container.network_mode, container);
                self.chain -= 1;
                self.reached = outer;
            }
            // what it was joined to is gone, and the daemon joins it to nothing else
            Err(finding) if finding.reason == Reason::TargetAbsent && self.reached.is_some() => {}
            Err(finding) => self.add(Some(Finding { field: field.to_owned(), ..finding })),
        }
    }
}
