//! Which paths of the host a create body asks for, and whether they may be mounted.

use super::Judge;
use crate::policy::glob::Glob;
use crate::policy::profile::{HostPath, Profile, VolumeOptions};
use crate::policy::{PathFact, Reason};

/// Where Docker's socket is found by name, whatever the path resolves to.
const SOCKET_NAMES: [&str; 3] = ["docker.sock", "containerd.sock", "podman.sock"];

/// A path of the host as it must be looked at before its mount can be judged, if the profile lists it at all. The
/// others are refused as they stand.
pub(in crate::policy) fn listed(profile: &Profile, path: &str) -> Option<String> {
    clean(path).filter(|path| listing(profile, path).is_some() || is_shown(profile, path))
}

/// Whether a volume of the local driver may show it: it is a device that is listed, or the directory of an overlay.
fn is_shown(profile: &Profile, path: &str) -> bool {
    let mut places = profile.volume_options().iter().flat_map(VolumeOptions::places);
    places.any(|pattern| Glob::new(pattern).matches(path))
}

/// A path as Go's `path.Clean` leaves it; `None` for one that is not absolute or has characters
/// that no path needs.
#[must_use]
pub(super) fn clean(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.chars().any(char::is_control) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// Whether `path` is `root` or lies under it, by component.
#[must_use]
pub(super) fn is_under(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn listing<'p>(profile: &'p Profile, path: &str) -> Option<&'p HostPath> {
    let exact = profile.host_paths().iter().find(|entry| entry.path == path);
    let below = |entry: &&HostPath| entry.below && is_under(path, &entry.path);
    exact.or_else(|| profile.host_paths().iter().find(below))
}

impl Judge<'_> {
    /// Judges the mount of a host path.
    pub(super) fn host_path(&mut self, field: &str, source: &str, read_only: bool) {
        let Some(path) = self.plain_path(field, source) else { return };
        if path.rsplit('/').next().is_some_and(|name| SOCKET_NAMES.contains(&name)) {
            self.deny(Reason::MountSocket, field, source, format!("mount the socket {path:?}"));
            return;
        }
        let Some(entry) = listing(self.profile, &path) else {
            self.deny(Reason::MountHostPath, field, source, format!("mount host path {path:?}"));
            let allowed = self.host_paths_listed();
            let above = self.profile.host_paths().iter().find(|of| is_under(&path, &of.path));
            let above = above.map(|of| {
                let (path, writable) = (&of.path, of.read_only);
                let writable = if writable { "" } else { " and read_only: true" };
                format!("; what lies under {path} would be, with below: true{writable} beside it")
            });
            self.allowing(format!("allowed host paths: {allowed}{}", above.unwrap_or_default()));
            return;
        };
        if entry.read_only && !read_only {
            let what = format!("mount host path {path:?} writable");
            self.deny(Reason::MountReadOnly, field, source, what);
            self.allowing("mount it with :ro");
        }
        let below = entry.path != path;
        self.host_path_fact(field, source, &path, (below, entry.movable));
    }

    /// What a volume of the local driver shows of the host, where its options are listed. It reaches mount(2) as it
    /// stands: `..` is followed there, and a layer's `\\` taken away.
    pub(super) fn shown_path(&mut self, field: &str, source: &str) {
        let Some(path) = self.plain_path(field, source) else { return };
        if path == source && !path.contains('\\') {
            return self.host_path_fact(field, source, &path, (false, false));
        }
        let what = format!("mount host path {source:?}: it is not written plainly");
        self.deny(Reason::MountPath, field, source, what);
    }

    fn plain_path(&mut self, field: &str, source: &str) -> Option<String> {
        let path = clean(source);
        if path.is_none() {
            let what = format!("mount host path {source:?}: it is no plain absolute path");
            self.deny(Reason::MountPath, field, source, what);
        }
        path
    }

    /// What was found of a path that is listed, or lies `below` one, which may be `movable`.
    fn host_path_fact(
        &mut self,
        field: &str,
        source: &str,
        path: &str,
        (below, movable): (bool, bool),
    ) {
        let (reason, what) = match self.facts.host_paths.get(path) {
            Some(PathFact::Plain { root_owned: true, .. }) => return,
            Some(PathFact::Plain { fixed: true, .. } | PathFact::Missing { fixed: true })
                if !below =>
            {
                return;
            }
            Some(PathFact::Plain { .. } | PathFact::Missing { .. }) if !below && movable => {
                if !self.restarts {
                    return;
                }
                let what = "others than root can exchange it, and nobody looks when the daemon starts the \
                            container again";
                (Reason::MountRestart, what)
            }
            Some(PathFact::Plain { .. } | PathFact::Missing { .. }) => {
                (Reason::MountLink, "others than root can change where it leads")
            }
            Some(PathFact::Link) => (Reason::MountLink, "a symbolic link leads elsewhere"),
            Some(PathFact::Socket | PathFact::Device | PathFact::Other) => {
                (Reason::MountSocket, "it is a socket, a device or the like")
            }
            Some(PathFact::Protected) => {
                (Reason::MountProtected, "it belongs to the gate, the daemon or containerd")
            }
            Some(PathFact::Unseen { .. }) | None => {
                (Reason::MountUnseen, "the gate cannot see it as the daemon does")
            }
        };
        self.deny(reason, field, source, format!("mount host path {path:?}: {what}"));
    }

    fn host_paths_listed(&self) -> String {
        let show = |entry: &HostPath| {
            let below = if entry.below { " and below" } else { "" };
            let mode = if entry.read_only { " (read-only)" } else { "" };
            format!("{}{below}{mode}", entry.path)
        };
        super::listed(&self.profile.host_paths().iter().map(show).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, is_under};

    #[test]
    fn cleaning_is_gos() {
        for (path, cleaned) in [
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/tmp/..", "/"),
            ("/a//b/../c/", "/a/c"),
            ("/../x", "/x"),
        ] {
            assert_eq!(clean(path).as_deref(), Some(cleaned), "{path}");
        }
        assert_eq!(clean("a/b"), None);
        assert_eq!(clean("/a\n"), None);
    }

    #[test]
    fn under_is_by_component() {
        assert!(is_under("/srv/ci", "/srv/ci"));
        assert!(is_under("/srv/ci/x", "/srv/ci"));
        assert!(!is_under("/srv/cix", "/srv/ci"));
        assert!(is_under("/x", "/"));
    }
}
