//! Starting a container that is there: whatever was true of names when it was made, what it is now is
//! final. Its image's id never changes, and a volume that it uses cannot be exchanged.

use super::Judge;
use super::image::run;
use super::inside::deciding_paths;
use crate::docker::{ApiCall, CallHead};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Container, Facts, Seen};
use crate::policy::model::Role;

/// Of a role that no profile judges: its images hold at start as they do at create.
#[must_use]
pub(in crate::policy) fn started_image(
    role: &Role,
    head: &CallHead,
    facts: &Facts,
) -> Option<Finding> {
    if role.runs_anything() {
        return None;
    }
    let container = seen_container(head.target().unwrap_or_default(), facts);
    container.map_or_else(Some, |container| run(role, "Image", &container.image, facts))
}

/// The container that is meant, where it was seen; else why that is the end of it.
pub(super) fn seen_container<'f>(name: &str, facts: &'f Facts) -> Result<&'f Container, Finding> {
    let (reason, what) = match facts.containers.get(name) {
        Some(Seen::Found(container)) => return Ok(container),
        Some(Seen::Missing) => (Reason::TargetAbsent, format!("No such container: {name}")),
        Some(Seen::Several) => {
            (Reason::TargetUnseen, format!("use container {name:?}: several are called so"))
        }
        None => (Reason::TargetUnseen, format!("use container {name:?}: it cannot be looked at")),
    };
    Err(Finding::new(reason, "path", name, what))
}

/// `POST /containers/{}/start` and `/restart`.
pub(super) fn start(judge: &mut Judge<'_>, call: &ApiCall<'_>) {
    // what it was made with is judged as of all into which somebody reaches
    let name = call.head.target().unwrap_or_default();
    let Ok(container) = seen_container(name, judge.facts) else { return };
    let Container {
        id: _,
        name: _,      // whose it is was asked before
        host_name: _, // with the networks that it joined
        image,
        user: _, // with what it was made with
        working_dir,
        running: _,
        process: _,
        displaced: _, // also below
        labels,
        volumes: _, // with what it was made with
        mounts: _,  // also below, with all that is mounted
        tmpfs: _,
        restarts: _,
        health,
        env,
        network_mode,
        networks,
        exposed: _,     // what is published of them is judged with the rest
        execs: _,       // they ended with its last run
        host_config: _, // with what it was made with
    } = container;
    judge.image_fact(image);
    judge.working_dir("Config.WorkingDir", working_dir);
    judge.placed(&deciding_paths(call, container), container);
    if let Some(health) = health {
        judge.health("Config.Healthcheck.", health);
    }
    judge.started_environment("Config.Env.", env);
    judge.started_networks(network_mode, networks);
    judge.denied_labels("Config.Labels", labels, "start a container with label");
}

impl Judge<'_> {
    /// The paths of the host that a container has: what they are now is mounted, whatever they were.
    pub(super) fn bound(&mut self, container: &Container) {
        for mount in &container.mounts {
            let field = format!("Mounts.{}", super::key(&mount.target));
            if mount.other {
                let what = "mount what is neither a path of the host nor a volume";
                self.deny(Reason::MountType, field, mount.target.as_str(), what);
            } else if let Some(source) = &mount.bind {
                self.host_path(&field, source, mount.read_only);
                if mount.shared {
                    let what = "mount with shared propagation";
                    self.deny(Reason::MountOptions, field, source.as_str(), what);
                }
            }
        }
    }
}
