//! Copying into and out of a container. The daemon unpacks and packs as root, through whatever is
//! mounted, so the path, the archive and the container's state are looked at.

use super::Judge;
use super::host_paths::is_under;
use super::start::seen_container;
use crate::docker::CallHead;
use crate::docker::archive::Beginning;
use crate::policy::Reason;

/// `GET` and `HEAD /containers/{}/archive`.
pub(super) fn copy_out(judge: &mut Judge<'_>, head: &CallHead) {
    judge.copy_path(head);
    judge.copy_target(head);
}

/// `PUT /containers/{}/archive`.
pub(super) fn copy_in(judge: &mut Judge<'_>, head: &CallHead, beginning: Beginning) {
    judge.copy_path(head);
    judge.copy_target(head);
    let (value, what) = match beginning {
        Beginning::Tar | Beginning::Empty => return,
        Beginning::Compressed(_) if judge.profile.copy().compressed.0 => return,
        Beginning::Compressed(kind) => (kind, format!("send an archive compressed with {kind}")),
        Beginning::Other => ("", "send what is not a tar".to_owned()),
    };
    judge.deny(Reason::CopyCompressed, "body", value, what);
}

impl Judge<'_> {
    /// The path inside, as `docker cp` sends it: absolute or not, with `/.` at its end for what is in a
    /// directory. `..` may lead out of what was meant.
    fn copy_path(&mut self, head: &CallHead) {
        let path = head.query.text("path").unwrap_or_default();
        let within = path.strip_suffix("/.").unwrap_or(path);
        let mut parts = within.trim_start_matches('/').split('/');
        let unclean = parts.any(|part| matches!(part, "." | "..")) && within != ".";
        let absolute = format!("/{}", within.trim_start_matches('/'));
        let insides = ["/proc", "/sys"].iter().any(|root| is_under(&absolute, root));
        if path.is_empty() || unclean || insides {
            self.refuse(Reason::CopyPath, "query path", path, "copy at path");
        }
    }

    fn copy_target(&mut self, head: &CallHead) {
        if self.profile.copy().running_with_mounts.0 {
            return;
        }
        let name = head.target().unwrap_or_default();
        // one that was not seen is refused as such
        let Ok(container) = seen_container(name, self.facts) else { return };
        if container.running && !container.mounts.is_empty() {
            let what = format!("copy while {name:?} runs and has mounts");
            self.deny(Reason::CopyMounts, "path", name, what);
        } else if container.has_mounts_in_mounts() {
            let what = format!("copy where {name:?} has a mount within another");
            self.deny(Reason::CopyMounts, "path", name, what);
        }
    }
}
