//! Who asks, what was asked and what a decision stood on, put into the words of the log: never values of environment,
//! credentials, build arguments or secrets.

use super::event::{IdentityRecord, Proof, RequestRecord, User, kept};
use super::redact;
use crate::docker::body::Body;
use crate::docker::body::create::{ContainerCreate, HostConfig, Mount};
use crate::docker::body::service::ServiceSpec;
use crate::docker::image::ImageOrigin;
use crate::docker::{CallHead, Resource};
use crate::identity::{CertificateFacts, Evidence, Identity, PeerFacts};
use crate::policy::facts::{Container, Image, KeptObject, Network, Volume};
use crate::policy::scope::OWNER;
use crate::policy::{Facts, Seen};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

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
    let blank = IdentityRecord { name, ..IdentityRecord::default() };
    match evidence {
        Evidence::Certificate(facts) => IdentityRecord {
            proven: Proof::Certificate,
            subject: Some(facts.subject.clone()),
            issuer: Some(facts.issuer.clone()),
            serial: Some(facts.serial.clone()),
            sans: sans(facts),
            fingerprint: Some(facts.sha256),
            ..blank
        },
        Evidence::Peer(facts) => {
            let &PeerFacts { uid, gid, groups: _, login_uid, pid } = facts;
            let unix = Some(User { uid, gid, login_uid, pid });
            IdentityRecord { proven: Proof::Unix, unix, ..blank }
        }
    }
}

fn sans(facts: &CertificateFacts) -> Vec<String> {
    let kinds =
        [("URI", &facts.uris), ("DNS", &facts.dns), ("email", &facts.emails), ("IP", &facts.ips)];
    let of = |(kind, values): (&str, &Vec<String>)| {
        values.iter().map(|value| format!("{kind}:{value}")).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).collect()
}

impl RequestRecord {
    /// Adds what the head was read as.
    pub fn classified(&mut self, head: &CallHead) {
        let route = head.route;
        self.operation = Some(route.operation.to_owned());
        self.resource = Some(route.resource.to_string());
        self.verb = Some(route.verb.to_string());
        self.target = head.target().map(str::to_owned);
        let has = |key: &str| route.query.iter().any(|param| param.name == key);
        self.query = self.query.take().map(|query| redact::foreign(&query, has));
    }

    /// The head could not be read: it is not known which values of the query are what.
    pub fn unread(&mut self) {
        self.query = self.query.take().map(|query| redact::foreign(&query, |_| false));
    }

    /// Adds what of the body matters to security, no more of it than a line keeps: a request may wait long for its
    /// line.
    pub fn read(&mut self, body: &Body<'_>) {
        let fields = telling(fields(body)).into_iter();
        let keep = |(key, value): (String, Value)| {
            let value = kept(&key, &value);
            (key, value)
        };
        self.fields = fields.map(keep).collect();
    }
}

/// The facts that a decision stood on; `None` if it needed none.
pub(super) fn stood_on(facts: &Facts) -> Option<Value> {
    let Facts {
        host_paths,
        exec: _,
        images,
        volumes,
        containers,
        networks,
        kept,
        container_paths,
        defaults: _,
        remembered,
    } = facts;
    let paths = host_paths.iter().map(|(path, fact)| (path.clone(), format!("{fact:?}").into()));
    let led = container_paths.iter().filter(|((_, path), leads)| path != *leads);
    let led = led.map(|((_, path), leads)| (path.clone(), leads.as_str().into())).collect();
    let volume =
        |v: &Volume| owned(json!({ "driver": v.driver, "options": v.options.len() }), &v.labels);
    let container = |c: &Container| {
        owned(json!({ "id": c.id, "image": c.image, "running": c.running }), &c.labels)
    };
    let network = |n: &Network| owned(json!({ "id": n.id, "name": n.name }), &n.labels);
    let object = |(of, found): (&(Resource, String), &Seen<KeptObject>)| {
        let told = match found {
            Seen::Missing => "missing".into(),
            Seen::Several => "several".into(),
            Seen::Found(kept) => owned(json!({ "id": kept.id }), &kept.labels),
        };
        (format!("{} {}", of.0, of.1), told)
    };
    let all = telling(vec![
        ("host_paths", Value::Object(paths.collect())),
        ("images", seen(images, image)),
        ("volumes", seen(volumes, volume)),
        ("containers", seen(containers, container)),
        ("networks", seen(networks, network)),
        ("kept", Value::Object(kept.iter().map(object).collect())),
        ("container_paths", Value::Object(led)),
        ("remembered", (*remembered).into()),
    ]);
    (!all.is_empty()).then_some(Value::Object(all))
}

fn image(image: &Image) -> Value {
    let origin = |o: &ImageOrigin| format!("{}@{}", o.repository, o.digest);
    let from: Vec<_> = image.origins.iter().map(origin).collect();
    owned(json!({ "id": image.id, "from": from }), &image.labels)
}

/// With its owner, where its labels name one.
fn owned(mut told: Value, labels: &BTreeMap<String, String>) -> Value {
    if let (Some(owner), Some(fields)) = (labels.get(OWNER), told.as_object_mut()) {
        fields.insert("owner".to_owned(), owner.as_str().into());
    }
    told
}

fn seen<T>(objects: &BTreeMap<String, Seen<T>>, tell: impl Fn(&T) -> Value) -> Value {
    let told = |seen: &Seen<T>| match seen {
        Seen::Missing => "missing".into(),
        Seen::Several => "several".into(),
        Seen::Found(object) => tell(object),
    };
    Value::Object(objects.iter().map(|(name, seen)| (name.clone(), told(seen))).collect())
}

/// Names and values, before those that say nothing are left out.
type Told = Vec<(&'static str, Value)>;

/// Those of the values that say something.
fn telling(told: Told) -> Map<String, Value> {
    let tells = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let told = told.into_iter().filter(|(_, value)| tells(value));
    told.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The fields of a body that matter to security. Values of environment and credentials never.
fn fields(body: &Body<'_>) -> Told {
    match body {
        Body::ContainerCreate(body) => create_fields(body),
        Body::ExecCreate(body) => vec![
            ("argv", redact::argv(body.cmd.items()).into()),
            ("user", body.user.text().into()),
            ("privileged", body.privileged.or_zero().into()),
        ],
        Body::ExecStart(body) => vec![("detach", body.detach.or_zero().into())],
        Body::Archive(beginning) => vec![("archive", format!("{beginning:?}").into())],
        Body::VolumeCreate(body) => vec![
            ("name", body.name.text().into()),
            ("driver", body.driver.text().into()),
            ("options", body.driver_opts.entries().map(|(key, _)| key.to_owned()).collect()),
        ],
        Body::NetworkCreate(body) => {
            vec![("name", body.name.text().into()), ("driver", body.driver.text().into())]
        }
        Body::NetworkConnect(body) => vec![("container", body.container.text().into())],
        Body::NetworkDisconnect(body) => vec![("container", body.container.text().into())],
        Body::Auth(body) => vec![("registry", body.serveraddress.text().into())],
        Body::Service(body) => service_fields(body),
        Body::Secret(body) => vec![("name", body.name.text().into())],
        Body::Config(body) => vec![("name", body.name.text().into())],
        Body::CheckpointCreate(body) => vec![
            ("checkpoint", body.checkpoint_id.text().into()),
            ("directory", body.checkpoint_dir.text().into()),
        ],
        Body::Node(body) => vec![
            ("role", body.role.text().into()),
            ("availability", body.availability.text().into()),
        ],
        Body::SwarmInit(body) => vec![("listen", body.listen_addr.text().into())],
        Body::SwarmJoin(body) => vec![("remote", texts(body.remote_addrs.items()))],
        Body::None
        | Body::Opaque
        | Body::ContainerUpdate(_)
        | Body::Commit(_)
        | Body::VolumeUpdate(_)
        | Body::SwarmUpdate(_)
        | Body::SwarmUnlock(_)
        | Body::PluginPrivileges(_)
        | Body::PluginSet(_) => Vec::new(),
    }
}

fn texts(items: &[Cow<'_, str>]) -> Value {
    items.iter().map(ToString::to_string).collect()
}

fn mounts(mounts: &[Mount<'_>]) -> Value {
    let tell = |m: &Mount<'_>| format!("{}:{}:{}", m.kind.text(), m.source.text(), m.target.text());
    mounts.iter().map(tell).collect()
}

fn argv(program: &[Cow<'_, str>], arguments: &[Cow<'_, str>]) -> Value {
    let all: Vec<&str> = program.iter().chain(arguments).map(AsRef::as_ref).collect();
    redact::argv(&all).into()
}

fn service_fields(spec: &ServiceSpec<'_>) -> Told {
    let mut told = vec![("name", spec.name.text().into())];
    let task = spec.task_template.value();
    if let Some(container) = task.and_then(|task| task.container_spec.value()) {
        told.extend([
            ("image", container.image.text().into()),
            ("user", container.user.text().into()),
            ("argv", argv(container.command.items(), container.args.items())),
            ("cap_add", texts(container.capability_add.items())),
            ("mounts", mounts(container.mounts.items())),
        ]);
    }
    told
}

fn create_fields(body: &ContainerCreate<'_>) -> Told {
    let empty = HostConfig::default();
    let (config, host) = (&body.config, body.host_config.value().unwrap_or(&empty));
    let devices = host.resources.devices.items().iter();
    vec![
        ("image", config.image.text().into()),
        ("user", config.user.text().into()),
        ("network", host.network_mode.text().into()),
        ("pid", host.pid_mode.text().into()),
        ("ipc", host.ipc_mode.text().into()),
        ("uts", host.uts_mode.text().into()),
        ("userns", host.userns_mode.text().into()),
        ("cgroupns", host.cgroupns_mode.text().into()),
        ("runtime", host.runtime.text().into()),
        ("privileged", host.privileged.or_zero().into()),
        ("argv", argv(config.entrypoint.words(), config.cmd.words())),
        ("cap_add", texts(host.cap_add.words())),
        ("binds", texts(host.binds.items())),
        ("mounts", mounts(host.mounts.items())),
        ("security_opt", texts(host.security_opt.items())),
        ("devices", devices.map(|device| device.path_on_host.text()).collect()),
    ]
}
