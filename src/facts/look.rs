//! Looks at paths of the host as the daemon sees them, and hands plain data to policy.

use super::host_path::{HostView, daemon_process};
use super::mounts::Mounts;
use crate::daemon::Daemon;
use crate::policy::PathFact;
use crate::policy::admit::{Mounted, is_sound_target, mount_targets};
use crate::policy::facts::{Container, Displaced};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where Docker's daemon writes its process id when systemd holds its socket.
const PID_FILE: &str = "/run/docker.pid";

/// Looks at each path as the daemon sees it. Blocks on the file system.
///
/// `peer` is the process behind the daemon's socket; `protected` are the directories of the gate,
/// the daemon and containerd.
#[must_use]
pub fn host_paths(
    paths: &BTreeSet<String>,
    peer: Option<i32>,
    protected: &[PathBuf],
) -> BTreeMap<String, PathFact> {
    let view = HostView::of_daemon(daemon_process(peer, Path::new(PID_FILE)));
    let fact = |path: &String| match &view {
        Ok(view) => one(view, Path::new(path), protected),
        Err(why) => PathFact::Unseen { why: why.clone() },
    };
    paths.iter().map(|path| (path.clone(), fact(path))).collect()
}

/// Sees where everything is mounted in a container, if it runs.
pub async fn see_mounts(daemon: &Daemon, container: &mut Container) {
    let targets = mount_targets(container);
    if targets.is_empty() || !container.running || container.waits() {
        container.displaced = Some(Displaced::new());
        return;
    }
    let (peer, process) = (daemon.peer_pid(), container.process);
    let look = move || displaced(&targets, peer, process);
    container.displaced = match tokio::task::spawn_blocking(look).await {
        Ok(Ok(displaced)) => Some(displaced),
        Ok(Err(why)) => {
            tracing::debug!(why, "the mounts of a container cannot be seen");
            None
        }
        Err(_) => None,
    };
}

/// Of these places in a container, each with what was to be mounted there, those at which nothing is mounted in the eyes of
/// its first process; and where that is. Blocks on the file system.
///
/// # Errors
/// Why that cannot be seen.
pub fn displaced(
    targets: &BTreeMap<String, Mounted>,
    peer: Option<i32>,
    process: Option<i32>,
) -> Result<Displaced, String> {
    let daemon = daemon_process(peer, Path::new(PID_FILE));
    let daemon = daemon.ok_or("the daemon's process is not known")?;
    let process = process.ok_or("the daemon does not tell its process")?;
    let mounts = Mounts::of_container(daemon, process).map_err(|error| error.to_string())?;
    if !mounts.are_of_a_container() {
        return Err("its first process has another root".to_owned());
    }
    Ok(elsewhere(&mounts, targets))
}

fn elsewhere(mounts: &Mounts, targets: &BTreeMap<String, Mounted>) -> Displaced {
    let missing = || targets.iter().filter(|(target, _)| !mounts.has(Path::new(target)));
    // where it was asked for it is another mount of the same
    let asked = |point: &&Path| point.to_str().is_some_and(|at| targets.contains_key(at));
    let only = |points: &mut dyn Iterator<Item = &Path>| {
        let point = points.next()?.to_str()?.to_owned();
        points.next().is_none().then_some(point)
    };
    // as many as are missing, beside what the runtime mounts itself
    let of_runtime =
        |point: &&Path| *point == Path::new("/dev/shm") || point.starts_with("/run/secrets");
    let sound = |point: &&Path| point.to_str().is_some_and(is_sound_target) && !of_runtime(point);
    let tmpfs: Vec<_> = mounts.of_tmpfs().filter(|point| !asked(point) && sound(point)).collect();
    let lost = missing().filter(|(_, what)| **what == Mounted::Tmpfs).count();
    let mut tmpfs = if tmpfs.len() == lost { tmpfs } else { Vec::new() }.into_iter();
    let mut found = |what: &Mounted| match what {
        Mounted::Volume(name) => only(&mut mounts.of_volume(name).filter(|point| !asked(point))),
        Mounted::Bind(source) => only(&mut mounts.of_host(source).filter(|point| !asked(point))),
        Mounted::Tmpfs => tmpfs.next()?.to_str().map(str::to_owned),
        Mounted::Other => None,
    };
    missing().map(|(target, what)| (target.clone(), found(what))).collect()
}

fn one(view: &HostView, path: &Path, protected: &[PathBuf]) -> PathFact {
    match view.touched(path, protected) {
        Some(_) => PathFact::Protected,
        None => view.look(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first process of a container sees, as runc has made it.
    const CONTAINER: &str = "\
        600 500 0:50 / / rw,relatime - overlay overlay rw\n\
        601 600 0:53 / /proc rw,nosuid - proc proc rw\n\
        602 600 0:54 / /dev rw,nosuid - tmpfs tmpfs rw\n\
        603 600 0:55 / /sys ro,nosuid - sysfs sysfs ro\n\
        604 600 8:1 /var/lib/docker/volumes/there/_data /data rw - ext4 /dev/sda1 rw\n\
        605 602 8:1 /var/lib/docker/volumes/led/_data /dev/sub rw - ext4 /dev/sda1 rw\n\
        606 600 8:1 /docker/volumes/twice/_data /one rw - ext4 /dev/sda1 rw\n\
        607 600 8:1 /docker/volumes/twice/_data /srv/two rw - ext4 /dev/sda1 rw\n\
        608 600 8:1 /docker/volumes/many/_data /srv/a rw - ext4 /dev/sda1 rw\n\
        609 600 8:1 /docker/volumes/many/_data /srv/b rw - ext4 /dev/sda1 rw\n\
        610 600 8:1 /docker/volumes/in/_data/part /srv/part rw - ext4 /dev/sda1 rw\n\
        611 600 8:1 /srv/host /srv/h rw - ext4 /dev/sda1 rw\n\
        612 602 0:56 / /dev/shm rw - tmpfs shm rw\n\
        613 601 0:57 / /proc/acpi ro - tmpfs tmpfs ro\n\
        614 600 0:58 / /run rw - tmpfs tmpfs rw\n";

    #[test]
    fn what_is_not_where_it_was_to_be_is_found_where_it_is() {
        let mounts = Mounts::parse(CONTAINER.as_bytes()).unwrap();
        assert!(mounts.are_of_a_container());
        let asked = |all: &[(&str, Mounted)]| {
            let all = all.iter().map(|(at, what)| (at.to_string(), what.clone()));
            elsewhere(&mounts, &all.collect())
        };
        let led = |at: &str, leads: Option<&str>| (at.to_owned(), leads.map(str::to_owned));
        let volume = |name: &str| Mounted::Volume(name.to_owned());
        let bind = |source: &str| Mounted::Bind(source.to_owned());
        assert_eq!(asked(&[("/data", volume("there"))]), Displaced::new());
        for (name, leads) in
            [("led", Some("/dev/sub")), ("many", None), ("in", None), ("gone", None), ("", None)]
        {
            assert_eq!(asked(&[("/d", volume(name))]), [led("/d", leads)].into(), "{name}");
        }
        for (source, leads) in [
            ("/srv/host", Some("/srv/h")),
            ("/mnt/srv/host", Some("/srv/h")),
            ("/srv", None),
            ("/host", None),
            ("/", None),
        ] {
            assert_eq!(asked(&[("/d", bind(source))]), [led("/d", leads)].into(), "{source}");
        }
        // where it was asked for as well, it is not that one
        let twice = asked(&[("/one", volume("twice")), ("/link", volume("twice"))]);
        assert_eq!(twice, [led("/link", Some("/srv/two"))].into());
        // as many as there are
        let tmpfs = || Mounted::Tmpfs;
        assert_eq!(asked(&[("/var/run", tmpfs())]), [led("/var/run", Some("/run"))].into());
        assert_eq!(asked(&[("/run", tmpfs())]), Displaced::new());
        let more = asked(&[("/var/run", tmpfs()), ("/t", tmpfs())]);
        assert_eq!(more, [led("/t", None), led("/var/run", None)].into());
        assert_eq!(asked(&[("/x", Mounted::Other)]), [led("/x", None)].into());
    }

    #[test]
    fn who_has_gone_to_another_root_shows_nothing() {
        let elsewhere = CONTAINER.replace(" /proc rw", " /x rw");
        assert!(!Mounts::parse(elsewhere.as_bytes()).unwrap().are_of_a_container());
    }

    #[test]
    fn what_cannot_be_seen_is_not_guessed() {
        let own = i32::try_from(std::process::id()).ok();
        let asked = [("/data".to_owned(), Mounted::Tmpfs)].into();
        for (daemon, process) in [(None, own), (own, None), (own, Some(i32::MAX))] {
            assert!(displaced(&asked, daemon, process).is_err(), "{daemon:?} {process:?}");
        }
    }
}
