//! A container that is there, and into which somebody reaches: to run something in it, to see what it says, to copy,
//! to start it again, to make an image of it. Whoever made it, it is judged by what the daemon says that it was made
//! with, as it would be judged if this role made it now: else whoever may exec would be what any container is. A bound
//! that it does not have is held against it as it is against a request: where the profile fills none in.

use super::Judge;
use super::defaults::{self, asks_for_defaults};
use super::image::governing;
use super::names::is_plain;
use super::start::seen_container;
use super::update::will_restart;
use crate::docker::body::Body;
use crate::docker::body::create::{HostConfig, Mount, Text};
use crate::docker::body::field::{Field, Typed as _};
use crate::docker::body::network::NetworkConnect;
use crate::docker::left_out::LeftOut;
use crate::docker::{ApiCall, Malformed, Resource, Verb, json};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Container, Exec, Facts, Seen};
use crate::policy::profile::Profile;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Letters of a whole id.
const ID: usize = 64;

/// By what a container is named into which a request reaches, with its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Target<'c> {
    pub(in crate::policy) name: &'c str,
    pub(in crate::policy) field: &'static str,
}

/// The container into which a request reaches, if it does. An exec's is known once the exec was looked at.
pub(in crate::policy) fn target<'c>(call: &'c ApiCall<'_>, facts: &'c Facts) -> Option<Target<'c>> {
    let head = call.head;
    let of_path = || head.target().map(|name| Target { name, field: "path" });
    match (head.route.resource, head.route.verb, &call.body) {
        (Resource::Container, Verb::Exec, Body::ExecCreate(_)) => of_path(),
        (Resource::Container, Verb::Exec, Body::ExecStart(_)) => {
            let exec = facts.exec.as_ref().and_then(Seen::found)?;
            Some(Target { name: &exec.container, field: "path" })
        }
        (
            Resource::Container,
            Verb::Attach
            | Verb::CopyIn
            | Verb::CopyOut
            | Verb::Export
            | Verb::Restart
            | Verb::Start
            | Verb::Update,
            _,
        ) => of_path(),
        (Resource::Image, Verb::Commit, _) => {
            let name = head.query.text("container")?;
            let name = name.strip_prefix('/').unwrap_or(name);
            let plain = !name.is_empty() && is_plain(name);
            plain.then_some(Target { name, field: "query container" })
        }
        _ => None,
    }
}

/// The image of the container that a request makes, or into which it reaches.
fn image_of<'c>(call: &'c ApiCall<'_>, facts: &'c Facts) -> Option<&'c str> {
    let name = match &call.body {
        Body::ContainerCreate(body) => return Some(body.config.image.text()),
        Body::NetworkConnect(body) => connected(body),
        _ => target(call, facts)?.name,
    };
    Some(&facts.containers.get(name)?.found()?.image)
}

/// The container that is connected, which may be named with the slash that the daemon keeps its name with.
pub(in crate::policy) fn connected<'c>(body: &'c NetworkConnect<'_>) -> &'c str {
    let name = body.container.text();
    name.strip_prefix('/').unwrap_or(name)
}

/// Of a profile that has exceptions, which governs the container that is connected.
pub(super) fn governs_connected(judge: &mut Judge<'_>, body: &NetworkConnect<'_>) {
    match seen_container(connected(body), judge.facts) {
        _ if judge.whole.images.is_empty() => {}
        Ok(container) => judge.governed("Container", &container.image),
        Err(finding) if finding.reason == Reason::TargetAbsent => {} // the daemon says so
        Err(finding) => judge.add(Some(Finding { field: "Container".to_owned(), ..finding })),
    }
}

/// The profile by which a request is judged.
#[must_use]
pub(in crate::policy) fn profile_of<'p>(
    profile: &'p Profile,
    call: &ApiCall<'_>,
    facts: &Facts,
) -> &'p Profile {
    image_of(call, facts).map_or(profile, |image| governing(profile, image, facts))
}

/// Whether what the daemon does by itself must be known, to judge a container that is reached into or is to be made.
pub(in crate::policy) fn asks_of_daemon(
    profile: &Profile,
    call: &ApiCall<'_>,
    reached: &[&Container],
) -> bool {
    let made = |container: &&Container| {
        made_with(container).is_ok_and(|host| asks_for_defaults(profile, &host))
    };
    let created = match &call.body {
        Body::ContainerCreate(body) => body.host_config.value(),
        _ => None,
    };
    reached.iter().any(made) || created.is_some_and(|host| asks_for_defaults(profile, host))
}

/// What a container was made with.
///
/// # Errors
/// The daemon tells of it in a way that this gate does not know.
pub(super) fn made_with(container: &Container) -> Result<HostConfig<'_>, Malformed> {
    HostConfig::read(json::read(container.host_config.as_bytes())?, &mut LeftOut::nothing())
}

/// Judges the container into which a request reaches.
pub(super) fn reach(judge: &mut Judge<'_>, call: &ApiCall<'_>) {
    let facts = judge.facts;
    if let Body::ExecStart(_) = &call.body {
        match &facts.exec {
            Some(Seen::Found(exec)) => judge.exec(exec),
            Some(Seen::Missing) => {} // the daemon says so; ids of execs are nobody's to guess
            Some(Seen::Several) | None => {
                let what = "start an exec that cannot be looked at";
                judge.deny(Reason::TargetUnseen, "path", "", what);
            }
        }
    }
    let Some(Target { name, field }) = target(call, facts) else { return };
    match seen_container(name, facts) {
        Ok(container) => {
            let starts = matches!(call.head.route.verb, Verb::Start | Verb::Restart);
            judge.restarts = match &call.body {
                Body::ContainerUpdate(update) => will_restart(update),
                _ => starts && container.restarts,
            };
            judge.governed(field, &container.image);
            judge.reached = Some(super::shortened(name.to_owned()));
            judge.keeps = !starts;
            judge.made(field, container, starts);
            if !starts {
                judge.placed(&BTreeSet::new(), container); // it is not looked into
                judge.joined(&container.network_mode, container);
            }
            judge.reached = None;
            judge.keeps = false;
        }
        Err(finding) => judge.add(Some(finding)),
    }
}

impl Judge<'_> {
    /// An exec that somebody made, perhaps somebody else.
    fn exec(&mut self, exec: &Exec) {
        // what it runs is code in a container that is judged
        let Exec { container: _, takes_input: _, privileged, user, tty: _, words: _ } = exec;
        self.privileged("ProcessConfig.privileged", *privileged);
        if !user.is_empty() {
            self.user("ProcessConfig.user", user);
        }
    }

    pub(super) fn made(&mut self, field: &str, container: &Container, starts: bool) {
        match made_with(container) {
            Ok(mut host) => {
                if !starts {
                    host.restart_policy = Field::Absent; // of a run that has begun
                }
                as_asked(&mut host);
                self.host_config(&host);
            }
            Err(flaw) => {
                let what = format!("have been made with what cannot be read: {flaw}");
                self.deny(Reason::TargetUnseen, field, "", what);
            }
        }
        self.user("Config.User", &container.user);
        self.lent(container);
    }

    /// What a container has mounted, which others have too that have its volumes.
    pub(super) fn lent(&mut self, container: &Container) {
        self.bound(container);
        for volume in &container.volumes {
            let field = format!("Mounts.{volume}");
            // anonymous ones, which nobody named, have names like ids
            let anonymous = volume.len() == ID && volume.bytes().all(|b| b.is_ascii_hexdigit());
            if anonymous || self.volume_name(&field, volume) {
                self.volume_fact(&field, volume);
            }
        }
    }

    /// The networks that it is on, by their names as the container has them: nothing is joined.
    pub(super) fn joined(&mut self, mode: &str, container: &Container) {
        if mode.starts_with("container:") || mode == "host" {
            return self.network_mode("HostConfig.NetworkMode", mode);
        }
        for joined in &container.networks {
            let field = format!("NetworkSettings.Networks.{}", super::key(&joined.name));
            // before it has started it is on none; nobody asks for the one that brings a service's ports
            if !joined.id.is_empty() && !["none", "ingress"].contains(&joined.name.as_str()) {
                self.network_name(&field, &joined.name);
            }
        }
    }
}

/// What was asked for when it was made, as far as that can be told from what the daemon has filled in; what is
/// judged by other facts of the container, and what gives nothing to those inside, is left out.
fn as_asked(host: &mut HostConfig<'_>) {
    // by what is mounted, and by the networks
    host.binds = Field::Absent;
    host.volumes_from = Field::Absent;
    host.network_mode = Field::Set(Cow::Borrowed("none"));
    if let Field::Set(mounts) = &mut host.mounts {
        // one whose mounts below are writable is not told apart there
        let weak = |mount: &Mount<'_>| {
            mount.bind_options.value().is_some_and(|o| o.read_only_non_recursive.or_zero())
        };
        mounts.retain(|mount| match mount.kind.text() {
            "bind" => weak(mount),
            kind => kind != "volume",
        });
    }
    // where its output goes is not its own doing
    host.log_config = Field::Absent;
    // `inspect` tells the daemon's defaults of these as if they had been asked for
    host.resources.ulimits = Field::Absent;
    host.shm_size = Field::Absent;
    let filled = |field: &mut Text<'_>, words: &[&str]| {
        if words.contains(&field.text()) {
            *field = Field::Absent;
        }
    };
    filled(&mut host.ipc_mode, &["private", "shareable"]);
    filled(&mut host.cgroupns_mode, &["private", "host"]);
    // where the kernel has no bound for it (`verifyPlatformContainerResources` in moby's `daemon/daemon_unix.go`)
    if host.resources.memory_swap.or_zero() < 0 {
        host.resources.memory_swap = Field::Absent;
    }
    defaults::drop_own_paths(host);
}
