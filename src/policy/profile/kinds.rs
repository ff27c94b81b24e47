//! The kinds of rule that a key of a profile can be. Each says for itself in which direction it is looser
//! (`looser`), so a new key of a known kind is compared rightly without a further line.

use crate::policy::glob::Glob;
use std::net::IpAddr;
use std::ops::{Deref, RangeInclusive};

/// Whether something may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed(pub bool);

/// Whether a container must have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demanded {
    /// It need not.
    No,
    /// Who does not ask for it is refused.
    Required,
    /// It is written into the body of who does not ask for it.
    Set,
}

impl Demanded {
    /// Whether every container that is made has it.
    pub(crate) const fn holds(self) -> bool {
        !matches!(self, Self::No)
    }
}

/// What becomes of something that clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It is refused.
    Refuse,
    /// It is left out, and the client is told.
    Omit,
    /// It may be asked for.
    Allow,
}

/// What is allowed, listed; all else is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T>(pub Vec<T>);

impl<T> Listed<T> {
    /// Nothing.
    pub const NONE: Self = Self(Vec::new());
}

impl Listed<String> {
    /// Whether this very word is allowed.
    pub(in crate::policy) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|allowed| allowed == word)
    }
}

impl Listed<Glob> {
    /// Whether one of the patterns fits.
    pub(in crate::policy) fn fits(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl<T> Deref for Listed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> FromIterator<T> for Listed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

/// Capabilities, beyond what the daemon gives by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Names without `CAP_`, upper case, that may be added.
    pub add: Listed<String>,
    /// Whether dropping ALL is required.
    pub drop_all: Demanded,
}

impl Capabilities {
    /// The capabilities that a container has where nothing is said of them (`DefaultCapabilities` in moby's
    /// `oci/caps/defaults.go`).
    pub const DEFAULT: [&str; 14] = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
}

/// Runtimes of which one must be used; none is the daemon's default alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtimes(pub Vec<String>);

/// The highest hard limit of a name that `--ulimit` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardLimit {
    /// The name.
    pub name: String,
    /// The highest.
    pub most: i64,
}

/// How often a container's health may be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The least time between two checks, in nanoseconds.
    pub min_interval: i64,
}

/// What the local driver may be told to mount: `mount -t type -o o device`. All three are judged
/// together, since each alone means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeOptions {
    /// The type of file system, exactly.
    pub kind: String,
    /// The device or address.
    pub device: Glob,
    /// The options.
    pub options: Glob,
}

impl VolumeOptions {
    /// The paths of the host that it lists, patterns among them: the device, and the layers of an overlay. `//` begins a
    /// name of a share.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        let device = self.device.as_str();
        let words = self.options.as_str().split([',', '=', ':']);
        words.chain([device]).filter(|word| word.starts_with('/') && !word.starts_with("//"))
    }
}

/// How files are copied into and out of a container, which the daemon does as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Whether an archive may be compressed (CVE-2026-41567).
    pub compressed: Allowed,
    /// Whether the container may run and have mounts meanwhile (CVE-2026-41568, CVE-2026-42306).
    pub running_with_mounts: Allowed,
}

/// Who the container's first process, and an exec, may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRule {
    /// Anybody, root included.
    Any,
    /// A number that is not 0. A name is refused: the image decides what it means.
    NonRoot,
    /// Numbers in these ranges.
    Ids {
        /// User ids.
        uid: Vec<RangeInclusive<u32>>,
        /// Group ids, for the group and each supplementary one.
        gid: Vec<RangeInclusive<u32>>,
    },
}

impl UserRule {
    /// Whether numbers, as a policy names them, may be.
    pub(crate) fn names(&self, user: &str) -> bool {
        let (uid, gid) = user.split_once(':').map_or((user, None), |(uid, gid)| (uid, Some(gid)));
        let number = |text: &str| text.parse::<u32>().ok();
        match self {
            Self::Any => true,
            Self::NonRoot => number(uid) != Some(0) && gid.and_then(number) != Some(0),
            Self::Ids { uid: uids, gid: gids } => {
                let within = |ranges: &[RangeInclusive<u32>], id: Option<u32>| {
                    id.is_some_and(|id| ranges.iter().any(|range| range.contains(&id)))
                };
                within(uids, number(uid)) && within(gids, gid.and_then(number))
            }
        }
    }
}

/// Who containers run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// Who they may be.
    pub allow: UserRule,
    /// Written into a body that names nobody, where its image's user may not be.
    pub set: Option<String>,
}

/// Restart policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// Those that may be asked for.
    pub allow: Listed<String>,
    /// Written into a body that asks for none, and not to be removed at its end.
    pub set: Option<String>,
}

/// Groups that may be joined besides the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// By number.
    pub ids: Listed<RangeInclusive<u32>>,
    /// By name, exactly: which number that is, the image says.
    pub names: Listed<String>,
}

/// A path of the host that may be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// Absolute and lexically clean.
    pub path: String,
    /// Whether only read-only mounts are allowed.
    pub read_only: bool,
    /// Whether also what lies under it may be mounted (read-only paths alone).
    pub below: bool,
    /// Whether it may be mounted although others than root may write in a directory above it, who can put a link
    /// in its place between our look and the daemon's.
    pub movable: bool,
}

/// A bound on a number of which 0 and less mean unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Written into a body that sets none.
    pub default: Option<i64>,
    /// The highest that may be asked for; with it, unlimited is refused.
    pub max: Option<i64>,
}

impl Limit {
    /// No bound.
    pub const NONE: Self = Self { default: None, max: None };
}

/// What may be published on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Whether a port that the daemon picks is allowed.
    pub ephemeral: Allowed,
    /// Host ports that may be named.
    pub host: Listed<RangeInclusive<u16>>,
    /// Addresses that may be bound; `None` is any.
    pub address: Option<Listed<IpAddr>>,
    /// Written into a binding that names none.
    pub default: Option<IpAddr>,
}

/// Where the container's output may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Drivers that may be named; naming none is the daemon's default and always allowed.
    pub drivers: Listed<String>,
    /// Option keys that may be set.
    pub options: Listed<String>,
}

/// Rules on labels, which steer Traefik, Watchtower and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Keys that may be set; `None` is any.
    pub allow: Option<Listed<Glob>>,
    /// Keys that may not be set, even if allowed.
    pub deny: Vec<Glob>,
    /// Keys that must be set, and the values they may have.
    pub require: Vec<(String, Glob)>,
    /// Written into a body that has not the key.
    pub set: Vec<(String, String)>,
}
