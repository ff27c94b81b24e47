//! Every object that a request names, wherever it names it: in its path, its query, its body. The daemon
//! resolves each of these by rules of its own (`daemon/container.go`, `daemon/network.go` of moby), so what must be
//! looked up before a decision, what goes on by its full id, and whose an object is are all asked of this one list:
//! a place that names an object is written down once, here.

use super::body::Body;
use super::body::create::{ContainerCreate, Endpoint, HostConfig, Mount, StringMap, Text, Texts};
use super::body::service::{ContainerSpec, ServiceSpec};
use super::body::volume::host_paths;
use super::query::texts;
use super::{ApiCall, CallHead, Resource, Verb};
use std::borrow::Cow;

/// What kind of thing is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A container, by name, id or the beginning of one.
    Container,
    /// An exec, by its full id.
    Exec,
    /// An image, by reference, id or the beginning of one.
    Image,
    /// A volume, by its name.
    Volume,
    /// A network, by name, id or the beginning of one.
    Network,
    /// A path of the host.
    HostPath,
    /// A host that the daemon calls.
    Host,
    /// Another object that the daemon keeps, of this kind: a service, task, node, secret, config or plugin.
    Kept(Resource),
}

/// What the request means to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is what the verb acts upon.
    Target,
    /// A container is made of it.
    Run,
    /// It is mounted into a container, or the mounts of it are.
    Mount,
    /// A container is put on it, or taken off it.
    Join,
    /// A namespace of it, or a device, is shared.
    Share,
    /// It is read.
    Read,
    /// It is given this name.
    Name,
}

/// Where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// As the first parameter of the path.
    Path,
    /// Under this key of the query.
    Query(&'static str),
    /// In this field of the body.
    Body(&'static str),
}

/// One object that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'c> {
    /// What kind of thing.
    pub object: Object,
    /// As it is named.
    pub name: Cow<'c, str>,
    /// What it is named for.
    pub used: Use,
    /// Where.
    pub at: Spot,
}

impl ApiCall<'_> {
    /// Every object that the request names.
    #[must_use]
    pub fn mentions(&self) -> Vec<Mention<'_>> {
        let mut found = Mentions(self.head.mention().into_iter().collect());
        found.query(self.head);
        found.body(&self.body);
        found.0
    }
}

impl CallHead {
    /// The object that the path names, which the request is about.
    #[must_use]
    pub fn mention(&self) -> Option<Mention<'_>> {
        let name = Cow::Borrowed(self.target()?);
        let (object, used) = match (self.route.resource, self.route.verb) {
            (Resource::Container, _) if self.route.path.starts_with("/exec/") => {
                (Object::Exec, Use::Target)
            }
            (Resource::Container, _) => (Object::Container, Use::Target),
            (Resource::Image, _) => (Object::Image, Use::Target),
            (Resource::Registry, _) => (Object::Image, Use::Read),
            (Resource::Volume, _) => (Object::Volume, Use::Target),
            (Resource::Network, Verb::Connect | Verb::Disconnect) => (Object::Network, Use::Join),
            (Resource::Network, _) => (Object::Network, Use::Target),
            (
                kind @ (Resource::Service
                | Resource::Task
                | Resource::Node
                | Resource::Secret
                | Resource::Config
                | Resource::Plugin),
                _,
            ) => (Object::Kept(kind), Use::Target),
            (
                Resource::System
                | Resource::Build
                | Resource::Swarm
                | Resource::Debug
                | Resource::Nothing,
                _,
            ) => return None,
        };
        Some(Mention { object, name, used, at: Spot::Path })
    }
}

struct Mentions<'c>(Vec<Mention<'c>>);

impl<'c> Mentions<'c> {
    fn add(&mut self, object: Object, used: Use, at: Spot, name: impl Into<Cow<'c, str>>) {
        let name = name.into();
        if !name.is_empty() {
            self.0.push(Mention { object, name, used, at });
        }
    }

    fn field(&mut self, object: Object, used: Use, field: &'static str, name: &'c str) {
        self.add(object, used, Spot::Body(field), name);
    }

    fn query(&mut self, head: &'c CallHead) {
        let listed = match (head.route.resource, head.route.verb) {
            (Resource::Container, Verb::List) => Some(Object::Container),
            (Resource::Image, Verb::List) => Some(Object::Image),
            _ => None,
        };
        // the daemon finds these, and answers otherwise where it finds none
        let listed = listed.map(|object| (object, &["before", "since"][..]));
        let of_tasks = (Object::Kept(Resource::Service), &["service"][..]);
        let of_tasks = (head.route.resource == Resource::Task).then_some(of_tasks);
        for (object, keys) in listed.into_iter().chain(of_tasks) {
            for name in keys.iter().flat_map(|key| head.query.filter_values(key)) {
                self.add(object, Use::Read, Spot::Query("filters"), name);
            }
        }
        for param in head.route.query {
            let key = param.name;
            let (object, used) = match (head.route.resource, key) {
                (Resource::Container, "name") => (Object::Container, Use::Name),
                (Resource::Container, "since" | "before") if head.route.verb == Verb::List => {
                    (Object::Container, Use::Read)
                }
                (Resource::Container, "dir" | "checkpoint-dir") => (Object::HostPath, Use::Target),
                (Resource::Image, "container") => (Object::Container, Use::Read),
                (Resource::Image, "fromImage") => (Object::Image, Use::Target),
                (Resource::Image, "names") => (Object::Image, Use::Read),
                (Resource::Image, "repo") | (Resource::Build, "t") => (Object::Image, Use::Name),
                (Resource::Image, "fromSrc")
                | (Resource::Build | Resource::Plugin, "remote")
                | (Resource::Registry, "term") => (Object::Host, Use::Read),
                (Resource::Build, "networkmode") => {
                    head.query.all(key).for_each(|mode| self.mode(Spot::Query(key), mode));
                    continue;
                }
                (Resource::Build, "cachefrom") => {
                    let images = head.query.all(key).flat_map(texts);
                    images.for_each(|n| self.add(Object::Image, Use::Read, Spot::Query(key), n));
                    continue;
                }
                _ => continue,
            };
            head.query.all(key).for_each(|name| self.add(object, used, Spot::Query(key), name));
        }
    }

    fn body(&mut self, body: &'c Body<'_>) {
        match body {
            Body::ContainerCreate(body) => self.create(body),
            Body::Service(spec) => self.service(spec),
            Body::NetworkConnect(body) => {
                self.field(Object::Container, Use::Target, "Container", body.container.text());
                self.endpoint_links(body.endpoint_config.value());
            }
            Body::NetworkDisconnect(body) => {
                self.field(Object::Container, Use::Target, "Container", body.container.text());
            }
            Body::NetworkCreate(body) => {
                self.name(Object::Network, &body.name);
                let from = body.config_from.value().map_or("", |from| from.network.text());
                self.field(Object::Network, Use::Read, "ConfigFrom.Network", from);
            }
            Body::VolumeCreate(body) => {
                self.name(Object::Volume, &body.name);
                self.shown(&body.driver_opts, "DriverOpts");
            }
            Body::Secret(spec) => self.name(Object::Kept(Resource::Secret), &spec.name),
            Body::Config(spec) => self.name(Object::Kept(Resource::Config), &spec.name),
            Body::Auth(auth) => {
                self.field(Object::Host, Use::Read, "serveraddress", auth.serveraddress.text());
            }
            Body::CheckpointCreate(body) => {
                let directory = body.checkpoint_dir.text();
                self.field(Object::HostPath, Use::Target, "CheckpointDir", directory);
            }
            Body::SwarmJoin(body) => {
                let hosts = body.remote_addrs.items().iter();
                hosts.for_each(|host| self.field(Object::Host, Use::Read, "RemoteAddrs", host));
            }
            // these name nothing but what they are sent to
            Body::None
            | Body::Opaque
            | Body::Archive(_)
            | Body::ContainerUpdate(_)
            | Body::ExecCreate(_)
            | Body::ExecStart(_)
            | Body::Commit(_)
            | Body::VolumeUpdate(_)
            | Body::Node(_)
            | Body::SwarmInit(_)
            | Body::SwarmUpdate(_)
            | Body::SwarmUnlock(_)
            | Body::PluginPrivileges(_)
            | Body::PluginSet(_) => {}
        }
    }

    fn name(&mut self, object: Object, name: &'c Text<'_>) {
        self.field(object, Use::Name, "Name", name.text());
    }

    fn create(&mut self, body: &'c ContainerCreate<'_>) {
        self.field(Object::Image, Use::Run, "Image", body.config.image.text());
        if let Some(host) = body.host_config.value() {
            self.host_config(host);
        }
        let networking = body.networking_config.value();
        for (name, endpoint) in networking.into_iter().flat_map(|n| n.endpoints_config.entries()) {
            self.field(Object::Network, Use::Join, "NetworkingConfig.EndpointsConfig", name);
            self.endpoint_links(endpoint.as_ref());
        }
    }

    fn host_config(&mut self, host: &'c HostConfig<'_>) {
        for bind in host.binds.items() {
            // without a colon it is the place of an anonymous volume
            if let Some((source, _)) = bind.split_once(':') {
                let is_path = source.starts_with('/');
                let object = if is_path { Object::HostPath } else { Object::Volume };
                self.field(object, Use::Mount, "HostConfig.Binds", source);
            }
        }
        self.mounts(host.mounts.items(), "HostConfig.Mounts");
        for device in host.resources.devices.items() {
            let path = device.path_on_host.text();
            self.field(Object::HostPath, Use::Share, "HostConfig.Devices", path);
        }
        self.containers(Use::Mount, "HostConfig.VolumesFrom", &host.volumes_from);
        self.containers(Use::Join, "HostConfig.Links", &host.links);
        self.mode(Spot::Body("HostConfig.NetworkMode"), host.network_mode.text());
        let spaces = [
            ("HostConfig.PidMode", host.pid_mode.text()),
            ("HostConfig.IpcMode", host.ipc_mode.text()),
            ("HostConfig.Cgroup", host.cgroup.text()),
        ];
        for (field, space) in spaces {
            if let Some(name) = space.strip_prefix("container:") {
                self.field(Object::Container, Use::Share, field, name);
            }
        }
    }

    /// Containers by name, each perhaps with a colon and more behind it.
    fn containers(&mut self, used: Use, field: &'static str, texts: &'c Texts<'_>) {
        let names = texts.items().iter().filter_map(|text| text.split(':').next());
        names.for_each(|name| self.field(Object::Container, used, field, name));
    }

    /// A mode of the network: another container's, or a network by name or id.
    fn mode(&mut self, at: Spot, mode: &'c str) {
        match mode.strip_prefix("container:") {
            Some(name) => self.add(Object::Container, Use::Share, at, name),
            None => self.add(Object::Network, Use::Join, at, mode),
        }
    }

    fn service(&mut self, spec: &'c ServiceSpec<'_>) {
        self.name(Object::Kept(Resource::Service), &spec.name);
        let task = spec.task_template.value().into_iter();
        let networks = task.flat_map(|task| task.networks.items());
        for attachment in spec.networks.items().iter().chain(networks) {
            self.field(Object::Network, Use::Join, "Networks", attachment.target.text());
        }
        let Some(container) = spec.container() else { return };
        let ContainerSpec { image, mounts, secrets, configs, .. } = container;
        let at = "TaskTemplate.ContainerSpec.Image";
        self.field(Object::Image, Use::Run, at, image.text());
        self.mounts(mounts.items(), "TaskTemplate.ContainerSpec.Mounts");
        for file in secrets.items() {
            self.file(Resource::Secret, [&file.secret_id, &file.secret_name]);
        }
        for file in configs.items() {
            self.file(Resource::Config, [&file.config_id, &file.config_name]);
        }
    }

    fn file(&mut self, kind: Resource, names: [&'c Text<'_>; 2]) {
        for name in names {
            self.field(Object::Kept(kind), Use::Mount, "TaskTemplate.ContainerSpec", name.text());
        }
    }

    fn mounts(&mut self, mounts: &'c [Mount<'_>], field: &'static str) {
        for mount in mounts {
            let object = match mount.kind.text() {
                "bind" => Object::HostPath,
                "volume" => Object::Volume,
                "image" => Object::Image,
                _ => continue,
            };
            self.field(object, Use::Mount, field, mount.source.text());
        }
    }

    /// What a volume of the local driver shows of the host. Inside a mount it can be told nothing of the kind.
    fn shown(&mut self, options: &'c StringMap<'_>, field: &'static str) {
        let options = options.entries().map(|(key, value)| (key, value.as_ref()));
        for path in host_paths(options) {
            self.field(Object::HostPath, Use::Mount, field, path);
        }
    }

    fn endpoint_links(&mut self, endpoint: Option<&'c Endpoint<'_>>) {
        if let Some(endpoint) = endpoint {
            self.containers(Use::Join, "Links", &endpoint.links);
        }
    }
}

impl<'a> ServiceSpec<'a> {
    /// What its tasks run, where they are containers.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerSpec<'a>> {
        self.task_template.value()?.container_spec.value()
    }
}
