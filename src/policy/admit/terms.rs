//! What the gate writes into a body that was allowed: defaults of the profile, and the modes whose
//! absence would mean something else from one daemon or API version to the next.

use super::image;
use super::resources::DEFAULT_PERIOD;
use crate::docker::body::create::{ContainerCreate, HostConfig, Text};
use crate::docker::body::field::Field;
use crate::docker::{CallHead, credentials};
use crate::policy::model::Role;
use crate::policy::profile::{Limit, Profile};
use std::borrow::Cow;

/// Fills the terms in, and says what was written: `HostConfig.Memory=536870912`.
pub fn amend(profile: &Profile, body: &mut ContainerCreate<'_>) -> Vec<String> {
    let host: &mut HostConfig<'_> = body.host_config.or_empty();
    let mut terms = Vec::new();
    number(&mut host.resources.memory, profile.memory, "Memory", &mut terms);
    number(&mut host.resources.pids_limit, profile.pids, "PidsLimit", &mut terms);
    if host.resources.cpu_quota.or_zero() == 0 {
        number(&mut host.resources.nano_cpus, profile.cpus, "NanoCpus", &mut terms);
    }
    number(&mut host.shm_size, profile.shm, "ShmSize", &mut terms);
    text(&mut host.ipc_mode, "private", "IpcMode", &mut terms);
    text(&mut host.cgroupns_mode, "private", "CgroupnsMode", &mut terms);
    if let Some(runtime) = profile.runtime.first() {
        text(&mut host.runtime, runtime, "Runtime", &mut terms);
    }
    terms
}

/// The same for a classic build, whose limits are in the query; a build counts CPU by quota, for the
/// period that it asks for.
pub fn amend_build(role: &Role, profile: &Profile, head: &mut CallHead) -> Vec<String> {
    let period = head.query.int("cpuperiod").filter(|period| *period > 0);
    let period = i128::from(period.unwrap_or(DEFAULT_PERIOD));
    let quota =
        |nano: i64| i64::try_from(i128::from(nano) * period / 1_000_000_000).unwrap_or(i64::MAX);
    let defaults = [
        ("memory", profile.memory.default),
        ("shmsize", profile.shm.default),
        ("cpuquota", profile.cpus.default.map(quota)),
    ];
    let mut terms = Vec::new();
    for (name, default) in defaults {
        let Some(default) = default.filter(|_| head.query.int(name).unwrap_or(0) == 0) else {
            continue;
        };
        head.query.fill_int(head.route.query, name, default);
        terms.push(format!("{name}={default}"));
    }
    keep_credentials(role, head, &mut terms);
    terms
}

/// Clients send the credentials of every registry that somebody ever logged in to; the daemon gets those
/// of the registries that are listed.
fn keep_credentials(role: &Role, head: &mut CallHead, terms: &mut Vec<String>) {
    let (kept, out) = std::mem::take(&mut head.registries)
        .into_iter()
        .partition::<Vec<_>, _>(|address| image::is_listed(role, address));
    head.registries = kept;
    if out.is_empty() {
        return;
    }
    let headers = std::mem::take(&mut head.headers).into_iter();
    head.headers = headers
        .filter_map(|(name, value)| match name == credentials::CONFIG {
            true => credentials::without(&value, &out).map(|value| (name, value)),
            false => Some((name, value)),
        })
        .collect();
    terms.push(format!("x-registry-config without {}", super::cut(out.join(", "), super::KEY_MAX)));
}

fn number(field: &mut Field<i64>, limit: Limit, name: &str, terms: &mut Vec<String>) {
    if let (0, Some(default)) = (field.or_zero(), limit.default) {
        *field = Field::Set(default);
        terms.push(format!("HostConfig.{name}={default}"));
    }
}

fn text(field: &mut Text<'_>, value: &str, name: &str, terms: &mut Vec<String>) {
    if field.text().is_empty() {
        *field = Field::Set(Cow::Owned(value.to_owned()));
        terms.push(format!("HostConfig.{name}={value}"));
    }
}
