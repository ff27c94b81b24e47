//! Limits on what an identity, or all who own as one, may have at once: how much a request takes of them. How much there
//! is by now is counted from the daemon's own state, by the labels of owners (`facts/usage`).

use super::facts::{Facts, Seen};
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig, Resources};
use crate::docker::body::field::Typed as _;
use crate::docker::body::service::ServiceSpec;
use crate::docker::left_out::LeftOut;
use crate::docker::{ApiVersion, CallHead, Resource, Verb, json};
use crate::policy::facts::Container;
use crate::rule::rules;
use std::collections::{BTreeMap, BTreeSet};

rules! {
    /// What there may be only so much of.
    pub enum OverLimit in "Over a limit", "429, a decision like others. The limit is the identity's, or all theirs who own as one." {
        Containers = "limit.containers", "a container beyond how many there may be, running or not", "one must not fill the daemon", "remove some, or have `containers` raised under limits", [];
        Running = "limit.running", "a container beyond how many may run", "one must not take the whole host", "stop some, or have `running` raised under limits", [];
        Memory = "limit.memory", "more memory than running containers may take; one without a bound takes all", "one must not take the whole host", "stop some, or run with less --memory", ["CIS 5.11"];
        Cpus = "limit.cpus", "more CPU time than running containers may take; one without a bound takes all", "one must not take the whole host", "stop some, or run with less --cpus", ["CIS 5.12"];
        Pids = "limit.pids", "more processes than running containers may have; one without a bound has all", "one must not take the whole host", "stop some, or run with less --pids-limit", ["CIS 5.29"];
        Ports = "limit.ports", "more published ports than running containers may have", "others need ports of the host too", "stop some, or publish fewer", [];
        Volumes = "limit.volumes", "a volume beyond how many there may be", "one must not fill the disk", "remove some, or have `volumes` raised under limits", [];
        Networks = "limit.networks", "a network beyond how many there may be", "the daemon has addresses for few", "remove some, or have `networks` raised under limits", [];
        Requests = "limit.requests", "more requests in a second than there may be", "one must not keep the daemon busy", "ask less often, or have `requests` raised under limits", [];
        Streams = "limit.streams", "more requests and sessions at once than there may be", "one must not keep the daemon busy", "end some, or have `streams` raised under limits", [];
        Connections = "limit.connections", "more connections at once than there may be", "one must not take the places of all", "close what is idle, or have `connections` raised under limits", [];
        Execs = "limit.execs", "more sessions of execs at once than there may be", "each holds the daemon and a process", "end some, or have `execs` raised under limits", [];
        Builds = "limit.builds", "more builds at once than there may be", "one must not take the whole host", "wait until one has ended, or have `builds` raised under limits", [];
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
            Self::Ports => "ports",
            Self::Volumes => "volumes",
            Self::Networks => "networks",
            Self::Requests => "requests",
            Self::Streams => "streams",
            Self::Connections => "connections",
            Self::Execs => "execs",
            Self::Builds => "builds",
        }
    }

    /// Whether it is of containers that run.
    #[must_use]
    pub const fn is_of_running(self) -> bool {
        matches!(self, Self::Running | Self::Memory | Self::Cpus | Self::Pids | Self::Ports)
    }

    /// Whether a refusal for it is counted, and no line of its own: whoever asks in vain must not fill the log.
    #[must_use]
    pub const fn is_folded(self) -> bool {
        matches!(self, Self::Requests | Self::Streams | Self::Connections)
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

    /// How much of it there may be, if that has a limit.
    #[must_use]
    pub fn most(&self, quantity: OverLimit) -> Option<u64> {
        self.0.get(&quantity).copied()
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

/// Whether how much a request takes depends on the service that it names.
#[must_use]
pub(super) fn depends_on_service(head: &CallHead) -> bool {
    (head.route.resource, head.route.verb) == (Resource::Service, Verb::Update)
}

/// How much a request takes, as it goes to the daemon; `None`, where what it does takes nothing. Nothing of something is
/// what keeps its place: a container that is restarted does not run for a moment.
#[must_use]
pub(super) fn demand(head: &CallHead, body: &Body<'_>, facts: &Facts) -> Option<Amounts> {
    let mut wants = Amounts::default();
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
        // the daemon then takes what it was before, and not what was sent
        (Body::Service(_), ..) if head.query.text("rollback").is_some() => wants = everything(),
        (Body::Service(spec), ..) => {
            wants = taken_by_tasks(spec);
            if depends_on_service(head) {
                let name = head.target()?.to_owned();
                match facts.kept.get(&(Resource::Service, name)) {
                    Some(Seen::Missing) => return None,
                    Some(Seen::Found(kept)) if !kept.spec.is_empty() => {
                        wants.take(&taken_by_service(&kept.spec));
                    }
                    _ => {}
                }
            }
        }
        (Body::ContainerUpdate(body), ..) => {
            if let Some(container) = target(head, facts)?.filter(|container| container.running) {
                let host = host_config(&container.host_config);
                wants = taken_with(&changed(host.resources.clone(), &body.resources, head.version));
                wants.take(&taken_with(&host.resources));
            }
        }
        (_, Resource::Container, Verb::Start | Verb::Restart) => match target(head, facts)? {
            Some(container) if container.running => {}
            container => {
                wants.put(OverLimit::Running, 1);
                wants.add(&taken(container));
            }
        },
        _ => return None,
    }
    Some(wants)
}

/// The container that the path names, as far as it was seen; `None`, where there is none.
fn target<'f>(head: &CallHead, facts: &'f Facts) -> Option<Option<&'f Container>> {
    match facts.containers.get(head.target()?) {
        Some(Seen::Missing) => None,
        seen => Some(seen.and_then(Seen::found)),
    }
}

fn host_config(text: &str) -> HostConfig<'_> {
    let read = |value| HostConfig::read(value, &mut LeftOut::default());
    json::read(text.as_bytes()).and_then(read).unwrap_or_default()
}

/// How much a container takes while it runs, by what it was made with: everything, where it has no bound, and where it is
/// not known.
#[must_use]
pub fn taken(container: Option<&Container>) -> Amounts {
    let host = host_config(container.map_or("", |container| &container.host_config));
    let exposed = container.map_or(u64::MAX, |container| container.exposed as u64);
    let mut takes = taken_with(&host.resources);
    // what is published without a port of the host takes one too
    let ports = host.port_bindings.entries().map(|(port, bindings)| match port.contains('-') {
        true => u64::MAX,
        false => bindings.as_ref().map_or(1, |bindings| bindings.len().max(1) as u64),
    });
    let bound = ports.fold(0, u64::saturating_add);
    let all = host.publish_all_ports.or_zero() || container.is_none();
    // those that are bound are exposed too
    let more = exposed.saturating_sub(host.port_bindings.entries().count() as u64);
    takes.put(OverLimit::Ports, if all { bound.saturating_add(more) } else { bound });
    takes
}

/// How much a service takes that is there, by its specification as JSON: everything, where that is not understood.
#[must_use]
pub fn taken_by_service(spec: &str) -> Amounts {
    let read = |value| ServiceSpec::read(value, &mut LeftOut::default());
    match json::read(spec.as_bytes()).and_then(read) {
        Ok(spec) => taken_by_tasks(&spec),
        Err(_) => everything(),
    }
}

/// All that tasks can take.
fn everything() -> Amounts {
    let of_tasks = [
        OverLimit::Containers,
        OverLimit::Running,
        OverLimit::Memory,
        OverLimit::Cpus,
        OverLimit::Pids,
        OverLimit::Ports,
    ];
    Amounts(of_tasks.map(|quantity| (quantity, u64::MAX)).into())
}

/// As many tasks as a service has at once take, each within its own bounds. One that has a task on each node has one here.
fn taken_by_tasks(spec: &ServiceSpec<'_>) -> Amounts {
    let mode = spec.mode.0.value();
    let replicated = mode.and_then(|mode| mode.replicated.value());
    let job = mode.and_then(|mode| mode.replicated_job.value());
    let tasks = match (replicated, job) {
        (Some(replicated), _) => replicated.replicas.value().copied().unwrap_or(1),
        (None, Some(job)) => job.max_concurrent.value().copied().unwrap_or(1),
        (None, None) => 1,
    };
    let task = spec.task_template.value();
    let limits = task.and_then(|task| task.resources.value()?.limits.value());
    let each = |bound: Option<&i64>| {
        let bound = bound.and_then(|amount| u64::try_from(*amount).ok()).filter(|n| *n > 0);
        bound.map_or(if tasks == 0 { 0 } else { u64::MAX }, |amount| amount.saturating_mul(tasks))
    };
    let mut takes = Amounts::default();
    takes.put(OverLimit::Containers, tasks);
    takes.put(OverLimit::Running, tasks);
    takes.put(OverLimit::Memory, each(limits.and_then(|limits| limits.memory_bytes.value())));
    takes.put(OverLimit::Cpus, each(limits.and_then(|limits| limits.nano_cpus.value())));
    takes.put(OverLimit::Pids, each(limits.and_then(|limits| limits.pids.value())));
    let ports = spec.endpoint_spec.value().map_or(0, |endpoint| endpoint.ports.items().len());
    takes.put(OverLimit::Ports, ports as u64);
    takes
}

fn taken_with(resources: &Resources<'_>) -> Amounts {
    let mut takes = Amounts::default();
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

/// What a container has once it was updated: zero leaves a field as it is, but for the number of processes, of which it
/// is no bound since API 1.40 (moby `container/container_unix.go`, `api/server/router/container`).
fn changed<'a>(
    mut has: Resources<'a>,
    given: &Resources<'a>,
    version: ApiVersion,
) -> Resources<'a> {
    let fields = [
        (&mut has.memory, &given.memory),
        (&mut has.nano_cpus, &given.nano_cpus),
        (&mut has.cpu_quota, &given.cpu_quota),
        (&mut has.cpu_period, &given.cpu_period),
    ];
    for (field, given) in fields {
        if given.or_zero() != 0 {
            field.clone_from(given);
        }
    }
    if given.pids_limit.value().is_some() && version >= ApiVersion::new(40) {
        has.pids_limit.clone_from(&given.pids_limit);
    }
    has
}

/// Volumes that a container brings about: anonymous ones, and those of which there is none of the name.
fn volumes(body: &ContainerCreate<'_>, facts: &Facts) -> u64 {
    let Some(host) = body.host_config.value() else { return 0 };
    let is_new = |name: &str| {
        name.is_empty()
            || !name.starts_with('/') && !matches!(facts.volumes.get(name), Some(Seen::Found(_)))
    };
    let mounts = host.mounts.items().iter().filter(|mount| mount.kind.text() == "volume");
    let mounts = mounts.map(|mount| mount.source.text());
    let binds =
        host.binds.items().iter().map(|bind| bind.split_once(':').map_or("", |(source, _)| source));
    let (anonymous, named): (Vec<_>, Vec<_>) =
        mounts.chain(binds).filter(|source| is_new(source)).partition(|source| source.is_empty());
    let named: BTreeSet<&str> = named.into_iter().collect();
    u64::try_from(anonymous.len().saturating_add(named.len())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
