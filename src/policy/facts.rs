//! What must be looked up before a decision, and what came of it: plain data, so that a decision
//! can be replayed without the host and the daemon it was made on.

use crate::docker::CallHead;
use crate::docker::body::volume;
use crate::docker::image::ImageOrigin;
use std::collections::{BTreeMap, BTreeSet};

/// How much is looked up for one request, of all kinds and in all rounds together. A body of a few KiB may name
/// hundreds of objects, each of which costs the daemon more than the request costs its client; one that
/// names more is refused.
pub const LOOKUPS_MAX: usize = 64;

/// What a decision will want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Paths of the host, absolute and lexically clean.
    pub host_paths: BTreeSet<String>,
    /// An exec about to be started by a client that did not ask to upgrade.
    pub exec: Option<String>,
    /// Images, by reference or id as the daemon will resolve it.
    pub images: BTreeSet<String>,
    /// Volumes, by name.
    pub volumes: BTreeSet<String>,
    /// Containers, by name or id as the daemon will resolve it.
    pub containers: BTreeSet<String>,
    /// Networks, by what may be a name or the beginning of an id.
    pub networks: BTreeSet<String>,
    /// Paths in a container that is there, absolute and lexically clean, each after the container's full id.
    pub container_paths: BTreeSet<(String, String)>,
}

impl Needs {
    /// Whether there is nothing to look up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many things are to be looked up: every kind counts.
    pub(super) fn count(&self) -> usize {
        let Self { host_paths, exec, images, volumes, containers, networks, container_paths } =
            self;
        let sets = [host_paths, images, volumes, containers, networks];
        // each name on the way is asked about once; of too many paths the names are not even listed
        let names: BTreeSet<(&str, &str)> = container_paths
            .iter()
            .take(LOOKUPS_MAX + 1)
            .flat_map(|(of, path)| {
                ways(path).take(LOOKUPS_MAX + 1).map(move |way| (of.as_str(), way))
            })
            .collect();
        let sets = sets.into_iter().map(BTreeSet::len).sum::<usize>() + names.len();
        sets + usize::from(exec.is_some())
    }

    /// Whether all of it is known.
    pub(super) fn are_met(&self, known: &Facts) -> bool {
        let Self { host_paths, exec, images, volumes, containers, networks, container_paths } =
            self;
        host_paths.iter().all(|path| known.host_paths.contains_key(path))
            && images.iter().all(|image| known.images.contains_key(image))
            && volumes.iter().all(|volume| known.volumes.contains_key(volume))
            && containers.iter().all(|container| known.containers.contains_key(container))
            && networks.iter().all(|network| known.networks.contains_key(network))
            && container_paths.iter().all(|path| known.container_paths.contains_key(path))
            && (exec.is_none() || known.exec_takes_input.is_some())
    }

    /// Leaves out what was asked for already, whatever came of it.
    pub(super) fn without(&mut self, asked: &Self) {
        let Self { host_paths, exec, images, volumes, containers, networks, container_paths } =
            self;
        container_paths.retain(|path| !asked.container_paths.contains(path));
        host_paths.retain(|path| !asked.host_paths.contains(path));
        images.retain(|image| !asked.images.contains(image));
        volumes.retain(|volume| !asked.volumes.contains(volume));
        containers.retain(|container| !asked.containers.contains(container));
        networks.retain(|network| !asked.networks.contains(network));
        exec.take_if(|exec| asked.exec.as_ref() == Some(exec));
    }

    /// Adds what is asked for now to what was.
    pub(super) fn add(&mut self, now: &Self) {
        let Self { host_paths, exec, images, volumes, containers, networks, container_paths } =
            now.clone();
        self.container_paths.extend(container_paths);
        self.host_paths.extend(host_paths);
        self.exec = exec.or_else(|| self.exec.take());
        self.images.extend(images);
        self.volumes.extend(volumes);
        self.containers.extend(containers);
        self.networks.extend(networks);
    }
}

/// What a request is decided on.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// What was found.
    pub(super) facts: Facts,
    /// How many things would have to be looked up, if that is more than [`LOOKUPS_MAX`]: then the rest was not.
    pub(super) too_many: Option<usize>,
}

/// What was found. What is missing here is refused, never guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// By path, for each of the needs.
    pub host_paths: BTreeMap<String, PathFact>,
    /// Whether the exec takes input; `None` where it is not known to the daemon.
    pub exec_takes_input: Option<bool>,
    /// By reference or id as asked for.
    pub images: BTreeMap<String, Seen<Image>>,
    /// By name.
    pub volumes: BTreeMap<String, Seen<Volume>>,
    /// By name or id as asked for.
    pub containers: BTreeMap<String, Seen<Container>>,
    /// By name or id as asked for.
    pub networks: BTreeMap<String, Seen<Network>>,
    /// Where a path in a container leads once every link in the container's own tree is followed, as the runtime
    /// follows them: by container and path as asked for.
    pub container_paths: BTreeMap<(String, String), String>,
}

impl Facts {
    /// What is known of the container that a request is sent to.
    pub(super) fn target(&self, head: &CallHead) -> Option<&Container> {
        self.containers.get(head.target()?)?.found()
    }

    /// Adds what was found.
    pub(super) fn add(&mut self, found: Self) {
        let Self {
            host_paths,
            exec_takes_input,
            images,
            volumes,
            containers,
            networks,
            container_paths,
        } = found;
        self.host_paths.extend(host_paths);
        self.exec_takes_input = exec_takes_input.or(self.exec_takes_input);
        self.images.extend(images);
        self.volumes.extend(volumes);
        self.containers.extend(containers);
        self.networks.extend(networks);
        self.container_paths.extend(container_paths);
    }
}

/// What the daemon says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It has none.
    Missing,
    /// It has this one.
    Found(T),
}

impl<T> Seen<T> {
    /// What it has.
    pub(super) const fn found(&self) -> Option<&T> {
        if let Self::Found(found) = self { Some(found) } else { None }
    }
}

/// An image that the daemon has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// `sha256:` and 64 hex digits.
    pub id: String,
    /// The repositories that it was pulled from or pushed to. Never from a tag, which anybody may set.
    pub origins: Vec<ImageOrigin>,
    /// Its names on this host.
    pub tags: Vec<String>,
    /// The user that it starts as where a container names none.
    pub user: String,
    /// The directory that it starts in where a container names none.
    pub working_dir: String,
    /// Labels that every container of it gets.
    pub labels: BTreeMap<String, String>,
    /// Where every container of it has a volume.
    pub volumes: Vec<String>,
    /// How its containers are checked where they say nothing else.
    pub health: Option<HealthFact>,
}

/// How often a health check is run, in nanoseconds; 0 is the daemon's own choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthFact {
    /// Whether it is switched off.
    pub off: bool,
    /// The time between two checks.
    pub interval: i64,
    /// The same while a container starts.
    pub start_interval: i64,
    /// How long one may take.
    pub timeout: i64,
}

/// A volume that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// The driver that made it.
    pub driver: String,
    /// What it was made with: the local driver mounts whatever these name.
    pub options: BTreeMap<String, String>,
}

impl Volume {
    /// The paths of the host that it shows.
    pub(super) fn host_paths(&self) -> Vec<&str> {
        volume::host_paths(self.options.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

/// A network that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The whole id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A container that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    /// The id of its image, fixed when it was made.
    pub image: String,
    /// The user that it starts as.
    pub user: String,
    /// The directory that it starts in.
    pub working_dir: String,
    /// Whether it runs now.
    pub running: bool,
    /// Its labels, those of its image among them.
    pub labels: BTreeMap<String, String>,
    /// The volumes that are mounted into it, by name.
    pub volumes: Vec<String>,
    /// What the daemon mounts into it, volumes among them.
    pub mounts: Vec<ContainerMount>,
    /// Where it has a tmpfs of its own besides.
    pub tmpfs: Vec<String>,
    /// Whether the daemon starts it again by itself.
    pub restarts: bool,
    /// How it is checked.
    pub health: Option<HealthFact>,
    /// Of its environment, what is read outside of it (`admit::is_read_outside`).
    pub env: Vec<String>,
    /// The network mode that it was made with.
    pub network_mode: String,
    /// The networks that it is on, or will be when it starts.
    pub networks: Vec<JoinedNetwork>,
    /// How many execs in it have not ended, or not begun.
    pub execs: usize,
}

/// A network that a container is on, as the container has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinedNetwork {
    /// The name.
    pub name: String,
    /// The id, empty before it has started on it: then the daemon looks for the name.
    pub id: String,
}

impl JoinedNetwork {
    /// What the daemon will look for when the container starts (`getNetworkID` in `daemon/container_operations.go`).
    #[must_use]
    pub fn asked(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }
}

/// What the daemon mounts into a container that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerMount {
    /// Where, as it was asked for.
    pub target: String,
    /// The path of the host, where one is mounted by itself.
    pub bind: Option<String>,
    /// Whether it is a tmpfs, which begins empty.
    pub tmpfs: bool,
    /// Whether it cannot be written.
    pub read_only: bool,
}

impl Container {
    /// Whether its tree may be asked about. To answer, the daemon mounts everything there on the host, and old ones
    /// (CVE-2026-41568, CVE-2026-42306) can be led out of the container by who turns a directory on the way to a
    /// mount into a link meanwhile: a program inside, or another one that has the volume in which the next lies.
    #[must_use]
    pub fn can_be_asked_about(&self) -> bool {
        let names = |mount: &ContainerMount| {
            mount.target.split('/').filter(|name| !name.is_empty()).count()
        };
        let turns = self.running && self.mounts.iter().any(|mount| names(mount) > 1);
        !turns && !self.has_mounts_in_mounts()
    }

    /// Whether a mount lies in another, where whoever writes there chooses what it covers. One that lies deeper than
    /// anybody needs counts as one.
    #[must_use]
    pub fn has_mounts_in_mounts(&self) -> bool {
        if self.mounts.iter().any(|mount| is_too_deep(&mount.target)) {
            return true;
        }
        let outer = self.mounts.iter().filter(|mount| !mount.tmpfs);
        let outer: BTreeSet<String> = outer.map(|mount| mount.target.clone()).collect();
        self.mounts.iter().any(|inner| holder(&outer, &inner.target).is_some())
    }
}

/// Names in a path of a container, at most: to judge a path goes through all that lead to it.
const DEEPEST: usize = 64;

/// Whether a path has more names than one in a container may have.
#[must_use]
pub(super) fn is_too_deep(path: &str) -> bool {
    path.bytes().filter(|byte| *byte == b'/').nth(DEEPEST).is_some()
}

/// Of these clean paths, the one in which another strictly lies.
#[must_use]
pub(super) fn holder<'o>(outer: &'o BTreeSet<String>, inner: &str) -> Option<&'o str> {
    ways(inner).filter(|way| *way != inner).find_map(|way| outer.get(way)).map(String::as_str)
}

/// A clean path and each that leads to it, the root excepted.
fn ways(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.bytes().enumerate().skip(1).filter(|(_, byte)| *byte == b'/');
    let ends = ends.map(|(end, _)| end).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).filter(|way| !way.is_empty())
}

/// What a path of the host is, as the daemon sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathFact {
    /// A directory or file, reached without following a link.
    Plain {
        /// Whether every component belongs to root and nobody else may write it.
        root_owned: bool,
        /// Whether that holds for all that leads to it: nobody else can put something in its place.
        fixed: bool,
    },
    /// Nothing is there; what leads to it is plain. The daemon would make a directory.
    Missing {
        /// Whether all that leads to it belongs to root and nobody else may write it.
        fixed: bool,
    },
    /// A component is a symbolic link.
    Link,
    /// A socket.
    Socket,
    /// A device node.
    Device,
    /// Something else, such as a FIFO.
    Other,
    /// It holds, or lies in, a directory of the gate, the daemon or containerd.
    Protected,
    /// It cannot be seen as the daemon sees it.
    Unseen {
        /// Why, for the operator's log.
        why: String,
    },
}
