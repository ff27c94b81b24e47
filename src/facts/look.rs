//! Looks at paths of the host as the daemon sees them, and hands plain data to policy.

use super::host_path::{HostView, daemon_process};
use super::mounts::Mounts;
use crate::policy::PathFact;
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

/// Of these places in a container, those at which nothing is mounted in the eyes of its first process. Blocks on the
/// file system.
///
/// # Errors
/// Why that cannot be seen.
pub fn displaced(
    targets: BTreeSet<String>,
    peer: Option<i32>,
    process: Option<i32>,
) -> Result<BTreeSet<String>, String> {
    let daemon = daemon_process(peer, Path::new(PID_FILE));
    let daemon = daemon.ok_or("the daemon's process is not known")?;
    let process = process.ok_or("the daemon does not tell its process")?;
    let mounts = Mounts::of_container(daemon, process).map_err(|error| error.to_string())?;
    if !mounts.are_of_a_container() {
        return Err("its first process has another root".to_owned());
    }
    Ok(targets.into_iter().filter(|target| !mounts.has(Path::new(target))).collect())
}

fn one(view: &HostView, path: &Path, protected: &[PathBuf]) -> PathFact {
    match view.touched(path, protected) {
        Some(_) => PathFact::Protected,
        None => view.look(path),
    }
}

#[cfg(test)]
mod tests {
    use super::displaced;
    use std::collections::BTreeSet;

    #[test]
    fn a_place_at_which_nothing_is_mounted_is_told_where_the_processes_are_seen() {
        let own = i32::try_from(std::process::id()).ok();
        let asked = || ["/proc", "/proc/self", "/usr/nowhere"].map(str::to_owned).into();
        let nothing: BTreeSet<_> = ["/proc/self", "/usr/nowhere"].map(str::to_owned).into();
        assert_eq!(displaced(asked(), own, own), Ok(nothing));
        for (daemon, process) in [(None, own), (own, None), (own, Some(i32::MAX))] {
            assert!(displaced(asked(), daemon, process).is_err(), "{daemon:?} {process:?}");
        }
    }
}
