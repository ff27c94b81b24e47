//! What must be looked up before a decision, and what came of it: plain data, so that a decision
//! can be replayed without the host and the daemon it was made on.

mod container;

pub use container::{Container, ContainerMount, Displaced, Exec, HealthFact, JoinedNetwork};
pub(super) use container::{holder, is_too_deep};

use self::container::ways;
use crate::docker::Resource;
use crate::docker::body::volume;
use crate::docker::image::ImageOrigin;
use std::collections::{BTreeMap, BTreeSet};

/// How much is looked up for one request, of all kinds and in all rounds together. A body of a few KiB may name
/// hundreds of objects, each of which costs the daemon more than the request costs its client; one that
/// names more is refused.
pub const LOOKUPS_MAX: usize = 64;

/// What containers have where nobody asks for anything, as the daemon tells it (`GET /info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonDefaults {
    /// The runtime.
    pub runtime: Option<String>,
    /// Whether a cgroup namespace of their own.
    pub own_cgroupns: bool,
    /// Whether the filter of system calls that is built into the daemon.
    pub builtin_seccomp: bool,
}

/// What a decision will want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Paths of the host, absolute and lexically clean.
    pub host_paths: BTreeSet<String>,
    /// An exec about to be started.
    pub exec: Option<String>,
    /// Images, by reference or id as the daemon will resolve it.
    pub images: BTreeSet<String>,
    /// Volumes, by name.
    pub volumes: BTreeSet<String>,
    /// Containers, by name or id as the daemon will resolve it.
    pub containers: BTreeSet<String>,
    /// Networks, by what may be a name or the beginning of an id.
    pub networks: BTreeSet<String>,
    /// Services, tasks, secrets and configs of a swarm, by name or id.
    pub kept: BTreeSet<(Resource, String)>,
    /// Paths in a container that is there, absolute and lexically clean, each after the container's full id.
    pub container_paths: BTreeSet<(String, String)>,
    /// What containers have of the daemon where nobody asks for anything.
    pub defaults: bool,
}

impl Needs {
    /// Whether there is nothing to look up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many things are to be looked up: every kind counts.
    pub(super) fn count(&self) -> usize {
        let Self {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
        } = self;
        let sets = [host_paths, images, volumes, containers, networks];
        // each name on the way is asked about once; of too many paths the names are not even listed
        let names: BTreeSet<(&str, &str)> = container_paths
            .iter()
            .take(LOOKUPS_MAX + 1)
            .flat_map(|(of, path)| {
                ways(path).take(LOOKUPS_MAX + 1).map(move |way| (of.as_str(), way))
            })
            .collect();
        let sets = sets.into_iter().map(BTreeSet::len).sum::<usize>() + names.len() + kept.len();
        sets + usize::from(exec.is_some()) + usize::from(*defaults)
    }

    /// Whether all is known by which it is told which profile governs: containers and images.
    pub(super) fn tell_governing(&self, known: &Facts) -> bool {
        self.images.iter().all(|image| known.images.contains_key(image))
            && self.containers.iter().all(|container| known.containers.contains_key(container))
            && (self.exec.is_none() || known.exec.is_some())
    }

    /// Whether all of it is known.
    pub(super) fn are_met(&self, known: &Facts) -> bool {
        let Self {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
        } = self;
        host_paths.iter().all(|path| known.host_paths.contains_key(path))
            && images.iter().all(|image| known.images.contains_key(image))
            && volumes.iter().all(|volume| known.volumes.contains_key(volume))
            && containers.iter().all(|container| known.containers.contains_key(container))
            && networks.iter().all(|network| known.networks.contains_key(network))
            && kept.iter().all(|of| known.kept.contains_key(of))
            && container_paths.iter().all(|path| known.container_paths.contains_key(path))
            && (exec.is_none() || known.exec.is_some())
            && (!defaults || known.defaults.is_some())
    }

    /// Leaves out what was asked for already, whatever came of it.
    pub(super) fn without(&mut self, asked: &Self) {
        let Self {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
        } = self;
        container_paths.retain(|path| !asked.container_paths.contains(path));
        host_paths.retain(|path| !asked.host_paths.contains(path));
        images.retain(|image| !asked.images.contains(image));
        volumes.retain(|volume| !asked.volumes.contains(volume));
        containers.retain(|container| !asked.containers.contains(container));
        networks.retain(|network| !asked.networks.contains(network));
        kept.retain(|of| !asked.kept.contains(of));
        exec.take_if(|exec| asked.exec.as_ref() == Some(exec));
        *defaults &= !asked.defaults;
    }

    /// Adds what is asked for now to what was.
    pub(super) fn add(&mut self, now: &Self) {
        let Self {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
        } = now.clone();
        self.container_paths.extend(container_paths);
        self.host_paths.extend(host_paths);
        self.exec = exec.or_else(|| self.exec.take());
        self.images.extend(images);
        self.volumes.extend(volumes);
        self.containers.extend(containers);
        self.networks.extend(networks);
        self.kept.extend(kept);
        self.defaults |= defaults;
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
    /// The exec that is about to be started.
    pub exec: Option<Seen<Exec>>,
    /// By reference or id as asked for.
    pub images: BTreeMap<String, Seen<Image>>,
    /// By name.
    pub volumes: BTreeMap<String, Seen<Volume>>,
    /// By name or id as asked for.
    pub containers: BTreeMap<String, Seen<Container>>,
    /// By name or id as asked for.
    pub networks: BTreeMap<String, Seen<Network>>,
    /// By kind, and name or id as asked for.
    pub kept: BTreeMap<(Resource, String), Seen<KeptObject>>,
    /// Where a path in a container leads once every link in the container's own tree is followed, as the runtime
    /// follows them: by container and path as asked for.
    pub container_paths: BTreeMap<(String, String), String>,
    /// What containers have of the daemon where nobody asks for anything.
    pub defaults: Option<DaemonDefaults>,
    /// Whether some of it was looked up for an earlier request, by a full id.
    pub remembered: bool,
}

impl Facts {
    /// Adds what was found.
    pub fn add(&mut self, found: Self) {
        let Self {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
            remembered,
        } = found;
        self.host_paths.extend(host_paths);
        self.exec = exec.or_else(|| self.exec.take());
        self.images.extend(images);
        self.volumes.extend(volumes);
        self.containers.extend(containers);
        self.networks.extend(networks);
        self.kept.extend(kept);
        self.container_paths.extend(container_paths);
        self.remembered |= remembered;
        self.defaults = defaults.or_else(|| self.defaults.take());
    }

    /// How much of it is judged, in bytes, beside what the request says.
    #[must_use]
    pub fn weight(&self) -> usize {
        let containers = self.containers.values().filter_map(Seen::found);
        containers.map(|container| container.host_config.len()).sum()
    }
}

/// What the daemon says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It has none.
    Missing,
    /// It has several that are named so, or whose ids begin so: it says that to whoever asks, and takes none of them, for
    /// as long as there are several.
    Several,
    /// It has this one.
    Found(T),
}

impl<T> Seen<T> {
    /// What it has.
    pub const fn found(&self) -> Option<&T> {
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

impl Image {
    /// Its names, with tag or digest.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        let digests = self.origins.iter().map(|of| format!("{}@{}", of.repository, of.digest));
        self.tags.iter().cloned().chain(digests).collect()
    }
}

/// A volume that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
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
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether nothing outside of it can be reached.
    pub internal: bool,
}

/// A service, task, secret or config of a swarm that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptObject {
    /// The whole id.
    pub id: String,
    /// Its name; a task has none.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Of a task, the id of its service.
    pub service: Option<String>,
    /// Of a service, what it was made with, as JSON, if that is not too long.
    pub spec: String,
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
