//! What the daemon says of its objects, as plain data. What is not there as it should be is not there at
//! all, and policy refuses what it does not know.

use crate::docker::image::{ImageOrigin, Reference};
use crate::policy::admit::is_read_outside;
use crate::policy::facts::{
    Container, ContainerMount, DaemonDefaults, Exec, HealthFact, Image, JoinedNetwork, KeptObject,
    Network, Volume,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer of `GET /images/{}/json`.
///
/// Where it came from is told by `RepoDigests` in the classic image store, which writes one when an
/// image is pulled or pushed. The containerd store writes one for every tag
/// (`collectRepoTagsAndDigests` in moby's `daemon/containerd/image_inspect.go`); there `Identity.Pull`
/// says it (API 1.53), and an engine without that field says nothing that could be trusted.
#[must_use]
pub fn image(answer: &Value) -> Option<Image> {
    let id = text(answer, "/Id")?;
    let of_pull = |pull: &Value| {
        let repository = Reference::parse(pull.get("Repository")?.as_str()?).ok()?.repository;
        Some(ImageOrigin { repository, digest: id.clone() })
    };
    let of_digest = |digest: &Value| {
        let Reference { repository, tag: _, digest } = Reference::parse(digest.as_str()?).ok()?;
        Some(ImageOrigin { repository, digest: digest? })
    };
    let digests: Vec<_> = items(answer, "/RepoDigests").iter().filter_map(of_digest).collect();
    let origins = match is_of_classic_store(answer, &id, &digests) {
        true => digests,
        false => items(answer, "/Identity/Pull").iter().filter_map(of_pull).collect(),
    };
    Some(Image {
        origins,
        tags: texts(items(answer, "/RepoTags")),
        user: text(answer, "/Config/User").unwrap_or_default(),
        working_dir: text(answer, "/Config/WorkingDir").unwrap_or_default(),
        labels: text_map(answer, "/Config/Labels"),
        volumes: keys(answer, "/Config/Volumes"),
        health: health(answer)?,
        id,
    })
}

/// Whether an image is surely in the classic store. The other one tells of itself by a `Descriptor` from
/// API 1.48 on only (engine 28). Before that, what a driver of the classic store says of its layers is not
/// there, which the classic `vfs` has in common with it, and an image's id is the digest of its manifest,
/// which no classic one's is.
fn is_of_classic_store(answer: &Value, id: &str, digests: &[ImageOrigin]) -> bool {
    let descriptor = answer.get("Descriptor").is_some_and(|descriptor| !descriptor.is_null());
    let layers = answer.pointer("/GraphDriver/Data").and_then(Value::as_object);
    let driver = text(answer, "/GraphDriver/Name");
    !descriptor
        && (layers.is_some_and(|layers| !layers.is_empty()) || driver.as_deref() == Some("vfs"))
        && digests.iter().all(|origin| origin.digest != id)
}

/// An answer of `GET /volumes/{}`.
#[must_use]
pub fn volume(answer: &Value) -> Option<Volume> {
    Some(Volume {
        name: text(answer, "/Name").unwrap_or_default(),
        labels: text_map(answer, "/Labels"),
        driver: text(answer, "/Driver")?,
        options: text_map(answer, "/Options"),
    })
}

/// An answer of `GET /info`, by `fillSecurityOptions` in moby's `daemon/info.go`: engines before 23 call the filter that
/// is built in the default one.
pub(super) fn defaults(info: &Value) -> DaemonDefaults {
    let options = info.get("SecurityOptions").and_then(Value::as_array);
    let options: Vec<_> = options.into_iter().flatten().filter_map(Value::as_str).collect();
    let filters = ["name=seccomp,profile=builtin", "name=seccomp,profile=default"];
    DaemonDefaults {
        runtime: info.get("DefaultRuntime").and_then(Value::as_str).map(str::to_owned),
        own_cgroupns: options.contains(&"name=cgroupns"),
        builtin_seccomp: options.iter().any(|option| filters.contains(option)),
    }
}

/// An answer of `GET /networks/{}`.
#[must_use]
pub fn network(answer: &Value) -> Option<Network> {
    let labels = text_map(answer, "/Labels");
    let internal = answer.pointer("/Internal").and_then(Value::as_bool).unwrap_or_default();
    Some(Network { id: text(answer, "/Id")?, name: text(answer, "/Name")?, labels, internal })
}

/// An answer of `GET /services/{}`, `/tasks/{}`, `/secrets/{}` or `/configs/{}`.
#[must_use]
pub fn kept(answer: &Value) -> Option<KeptObject> {
    Some(KeptObject {
        id: text(answer, "/ID")?,
        name: text(answer, "/Spec/Name").unwrap_or_default(),
        labels: text_map(answer, "/Spec/Labels"),
        service: text(answer, "/ServiceID"),
        spec: match answer.pointer("/Spec/TaskTemplate") {
            Some(_) => answer.get("Spec").map(Value::to_string),
            None => None,
        }
        .filter(|spec| spec.len() <= MADE_MAX)
        .unwrap_or_default(),
    })
}

/// An answer of `GET /exec/{}/json`.
#[must_use]
pub fn exec(answer: &Value) -> Option<Exec> {
    let process = answer.get("ProcessConfig")?.as_object()?;
    // left out where it is false by some
    let is = |key: &str| process.get(key).map_or(Some(false), Value::as_bool);
    let program = text(answer, "/ProcessConfig/entrypoint").unwrap_or_default();
    let arguments = texts(items(answer, "/ProcessConfig/arguments"));
    Some(Exec {
        container: text(answer, "/ContainerID")?,
        takes_input: answer.get("OpenStdin")?.as_bool()?,
        privileged: is("privileged")?,
        user: text(answer, "/ProcessConfig/user").unwrap_or_default(),
        tty: is("tty")?,
        words: [program].into_iter().chain(arguments).collect(),
    })
}

/// An answer of `GET /containers/{}/json`.
#[must_use]
pub fn container(answer: &Value) -> Option<Container> {
    let mounts = items(answer, "/Mounts");
    let volumes = mounts.iter().filter(|mount| text(mount, "/Type").as_deref() == Some("volume"));
    let env =
        texts(items(answer, "/Config/Env")).into_iter().filter(|entry| is_read_outside(entry));
    let networks = answer.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    let joined = |(name, network): (&String, &Value)| {
        let id = text(network, "/NetworkID").unwrap_or_default();
        JoinedNetwork { name: name.clone(), id }
    };
    Some(Container {
        id: text(answer, "/Id")?,
        name: text(answer, "/Name").unwrap_or_default().trim_start_matches('/').to_owned(),
        image: text(answer, "/Image")?,
        user: text(answer, "/Config/User").unwrap_or_default(),
        working_dir: text(answer, "/Config/WorkingDir").unwrap_or_default(),
        running: answer.pointer("/State/Running")?.as_bool()?,
        process: (answer.pointer("/State/Pid").and_then(Value::as_i64))
            .and_then(|pid| i32::try_from(pid).ok()),
        displaced: None, // the kernel says that
        volumes: volumes.filter_map(|mount| text(mount, "/Name")).collect(),
        labels: text_map(answer, "/Config/Labels"),
        mounts: mounts.iter().map(mounted).collect(),
        tmpfs: keys(answer, "/HostConfig/Tmpfs"),
        restarts: !matches!(
            text(answer, "/HostConfig/RestartPolicy/Name").as_deref(),
            None | Some("" | "no")
        ),
        health: health(answer)?,
        env: env.collect(),
        host_name: text(answer, "/Config/Hostname").unwrap_or_default(),
        network_mode: text(answer, "/HostConfig/NetworkMode").unwrap_or_default(),
        networks: networks.into_iter().flatten().map(joined).collect(),
        exposed: keys(answer, "/Config/ExposedPorts").len(),
        execs: items(answer, "/ExecIDs").len(),
        host_config: made_with(answer)?,
    })
}

/// The longest `HostConfig`, or `Spec` of a service, that is read, in bytes: it is judged in each round.
const MADE_MAX: usize = 256 << 10;

/// The `HostConfig`, less where its output goes, which may hold passwords and is no matter of those inside.
fn made_with(answer: &Value) -> Option<String> {
    let mut made = answer.get("HostConfig")?.as_object()?.clone();
    made.remove("LogConfig");
    Some(Value::Object(made).to_string()).filter(|made| made.len() <= MADE_MAX)
}

/// One of a container's `Mounts`. What is not told as it should be counts as what could do most.
fn mounted(mount: &Value) -> ContainerMount {
    let kind = text(mount, "/Type");
    let bind =
        (kind.as_deref() == Some("bind")).then(|| text(mount, "/Source").unwrap_or_default());
    ContainerMount {
        target: text(mount, "/Destination").unwrap_or_default(),
        volume: (kind.as_deref() == Some("volume")).then(|| text(mount, "/Name")).flatten(),
        bind,
        tmpfs: kind.as_deref() == Some("tmpfs"),
        other: match kind.as_deref() {
            Some("bind" | "tmpfs") => false,
            Some("volume") => text(mount, "/Name").is_none(),
            _ => true,
        },
        read_only: mount.pointer("/RW").and_then(Value::as_bool) == Some(false),
        shared: !matches!(
            text(mount, "/Propagation").as_deref(),
            None | Some("" | "private" | "rprivate")
        ),
    }
}

/// How it is checked, if at all: `None` is a number that is none.
#[expect(clippy::option_option, reason = "what cannot be read is not what is not there")]
fn health(answer: &Value) -> Option<Option<HealthFact>> {
    let Some(check) = answer.pointer("/Config/Healthcheck").filter(|check| !check.is_null()) else {
        return Some(None);
    };
    let nanos = |key: &str| check.get(key).map_or(Some(0), Value::as_i64);
    Some(Some(HealthFact {
        off: check.pointer("/Test/0").and_then(Value::as_str) == Some("NONE"),
        interval: nanos("Interval")?,
        start_interval: nanos("StartInterval")?,
        timeout: nanos("Timeout")?,
    }))
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn texts(items: &[Value]) -> Vec<String> {
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn keys(value: &Value, pointer: &str) -> Vec<String> {
    let entries = value.pointer(pointer).and_then(Value::as_object);
    entries.into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn text_map(value: &Value, pointer: &str) -> BTreeMap<String, String> {
    let entries = value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn digest() -> String {
        format!("sha256:{}", "a".repeat(64))
    }

    #[test]
    fn a_pulled_image_came_from_its_repository_and_a_tagged_one_from_nowhere() {
        let pulled = json!({
            "Id": "sha256:1", "RepoTags": ["busybox:latest"],
            "RepoDigests": [format!("busybox@{}", digest())],
            "GraphDriver": { "Name": "overlay2", "Data": { "UpperDir": "/u" } },
            "Config": { "User": "1000", "WorkingDir": "/work", "Labels": { "a": "b" } },
        });
        let seen = image(&pulled).unwrap();
        assert_eq!(
            seen.origins,
            [ImageOrigin { repository: "docker.io/library/busybox".into(), digest: digest() }]
        );
        assert_eq!((seen.user.as_str(), seen.working_dir.as_str()), ("1000", "/work"));
        assert_eq!(seen.labels.get("a").map(String::as_str), Some("b"));
        let tagged = json!({ "Id": "sha256:1", "RepoTags": ["busybox:latest"], "RepoDigests": [] });
        assert_eq!(image(&tagged).unwrap().origins, []);
    }

    #[test]
    fn the_digests_of_the_containerd_store_are_not_believed() {
        let mut answer = json!({
            "Id": digest(), "Descriptor": { "digest": digest() },
            "RepoTags": ["good/name:latest"], "RepoDigests": [format!("good/name@{}", digest())],
        });
        assert_eq!(image(&answer).unwrap().origins, []);
        answer["Identity"] = json!({ "Pull": [{ "Repository": "docker.io/library/busybox" }] });
        assert_eq!(
            image(&answer).unwrap().origins,
            [ImageOrigin { repository: "docker.io/library/busybox".into(), digest: digest() }]
        );
    }

    #[test]
    fn of_a_container_is_known_what_is_judged_when_it_starts() {
        let mut answer = json!({
            "Id": "c", "Image": "sha256:1", "State": { "Running": false }, "ExecIDs": ["a", "b"],
            "Config": {
                "Env": ["PASSWORD=hunter2", "LD_PRELOAD=./x.so"],
                "Healthcheck": { "Test": ["CMD", "true"], "Interval": 1_000_000 },
            },
            "HostConfig": { "NetworkMode": "a6f29", "LogConfig": { "Config": { "splunk-token": "hunter2" } } },
            "NetworkSettings": { "Networks": { "a6f29": { "NetworkID": "" }, "b": { "NetworkID": "4" } } },
        });
        let seen = container(&answer).unwrap();
        assert_eq!(seen.env, ["LD_PRELOAD=./x.so"], "no secret is kept");
        assert_eq!((seen.execs, seen.network_mode.as_str()), (2, "a6f29"));
        assert_eq!(seen.host_config, r#"{"NetworkMode":"a6f29"}"#, "nor where its output goes");
        let asked: Vec<_> = seen.networks.iter().map(JoinedNetwork::asked).collect();
        assert_eq!(asked, ["a6f29", "4"]);
        let check = HealthFact { interval: 1_000_000, ..HealthFact::default() };
        assert_eq!(seen.health, Some(check));
        answer["Config"]["Healthcheck"]["Interval"] = json!("often");
        assert_eq!(container(&answer), None, "what cannot be read is not guessed");
    }

    #[test]
    fn digests_are_believed_only_where_the_store_is_surely_the_classic_one() {
        let origins = |id: &str, driver: Value| {
            let digests = [format!("good/name@{}", digest())];
            image(&json!({ "Id": id, "RepoDigests": digests, "GraphDriver": driver }))
                .unwrap()
                .origins
        };
        let overlay = json!({ "Name": "overlay2", "Data": { "UpperDir": "/u" } });
        // as engines 24 to 27 tell of the containerd store: without a Descriptor
        for (id, driver) in [
            (digest().as_str(), json!({ "Name": "overlayfs", "Data": null })),
            ("sha256:1", json!({ "Name": "overlayfs", "Data": null })),
            ("sha256:1", json!({ "Name": "native" })),
            ("sha256:1", json!({ "Name": "btrfs", "Data": null })),
            (digest().as_str(), json!({ "Name": "vfs", "Data": null })),
            (digest().as_str(), overlay.clone()),
            ("sha256:1", Value::Null),
        ] {
            assert_eq!(origins(id, driver.clone()), [], "{id} {driver}");
        }
        for driver in [overlay, json!({ "Name": "vfs", "Data": null })] {
            assert_eq!(origins("sha256:1", driver.clone()).len(), 1, "{driver}");
        }
    }

    #[test]
    fn what_containers_have_by_themselves_is_as_the_daemon_tells_it() {
        let told = |options: serde_json::Value| {
            defaults(&json!({ "DefaultRuntime": "runc", "SecurityOptions": options }))
        };
        let newer = told(json!(["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"]));
        assert_eq!(newer.runtime.as_deref(), Some("runc"));
        assert!(newer.own_cgroupns && newer.builtin_seccomp);
        assert!(told(json!(["name=seccomp,profile=default"])).builtin_seccomp);
        for other in [json!(["name=seccomp,profile=/etc/own.json"]), json!([]), json!(null)] {
            let told = told(other);
            assert!(!told.builtin_seccomp && !told.own_cgroupns);
        }
        assert_eq!(defaults(&json!({})), DaemonDefaults::default());
    }

    #[test]
    fn an_exec_that_is_not_told_whole_is_not_known() {
        let mut answer = json!({
            "ContainerID": "c", "OpenStdin": true,
            "ProcessConfig": { "privileged": true, "user": "0", "entrypoint": "sh", "arguments": ["-c", "x"] },
        });
        let seen = exec(&answer).unwrap();
        assert_eq!((seen.container.as_str(), seen.user.as_str()), ("c", "0"));
        assert_eq!(seen.words, ["sh", "-c", "x"]);
        assert!(seen.takes_input && seen.privileged && !seen.tty);
        answer["ProcessConfig"]["privileged"] = json!("no");
        assert_eq!(exec(&answer), None);
        assert_eq!(exec(&json!({ "ContainerID": "c", "OpenStdin": true })), None);
    }

    #[test]
    fn a_container_that_is_not_told_whole_is_not_known() {
        let whole = json!({
            "Id": "c", "Image": "sha256:1", "State": { "Running": true }, "Config": {},
            "Mounts": [
                { "Type": "volume", "Name": "v", "Destination": "/v", "RW": true },
                { "Type": "bind", "Source": "/", "Destination": "/h", "RW": false, "Propagation": "rshared" },
                { "Type": "tmpfs", "Destination": "/t" },
            ],
            "HostConfig": { "Tmpfs": { "/run": "" }, "RestartPolicy": { "Name": "always" } },
        });
        let seen = container(&whole).unwrap();
        let mount = |target: &str| ContainerMount { target: target.into(), ..Default::default() };
        assert_eq!((seen.volumes, seen.running), (vec!["v".to_owned()], true));
        assert_eq!(
            seen.mounts,
            [
                ContainerMount { volume: Some("v".into()), ..mount("/v") },
                ContainerMount {
                    bind: Some("/".into()),
                    read_only: true,
                    shared: true,
                    ..mount("/h")
                },
                ContainerMount { tmpfs: true, ..mount("/t") },
            ]
        );
        assert_eq!((seen.tmpfs, seen.restarts), (vec!["/run".to_owned()], true));
        assert_eq!(container(&json!({ "Id": "c", "Image": "i" })), None);
        assert_eq!(volume(&json!({ "Name": "v" })), None);
    }
}
