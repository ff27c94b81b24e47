//! For each reason of a refusal the smallest change of a policy by which it holds no longer; or why there is none.

use super::reason::Reason;
use crate::docker::image::Reference;
use crate::docker::{Resource, Route, Verb};

/// What was asked for and is refused, as a finding tells it.
#[derive(Clone, Copy, Debug)]
pub struct AskedFor<'a> {
    /// Why it is refused.
    pub reason: Reason,
    /// The endpoint.
    pub route: &'static Route,
    /// The place, as a finding has it.
    pub field: &'a str,
    /// The value, as a finding has it.
    pub value: &'a str,
}

/// What lets it pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keys that the role takes up.
    Role(String),
    /// Keys that its profile takes up.
    Profile(String),
    /// No key does; the reason.
    None(&'static str),
}

const ITS_FORM: &str =
    "it can be read in two ways, or reaches further than it says; correct the client";
const ITS_OWNER: &str =
    "it is somebody else's: adopt it, share it (sees, shared), or widen the role's scope";
const ADMINISTRATOR: &str =
    "only a role with admission: unrestricted may, and that is root on the host";
const LEADS_ELSEWHERE: &str =
    "let root alone own the directories above it, and list the path that it leads to";
const UNSEEN: &str = "the gate could not look at it; its own messages say why";

impl AskedFor<'_> {
    /// The change for it.
    #[must_use]
    pub fn change(&self) -> Change {
        let Self { reason, field, value, .. } = *self;
        // whoever asks chooses these, and they would be read as patterns
        if value.contains(['*', '{', '}']) || key_of(field).contains(['*', '{', '}']) {
            return Change::None("what was asked for reads as a pattern: list what is meant");
        }
        let role = |keys: String| Change::Role(keys);
        let profile = |keys: &str| Change::Profile(keys.to_owned());
        let listed = |key: &str| Change::Profile(format!("{key}: [{}]", quoted(value)));
        let key = || quoted(key_of(field));
        match reason {
            Reason::VerbNotGranted => self.verb(),
            Reason::VerbDenied => {
                Change::None("a deny of one of its roles forbids it: remove the verb there")
            }
            Reason::ImageNotAllowed
            | Reason::ImageById
            | Reason::ImageOrigin
            | Reason::RegistryHost => self.image(),
            Reason::ImageWrite => role(format!("images: {{ write: [{}] }}", quoted(value))),
            Reason::ImageUnpinned => Change::None("name the image of a service with its digest"),
            Reason::UnknownKey => role("unknown: drop".to_owned()),
            Reason::DeleteManner => role(format!("delete: {{ {}: true }}", last(field))),
            Reason::ExecUser => role(format!("exec: {{ users: [{}] }}", quoted(value))),
            Reason::ExecCommand => Change::None(
                "list the whole command, word by word, under exec: { commands: [] } of the role",
            ),
            Reason::ExecEnvironment => role(format!("exec: {{ env: [{}] }}", quoted(value))),
            Reason::ExecDirectory => role(format!("exec: {{ working_dir: [{}] }}", quoted(value))),
            Reason::ExecInput => role("exec: { stdin: true }".to_owned()),
            Reason::ExecTerminal => role("exec: { tty: true }".to_owned()),
            Reason::ExecPrivileged => role("exec: { privileged: true }".to_owned()),
            Reason::CapAdd => Change::Profile(format!(
                "capabilities: {{ add: [{}] }}",
                quoted(&capability(value))
            )),
            Reason::CapDrop => profile("capabilities: { drop_all: set }"),
            Reason::NoNewPrivileges => profile("no_new_privileges: set"),
            Reason::SecurityOpt => listed("security_options"),
            Reason::MountHostPath => Change::Profile(format!(
                "host_paths: [{{ path: {}, read_only: true }}]",
                quoted(value)
            )),
            Reason::MountReadOnly => {
                Change::Profile(format!("host_paths: [{{ path: {} }}]", quoted(value)))
            }
            Reason::MountSocket if value.ends_with("docker.sock") => profile("docker_socket: omit"),
            Reason::MountNested => profile("nested_mounts: true"),
            Reason::VolumeName => listed("volumes"),
            Reason::VolumeDriver => listed("volume_drivers"),
            Reason::VolumeOptions => Change::None(
                "list type, device and o of such volumes under volume_options of the profile",
            ),
            Reason::Device => listed("devices"),
            Reason::DeviceRequest | Reason::DeviceEnvironment => listed("device_requests"),
            Reason::NetworkName => listed("networks"),
            Reason::PortHost if matches!(value, "" | "0") => {
                profile("ports: { host: [ephemeral] }")
            }
            Reason::PortHost if value.parse::<u16>().is_err() => Change::None(ITS_FORM),
            Reason::PortHost => Change::Profile(format!("ports: {{ host: [{value}] }}")),
            Reason::PortAddress if value.is_empty() => {
                profile("ports: { address: { default: 127.0.0.1 } }")
            }
            Reason::PortAddress => {
                Change::Profile(format!("ports: {{ address: [{}] }}", quoted(value)))
            }
            Reason::ExtraHost => {
                Change::Profile(format!("extra_hosts: [{}]", quoted(name_of(value))))
            }
            Reason::Dns => listed("dns"),
            Reason::MacAddress => profile("mac_address: omit"),
            Reason::NetworkDriver => listed("network_drivers"),
            Reason::NetworkSetting => Change::Profile(format!("network_options: [{}]", key())),
            Reason::Subnet => listed("subnets"),
            Reason::Memory | Reason::Swap => bound("memory", value, "memory: { default: 1GiB }"),
            Reason::Pids => bound("pids", value, "pids: { default: 512 }"),
            Reason::Shm => bound("shm", value, "shm: { default: 64MiB }"),
            Reason::Cpus => profile("cpus: { default: 1, max: 8 }"),
            Reason::Ulimit => {
                Change::Profile(format!("ulimits: {{ {}: {} }}", last(field), number(value)))
            }
            Reason::Sysctl => Change::Profile(format!("sysctls: [{}]", key())),
            Reason::UserRoot => profile("user: any"),
            Reason::UserRange => {
                Change::None("add its number to user: { uid: [], gid: [] } of the profile")
            }
            Reason::Group => Change::Profile(format!("groups: {{ allow: [{}] }}", quoted(value))),
            Reason::Init => profile("init: set"),
            Reason::ReadOnlyRoot => profile("read_only_root: set"),
            Reason::StorageOption => Change::Profile(format!("storage_options: [{}]", key())),
            Reason::LogDriver => {
                Change::Profile(format!("logging: {{ drivers: [{}] }}", quoted(value)))
            }
            Reason::LogOption => Change::Profile(format!("logging: {{ options: [{}] }}", key())),
            Reason::Restart => Change::Profile(format!("restart: [{}]", quoted(value))),
            Reason::Runtime => listed("runtime"),
            Reason::Annotation => Change::Profile(format!("annotations: [{}]", key())),
            Reason::Label => Change::Profile(format!("labels: {{ allow: [{}] }}", key())),
            Reason::LabelRequired => {
                Change::Profile(format!("labels: {{ set: {{ {}: VALUE }} }}", key()))
            }
            Reason::HealthInterval => profile("health: { min_interval: 1s }"),
            Reason::CopyCompressed => profile("copy: { compressed: true }"),
            Reason::CopyMounts => profile("copy: { running_with_mounts: true }"),
            Reason::MountLink | Reason::MountRestart => Change::None(LEADS_ELSEWHERE),
            Reason::TargetAbsent
            | Reason::OwnerForeign
            | Reason::OwnerTaken
            | Reason::OwnerAllTags
            | Reason::OwnerAlias
            | Reason::OwnerBridge
            | Reason::OwnerVolume
            | Reason::OwnerUntold => Change::None(ITS_OWNER),
            Reason::TargetUnseen
            | Reason::MountUnseen
            | Reason::VolumeUnseen
            | Reason::NetworkUnseen
            | Reason::NetworkMoved
            | Reason::ImageUnseen
            | Reason::PathUnseen
            | Reason::LookupsTooMany => Change::None(UNSEEN),
            Reason::Dockerfile
            | Reason::PsArgs
            | Reason::Signal
            | Reason::CopyPath
            | Reason::ImageChange
            | Reason::ImageSource
            | Reason::ImageSyntax
            | Reason::LabelReserved
            | Reason::LogValue
            | Reason::MountPath
            | Reason::MountTarget
            | Reason::MountOptions
            | Reason::MountDriver
            | Reason::TmpfsOption
            | Reason::MountType
            | Reason::NamePlain
            | Reason::Name
            | Reason::EndpointAddress
            | Reason::NetworkOption
            | Reason::NetworkScope
            | Reason::Hostname
            | Reason::Link
            | Reason::PortSyntax
            | Reason::Weight
            | Reason::Execs
            | Reason::StopTimeout
            | Reason::WorkingDir
            | Reason::RedactedValue
            | Reason::VolumesFrom
            | Reason::Isolation
            | Reason::Realtime
            | Reason::Oom
            | Reason::KernelMemory
            | Reason::BlockIo => Change::None(ITS_FORM),
            Reason::RouteNever
            | Reason::Reserved
            | Reason::QueryGuarded
            | Reason::Privileged
            | Reason::CapSet
            | Reason::MaskedPaths
            | Reason::NamespacePid
            | Reason::NamespaceIpc
            | Reason::NamespaceUts
            | Reason::NamespaceUser
            | Reason::NamespaceCgroup
            | Reason::NamespaceNetwork
            | Reason::CgroupParent
            | Reason::MountProtected
            | Reason::MountSocket
            | Reason::DeviceRule
            | Reason::SecretDriver => Change::None(ADMINISTRATOR),
        }
    }

    fn verb(&self) -> Change {
        match self.route.reserved {
            true => Change::None(ADMINISTRATOR),
            false => {
                Change::Role(format!("allow: {{ {}: [{}] }}", self.route.resource, self.route.verb))
            }
        }
    }

    /// The list that asks for the image, and the image without its tag: the next one will have another.
    fn image(&self) -> Change {
        let list = match (self.route.resource, self.route.verb) {
            (Resource::Image, Verb::Push) => "push",
            (Resource::Image, Verb::Pull) | (Resource::Registry | Resource::Build, _) => "pull",
            _ => "run",
        };
        let name = self.value.trim_end_matches(" (all tags)");
        let pattern = match Reference::parse(name) {
            _ if self.reason == Reason::RegistryHost => format!("{name}/**"),
            Ok(_) if self.reason == Reason::ImageOrigin => {
                return Change::None(
                    "what bears the name here came from elsewhere: pull it anew, or list local:NAME under run, which \
                     trusts the name",
                );
            }
            Ok(reference) => reference.repository,
            Err(_) => {
                return Change::None(
                    "name it with its repository: an id does not say where it came from",
                );
            }
        };
        Change::Role(format!("images: {{ {list}: [{}] }}", quoted(&pattern)))
    }
}

fn bound(key: &str, value: &str, without: &str) -> Change {
    match value.parse::<u64>() {
        Ok(most) if most > 0 => Change::Profile(format!("{key}: {{ max: {most} }}")),
        _ => Change::Profile(without.to_owned()),
    }
}

fn number(value: &str) -> &str {
    if value.parse::<u64>().is_ok() { value } else { "1048576" }
}

/// A capability as a policy names it.
fn capability(value: &str) -> String {
    let upper = value.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

/// The name of `name:address`.
fn name_of(entry: &str) -> &str {
    entry.split([':', '=']).next().unwrap_or_default()
}

/// What stands behind the field's own name: a key of the client's, which may have dots.
fn key_of(field: &str) -> &str {
    const MAPS: [&str; 8] = [
        "Labels.",
        "Sysctls.",
        "Annotations.",
        "StorageOpt.",
        "LogConfig.Config.",
        "DriverOpts.",
        "Options.",
        "IPAM.",
    ];
    MAPS.iter().find_map(|map| field.split_once(map).map(|(_, key)| key)).unwrap_or(field)
}

/// The last word of a place.
fn last(field: &str) -> &str {
    field.rsplit(['.', ' ']).next().unwrap_or(field)
}

/// Text as YAML reads it back.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
