//! The user at the other end of a Unix socket, as the kernel says. There is no key to lose here: who may
//! open the socket and run as that user *is* that user.

use super::rule_error::RuleError;
use crate::problem::{Actionable, Problem};
use std::fmt;

/// Who connected to a Unix socket. User and group are those of the moment of connecting (unix(7),
/// `SO_PEERCRED`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerFacts {
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// The other groups, ascending.
    pub groups: Vec<u32>,
    /// The user that the session began with, before `su` or `sudo`, if there was a login.
    pub login_uid: Option<u32>,
    /// The process. Noted, and nothing is decided by it: numbers are used again.
    pub pid: u32,
}

impl PeerFacts {
    /// Whether the user is in the group, by whatever way.
    fn is_in(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }
}

/// Why somebody at a Unix socket is nobody whom this host knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum Foreign {
    /// It lives in another user or process namespace: in a container that was given the socket.
    Namespace,
    /// Its user has no number here.
    Unmapped,
    /// Its process has ended, so nothing can be seen of it any more.
    Gone,
    /// Its process is not the user any more that connected.
    Changed,
    /// The kernel does not show its process to the gate.
    Hidden,
}

impl Actionable for Foreign {
    fn problem(&self) -> Problem {
        let (what, next) = match self {
            Self::Namespace => (
                "this socket is for users of the host and not for containers",
                "use TLS and a certificate",
            ),
            Self::Unmapped => ("your user has no number on this host", "use TLS and a certificate"),
            Self::Gone => {
                ("the process that connected has ended", "keep it running while it is served")
            }
            Self::Changed => (
                "the process that connected runs as somebody else now",
                "connect as the user who asks",
            ),
            Self::Hidden => (
                "the process that connected cannot be looked at",
                "let dockward see /proc (no hidepid, no ProtectProc)",
            ),
        };
        Problem::new(what, next)
    }
}

/// Conditions on a user. At least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerMatch {
    uid: Option<u32>,
    gid: Option<u32>,
}

impl PeerMatch {
    /// Puts conditions together.
    ///
    /// # Errors
    /// There is none.
    pub const fn new(uid: Option<u32>, gid: Option<u32>) -> Result<Self, RuleError> {
        match (uid, gid) {
            (None, None) => Err(RuleError::NoCondition),
            _ => Ok(Self { uid, gid }),
        }
    }

    pub(super) fn holds(self, peer: &PeerFacts) -> bool {
        self.uid.is_none_or(|uid| uid == peer.uid) && self.gid.is_none_or(|gid| peer.is_in(gid))
    }

    /// Whether whoever fulfils this fulfils the other as well.
    pub(super) fn asks_all_of(self, other: Self) -> bool {
        other.uid.is_none_or(|uid| self.uid == Some(uid))
            && other.gid.is_none_or(|gid| self.gid == Some(gid))
    }

    pub(super) const fn condition_count(self) -> usize {
        self.uid.is_some() as usize + self.gid.is_some() as usize
    }

    /// Somebody who fulfils it and nothing more, for questions asked offline.
    pub(super) fn supposed(self) -> PeerFacts {
        let (uid, gid) = (self.uid.unwrap_or_default(), self.gid.unwrap_or_default());
        PeerFacts { uid, gid, groups: Vec::new(), login_uid: None, pid: 0 }
    }
}

impl fmt::Display for PeerMatch {
    /// `uid 1000, gid 50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (uid, gid) =
            (self.uid.map(|n| format!("uid {n}")), self.gid.map(|n| format!("gid {n}")));
        f.write_str(&uid.into_iter().chain(gid).collect::<Vec<_>>().join(", "))
    }
}
