//! Looks at paths of the host as the daemon sees them, and hands plain data to policy.

use super::host_path::{HostView, daemon_process};
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

fn one(view: &HostView, path: &Path, protected: &[PathBuf]) -> PathFact {
    match view.touched(path, protected) {
        Some(_) => PathFact::Protected,
        None => view.look(path),
    }
}
