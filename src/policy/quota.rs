//! Limits on what an identity, or all who own as one, may have at once: how much a request takes of them. How much there
//! is by now is counted from the daemon's own state, by the labels of owners (`facts/usage`).

use super::facts::{Facts, Seen};
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig};
use crate::docker::body::field::Typed as _;
use crate::docker::{CallHead, Resource, Verb, json};
use crate::policy::facts::Container;
use crate::rule::rules;
use std::collections::BTreeMap;

rules! {
    /// What there may be only so much of.
    pub enum OverLimit in "Over a limit", "429, a decision like others. The limit is the identity's, or all theirs who own as one." {
        Containers = "limit.containers", "a container beyond how many there may be, running or not", "one must not fill the daemon", "remove some, or have `containers` raised under limits", [];
        Running = "limit.running", "a container beyond how many may run", "one must not take the whole host", "stop some, or have `running` raised under limits", [];
        Memory = "limit.memory", "more memory than running containers may take; one without a bound takes all", "one must not take the whole host", "stop some, or run with less --memory", ["CIS 5.11"];
        Cpus = "limit.cpus", "more CPU time than running containers may take; one without a bound takes all", "one must not take the whole host", "stop some, or run with less --cpus", ["CIS 5.12"];
        Pids = "limit.pids", "more processes than running containers may have; one without a bound has all", "one must not take the whole host", "stop some, or run with less --pids-limit", ["CIS 5.29"];
        Volumes = "limit.volumes", "a volume beyond how many there may be", "one must not fill the disk", "remove some, or have `volumes` raised under limits", [];
        Networks = "limit.networks", "a network beyond how many there may be", "the daemon has addresses for few", "remove some, or have `networks` raised under limits", [];
    }
}

impl OverLimit {
    /// The key in the policy.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Containers => "containers",
            Self::Running => "running",
            Self::Memory => "memory",
            Self::Cpus => "cpus",
            Self::Pids => "pids",
            Self::Volumes => "volumes",
            Self::Networks => "networks",
        }
    }

    /// Whether it is of containers that run.
    #[must_use]
    pub const fn is_of_running(self) -> bool {
        matches!(self, Self::Running | Self::Memory | Self::Cpus | Self::Pids)
    }
}

/// So much of each; what is not here is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(BTreeMap<OverLimit, u64>);

impl Amounts {
    /// How much of it.
    #[must_use]
    pub fn of(&self, quantity: OverLimit) -> u64 {
        self.0.get(&quantity).copied().unwrap_or_default()
    }

    /// Adds so much of one.
    pub fn put(&mut self, quantity: OverLimit, amount: u64) {
        if amount > 0 {
            let sum = self.of(quantity).saturating_add(amount);
            self.0.insert(quantity, sum);
        }
    }

    /// Adds these.
    pub fn add(&mut self, others: &Self) {
        others.0.iter().for_each(|(quantity, amount)| self.put(*quantity, *amount));
    }

    /// Takes these off.
    pub fn take(&mut self, others: &Self) {
        for (quantity, amount) in &others.0 {
            let left = self.of(*quantity).saturating_sub(*amount);
            self.0.insert(*quantity, left);
        }
        self.0.retain(|_, amount| *amount > 0);
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What there is some of.
    pub fn quantities(&self) -> impl Iterator<Item = OverLimit> {
        self.0.keys().copied()
    }
}

/// What somebody may have at once; what is not here has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(pub BTreeMap<OverLimit, u64>);

impl Limits {
    /// What of it would be too much, with how much there would be and how much there may be: of what is asked for alone.
    #[must_use]
    pub fn exceeded(&self, has: &Amounts, wants: &Amounts) -> Option<(OverLimit, u64, u64)> {
        let over = |quantity: OverLimit| {
            let most = *self.0.get(&quantity)?;
            let sum = has.of(quantity).saturating_add(wants.of(quantity));
            (sum > most).then_some((quantity, has.of(quantity), most))
        };
        wants.quantities().find_map(over)
    }

    /// What of this is limited.
    #[must_use]
    pub fn limited(&self, wants: &Amounts) -> Amounts {
        let known = wants.0.iter().filter(|(quantity, _)| self.0.contains_key(quantity));
        Amounts(known.map(|(quantity, amount)| (*quantity, *amount)).collect())
    }
}

/// Whether how much a request takes depends on the container that it names.
#[must_use]
pub(super) fn depends_on_target(head: &CallHead) -> bool {
    let verbs = [Verb::Start, Verb::Restart, Verb::Update];
    head.route.resource == Resource::Container && verbs.contains(&head.route.verb)
}

/// How much a request takes, as it goes to the daemon.
#[must_use]
pub(super) fn demand(head: &CallHead, body: &Body<'_>, facts: &Facts) -> Amounts {
    let mut wants = Amounts::default();
    let target = || facts.containers.get(head.target()?)?.found();
    match (body, head.route.resource, head.route.verb) {
        (Body::ContainerCreate(body), ..) => {
            wants.put(OverLimit::Containers, 1);
            wants.put(OverLimit::Volumes, volumes(body, facts));
        }
        (Body::VolumeCreate(body), ..) => {
            let there = matches!(facts.volumes.get(body.name.text()), Some(Seen::Found(_)));
            wants.put(OverLimit::Volumes, u64::from(!there));
        }
        (Body::NetworkCreate(_), ..) => wants.put(OverLimit::Networks, 1),
        (Body::ContainerUpdate(body), ..) => {
            let running = target().filter(|container| container.running);
            if let Some(container) = running {
                let mut now = Amounts::default();
                let bound = |amount: i64, is: u64| {
                    u64::try_from(amount).ok().filter(|n| *n > 0).unwrap_or(is)
                };
                let is = taken(&container.host_config);
                now.put(
                    OverLimit::Memory,
                    bound(body.resources.memory.or_zero(), is.of(OverLimit::Memory)),
                );
                now.put(
                    OverLimit::Cpus,
                    bound(body.resources.nano_cpus.or_zero(), is.of(OverLimit::Cpus)),
                );
                now.put(
                    OverLimit::Pids,
                    match body.resources.pids_limit.value() {
                        Some(limit) => {
                            u64::try_from(*limit).ok().filter(|n| *n > 0).unwrap_or(u64::MAX)
                        }
                        None => is.of(OverLimit::Pids),
                    },
                );
                now.take(&is);
                wants.add(&now);
            }
        }
        (_, Resource::Container, Verb::Start | Verb::Restart) => {
            if let Some(Container { running: false, host_config, .. }) = target() {
                wants.put(OverLimit::Running, 1);
                wants.add(&taken(host_config));
            }
        }
        _ => {}
    }
    wants
}

/// How much a container takes while it runs, by what it was made with: everything, where it has no bound.
#[must_use]
pub fn taken(host_config: &str) -> Amounts {
    let mut takes = Amounts::default();
    let host = json::read(host_config.as_bytes()).and_then(HostConfig::read).unwrap_or_default();
    let resources = &host.resources;
    let bound = |amount: i64| u64::try_from(amount).ok().filter(|n| *n > 0).unwrap_or(u64::MAX);
    takes.put(OverLimit::Memory, bound(resources.memory.or_zero()));
    takes.put(OverLimit::Pids, bound(resources.pids_limit.or_zero()));
    let (nano, quota) = (resources.nano_cpus.or_zero(), resources.cpu_quota.or_zero());
    let period =
        Some(resources.cpu_period.or_zero()).filter(|period| *period > 0).unwrap_or(100_000);
    let of_quota = i128::from(quota) * 1_000_000_000 / i128::from(period);
    let cpus = if nano > 0 { nano } else { i64::try_from(of_quota).unwrap_or(i64::MAX) };
    takes.put(OverLimit::Cpus, bound(cpus));
    takes
}

/// Volumes that a container brings about: anonymous ones, and those of which there is none of the name.
fn volumes(body: &ContainerCreate<'_>, facts: &Facts) -> u64 {
    let Some(host) = body.host_config.value() else { return 0 };
    let is_new = |name: &str| {
        name.is_empty()
            || !name.starts_with('/') && !matches!(facts.volumes.get(name), Some(Seen::Found(_)))
    };
    let mounts = host.mounts.items().iter().filter(|mount| mount.kind.text() == "volume");
    let mounts = mounts.filter(|mount| is_new(mount.source.text())).count();
    let binds =
        host.binds.items().iter().map(|bind| bind.split_once(':').map_or("", |(source, _)| source));
    let binds = binds.filter(|source| is_new(source)).count();
    u64::try_from(mounts.saturating_add(binds)).unwrap_or(u64::MAX)
}
