//! Terms: what we change of a request that is allowed. They are decided as data, from the request as it was
//! judged, and applied in one place on its way out, so that the record of a term is the term.

mod names;
pub(super) mod told;

use self::names::{alias, container, network};
use crate::docker::body::Body;
use crate::docker::body::create::{HostConfig, Mount, Text, VolumeMountOptions};
use crate::docker::body::field::{Field, Inert, Words};
use crate::docker::{CallHead, Verb, credentials};
use std::borrow::Cow;
use std::net::IpAddr;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A default of the profile, where the client said nothing.
    Fill(Filled),
    /// What the path names goes on by its full id.
    Resolve(String),
    /// A container that the query names goes on by its full id.
    Container {
        /// As it was named.
        given: String,
        /// The id.
        id: String,
    },
    /// A network that is joined goes on by its full id.
    Network {
        /// As it was named.
        given: String,
        /// The id.
        id: String,
    },
    /// A name on a network, which is told otherwise there.
    Alias {
        /// The network, as it was named.
        network: String,
        /// The name.
        given: String,
        /// What it is.
        told: String,
    },
    /// Credentials that are not sent on, by the registries that they are for.
    Withhold(Vec<String>),
    /// A label of ours on what is made, key and value, whatever the client wrote under its key.
    Label(String, String),
    /// Labels of ours on the volumes that a container brings about: on those that are mounts, and on those that
    /// become mounts, since binds take none.
    Volumes {
        /// Key and value.
        labels: Vec<(String, String)>,
        /// What becomes a mount.
        planned: Vec<PlannedVolume>,
    },
    /// A filter of ours on what is listed or pruned, key and value, beside the client's.
    Filter(&'static str, String),
    /// What no daemon reads is not sent on, by its place.
    LeaveOut(String),
    /// What the profile leaves out is not sent on, by its place.
    Omit(Omitted, String),
}

/// What a profile leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omitted {
    /// A mount of the daemon's socket.
    Socket,
    /// A MAC address.
    MacAddress,
}

/// A volume that the daemon would make by the way, as a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedVolume {
    /// The bind that it stands for, if it does for one.
    pub bind: Option<String>,
    /// Its name; empty for an anonymous one.
    pub source: String,
    /// Where it is mounted.
    pub target: String,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// Whether nothing of the image is copied into it.
    pub no_copy: bool,
}

/// What is filled in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// `HostConfig.Memory`, in bytes.
    Memory(i64),
    /// `HostConfig.PidsLimit`.
    Pids(i64),
    /// `HostConfig.NanoCpus`, in billionths of a CPU.
    Cpus(i64),
    /// `HostConfig.ShmSize`, in bytes.
    Shm(i64),
    /// `HostConfig.IpcMode`.
    Ipc(&'static str),
    /// `HostConfig.CgroupnsMode`.
    Cgroupns(&'static str),
    /// `HostConfig.MaskedPaths` is the daemon's own list.
    MaskedPaths,
    /// `HostIp` of each of `HostConfig.PortBindings` that names none.
    HostIp(IpAddr),
    /// No new privileges, behind what else `HostConfig.SecurityOpt` says: the last counts.
    NoNewPrivileges,
    /// `HostConfig.CapDrop` is ALL.
    CapDrop,
    /// `HostConfig.ReadonlyRootfs`.
    ReadOnlyRoot,
    /// `HostConfig.Init`.
    Init,
    /// `HostConfig.RestartPolicy`.
    Restart(String),
    /// `User`.
    User(String),
    /// `HostConfig.Runtime`.
    Runtime(String),
    /// `HostConfig.NetworkMode`, or that of a build.
    NetworkMode(String),
    /// A key of a build's query, whose limits are there.
    Build(&'static str, i64),
    /// `CheckDuplicate` of a network: engines up to 24 make a second one of the same name without it, and then
    /// the name is nobody's (`NetworkCreate` in their `daemon/network.go`).
    CheckDuplicate,
    /// `nocache` of a build: what another's build has left behind is not taken for this one's.
    NoCache,
    /// `rm` and `forcerm` of a build: the containers of its steps bear what labels its Dockerfile says.
    Removed,
}

/// Applies terms to a request on its way out.
pub(super) fn apply(terms: &[Term], head: &mut CallHead, body: &mut Body<'_>) {
    for term in terms {
        match term {
            Term::Fill(default) => fill(default, head, body),
            Term::Resolve(id) => {
                if let Some(name) = head.params.first_mut() {
                    name.clone_from(id);
                }
            }
            Term::Container { given, id } => container(given, id, head, body),
            Term::Network { given, id } => network(given, id, head, body),
            Term::Alias { network, given, told } => alias(network, [given, told], body),
            Term::Withhold(registries) => withhold(registries, head),
            Term::Label(key, value) => label(key, value, head, body),
            Term::Volumes { labels, planned } => volumes(labels, planned, body),
            Term::Filter(key, value) => head.query.filter(head.route.query, key, value),
            Term::LeaveOut(_) => {} // it was not read
            Term::Omit(..) => {}    // it was taken away before it was judged
        }
    }
}

/// Whether terms change the body, so that it must be copied.
pub(super) fn touch_body(terms: &[Term]) -> bool {
    let of_head = |term: &Term| {
        matches!(
            term,
            Term::Resolve(_)
                | Term::Withhold(_)
                | Term::Filter(..)
                | Term::LeaveOut(_)
                | Term::Omit(..)
        )
    };
    !terms.iter().all(of_head)
}

fn fill(default: &Filled, head: &mut CallHead, body: &mut Body<'_>) {
    if let Filled::Build(key, value) = default {
        return head.query.fill_int(head.route.query, key, *value);
    }
    let flags: &[&str] = match default {
        Filled::NoCache => &["nocache"],
        Filled::Removed => &["rm", "forcerm"],
        _ => &[],
    };
    flags.iter().for_each(|flag| head.query.switch_on(head.route.query, flag));
    if let (Filled::NetworkMode(name), Body::None | Body::Opaque) = (default, &*body) {
        return head.query.put_text(head.route.query, "networkmode", name);
    }
    if let (Filled::CheckDuplicate, Body::NetworkCreate(network)) = (default, &mut *body) {
        network.check_duplicate.0 = Field::Set(true);
    }
    let Body::ContainerCreate(create) = body else { return };
    if let Filled::User(user) = default {
        create.config.user = Field::Set(Cow::Owned(user.clone()));
        return;
    }
    let host: &mut HostConfig<'_> = create.host_config.or_empty();
    let word = |field: &mut Text<'_>, word: &str| *field = Field::Set(Cow::Owned(word.to_owned()));
    match default {
        Filled::Memory(bytes) => host.resources.memory = Field::Set(*bytes),
        Filled::Pids(count) => host.resources.pids_limit = Field::Set(*count),
        Filled::Cpus(nanos) => host.resources.nano_cpus = Field::Set(*nanos),
        Filled::Shm(bytes) => host.shm_size = Field::Set(*bytes),
        Filled::Ipc(mode) => word(&mut host.ipc_mode, mode),
        Filled::Cgroupns(mode) => word(&mut host.cgroupns_mode, mode),
        Filled::MaskedPaths => host.masked_paths = Field::Absent,
        Filled::HostIp(address) => host_ip(*address, host),
        Filled::NoNewPrivileges => {
            let options = host.security_opt.or_empty();
            options.push(Cow::Borrowed("no-new-privileges"));
        }
        Filled::CapDrop => host.cap_drop = Field::Set(Words(vec![Cow::Borrowed("ALL")])),
        Filled::ReadOnlyRoot => host.readonly_rootfs = Field::Set(true),
        Filled::Init => host.resources.init = Field::Set(true),
        Filled::Restart(policy) => word(&mut host.restart_policy.or_empty().name, policy),
        Filled::Runtime(name) => word(&mut host.runtime, name),
        Filled::NetworkMode(name) => word(&mut host.network_mode, name),
        Filled::Build(..)
        | Filled::CheckDuplicate
        | Filled::NoCache
        | Filled::Removed
        | Filled::User(_) => {}
    }
}

fn host_ip(address: IpAddr, host: &mut HostConfig<'_>) {
    let Field::Set(bindings) = &mut host.port_bindings else { return };
    for binding in bindings.0.iter_mut().filter_map(|(_, list)| list.as_mut()).flatten() {
        if binding.host_ip.text().is_empty() {
            binding.host_ip = Field::Set(Cow::Owned(address.to_string()));
        }
    }
}

/// Labels on the mounts that are volumes, after what becomes one has.
fn volumes(labels: &[(String, String)], planned: &[PlannedVolume], body: &mut Body<'_>) {
    let mounts = match body {
        Body::ContainerCreate(body) => {
            let host: &mut HostConfig<'_> = body.host_config.or_empty();
            if let Field::Set(binds) = &mut host.binds {
                let moved =
                    |bind: &str| planned.iter().any(|one| one.bind.as_deref() == Some(bind));
                binds.retain(|bind| !moved(bind));
            }
            if !planned.is_empty() && host.mounts.value().is_none() {
                host.mounts = Field::Set(Vec::new());
            }
            if let Field::Set(mounts) = &mut host.mounts {
                mounts.extend(planned.iter().map(mount));
            }
            &mut host.mounts
        }
        Body::Service(spec) => match &mut spec.task_template {
            Field::Set(task) => match &mut task.container_spec {
                Field::Set(container) => &mut container.mounts,
                _ => return,
            },
            _ => return,
        },
        _ => return,
    };
    let Field::Set(mounts) = mounts else { return };
    for mount in mounts.iter_mut().filter(|mount| mount.kind.text() == "volume") {
        let ours = mount.volume_options.or_empty().labels.or_empty();
        labels.iter().for_each(|(key, value)| ours.put(key.clone(), Cow::Owned(value.clone())));
    }
}

fn mount<'a>(planned: &PlannedVolume) -> Mount<'a> {
    let PlannedVolume { bind: _, source, target, read_only, no_copy } = planned;
    let text = |text: &str| match text {
        "" => Field::Absent,
        text => Field::Set(Cow::Owned(text.to_owned())),
    };
    let flag = |on: bool| if on { Field::Set(true) } else { Field::Absent };
    let options = VolumeMountOptions { no_copy: Inert(flag(*no_copy)), ..Default::default() };
    Mount {
        kind: text("volume"),
        source: text(source),
        target: text(target),
        read_only: flag(*read_only),
        volume_options: Field::Set(options),
        ..Default::default()
    }
}

fn withhold(registries: &[String], head: &mut CallHead) {
    head.registries.retain(|address| !registries.contains(address));
    let headers = std::mem::take(&mut head.headers).into_iter();
    head.headers = headers
        .filter_map(|(name, value)| match name == credentials::CONFIG {
            true => credentials::without(&value, registries).map(|value| (name, value)),
            false => Some((name, value)),
        })
        .collect();
}

/// Labels are a part of the body, or of a build's query, of whatever makes something that has them.
fn label(key: &str, value: &str, head: &mut CallHead, body: &mut Body<'_>) {
    let labels = match body {
        Body::ContainerCreate(body) => &mut body.config.labels,
        Body::VolumeCreate(body) => &mut body.labels,
        Body::NetworkCreate(body) => &mut body.labels,
        Body::Service(spec) => {
            // those of the containers that it makes
            if let Field::Set(task) = &mut spec.task_template
                && let Field::Set(container) = &mut task.container_spec
            {
                let labels = container.labels.or_empty();
                labels.put(key.to_owned(), Cow::Owned(value.to_owned()));
            }
            &mut spec.labels
        }
        Body::Secret(spec) => &mut spec.labels,
        Body::Config(spec) => &mut spec.labels,
        // over those of the container, which its image would have
        _ if matches!(head.route.verb, Verb::Commit | Verb::Import) => {
            return head.query.change(head.route.query, &format!("LABEL {key}={value}"));
        }
        _ => return head.query.label(head.route.query, key, value),
    };
    labels.or_empty().put(key.to_owned(), Cow::Owned(value.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::body;
    use crate::docker::left_out::LeftOut;
    use crate::docker::{Accepted, ApiVersion, RequestHead, classify};
    use http::{HeaderMap, HeaderValue, Method, Version};

    /// The target and the body that come of a request under a term.
    fn applied(method: &Method, target: &str, json: &str, term: Term) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("docker"));
        if !json.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            headers.insert("content-length", HeaderValue::from(json.len()));
        }
        let (uri, version) = (target.parse().unwrap(), Version::HTTP_11);
        let request = RequestHead { method, uri: &uri, version, headers: &headers };
        let accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::NEWEST };
        let mut head = classify(&request, accepted).unwrap();
        let read = head.clone();
        let mut body = body::read(&read, json.as_bytes(), &mut LeftOut::nothing()).unwrap();
        apply(&[term], &mut head, &mut body);
        let written = body.serialise().map(|json| String::from_utf8(json).unwrap());
        (head.target_uri(), written.unwrap_or_default())
    }

    #[test]
    fn a_label_is_stamped_on_whatever_is_made_over_the_clients_own() {
        let label = || Term::Label("dockward.owner".to_owned(), "ci".to_owned());
        let makes = [
            ("/containers/create", r#"{"Image":"a","Labels":{"dockward.owner":"x","b":"c"}}"#),
            ("/volumes/create", r#"{"Name":"v"}"#),
            ("/networks/create", r#"{"Name":"n"}"#),
        ];
        for (target, json) in makes {
            let (_, body) = applied(&Method::POST, &format!("/v1.47{target}"), json, label());
            assert_eq!(body.matches(r#""dockward.owner":"ci""#).count(), 1, "{target}: {body}");
            assert!(!body.contains(r#":"x""#), "{target}: {body}");
            assert_eq!(body.contains(r#""b":"c""#), json.contains(r#""b":"c""#), "{body}");
        }
        let (target, body) = applied(&Method::POST, "/v1.47/commit?container=c", "{}", label());
        assert!(target.contains("changes=LABEL%20dockward.owner%3Dci"), "{target} {body}");
        let (target, _) = applied(&Method::POST, "/v1.47/build", "", label());
        assert!(target.contains("labels=%7B%22dockward.owner%22%3A%22ci%22%7D"), "{target}");
    }

    #[test]
    fn a_filter_of_ours_stands_beside_the_clients() {
        let filter = Term::Filter("label", "dockward.owner=ci".to_owned());
        let asked = "/v1.47/containers/json?filters=%7B%22label%22%3A%5B%22a%22%5D%7D";
        let (target, _) = applied(&Method::GET, asked, "", filter.clone());
        assert!(target.contains("a%22%3Atrue"), "{target}");
        assert!(target.contains("dockward.owner%3Dci%22%3Atrue"), "{target}");
        let (target, _) = applied(&Method::GET, "/v1.47/containers/json", "", filter);
        assert!(target.contains("dockward.owner%3Dci%22%3Atrue"), "{target}");
    }
}
