//! What the daemon of the corpus has: `tests/corpus/daemon.yaml`, and for whatever is not named there, what
//! is ordinary.

use dockward::facade::docker::Resource;
use dockward::facade::docker::image::{ImageOrigin, Reference};
use dockward::facade::policy::facts::{
    Container, ContainerMount, Exec, HealthFact, Image, JoinedNetwork, KeptObject, Network, Seen,
    Volume,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The id of the image that containers have where nothing else is said.
const ORDINARY: &str = "sha256:b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0b5c0";

/// What containers were made with where nothing else is said: within the bounds of every profile.
const BOUNDED: &str = r#"{"CapDrop":["ALL"],"SecurityOpt":["no-new-privileges"],"Memory":67108864,"MemorySwap":134217728,"NanoCpus":100000000,"PidsLimit":16,"ReadonlyRootfs":true}"#;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Daemon {
    images: BTreeMap<String, Option<AnImage>>,
    volumes: BTreeMap<String, Option<AVolume>>,
    containers: BTreeMap<String, Option<AContainer>>,
    /// By id; one that is not named is a plain one of an ordinary container.
    execs: BTreeMap<String, Option<AnExec>>,
    /// Names, by a name or the beginning of an id.
    networks: BTreeMap<String, String>,
    /// Labels of networks by name.
    network_labels: BTreeMap<String, BTreeMap<String, String>>,
    /// Names of networks that lead nowhere.
    internal: BTreeSet<String>,
    /// Services, secrets and configs by name, tasks by id.
    kept: BTreeMap<String, AKept>,
    /// Whatever stands here the gate could not look at.
    unseen: Vec<String>,
    /// Names of containers and networks that several are called, or have an id that begins so.
    several: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnImage {
    /// Left out: made from its name.
    id: Option<String>,
    from: Vec<String>,
    tags: Vec<String>,
    user: String,
    working_dir: String,
    labels: BTreeMap<String, String>,
    volumes: Vec<String>,
    health: Option<AHealthcheck>,
}

/// Nanoseconds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AHealthcheck {
    off: bool,
    interval: i64,
    start_interval: i64,
    timeout: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AVolume {
    driver: Option<String>,
    options: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AKept {
    kind: String,
    labels: BTreeMap<String, String>,
    service: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnExec {
    container: String,
    takes_input: bool,
    privileged: bool,
    user: String,
    tty: bool,
    words: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AContainer {
    image: Option<String>,
    user: String,
    working_dir: String,
    running: bool,
    /// Where something was to be mounted and nothing is, while it runs, and where it is instead; null: that cannot be seen.
    displaced: DisplacedMounts,
    volumes: Vec<String>,
    labels: BTreeMap<String, String>,
    /// Where something of another kind is mounted.
    mounts: Vec<String>,
    /// Paths of the host by where they are mounted; one that ends in `:ro` read-only.
    binds: BTreeMap<String, String>,
    tmpfs: Vec<String>,
    restarts: bool,
    /// Where a path inside leads that is a link; any other leads to itself.
    links: BTreeMap<String, String>,
    /// Paths inside that cannot be followed.
    lost: Vec<String>,
    health: Option<AHealthcheck>,
    env: Vec<String>,
    host_name: String,
    /// Left out: `none`, of a container that is on no network.
    network_mode: String,
    /// Ids by name, empty before it has started.
    networks: BTreeMap<String, String>,
    execs: usize,
    /// What of its `HostConfig` is not said above; left out: such as every profile allows.
    host: serde_json::Map<String, serde_json::Value>,
    /// Targets whose mounts are shared with the host.
    shared: Vec<String>,
    /// Targets whose mounts are of a kind that is not known.
    others: Vec<String>,
}

/// Places, with where it is instead; of a container of which nothing is said, none.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct DisplacedMounts(Option<BTreeMap<String, Option<String>>>);

impl Default for DisplacedMounts {
    fn default() -> Self {
        Self(Some(BTreeMap::new()))
    }
}

impl Daemon {
    /// Reads the file of the corpus in this directory.
    pub(crate) fn read(root: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(root).join("daemon.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        serde_saphyr::from_str(&text).expect("daemon.yaml")
    }

    /// Images: what is not named was pulled from where its name says; an id that is not named is not
    /// there.
    pub(crate) fn images(&self, asked: &BTreeSet<String>) -> BTreeMap<String, Seen<Image>> {
        self.each(asked, |name| match (self.images.get(name), Reference::parse(name)) {
            (Some(None), _) => Seen::Missing,
            (Some(Some(image)), _) => Seen::Found(Image {
                id: image.id.clone().unwrap_or_else(|| format!("sha256:{}", id_of(name))),
                origins: image.from.iter().map(|text| origin(text)).collect(),
                tags: image.tags.clone(),
                user: image.user.clone(),
                working_dir: image.working_dir.clone(),
                labels: image.labels.clone(),
                volumes: image.volumes.clone(),
                health: image.health.as_ref().map(health),
            }),
            (None, _) if name == ORDINARY => Seen::Found(Image {
                id: ORDINARY.to_owned(),
                origins: vec![origin("docker.io/library/busybox")],
                tags: vec!["busybox:latest".to_owned()],
                ..Image::default()
            }),
            (None, Ok(reference)) => {
                let digest = reference.digest.clone().unwrap_or_else(|| ORDINARY.to_owned());
                let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
                let tags = match reference.digest {
                    Some(_) => Vec::new(),
                    None => vec![format!("{}:{tag}", reference.repository)],
                };
                let origins = vec![ImageOrigin { repository: reference.repository, digest }];
                Seen::Found(Image { id: ORDINARY.to_owned(), origins, tags, ..Image::default() })
            }
            (None, Err(_)) => Seen::Missing,
        })
    }

    /// Volumes: what is not named is not there.
    pub(crate) fn volumes(&self, asked: &BTreeSet<String>) -> BTreeMap<String, Seen<Volume>> {
        self.each(asked, |name| match self.volumes.get(name) {
            Some(Some(AVolume { driver, options, labels })) => {
                let driver = driver.clone().unwrap_or_else(|| "local".to_owned());
                let (name, labels) = (name.to_owned(), labels.clone());
                Seen::Found(Volume { name, labels, driver, options: options.clone() })
            }
            Some(None) | None => Seen::Missing,
        })
    }

    /// Containers: what is not named is an ordinary one of busybox that does not run.
    pub(crate) fn containers(&self, asked: &BTreeSet<String>) -> BTreeMap<String, Seen<Container>> {
        self.each(asked, |name| {
            let ordinary = AContainer::default();
            let container = match self.told(name) {
                Some(None) => return Seen::Missing,
                Some(Some(container)) => container,
                None => &ordinary,
            };
            let at = |target: String| ContainerMount {
                other: container.others.contains(&target),
                shared: container.shared.contains(&target),
                target,
                ..ContainerMount::default()
            };
            let of_volumes = container.volumes.iter().map(|name| at(format!("/{name}")));
            let others = container.mounts.iter().cloned().map(at);
            let binds = container.binds.iter().map(|(target, source)| ContainerMount {
                bind: Some(source.trim_end_matches(":ro").to_owned()),
                read_only: source.ends_with(":ro"),
                ..at(target.clone())
            });
            Seen::Found(Container {
                id: id_of(name),
                name: self.name_of(name),
                image: container.image.clone().unwrap_or_else(|| ORDINARY.to_owned()),
                user: container.user.clone(),
                working_dir: container.working_dir.clone(),
                running: container.running,
                process: None,
                displaced: container.displaced.0.clone(),
                volumes: container.volumes.clone(),
                labels: container.labels.clone(),
                mounts: others.chain(of_volumes).chain(binds).collect(),
                tmpfs: container.tmpfs.clone(),
                restarts: container.restarts,
                health: container.health.as_ref().map(health),
                env: container.env.clone(),
                host_name: container.host_name.clone(),
                network_mode: match container.network_mode.as_str() {
                    "" => "none".to_owned(),
                    mode => mode.to_owned(),
                },
                networks: (container.networks.iter())
                    .map(|(name, id)| JoinedNetwork { name: name.clone(), id: id.clone() })
                    .collect(),
                exposed: 0,
                execs: container.execs,
                host_config: match container.host.is_empty() {
                    true => BOUNDED.to_owned(),
                    false => serde_json::Value::Object(container.host.clone()).to_string(),
                },
            })
        })
    }

    /// An exec.
    pub(crate) fn exec(&self, id: &str) -> Seen<Exec> {
        let ordinary = AnExec { container: "web".to_owned(), ..AnExec::default() };
        match self.execs.get(id) {
            Some(None) => Seen::Missing,
            Some(Some(exec)) => Seen::Found(told_exec(exec)),
            None => Seen::Found(told_exec(&ordinary)),
        }
    }

    fn told(&self, name: &str) -> Option<&Option<AContainer>> {
        let of_id = |(known, _): &(&String, &_)| id_of(known) == *name;
        let by_id = || self.containers.iter().find(of_id).map(|(_, container)| container);
        self.containers.get(name).or_else(by_id)
    }

    /// The name of the container of an id; of another name, that.
    fn name_of(&self, name: &str) -> String {
        let of_id = self.containers.keys().find(|known| id_of(known) == *name);
        of_id.map_or(name, String::as_str).to_owned()
    }

    /// Paths in containers: what is not named leads to itself.
    pub(crate) fn container_paths(
        &self,
        asked: &BTreeSet<(String, String)>,
    ) -> BTreeMap<(String, String), String> {
        let leads = |of: &(String, String)| match self.told(&of.0) {
            Some(Some(container)) if container.lost.contains(&of.1) => None,
            Some(Some(container)) => Some(container.links.get(&of.1).unwrap_or(&of.1).clone()),
            _ => Some(of.1.clone()),
        };
        asked.iter().filter_map(|of| Some((of.clone(), leads(of)?))).collect()
    }

    /// Networks: what is not named is not there.
    pub(crate) fn networks(&self, asked: &BTreeSet<String>) -> BTreeMap<String, Seen<Network>> {
        self.each(asked, |given| {
            let of_id = |(_, name): &(&String, &String)| id_of(name) == given;
            let name = self.networks.get(given);
            match name.or_else(|| self.networks.iter().find(of_id).map(|(_, name)| name)) {
                Some(name) => {
                    let labels = self.network_labels.get(name).cloned().unwrap_or_default();
                    let internal = self.internal.contains(name);
                    Seen::Found(Network { id: id_of(name), name: name.clone(), labels, internal })
                }
                None => Seen::Missing,
            }
        })
    }

    /// What a swarm keeps: what is not named is not there.
    pub(crate) fn kept(
        &self,
        asked: &BTreeSet<(Resource, String)>,
    ) -> BTreeMap<(Resource, String), Seen<KeptObject>> {
        let seen = asked.iter().filter(|(_, name)| !self.unseen.contains(name));
        let of = |(kind, name): &(Resource, String)| {
            let by_id = |(known, _): &(&String, &AKept)| id_of(known) == *name;
            let found = self.kept.get_key_value(name).or_else(|| self.kept.iter().find(by_id));
            match found.filter(|(_, kept)| kept.kind == kind.as_str()) {
                Some((name, AKept { labels, service, .. })) => Seen::Found(KeptObject {
                    id: id_of(name),
                    name: name.clone(),
                    labels: labels.clone(),
                    service: service.clone(),
                    spec: String::new(),
                }),
                None => Seen::Missing,
            }
        };
        seen.map(|asked| (asked.clone(), of(asked))).collect()
    }

    fn each<T>(
        &self,
        asked: &BTreeSet<String>,
        of: impl Fn(&str) -> Seen<T>,
    ) -> BTreeMap<String, Seen<T>> {
        let seen = asked.iter().filter(|name| !self.unseen.contains(name));
        let of = |name: &str| match self.several.iter().any(|several| several == name) {
            true => Seen::Several,
            false => of(name),
        };
        seen.map(|name| (name.clone(), of(name))).collect()
    }
}

fn told_exec(exec: &AnExec) -> Exec {
    let AnExec { container, takes_input, privileged, user, tty, words } = exec;
    Exec {
        container: id_of(container),
        takes_input: *takes_input,
        privileged: *privileged,
        user: user.clone(),
        tty: *tty,
        words: words.clone(),
    }
}

fn health(check: &AHealthcheck) -> HealthFact {
    let &AHealthcheck { off, interval, start_interval, timeout } = check;
    HealthFact { off, interval, start_interval, timeout }
}

fn origin(text: &str) -> ImageOrigin {
    let reference = Reference::parse(text).expect("from: a repository, perhaps with a digest");
    let digest = reference.digest.unwrap_or_else(|| ORDINARY.to_owned());
    ImageOrigin { repository: reference.repository, digest }
}

/// A full id for a name; an id is its own.
fn id_of(name: &str) -> String {
    if name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return name.to_owned();
    }
    let hex: String = name.bytes().map(|b| format!("{b:02x}")).collect();
    format!("{hex:0<64}").chars().take(64).collect()
}
