//! Who asks, what was asked and what a decision stood on, put into the words of the log: never values of environment,
//! credentials, build arguments or secrets.

use super::event::{IdentityRecord, Proof, RequestRecord, User};
use super::redact;
use crate::docker::CallHead;
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig, Mount};
use crate::docker::body::service::ServiceSpec;
use crate::docker::image::ImageOrigin;
use crate::identity::{CertificateFacts, Evidence, Identity, PeerFacts};
use crate::policy::facts::{Container, Image};
use crate::policy::{Facts, Seen};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What is told of somebody who is nobody, for people.
#[must_use]
pub fn shown(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Certificate(facts) => format!("subject {}", facts.subject),
        Evidence::Peer(PeerFacts { uid, gid, groups, .. }) => {
            let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
            format!("uid {uid}, gid {gid}, groups {}", groups.join(" "))
        }
    }
}

/// Who asks, with the roles held now.
#[must_use]
pub fn proven(identity: &Identity) -> IdentityRecord {
    let claims = identity.claims.iter();
    IdentityRecord {
        roles: identity.roles.clone(),
        claims: claims.map(|(name, value)| (name.clone(), value.clone().into())).collect(),
        ..by(identity.name.to_string(), &identity.evidence)
    }
}

/// Whose connection it is, where who asks on it is nobody: what was proven, and no role.
#[must_use]
pub fn by(name: String, evidence: &Evidence) -> IdentityRecord {
    let blank = IdentityRecord {
        name,
        roles: Vec::new(),
        proven: Proof::Unix,
        subject: None,
        issuer: None,
        serial: None,
        sans: Vec::new(),
        fingerprint: None,
        unix: None,
        claims: Map::new(),
    };
    match evidence {
        Evidence::Certificate(facts) => by_certificate(blank, facts),
        Evidence::Peer(facts) => {
            let &PeerFacts { uid, gid, groups: _, login_uid, pid } = facts;
            IdentityRecord { unix: Some(User { uid, gid, login_uid, pid }), ..blank }
        }
    }
}

fn by_certificate(blank: IdentityRecord, facts: &CertificateFacts) -> IdentityRecord {
    let kinds =
        [("URI", &facts.uris), ("DNS", &facts.dns), ("email", &facts.emails), ("IP", &facts.ips)];
    let sans =
        kinds.iter().flat_map(|(kind, values)| values.iter().map(move |v| format!("{kind}:{v}")));
    IdentityRecord {
        proven: Proof::Certificate,
        subject: Some(facts.subject.clone()),
        issuer: Some(facts.issuer.clone()),
        serial: Some(facts.serial.clone()),
        sans: sans.collect(),
        fingerprint: Some(facts.sha256),
        ..blank
    }
}

impl RequestRecord {
    /// Adds what the head was read as.
    pub fn classified(&mut self, head: &CallHead) {
        let route = head.route;
        self.operation = Some(route.operation.to_owned());
        self.resource = Some(route.resource.to_string());
        self.verb = Some(route.verb.to_string());
        self.target = head.target().map(str::to_owned);
    }

    /// Adds what of the body matters to security.
    pub fn read(&mut self, body: &Body<'_>) {
        self.fields = fields(body);
    }
}

/// The facts that a decision stood on; `None` if it needed none.
pub(super) fn stood_on(facts: &Facts) -> Option<Value> {
    let Facts { host_paths, exec_takes_input: _, images, volumes, containers, networks } = facts;
    let paths = host_paths.iter().map(|(path, fact)| (path.clone(), format!("{fact:?}").into()));
    let images = images.iter().map(|(name, seen)| (name.clone(), seen_as(seen, of_image)));
    let volumes = volumes.iter().map(|(name, seen)| {
        (name.clone(), seen_as(seen, |v| json!({ "driver": v.driver, "options": v.options.len() })))
    });
    let containers = containers.iter().map(|(name, seen)| {
        let of = |c: &Container| json!({ "id": c.id, "image": c.image, "running": c.running });
        (name.clone(), seen_as(seen, of))
    });
    let networks = networks.iter().map(|(name, seen)| {
        (name.clone(), seen_as(seen, |n| json!({ "id": n.id, "name": n.name })))
    });
    let mut all = Map::new();
    put_map(&mut all, "host_paths", paths.collect());
    put_map(&mut all, "images", images.collect());
    put_map(&mut all, "volumes", volumes.collect());
    put_map(&mut all, "containers", containers.collect());
    put_map(&mut all, "networks", networks.collect());
    (!all.is_empty()).then_some(Value::Object(all))
}

fn of_image(image: &Image) -> Value {
    let origin = |o: &ImageOrigin| format!("{}@{}", o.repository, o.digest);
    json!({ "id": image.id, "from": image.origins.iter().map(origin).collect::<Vec<_>>() })
}

fn seen_as<T>(seen: &Seen<T>, tell: impl Fn(&T) -> Value) -> Value {
    match seen {
        Seen::Missing => "missing".into(),
        Seen::Found(object) => tell(object),
    }
}

fn put_map(all: &mut Map<String, Value>, name: &str, map: Map<String, Value>) {
    if !map.is_empty() {
        all.insert(name.to_owned(), Value::Object(map));
    }
}

/// The fields of a body that matter to security. Values of environment and credentials never.
fn fields(body: &Body<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    match body {
        Body::ContainerCreate(body) => create_fields(body, &mut fields),
        Body::ExecCreate(body) => {
            put(&mut fields, "argv", redact::argv(body.cmd.items()));
            put(&mut fields, "user", body.user.text());
            put(&mut fields, "privileged", body.privileged.or_zero());
        }
        Body::ExecStart(body) => put(&mut fields, "detach", body.detach.or_zero()),
        Body::Archive(beginning) => put(&mut fields, "archive", format!("{beginning:?}")),
        Body::VolumeCreate(body) => {
            put(&mut fields, "name", body.name.text());
            put(&mut fields, "driver", body.driver.text());
            let keys = body.driver_opts.entries().map(|(key, _)| key.to_owned());
            put(&mut fields, "options", keys.collect::<Vec<_>>());
        }
        Body::NetworkCreate(body) => {
            put(&mut fields, "name", body.name.text());
            put(&mut fields, "driver", body.driver.text());
        }
        Body::NetworkConnect(body) => put(&mut fields, "container", body.container.text()),
        Body::NetworkDisconnect(body) => put(&mut fields, "container", body.container.text()),
        Body::Auth(body) => put(&mut fields, "registry", body.serveraddress.text()),
        Body::Service(body) => service_fields(body, &mut fields),
        Body::Secret(body) => put(&mut fields, "name", body.name.text()),
        Body::Config(body) => put(&mut fields, "name", body.name.text()),
        Body::CheckpointCreate(body) => {
            put(&mut fields, "checkpoint", body.checkpoint_id.text());
            put(&mut fields, "directory", body.checkpoint_dir.text());
        }
        Body::Node(body) => {
            put(&mut fields, "role", body.role.text());
            put(&mut fields, "availability", body.availability.text());
        }
        Body::SwarmInit(body) => put(&mut fields, "listen", body.listen_addr.text()),
        Body::SwarmJoin(body) => put(&mut fields, "remote", texts(body.remote_addrs.items())),
        Body::None
        | Body::Opaque
        | Body::ContainerUpdate(_)
        | Body::Commit(_)
        | Body::VolumeUpdate(_)
        | Body::SwarmUpdate(_)
        | Body::SwarmUnlock(_)
        | Body::PluginPrivileges(_)
        | Body::PluginSet(_) => {}
    }
    fields
}

fn texts(items: &[Cow<'_, str>]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn mounts(mounts: &[Mount<'_>]) -> Vec<String> {
    let tell = |m: &Mount<'_>| format!("{}:{}:{}", m.kind.text(), m.source.text(), m.target.text());
    mounts.iter().map(tell).collect()
}

fn service_fields(spec: &ServiceSpec<'_>, fields: &mut Map<String, Value>) {
    put(fields, "name", spec.name.text());
    let Some(task) = spec.task_template.value() else { return };
    let Some(container) = task.container_spec.value() else { return };
    let argv: Vec<&str> =
        container.command.items().iter().chain(container.args.items()).map(AsRef::as_ref).collect();
    put(fields, "image", container.image.text());
    put(fields, "user", container.user.text());
    put(fields, "argv", redact::argv(&argv));
    put(fields, "cap_add", texts(container.capability_add.items()));
    put(fields, "mounts", mounts(container.mounts.items()));
}

fn create_fields(body: &ContainerCreate<'_>, fields: &mut Map<String, Value>) {
    let empty = HostConfig::default();
    let (config, host) = (&body.config, body.host_config.value().unwrap_or(&empty));
    let argv: Vec<&str> =
        config.entrypoint.words().iter().chain(config.cmd.words()).map(AsRef::as_ref).collect();
    let modes = [
        ("image", config.image.text()),
        ("user", config.user.text()),
        ("network", host.network_mode.text()),
        ("pid", host.pid_mode.text()),
        ("ipc", host.ipc_mode.text()),
        ("uts", host.uts_mode.text()),
        ("userns", host.userns_mode.text()),
        ("cgroupns", host.cgroupns_mode.text()),
        ("runtime", host.runtime.text()),
    ];
    for (name, value) in modes {
        put(fields, name, value);
    }
    put(fields, "privileged", host.privileged.or_zero());
    put(fields, "argv", redact::argv(&argv));
    put(fields, "cap_add", texts(host.cap_add.words()));
    put(fields, "binds", texts(host.binds.items()));
    put(fields, "mounts", mounts(host.mounts.items()));
    put(fields, "security_opt", texts(host.security_opt.items()));
    let devices = host.resources.devices.items().iter().map(|d| d.path_on_host.text().to_owned());
    put(fields, "devices", devices.collect::<Vec<_>>());
}

/// Puts a value that says something.
fn put(fields: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let nothing = match &value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if !nothing {
        fields.insert(name.to_owned(), value);
    }
}
