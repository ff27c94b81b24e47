//! What a host path really is, as the daemon sees it. A bind mount is followed by the daemon, as root
//! and with its own view of the host; the string in the request proves nothing. So every component is
//! opened without following a link, and both processes must see the same object under each of them.
//! Whatever is not certain is [`PathFact::Unseen`].
//!
//! The answer is about this moment. Whoever can write to a component can change it before the daemon
//! looks; that is why a path below an allowed one asks for [`PathFact::Plain`]'s `root_owned`.

use super::mounts::Mounts;
use super::protected;
use crate::policy::PathFact;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// The host as this process and the daemon see it, at one moment.
#[derive(Clone, Debug)]
pub struct HostView {
    own: Mounts,
    daemon: Mounts,
}

impl HostView {
    /// Reads the mounts of both. Blocking, as is all of this module.
    ///
    /// # Errors
    /// Why nothing can be seen: the daemon's process is not known, or either list is not readable.
    pub fn of_daemon(pid: Option<i32>) -> Result<Self, String> {
        let pid = pid.ok_or("the daemon's process is not known")?;
        let own = Mounts::own().map_err(|error| error.to_string())?;
        let daemon = Mounts::of_process(pid).map_err(|error| error.to_string())?;
        Ok(Self { own, daemon })
    }

    /// What is at an absolute path that has been lexically cleaned.
    #[must_use]
    pub fn look(&self, path: &Path) -> PathFact {
        if !is_clean(path) {
            return unseen(path, "is not an absolute path in its shortest form");
        }
        let own = self.own.locations(path);
        if own.is_none() || own != self.daemon.locations(path) {
            return unseen(path, "is not the same for the daemon as for this process");
        }
        walk(path).unwrap_or_else(|fact| fact)
    }

    /// The first protected path that a mount of `path` would show: one that it holds, one that holds
    /// it, or one that is or brings along the same thing under another name (a bind mount elsewhere,
    /// or further mounts under `path`). `protected` comes from [`protected::protected`].
    #[must_use]
    pub fn touched<'p>(&self, path: &Path, protected: &'p [PathBuf]) -> Option<&'p Path> {
        let here = protected::MountedPath::at(path, &self.daemon);
        let shows = |kept: &&PathBuf| here.shows(kept, [&self.own, &self.daemon]);
        protected.iter().find(shows).map(PathBuf::as_path)
    }
}

/// The daemon's process, from the peer of its socket (`SO_PEERCRED`). A socket that systemd listens
/// on for the daemon names systemd, whose view need not be the daemon's; then the daemon's pid file
/// (usually `/run/docker.pid`) says, if it names a dockerd. `None` is "not known", never a guess; so
/// is a peer of 0, a process in a pid namespace that we do not see into.
#[must_use]
pub fn daemon_process(peer: Option<i32>, pid_file: &Path) -> Option<i32> {
    let peer = peer.filter(|pid| *pid > 0)?;
    if peer != 1 || is_dockerd(peer) {
        return Some(peer);
    }
    let written: i32 = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    (written > 0 && is_dockerd(written)).then_some(written)
}

fn is_dockerd(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "dockerd")
}

/// Whether a path is absolute and has no `.`, `..`, empty component or trailing slash.
fn is_clean(path: &Path) -> bool {
    let names = path.components().all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
    let rebuilt: PathBuf = path.components().collect();
    path.is_absolute() && names && rebuilt.as_os_str() == path.as_os_str()
}

fn unseen(path: &Path, why: &str) -> PathFact {
    PathFact::Unseen { why: format!("{} {why}", path.display()) }
}

/// Opens component by component. The error is the answer where the way ends early.
fn walk(path: &Path) -> Result<PathFact, PathFact> {
    let mut here = PathBuf::from("/");
    let mut node = open(CWD, &here, &here)?;
    let mut root_owned = is_roots_alone(&node.stat);
    let mut fixed = true;
    for name in path.components().skip(1) {
        here.push(name);
        fixed = root_owned;
        node = open(node.fd.as_fd(), name.as_ref(), &here).map_err(|fact| match fact {
            PathFact::Missing { .. } => PathFact::Missing { fixed },
            fact => fact,
        })?;
        root_owned &= is_roots_alone(&node.stat);
        match node.kind() {
            FileType::Directory => {}
            FileType::Symlink => return Err(PathFact::Link),
            _ if here == path => {}
            _ => return Err(unseen(&here, "is not a directory")),
        }
    }
    let plain = PathFact::Plain { root_owned, fixed };
    Ok(fact(node.kind(), plain, path))
}

struct FileNode {
    fd: OwnedFd,
    stat: Stat,
}

impl FileNode {
    fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// Opens one name as itself, a link included, for looking only.
fn open(parent: BorrowedFd<'_>, name: &Path, here: &Path) -> Result<FileNode, PathFact> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |errno: Errno| match errno {
        Errno::NOENT => PathFact::Missing { fixed: false },
        errno => unseen(here, &format!("cannot be opened: {errno}")),
    };
    let fd = openat(parent, name, flags, Mode::empty()).map_err(failed)?;
    let stat = fstat(&fd).map_err(failed)?;
    Ok(FileNode { fd, stat })
}

fn fact(kind: FileType, plain: PathFact, path: &Path) -> PathFact {
    match kind {
        FileType::Directory | FileType::RegularFile => plain,
        FileType::Symlink => PathFact::Link,
        FileType::Socket => PathFact::Socket,
        FileType::BlockDevice | FileType::CharacterDevice => PathFact::Device,
        FileType::Fifo => PathFact::Other,
        FileType::Unknown => unseen(path, "is of an unknown kind"),
    }
}

/// Root's, and writable by nobody else. An access list that lets others write shows in the group
/// bits (acl(5)).
const fn is_roots_alone(stat: &Stat) -> bool {
    stat.st_uid == 0 && stat.st_mode & 0o022 == 0
}

#[cfg(test)]
mod tests;
