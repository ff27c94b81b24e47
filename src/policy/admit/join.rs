//! Containers that a container is joined to: whose namespaces it shares, whose volumes it has, whose environment it is
//! told. Whoever makes one reaches into the other as by an exec: so the other is judged as one is into which somebody
//! runs something, and the role must be one that may run anything, where it does not mean its own containers alone.

use super::Judge;
use super::image::governing;
use super::names::is_plain;
use super::start::seen_container;
use crate::docker::body::Body;
use crate::docker::body::create::HostConfig;
use crate::docker::body::field::Field;
use crate::docker::{ApiCall, Resource, Verb};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Container, Facts, Seen};
use crate::policy::manner::Execs;
use crate::policy::model::Role;
use crate::policy::scope::Scope;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many are joined one to the next, at most.
const CHAIN: usize = 3;

/// How many a container has the volumes of, and how many links, at most.
const MOST: usize = 64;

/// Letters of a name that a link gives.
const ALIAS_MAX: usize = 128;

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
fn name_in(text: &str) -> &str {
    kept(text.split(':').next().unwrap_or_default())
}

/// Whether the daemon can have a container of this name.
fn can_be(name: &str) -> bool {
    !name.is_empty() && is_plain(name)
}

/// Whether what a link calls the other container is a name and nothing else. The daemon joins it to the container's own
/// name as a path, and keeps what comes of that as a name of the other: `../db` would be `db` (`registerLink` in moby's
/// `daemon/daemon.go`).
#[must_use]
pub(in crate::policy) fn is_sound_link(text: &str) -> bool {
    let (name, alias) = text.split_once(':').unwrap_or((text, kept(text)));
    // the form in which `inspect` tells of them
    let alias = match name.strip_prefix('/').and_then(|_| alias.strip_prefix('/')) {
        Some(path) => path.rsplit('/').next().unwrap_or_default(),
        None => alias,
    };
    can_be(kept(name)) && can_be(alias) && ![".", ".."].contains(&alias) && alias.len() <= ALIAS_MAX
}

/// The containers to which one is joined that is made with this.
fn named<'h>(host: &'h HostConfig<'_>) -> impl Iterator<Item = &'h str> {
    let modes = [&host.network_mode, &host.pid_mode, &host.ipc_mode];
    let modes = modes.into_iter().filter_map(|mode| other(mode.text()));
    let texts = host.volumes_from.items().iter().chain(host.links.items());
    modes.chain(texts.map(|text| name_in(text))).filter(|name| can_be(name))
}

/// The containers of which one has the volumes that is made with this, as far as they are known.
pub(super) fn lenders<'f>(host: &HostConfig<'_>, facts: &'f Facts) -> Vec<&'f Container> {
    let names: BTreeSet<&str> = host.volumes_from.items().iter().map(|t| name_in(t)).collect();
    names.into_iter().filter_map(|name| seen_container(name, facts).ok()).collect()
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

/// Whether a role may join a container to this one: to one that was made by who means his own, or where it may run anything
/// in any.
fn may_join(role: &Role, exec_denied: bool, other: Option<&Container>) -> bool {
    let execs = role.allow.has(Resource::Container, Verb::Exec) && role.execs == Execs::default();
    let own = match other {
        Some(other) => role.scopes.is_self_made(Resource::Container, &other.labels),
        None => role.scopes.of(Resource::Container) == Scope::Own,
    };
    own || execs && !exec_denied
}

impl Judge<'_> {
    /// A mode that shares a namespace with another container; `false` of any other mode.
    pub(super) fn shares(&mut self, reason: Reason, field: &str, mode: &str) -> bool {
        let Some(name) = other(mode) else { return false };
        let known = self.facts.containers.get(name).and_then(Seen::found);
        if (self.keeps || self.restarts) && known.is_none_or(|known| known.id != name) {
            // what runs keeps the namespace of whatever was called so when it started, also of what is gone; and what the
            // daemon starts by itself will have that of whatever is called so then
            let what = format!("share with {mode:?}, which is not there as it was then");
            self.deny(Reason::TargetUnseen, field, mode, what);
        } else {
            self.join(reason, field, mode, name);
        }
        true
    }

    /// `VolumesFrom`: a container, perhaps with `:ro` or `:rw` behind it.
    pub(super) fn volumes_from(&mut self, containers: &[Cow<'_, str>]) {
        let field = self.host("VolumesFrom");
        if self.are_too_many(Reason::VolumesFrom, &field, containers) {
            return;
        }
        for (i, text) in containers.iter().enumerate() {
            let field = format!("{field}[{i}]");
            match text.split_once(':').map_or("", |(_, mode)| mode) {
                "" | "ro" | "rw" => {
                    self.join(Reason::VolumesFrom, &field, text, name_in(text));
                    self.borrowed(name_in(text));
                }
                _ => self.refuse(Reason::VolumesFrom, field, text, "use volumes of"),
            }
        }
    }

    /// What another container has mounted, which the one that has its volumes has too: that other was judged by the profile of its
    /// image, which may let it have more.
    fn borrowed(&mut self, name: &str) {
        let Ok(lender) = seen_container(name, self.facts) else { return };
        let its_own = governing(self.whole, &lender.image, self.facts);
        if !std::ptr::eq(self.profile, its_own) {
            let outer = self.reached.replace(super::shortened(name.to_owned()));
            self.lent(lender);
            self.reached = outer;
        }
    }

    /// `Links`: a container, perhaps with the name behind it that it gets; on the default bridge its environment is told.
    pub(super) fn links(&mut self, field: &str, links: &[Cow<'_, str>]) {
        // of one that is there they were counted when it was made
        if self.reached.is_none() && self.are_too_many(Reason::Link, field, links) {
            return;
        }
        for (i, text) in links.iter().enumerate() {
            let field = format!("{field}[{i}]");
            let name = name_in(text);
            let known = self.facts.containers.get(name).and_then(Seen::found);
            // the daemon goes on to that one (`registerLinks` in moby's `daemon/container_operations_unix.go`)
            let leads_on = known.is_some_and(|known| other(&known.network_mode).is_some());
            match is_sound_link(text) && !leads_on {
                true => self.join(Reason::Link, &field, text, name),
                false => self.refuse(Reason::Link, field, text, "link by"),
            }
        }
    }

    fn are_too_many(&mut self, reason: Reason, field: &str, texts: &[Cow<'_, str>]) -> bool {
        let too_many = texts.len() > MOST;
        if too_many {
            let count = texts.len().to_string();
            let what = format!("join a container to {count} others");
            self.deny(reason, field, count, what);
            self.allowing(format!("at most {MOST} are"));
        }
        too_many
    }

    /// Another container, to which one is joined by this text.
    fn join(&mut self, reason: Reason, field: &str, text: &str, name: &str) {
        if !can_be(name) {
            return self.refuse(reason, field, text, "join a container by");
        }
        let known = self.facts.containers.get(name).and_then(Seen::found);
        if !may_join(self.role, self.exec_denied, known) {
            self.refuse(reason, field, text, "join a container to another by");
            return self.allowing("a role may that grants container: [exec] without more");
        }
        if self.chain == CHAIN {
            let what = format!("join a container to {name:?}: too many are joined to each other");
            return self.deny(Reason::TargetUnseen, field, name, what);
        }
        match seen_container(name, self.facts) {
            // as often as it is named, and however near
            Ok(container) if self.is_judged(&container.id) => {}
            Ok(container) => {
                let outer = self.reached.replace(super::shortened(name.to_owned()));
                self.governed(field, &container.image);
                let its_own = governing(self.whole, &container.image, self.facts);
                let profile = std::mem::replace(&mut self.profile, its_own);
                let keeps = std::mem::replace(&mut self.keeps, true);
                self.chain += 1;
                self.made(field, container, false);
                self.placed(&BTreeSet::new(), container); // it is not looked into
                self.joined(&container.network_mode, container);
                self.chain -= 1;
                self.profile = profile;
                self.keeps = keeps;
                self.reached = outer;
            }
            // it cannot start without
            Err(finding) if finding.reason == Reason::TargetAbsent && self.reached.is_some() => {}
            Err(finding) => self.add(Some(Finding { field: field.to_owned(), ..finding })),
        }
    }

    /// Whether a container was judged already, as near as now or nearer; from now on it is.
    fn is_judged(&mut self, id: &str) -> bool {
        let nearest = self.joins.get(id).copied();
        if nearest.is_none_or(|nearest| self.chain < nearest) {
            self.joins.insert(id.to_owned(), self.chain);
        }
        nearest.is_some_and(|nearest| nearest <= self.chain)
    }
}

#[cfg(test)]
mod tests {
    use super::is_sound_link;

    #[test]
    fn a_link_gives_a_name_and_no_path() {
        for sound in ["db", "/db", "db:x", "/db:x", "/db:/web/x", "/db:/a/web/x", "db:x_1.y-z"] {
            assert!(is_sound_link(sound), "{sound}");
        }
        for not in [
            "",
            ":x",
            "db:",
            "db:../x",
            "db:..",
            "db:.",
            "db:a/b",
            "db:/web/x",
            "/db:/web/..",
            "/db:../x",
            "a:b:c",
            "a b",
            "/db:/",
            "//db",
        ] {
            assert!(!is_sound_link(not), "{not}");
        }
        assert!(!is_sound_link(&format!("db:{}", "x".repeat(129))));
    }
}
