//! Who is at the other end of a Unix socket. The kernel says user, group and process of the moment of
//! connecting (`SO_PEERCRED`); what it does not say, it shows in /proc as long as the process lives.
//!
//! A container that was given the socket has users too, and they are not those of this host. The kernel
//! translates: a process that our namespace does not hold has the number 0, a user without a number here is
//! the overflow user. What is translated without a trace (a process below us, a user that is mapped) is told
//! by /proc: `NSpid` of status(5) has a number for each namespace, and `uid_map` is that of one's own
//! namespace. Both can be read without privileges, and the links in `ns/` are read where they can be.
//!
//! All of it is of a process *number*, which may be somebody else's by now. So the process is held by a
//! descriptor while it is looked at: `SO_PEERPIDFD` (Linux 6.5) is the very process that connected; before
//! that it is opened by its number when the connection is accepted, and who has ended by then and was
//! followed under the same number is not told apart.

use crate::identity::{Foreign, PeerFacts};
use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tokio::net::UnixStream;

/// What the kernel shows for a user without a number here, if it was not set otherwise.
const USUAL_OVERFLOW: u32 = 65534;
/// What `loginuid` says of a process that no login began.
const NO_LOGIN: u32 = u32::MAX;

/// The number of the user who connected.
pub(super) fn uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(stream.peer_cred()?.uid())
}

/// What is known of who connected.
///
/// # Errors
/// Why it is no user of this host.
pub(super) fn facts(stream: &UnixStream) -> Result<PeerFacts, Foreign> {
    let said = stream.peer_cred().map_err(|_| Foreign::Gone)?;
    let pid = said.pid().filter(|pid| *pid > 0).ok_or(Foreign::Namespace)?;
    let ours = OURS.as_ref().ok_or(Foreign::Hidden)?;
    if said.uid() == *OVERFLOW || !is_mapped(&ours.map, said.uid()) {
        return Err(Foreign::Unmapped);
    }
    let process = Process::held(stream, pid)?;
    let seen = ProcessFacts::of(&process.path());
    if !process.is_still() {
        return Err(Foreign::Gone);
    }
    let seen = seen.map_err(|_| Foreign::Hidden)?; // it lives, and is not shown
    if !seen.lives_with(ours) {
        return Err(Foreign::Namespace);
    }
    if (seen.uid, seen.gid) != (said.uid(), said.gid()) {
        return Err(Foreign::Changed);
    }
    Ok(PeerFacts {
        uid: said.uid(),
        gid: said.gid(),
        groups: seen.groups,
        login_uid: seen.login_uid,
        pid: pid.unsigned_abs(),
    })
}

/// The process that connected, held while it is looked at.
#[derive(Debug)]
pub struct Process {
    held: OwnedFd,
    pid: i32,
}

impl Process {
    /// Holds the process that connected.
    ///
    /// # Errors
    /// It has ended, or our namespace does not hold it.
    pub fn of(stream: &UnixStream) -> Result<Self, Foreign> {
        let said = stream.peer_cred().map_err(|_| Foreign::Gone)?;
        Self::held(stream, said.pid().filter(|pid| *pid > 0).ok_or(Foreign::Namespace)?)
    }

    fn held(stream: &UnixStream, pid: i32) -> Result<Self, Foreign> {
        let held = match getsockopt(stream, sockopt::PeerPidfd) {
            Ok(process) => Ok(process),
            Err(Errno::ENOPROTOOPT) => {
                let pid = Pid::from_raw(pid).ok_or(Foreign::Namespace)?;
                pidfd_open(pid, PidfdFlags::empty()).map_err(|_| Foreign::Gone)
            }
            Err(_) => Err(Foreign::Gone),
        };
        held.map(|held| Self { held, pid })
    }

    /// Where /proc shows it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string())
    }

    /// Whether it has not ended and has its number: then what was read under the number just before was of
    /// this process.
    #[must_use]
    pub fn is_still(&self) -> bool {
        let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.held.as_raw_fd()));
        told.is_ok_and(|told| field(&told, "Pid").is_some_and(|text| text.parse() == Ok(self.pid)))
    }
}

/// How many process namespaces deep a process is, seen from ours, by its status (proc(5)).
#[must_use]
pub fn depth(status: &str) -> Option<usize> {
    Some(field(status, "NSpid")?.split_whitespace().count())
}

/// Whether a user namespace with this `uid_map` (user_namespaces(7)) has the number. One that it has not is what the
/// kernel shows for a user without any, whichever number that is: where /proc/sys is hidden, [`OVERFLOW`] is a guess.
fn is_mapped(map: &str, uid: u32) -> bool {
    let range = |line: &str| {
        let mut fields = line.split_whitespace().map(|field| field.parse::<u64>().ok());
        let (first, _outside, count) = (fields.next()??, fields.next()??, fields.next()??);
        Some(first..first.saturating_add(count))
    };
    map.lines().filter_map(range).any(|range| range.contains(&u64::from(uid)))
}

/// What the kernel shows for a user without a number here.
static OVERFLOW: LazyLock<u32> = LazyLock::new(|| {
    let told = fs::read_to_string("/proc/sys/kernel/overflowuid");
    told.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(USUAL_OVERFLOW)
});

/// The gate itself.
static OURS: LazyLock<Option<ProcessFacts>> =
    LazyLock::new(|| ProcessFacts::of(Path::new("/proc/self")).ok());

/// What /proc shows of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ProcessFacts {
    /// Effective.
    uid: u32,
    /// Effective.
    gid: u32,
    groups: Vec<u32>,
    login_uid: Option<u32>,
    /// How many process namespaces deep it lives, as seen from here.
    depth: usize,
    /// How its user namespace maps to ours.
    map: String,
    /// The links of its user and process namespace, where they may be read.
    spaces: Option<(String, String)>,
}

impl ProcessFacts {
    fn of(process: &Path) -> io::Result<Self> {
        let status = fs::read_to_string(process.join("status"))?;
        let map = fs::read_to_string(process.join("uid_map"))?;
        let login = fs::read_to_string(process.join("loginuid")); // not with every kernel
        let space = |name: &str| {
            let link = fs::read_link(process.join("ns").join(name)).ok()?;
            Some(link.display().to_string())
        };
        let spaces = space("user").zip(space("pid"));
        Self::read(&status, map, login.ok().as_deref(), spaces)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    fn read(
        status: &str,
        map: String,
        login: Option<&str>,
        spaces: Option<(String, String)>,
    ) -> Option<Self> {
        // real, effective, saved, of the file system
        let effective = |name| field(status, name)?.split_whitespace().nth(1)?.parse().ok();
        let groups = field(status, "Groups")?.split_whitespace().map(str::parse);
        let login = login.and_then(|text| text.trim().parse().ok());
        Some(Self {
            uid: effective("Uid")?,
            gid: effective("Gid")?,
            groups: groups.collect::<Result<_, _>>().ok()?,
            login_uid: login.filter(|uid| *uid != NO_LOGIN),
            depth: depth(status)?,
            map,
            spaces,
        })
    }

    /// Whether it lives in the namespaces of the other. A process that is seen from here lives in ours or
    /// below, so the same depth is the same namespace.
    fn lives_with(&self, other: &Self) -> bool {
        let known = self.spaces.is_none() || self.spaces == other.spaces;
        known && self.depth == other.depth && self.map == other.map
    }
}

/// The value of a line `Name: value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tdocker\nUid:\t1000\t1001\t1000\t1000\nGid:\t50\t51\t50\t50\n\
                          Groups:\t50 999 \nNSpid:\t4242\n";

    fn seen(status: &str, map: &str, spaces: Option<(&str, &str)>) -> ProcessFacts {
        let spaces = spaces.map(|(user, pid)| (user.to_owned(), pid.to_owned()));
        ProcessFacts::read(status, map.to_owned(), Some("4294967295\n"), spaces).unwrap()
    }

    #[test]
    fn what_counts_is_effective() {
        let peer = seen(STATUS, "", None);
        assert_eq!((peer.uid, peer.gid, peer.groups.as_slice()), (1001, 51, &[50, 999][..]));
        assert_eq!(peer.login_uid, None, "no login");
        let login = ProcessFacts::read(STATUS, String::new(), Some("1000"), None).unwrap();
        assert_eq!(login.login_uid, Some(1000));
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        for missing in ["Uid", "Gid", "Groups", "NSpid"] {
            let status = STATUS.replace(missing, "X");
            assert_eq!(ProcessFacts::read(&status, String::new(), None, None), None, "{missing}");
        }
    }

    #[test]
    fn a_namespace_shows_without_privileges() {
        let whole = "         0          0 4294967295\n";
        let ours = seen(STATUS, whole, Some(("user:[1]", "pid:[1]")));
        assert!(seen(STATUS, whole, None).lives_with(&ours));
        assert!(seen(STATUS, whole, Some(("user:[1]", "pid:[1]"))).lives_with(&ours));
        let below = STATUS.replace("NSpid:\t4242", "NSpid:\t4242\t1");
        assert!(!seen(&below, whole, None).lives_with(&ours), "a container");
        assert!(!seen(STATUS, "0 1000 1\n", None).lives_with(&ours), "a rootless one");
        assert!(!seen(STATUS, whole, Some(("user:[2]", "pid:[1]"))).lives_with(&ours));
        assert!(!seen(STATUS, whole, Some(("user:[1]", "pid:[2]"))).lives_with(&ours));
    }

    #[test]
    fn a_number_that_the_namespace_does_not_have_is_nobodys() {
        let whole = "         0          0 4294967295\n";
        let service = "         0          0          1\n       998        998          1\n";
        for (map, uid, has) in [
            (whole, 0, true),
            (whole, 60_000, true),
            (service, 0, true),
            (service, 998, true),
            (service, 997, false),
            (service, 60_000, false),
            ("", 0, false),
        ] {
            assert_eq!(is_mapped(map, uid), has, "{uid} in {map:?}");
        }
    }

    #[tokio::test]
    async fn a_process_of_this_host_is_known() {
        let (one, _other) = UnixStream::pair().unwrap();
        let facts = facts(&one).unwrap();
        assert_eq!(facts.pid, std::process::id());
        assert_eq!(facts.uid, rustix::process::geteuid().as_raw());
    }
}
