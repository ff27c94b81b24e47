//! Places inside of a container: where its mounts and its directory end up. Both are text in a request, and the
//! runtime follows links in the container's own tree, which its image, its earlier life or a volume has made. So the
//! text is judged when a container is made, and where it leads is judged when it starts.

use super::Judge;
use super::host_paths::{clean, is_under};
use crate::docker::body::Body;
use crate::docker::{ApiCall, Resource, Verb};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Container, ContainerMount, holder, is_too_deep};
use std::collections::{BTreeMap, BTreeSet};

/// The longest path that Linux takes, in bytes.
const PATH_MAX: usize = 4096;

/// What must never be covered, with all that lies below it. What runc makes of /dev decides what it masks elsewhere
/// (CVE-2025-31133); of /run is asked by mounts which GPUs of the host a container gets.
const KEPT: [&str; 5] =
    ["/dev", "/proc", "/sys", "/run/nvidia-container-devices", "/var/run/nvidia-container-devices"];

/// Of /dev, what runc mounts anew in every container.
const OF_DEV: [&str; 2] = ["/dev/shm", "/dev/mqueue"];

/// Where something is mounted.
pub(super) struct MountPlace {
    /// The field that names it.
    pub(super) field: String,
    /// The path inside.
    pub(super) target: String,
    /// Whether it is a tmpfs, which begins empty: nobody has put a link there.
    pub(super) tmpfs: bool,
}

/// Whether something may be mounted there, as far as the text says.
#[must_use]
pub fn is_sound_target(target: &str) -> bool {
    let kept = |path: &str| !OF_DEV.contains(&path) && KEPT.iter().any(|root| is_under(path, root));
    let cleaned = clean(target).filter(|path| path.len() < PATH_MAX && !is_too_deep(path));
    cleaned.is_some_and(|path| path != "/" && !kept(&path))
}

/// What is mounted at a place in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// A volume, by its name.
    Volume(String),
    /// A path of the host.
    Bind(String),
    /// A tmpfs.
    Tmpfs,
    /// Something else.
    Other,
}

/// Where something is mounted in a container, as far as it is not refused as it stands, and what.
#[must_use]
pub fn mount_targets(container: &Container) -> BTreeMap<String, Mounted> {
    let what = |mount: &ContainerMount| match (&mount.volume, &mount.bind) {
        (Some(volume), _) => Mounted::Volume(volume.clone()),
        (None, Some(source)) => Mounted::Bind(source.clone()),
        (None, None) if mount.tmpfs => Mounted::Tmpfs,
        (None, None) => Mounted::Other,
    };
    let mounts = container.mounts.iter().map(|mount| (&mount.target, what(mount)));
    let all = mounts.chain(container.tmpfs.iter().map(|target| (target, Mounted::Tmpfs)));
    let sound = all.filter(|(target, _)| is_sound_target(target));
    sound.filter_map(|(target, what)| Some((clean(target)?, what))).collect()
}

/// The paths in a container that decide about a request, as far as it can be asked where they lead. Those that are
/// refused as they stand are not among them.
pub(in crate::policy) fn deciding_paths(
    call: &ApiCall<'_>,
    container: &Container,
) -> BTreeSet<String> {
    if !container.can_be_asked_about() {
        return BTreeSet::new();
    }
    let (resource, verb) = (call.head.route.resource, call.head.route.verb);
    let mut paths = BTreeSet::new();
    match (&call.body, resource, verb) {
        (Body::ExecCreate(exec), ..) => paths.extend(entered(exec.working_dir.text())),
        // a start of what runs does nothing
        (_, Resource::Container, Verb::Start) if container.running => {}
        (_, Resource::Container, Verb::Start | Verb::Restart) => {
            paths.extend(mount_targets(container).into_keys());
            paths.extend(entered(&container.working_dir));
        }
        _ => {}
    }
    paths
}

/// A working directory as it is asked about, if it is any but the root and not refused as it stands.
fn entered(directory: &str) -> Option<String> {
    let sound = super::user::is_sound_directory(directory);
    clean(directory).filter(|path| sound && path != "/")
}

impl Judge<'_> {
    /// Where something is mounted inside, by the text.
    pub(super) fn target(&mut self, field: &str, target: &str) {
        // each node fills the templates of a service's mounts in
        if !is_sound_target(target) || target.contains("{{") {
            self.refuse(Reason::MountTarget, field, target, "mount over");
        }
    }

    /// Mounts within others. Whoever writes in the outer one, in this container or another, makes the inner one's
    /// target a link.
    pub(super) fn nested(&mut self, places: &[MountPlace]) {
        if self.profile.nested_mounts().0 {
            return;
        }
        // the others are refused as they stand
        let cleaned = |place: &MountPlace| {
            clean(&place.target).filter(|path| path.len() < PATH_MAX && !is_too_deep(path))
        };
        let outer: BTreeSet<String> =
            places.iter().filter(|place| !place.tmpfs).filter_map(cleaned).collect();
        for place in places {
            let Some(inner) = cleaned(place) else { continue };
            if let Some(outer) = holder(&outer, &inner) {
                let what = format!("mount at {inner:?}, within the mount at {outer:?}");
                self.deny(Reason::MountNested, place.field.as_str(), place.target.as_str(), what);
            }
        }
    }

    /// Where everything is mounted that a container has, and where it starts: by the text, and for those paths that
    /// decide once links in its tree are followed.
    pub(super) fn placed(&mut self, deciding: &BTreeSet<String>, container: &Container) {
        let mounted = container.mounts.iter().map(|mount| (&mount.target, mount.tmpfs));
        let mounted = mounted.chain(container.tmpfs.iter().map(|target| (target, true)));
        let mut places = Vec::new();
        for (target, tmpfs) in mounted {
            let field = format!("Mounts.{}", super::key(target));
            self.target(&field, target);
            let leads = self.leads(container, deciding, &field, target);
            let leads = leads.or_else(|| self.told_by_kernel(container, &field, target));
            if let Some(leads) = &leads
                && !is_sound_target(leads)
            {
                let what = format!("mount over {leads:?}, where {target:?} leads");
                self.deny(Reason::MountTarget, field.as_str(), target.as_str(), what);
            }
            places.push(MountPlace {
                field,
                target: leads.unwrap_or_else(|| target.clone()),
                tmpfs,
            });
        }
        self.nested(&places);
        self.directory(container, deciding, "Config.WorkingDir", &container.working_dir);
    }

    /// Where a mount of a container is that runs, if the kernel shows that it is elsewhere than at its target: a link has
    /// led it there. Who has made a container himself was judged when it started, and its program has had whatever
    /// there is.
    fn told_by_kernel(
        &mut self,
        container: &Container,
        field: &str,
        target: &str,
    ) -> Option<String> {
        let own = self.role.scopes.is_self_made(Resource::Container, &container.labels);
        let place = clean(target).filter(|_| !own && is_sound_target(target))?;
        let Some(displaced) = &container.displaced else {
            let what = format!("have mounted elsewhere what {target:?} is for: not to be seen");
            self.deny(Reason::PathUnseen, field, target, what);
            self.allowing("the gate must see the container's processes in /proc");
            return None;
        };
        let leads = displaced.get(&place)?;
        if leads.is_none() {
            let what = format!("have mounted elsewhere what {target:?} is for");
            self.deny(Reason::PathUnseen, field, target, what);
        }
        leads.clone()
    }

    /// Where the directory of a process leads that is begun in a container.
    pub(super) fn exec_directory(
        &mut self,
        call: &ApiCall<'_>,
        container: &Container,
        directory: &str,
    ) {
        if entered(directory).is_some() {
            let deciding = deciding_paths(call, container);
            self.directory(container, &deciding, "WorkingDir", directory);
        }
    }

    fn directory(
        &mut self,
        container: &Container,
        deciding: &BTreeSet<String>,
        field: &str,
        directory: &str,
    ) {
        let Some(leads) = self.leads(container, deciding, field, directory) else { return };
        if !super::user::is_sound_directory(&leads) {
            let what = format!("work in directory {leads:?}, where {directory:?} leads");
            self.deny(Reason::WorkingDir, field, directory, what);
        }
    }

    /// Where a path leads, of those that decide; one that could not be followed is refused.
    fn leads(
        &mut self,
        container: &Container,
        deciding: &BTreeSet<String>,
        field: &str,
        path: &str,
    ) -> Option<String> {
        let asked = clean(path).filter(|path| deciding.contains(path))?;
        let known = self.facts.container_paths.get(&(container.id.clone(), asked));
        // while something else is unseen that refuses everybody, nothing is asked
        let hidden = |finding: &Finding| finding.reason.is_unseen() && finding.reason.rule().root;
        if known.is_none() && !self.findings.iter().any(hidden) {
            let what = format!("use path {path:?} in a container: it cannot be followed");
            self.deny(Reason::PathUnseen, field, path, what);
        }
        known.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{PATH_MAX, is_sound_target};

    #[test]
    fn a_target_is_a_path_that_linux_takes_and_covers_nothing_that_is_kept() {
        let long = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert!(is_sound_target(&long(PATH_MAX - 1)) && !is_sound_target(&long(PATH_MAX)));
        assert!(is_sound_target(&"/x".repeat(64)) && !is_sound_target(&"/x".repeat(65)));
        for kept in ["/dev/x", "/proc", "/sys/fs", "/run/nvidia-container-devices/all", "/", "x"] {
            assert!(!is_sound_target(kept), "{kept}");
        }
        for sound in ["/dev/shm", "/dev/mqueue", "/run/nvidia", "/data", "/devices"] {
            assert!(is_sound_target(sound), "{sound}");
        }
    }
}
