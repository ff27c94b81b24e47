//! What the gate writes into a request that was allowed: defaults of the profile, and the modes whose
//! absence would mean something else from one daemon or API version to the next.

use super::defaults::{self, shares_cgroupns};
use super::image;
use super::labels::set_restart;
use super::privilege;
use super::resources::DEFAULT_PERIOD;
use super::user::set_user;
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig};
use crate::docker::{ApiCall, ApiVersion, CallHead, Resource, Verb};
use crate::policy::facts::Facts;
use crate::policy::model::Role;
use crate::policy::profile::{Demanded, Limit, Profile};
use crate::policy::terms::{Filled, Term};

/// From this version on no engine makes a second network of one name, whatever it is told.
const ALWAYS_CHECKED: ApiVersion = ApiVersion::new(44);

/// The terms of a request that a role carries.
pub(in crate::policy) fn terms(
    role: &Role,
    profile: &Profile,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> Vec<Term> {
    match &call.body {
        Body::ContainerCreate(body) => create(role, profile, body, facts),
        Body::Opaque if is_build(call.head) => build(role, profile, call.head),
        Body::NetworkCreate(_) => checked(call).into_iter().collect(),
        // what these make has no bound and no mode that a profile has a default for
        Body::VolumeCreate(_)
        | Body::Service(_)
        | Body::Secret(_)
        | Body::Config(_)
        | Body::Commit(_)
        | Body::ExecCreate(_) => Vec::new(),
        // and these make nothing
        Body::None
        | Body::Opaque
        | Body::Archive(_)
        | Body::ContainerUpdate(_)
        | Body::ExecStart(_)
        | Body::CheckpointCreate(_)
        | Body::Auth(_)
        | Body::VolumeUpdate(_)
        | Body::NetworkConnect(_)
        | Body::NetworkDisconnect(_)
        | Body::Node(_)
        | Body::SwarmInit(_)
        | Body::SwarmJoin(_)
        | Body::SwarmUpdate(_)
        | Body::SwarmUnlock(_)
        | Body::PluginPrivileges(_)
        | Body::PluginSet(_) => Vec::new(),
    }
}

/// A second network of one name, which some engines make where they are not told otherwise: the name would be nobody's.
pub(in crate::policy) fn checked(call: &ApiCall<'_>) -> Option<Term> {
    let Body::NetworkCreate(body) = &call.body else { return None };
    let asked = body.check_duplicate.0.or_zero() || call.head.version >= ALWAYS_CHECKED;
    (!asked).then_some(Term::Fill(Filled::CheckDuplicate))
}

fn is_build(head: &CallHead) -> bool {
    (head.route.resource, head.route.verb) == (Resource::Build, Verb::Create)
}

fn create(role: &Role, profile: &Profile, body: &ContainerCreate<'_>, facts: &Facts) -> Vec<Term> {
    let empty = HostConfig::default();
    let host = body.host_config.value().unwrap_or(&empty);
    let unset = |is: i64, limit: &Limit| limit.default.filter(|_| is == 0);
    let cpus = unset(host.resources.nano_cpus.or_zero(), profile.cpus());
    let runtime = profile.runtime().0.first().filter(|_| host.runtime.text().is_empty());
    let cgroupns = host.cgroupns_mode.text();
    let own_cgroupns = cgroupns.is_empty() || cgroupns == "host" && shares_cgroupns(facts);
    let filled = [
        unset(host.resources.memory.or_zero(), profile.memory()).map(Filled::Memory),
        unset(host.resources.pids_limit.or_zero(), profile.pids()).map(Filled::Pids),
        cpus.filter(|_| host.resources.cpu_quota.or_zero() == 0).map(Filled::Cpus),
        unset(host.shm_size.or_zero(), profile.shm()).map(Filled::Shm),
        host.ipc_mode.text().is_empty().then_some(Filled::Ipc("private")),
        own_cgroupns.then_some(Filled::Cgroupns("private")),
        defaults::means_own_masks(host).then_some(Filled::MaskedPaths),
        runtime.cloned().map(Filled::Runtime),
        profile.ports().default.filter(|_| names_no_address(host)).map(Filled::HostIp),
    ];
    let demanded = demanded(profile, host);
    let user =
        set_user(role, profile, facts, &body.config).map(|user| Filled::User(user.to_owned()));
    let filled = filled.into_iter().flatten().chain(demanded).chain(user).map(Term::Fill);
    let labels = profile.labels().set.iter();
    let labels = labels.filter(|(key, _)| body.config.labels.entries().all(|(k, _)| k != key));
    filled.chain(labels.map(|(key, value)| Term::Label(key.clone(), value.clone()))).collect()
}

/// What every container of the profile has, written in where it was not asked for.
fn demanded(profile: &Profile, host: &HostConfig<'_>) -> impl Iterator<Item = Filled> {
    let set = |demand: Demanded, asked: bool, filled| {
        (demand == Demanded::Set && !asked).then_some(filled)
    };
    let drops = privilege::drops_all(host.cap_drop.words());
    let policy = set_restart(profile, host).map(|policy| Filled::Restart(policy.to_owned()));
    [
        set(
            *profile.no_new_privileges(),
            privilege::asks_for_no_new(host.security_opt.items()),
            Filled::NoNewPrivileges,
        ),
        set(profile.capabilities().drop_all, drops, Filled::CapDrop),
        set(*profile.read_only_root(), host.readonly_rootfs.or_zero(), Filled::ReadOnlyRoot),
        set(*profile.init(), host.resources.init.or_zero(), Filled::Init),
        policy,
    ]
    .into_iter()
    .flatten()
}

/// Whether some port is published that names no address of the host, as Testcontainers publishes all.
fn names_no_address(host: &HostConfig<'_>) -> bool {
    let lists = host.port_bindings.entries().filter_map(|(_, list)| list.as_deref());
    lists.flatten().any(|binding| binding.host_ip.text().is_empty())
}

/// The same for a classic build, whose limits are in the query; a build counts CPU by quota, for the
/// period that it asks for. Clients send the credentials of every registry that somebody ever logged in to;
/// the daemon gets those of the registries that are listed.
fn build(role: &Role, profile: &Profile, head: &CallHead) -> Vec<Term> {
    let period = head.query.int("cpuperiod").filter(|period| *period > 0);
    let period = i128::from(period.unwrap_or(DEFAULT_PERIOD));
    let quota =
        |nano: i64| i64::try_from(i128::from(nano) * period / 1_000_000_000).unwrap_or(i64::MAX);
    let defaults = [
        ("memory", profile.memory().default),
        ("shmsize", profile.shm().default),
        ("cpuquota", profile.cpus().default.map(quota)),
    ];
    let unset = |name: &str| head.query.int(name).unwrap_or(0) == 0;
    let filled = defaults.into_iter().filter(|(name, _)| unset(name));
    let filled = filled.filter_map(|(name, value)| Some(Term::Fill(Filled::Build(name, value?))));
    let unlisted = head.registries.iter().filter(|address| !image::is_listed(role, address));
    let registries: Vec<String> = unlisted.cloned().collect();
    let withheld = (!registries.is_empty()).then_some(Term::Withhold(registries));
    filled.chain(withheld).collect()
}
