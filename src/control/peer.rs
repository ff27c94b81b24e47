//! Who is at the other end, as the kernel says. The mode of a socket keeps other users out of its own
//! file system; a container that was given the socket has a file system of its own and a root of its own,
//! so the namespaces of the process are looked at too.

use crate::audit::event::Actor;
use crate::proxy::peer::{self, Process};
use std::fmt;
use std::fs;
use std::path::Path;
use tokio::net::UnixStream;
use tokio::net::unix::UCred;

/// What user ids are shown as that have no name in our user namespace; and user `nobody`.
const NOBODY: u32 = 65534;

/// Why somebody is not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrusted {
    /// Neither root nor the gate's own user.
    User,
    /// Its process is not to be seen from here: it is outside of our container.
    Unseen,
    /// It lives in another namespace.
    Namespace(&'static str),
}

impl fmt::Display for Distrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("neither root nor the gate's own user"),
            Self::Unseen => f.write_str("its process cannot be seen from here"),
            Self::Namespace(kind) => write!(f, "it is in another {kind} namespace"),
        }
    }
}

/// Who is at the other end, and whether they are listened to.
pub(super) fn peer(stream: &UnixStream) -> std::io::Result<(Actor, Result<(), Distrusted>)> {
    let who = stream.peer_cred()?;
    // held while it is looked at: the number of one that has ended may be somebody else's
    let process = Process::of(stream).ok();
    let at = process.as_ref().map(Process::path);
    let (actor, trusted) = (actor(&who, at.as_deref()), trusted(&who, at.as_deref()));
    match process.is_none_or(|process| process.is_still()) {
        true => Ok((actor, trusted)),
        false => Ok((self::actor(&who, None), trusted.and(Err(Distrusted::Unseen)))),
    }
}

fn trusted(who: &UCred, process: Option<&Path>) -> Result<(), Distrusted> {
    let own = rustix::process::geteuid().as_raw();
    if who.uid() != 0 && (who.uid() != own || own == NOBODY) {
        return Err(Distrusted::User);
    }
    same_namespaces(process.ok_or(Distrusted::Unseen)?, Path::new("/proc/self"))
}

fn same_namespaces(theirs: &Path, ours: &Path) -> Result<(), Distrusted> {
    let theirs_deep = depth(theirs).ok_or(Distrusted::Unseen)?;
    if depth(ours) != Some(theirs_deep) {
        return Err(Distrusted::Namespace("process"));
    }
    for kind in ["pid", "user"] {
        let of = |process: &Path| fs::read_link(process.join("ns").join(kind)).ok();
        // a gate that is not root may not look at root's; then their user id has to do
        if let (Some(theirs), Some(ours)) = (of(theirs), of(ours))
            && theirs != ours
        {
            return Err(Distrusted::Namespace(kind));
        }
    }
    Ok(())
}

/// How many process namespaces deep a process is, seen from ours.
fn depth(process: &Path) -> Option<usize> {
    peer::depth(&fs::read_to_string(process.join("status")).ok()?)
}

fn actor(who: &UCred, process: Option<&Path>) -> Actor {
    let login = process.and_then(|process| fs::read_to_string(process.join("loginuid")).ok());
    let executable = process.and_then(|process| fs::read_link(process.join("exe")).ok());
    Actor {
        uid: who.uid(),
        gid: who.gid(),
        login_uid: login.and_then(|uid| uid.trim().parse().ok()).filter(|uid| *uid != u32::MAX),
        executable: executable.map(|path| path.display().to_string()),
        reason: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(nspid: &str, user: &str) -> tempfile::TempDir {
        let process = tempfile::tempdir().unwrap();
        fs::write(process.path().join("status"), format!("Name:\tx\nNSpid:\t{nspid}\n")).unwrap();
        fs::create_dir(process.path().join("ns")).unwrap();
        std::os::unix::fs::symlink(user, process.path().join("ns/user")).unwrap();
        process
    }

    #[test]
    fn another_namespace_is_told_by_depth_and_by_name() {
        let ours = process("7", "user:[1]");
        let ask =
            |nspid: &str, user: &str| same_namespaces(process(nspid, user).path(), ours.path());
        assert_eq!(ask("9", "user:[1]"), Ok(()));
        assert_eq!(ask("9\t1", "user:[1]"), Err(Distrusted::Namespace("process")));
        assert_eq!(ask("9", "user:[2]"), Err(Distrusted::Namespace("user")));
        let gone = tempfile::tempdir().unwrap();
        assert_eq!(same_namespaces(gone.path(), ours.path()), Err(Distrusted::Unseen));
    }

    #[test]
    fn what_may_not_be_looked_at_does_not_count_against_root() {
        let (ours, theirs) = (process("7", "user:[1]"), process("9", "user:[1]"));
        fs::remove_file(theirs.path().join("ns/user")).unwrap();
        assert_eq!(same_namespaces(theirs.path(), ours.path()), Ok(()));
    }

    #[tokio::test]
    async fn we_are_listened_to_and_named() {
        let (one, _other) = UnixStream::pair().unwrap();
        let (actor, trusted) = peer(&one).unwrap();
        assert_eq!(trusted, Ok(()));
        assert_eq!(actor.uid, rustix::process::getuid().as_raw());
        let ourselves = std::env::current_exe().unwrap().display().to_string();
        assert_eq!(actor.executable, Some(ourselves));
    }
}
