//! What is known of a container, and of an exec in one.

use std::collections::{BTreeMap, BTreeSet};

/// How often a health check is run, in nanoseconds; 0 is the daemon's own choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthFact {
    /// Whether it is switched off.
    pub off: bool,
    /// The time between two checks.
    pub interval: i64,
    /// The same while a container starts.
    pub start_interval: i64,
    /// How long one may take.
    pub timeout: i64,
}

/// Places in a container where something was to be mounted and nothing is, since a link led elsewhere, with where it is mounted
/// instead, as far as that can be told.
pub type Displaced = BTreeMap<String, Option<String>>;

/// A container that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    /// The name that it gives itself, by which networks know it too.
    pub host_name: String,
    /// Its name, without the slash that the daemon keeps it with.
    pub name: String,
    /// The id of its image, fixed when it was made.
    pub image: String,
    /// The user that it starts as.
    pub user: String,
    /// The directory that it starts in.
    pub working_dir: String,
    /// Whether it runs now.
    pub running: bool,
    /// The number of its first process, as the daemon has it; 0 where it has none, such as while it waits to be started
    /// again, which counts as running.
    pub process: Option<i32>,
    /// The places where something was to be mounted in it and nothing is while it runs. None of one that does not run; `None`
    /// where it cannot be seen.
    pub displaced: Option<Displaced>,
    /// Its labels, those of its image among them.
    pub labels: BTreeMap<String, String>,
    /// The volumes that are mounted into it, by name.
    pub volumes: Vec<String>,
    /// What the daemon mounts into it, volumes among them.
    pub mounts: Vec<ContainerMount>,
    /// Where it has a tmpfs of its own besides.
    pub tmpfs: Vec<String>,
    /// Whether the daemon starts it again by itself.
    pub restarts: bool,
    /// How it is checked.
    pub health: Option<HealthFact>,
    /// Of its environment, what is read outside of it (`admit::is_read_outside`).
    pub env: Vec<String>,
    /// The network mode that it was made with.
    pub network_mode: String,
    /// The networks that it is on, or will be when it starts.
    pub networks: Vec<JoinedNetwork>,
    /// How many ports it exposes, those of its image among them.
    pub exposed: usize,
    /// How many execs in it have not ended, or not begun.
    pub execs: usize,
    /// What it was made with: its `HostConfig` as JSON, with what the daemon has filled in.
    pub host_config: String,
}

/// An exec that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// The full id of its container.
    pub container: String,
    /// Whether it takes input.
    pub takes_input: bool,
    /// Whether it is privileged.
    pub privileged: bool,
    /// The user that it was made for; empty is the container's own.
    pub user: String,
    /// Whether it has a terminal.
    pub tty: bool,
    /// What it runs, with its arguments.
    pub words: Vec<String>,
}

/// A network that a container is on, as the container has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinedNetwork {
    /// The name.
    pub name: String,
    /// The id, empty before it has started on it: then the daemon looks for the name.
    pub id: String,
}

impl JoinedNetwork {
    /// What the daemon will look for when the container starts (`getNetworkID` in `daemon/container_operations.go`).
    #[must_use]
    pub fn asked(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }
}

/// What the daemon mounts into a container that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerMount {
    /// Where, as it was asked for.
    pub target: String,
    /// The name of the volume, if it is one.
    pub volume: Option<String>,
    /// The path of the host, where one is mounted by itself.
    pub bind: Option<String>,
    /// Whether it is a tmpfs, which begins empty.
    pub tmpfs: bool,
    /// Whether it is neither of these nor a volume with a name.
    pub other: bool,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// Whether what is mounted below it goes to the host, or comes from there.
    pub shared: bool,
}

impl Container {
    /// How much is known of it, in bytes: each text takes something beside its own.
    #[must_use]
    pub fn weight(&self) -> usize {
        let own = [&self.name, &self.image, &self.user, &self.working_dir, &self.network_mode];
        let labels = self.labels.iter().flat_map(|(key, value)| [key, value]);
        let mounts =
            self.mounts.iter().flat_map(|mount| [Some(&mount.target), mount.bind.as_ref()]);
        let networks = self.networks.iter().flat_map(|of| [&of.name, &of.id]);
        let lists = [&self.volumes, &self.tmpfs, &self.env].into_iter().flatten();
        let texts = own.into_iter().chain(labels).chain(mounts.flatten()).chain(networks);
        let texts = texts
            .chain(lists)
            .chain(
                self.displaced
                    .iter()
                    .flatten()
                    .flat_map(|(at, is)| [Some(at), is.as_ref()])
                    .flatten(),
            )
            .map(|text| text.len() + 64)
            .sum::<usize>();
        self.host_config.len() + texts
    }

    /// Whether its tree may be asked about. To answer, the daemon mounts everything there on the host, and old ones
    /// (CVE-2026-41568, CVE-2026-42306) can be led out of the container by who turns a directory on the way to a
    /// mount into a link meanwhile: a program inside, or another one that has the volume in which the next lies.
    #[must_use]
    pub fn can_be_asked_about(&self) -> bool {
        let names = |mount: &ContainerMount| {
            mount.target.split('/').filter(|name| !name.is_empty()).count()
        };
        // a mount that is elsewhere, or perhaps, keeps nobody from turning the way to it
        let mut targets = self.mounts.iter().map(|mount| &mount.target).chain(&self.tmpfs);
        let perhaps = targets.next().is_some() && (self.displaced.is_none() || self.waits());
        let displaced = self.displaced.as_ref().is_some_and(|displaced| !displaced.is_empty());
        let deep = self.mounts.iter().any(|mount| names(mount) > 1);
        let turns = self.running && (perhaps || displaced || deep);
        !turns && !self.has_mounts_in_mounts()
    }

    /// Whether it waits to be started again by the daemon.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.running && self.process == Some(0)
    }

    /// Whether everything in it is seen to be mounted where it was asked for; before it runs that is not seen.
    #[must_use]
    pub fn is_as_asked(&self) -> bool {
        let mounts = !self.mounts.is_empty() || !self.tmpfs.is_empty();
        let seen = self.running && !self.waits() || !mounts;
        seen && self.displaced.as_ref().is_some_and(BTreeMap::is_empty)
    }

    /// Whether a mount lies in another, where whoever writes there chooses what it covers. One that lies deeper than
    /// anybody needs counts as one.
    #[must_use]
    pub fn has_mounts_in_mounts(&self) -> bool {
        if self.mounts.iter().any(|mount| is_too_deep(&mount.target)) {
            return true;
        }
        let outer = self.mounts.iter().filter(|mount| !mount.tmpfs);
        let outer: BTreeSet<String> = outer.map(|mount| mount.target.clone()).collect();
        self.mounts.iter().any(|inner| holder(&outer, &inner.target).is_some())
    }
}

/// Names in a path of a container, at most: to judge a path goes through all that lead to it.
const DEEPEST: usize = 64;

/// Whether a path has more names than one in a container may have.
#[must_use]
pub(in crate::policy) fn is_too_deep(path: &str) -> bool {
    path.bytes().filter(|byte| *byte == b'/').nth(DEEPEST).is_some()
}

/// Of these clean paths, the one in which another strictly lies.
#[must_use]
pub(in crate::policy) fn holder<'o>(outer: &'o BTreeSet<String>, inner: &str) -> Option<&'o str> {
    ways(inner).filter(|way| *way != inner).find_map(|way| outer.get(way)).map(String::as_str)
}

/// A clean path and each that leads to it, the root excepted.
pub(super) fn ways(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.bytes().enumerate().skip(1).filter(|(_, byte)| *byte == b'/');
    let ends = ends.map(|(end, _)| end).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).filter(|way| !way.is_empty())
}
