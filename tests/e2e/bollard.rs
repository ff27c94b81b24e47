//! bollard's everyday use, told as lines that two runs can be compared by: the third client stack
//! beside Go's and Python's, and the one whose JSON is neither's.

use bollard::Docker;
use bollard::body_full;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, EndpointSettings, ExecConfig, HealthConfig,
    HostConfig, Mount, MountType, NetworkConnectRequest, NetworkCreateRequest,
    NetworkDisconnectRequest, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
    VolumeCreateRequest,
};
use bollard::query_parameters as query;
use futures_util::{Stream, StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// The longest that any one stream may take before the run counts as hanging.
const PATIENCE: Duration = Duration::from_secs(180);

/// Lines with an error's own text where something failed, so that failures are compared too.
pub(crate) async fn everyday(docker: Docker) -> Vec<String> {
    let docker = docker.negotiate_version().await.unwrap();
    let mut told = Vec::new();
    told.push(format!("ping {}", docker.ping().await.unwrap()));
    told.push(format!("version {:?}", docker.version().await.unwrap().version));
    told.push(format!("driver {:?}", docker.info().await.unwrap().driver));
    create(&docker, &mut told).await;
    exec(&docker, &mut told).await;
    state(&docker, &mut told).await;
    images(&docker, &mut told).await;
    clean(&docker, &mut told).await;
    told
}

pub(crate) async fn all<T, E: Display>(
    stream: impl Stream<Item = Result<T, E>>,
) -> Vec<Result<T, String>> {
    let items = stream.map(|item| item.map_err(|error| error.to_string())).collect();
    tokio::time::timeout(PATIENCE, items).await.expect("the stream ends")
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(ToString::to_string).collect())
}

fn one(key: &str, value: &str) -> Option<HashMap<String, String>> {
    Some(HashMap::from([(key.to_owned(), value.to_owned())]))
}

async fn create(docker: &Docker, told: &mut Vec<String>) {
    let network = NetworkCreateRequest {
        name: "b-net".into(),
        internal: Some(true),
        labels: one("l", "m"),
        ..NetworkCreateRequest::default()
    };
    docker.create_network(network).await.unwrap();
    let volume = VolumeCreateRequest {
        name: Some("b-vol".into()),
        labels: one("l", "m"),
        ..VolumeCreateRequest::default()
    };
    told.push(format!("volume {}", docker.create_volume(volume).await.unwrap().name));
    let named = query::CreateContainerOptionsBuilder::new().name("b-web").build();
    docker.create_container(Some(named), body()).await.unwrap();
    docker.start_container("b-web", None).await.unwrap();
    let filters = HashMap::from([("label", vec!["l=m"])]);
    let list = query::ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let names = docker.list_containers(Some(list)).await.unwrap();
    told.push(format!("list {:?}", names.iter().map(|item| &item.names).collect::<Vec<_>>()));
}

fn body() -> ContainerCreateBody {
    let host = HostConfig {
        binds: words(&["b-vol:/data"]),
        mounts: Some(vec![Mount {
            target: Some("/more".into()),
            source: Some("b-more".into()),
            typ: Some(MountType::VOLUME),
            ..Mount::default()
        }]),
        port_bindings: Some(HashMap::from([(
            "80/tcp".to_owned(),
            Some(vec![PortBinding {
                host_ip: Some("127.0.0.1".into()),
                host_port: Some("0".into()),
            }]),
        )])),
        memory: Some(64 << 20),
        pids_limit: Some(50),
        cap_drop: words(&["ALL"]),
        readonly_rootfs: Some(true),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::ON_FAILURE),
            maximum_retry_count: Some(2),
        }),
        tmpfs: one("/tmp", "size=1m"),
        security_opt: words(&["no-new-privileges"]),
        network_mode: Some("b-net".into()),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some("busybox".into()),
        cmd: words(&["sh", "-c", "echo started; exec sleep 600"]),
        env: words(&["A=b"]),
        labels: one("l", "m"),
        exposed_ports: words(&["80/tcp"]),
        healthcheck: Some(HealthConfig {
            test: words(&["CMD", "true"]),
            ..HealthConfig::default()
        }),
        stop_signal: Some("SIGKILL".into()),
        host_config: Some(host),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                "b-net".to_owned(),
                EndpointSettings { aliases: words(&["api"]), ..EndpointSettings::default() },
            )])),
        }),
        ..ContainerCreateBody::default()
    }
}

async fn exec(docker: &Docker, told: &mut Vec<String>) {
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: words(&["sh", "-c", "read line; echo got $line; echo err >&2; exit 3"]),
        env: words(&["X=y"]),
        ..ExecConfig::default()
    };
    let id = docker.create_exec("b-web", config).await.unwrap().id;
    match docker.start_exec(&id, Some(StartExecOptions::default())).await.unwrap() {
        StartExecResults::Attached { output, mut input } => {
            input.write_all(b"words\n").await.unwrap();
            input.shutdown().await.unwrap();
            let mut lines: Vec<_> =
                all(output).await.into_iter().map(|line| format!("{line:?}")).collect();
            lines.sort();
            told.push(format!("exec {lines:?}"));
        }
        StartExecResults::Detached => panic!("the exec was not attached"),
    }
    told.push(format!("exec code {:?}", docker.inspect_exec(&id).await.unwrap().exit_code));
    let config = ExecConfig { cmd: words(&["true"]), ..ExecConfig::default() };
    let id = docker.create_exec("b-web", config).await.unwrap().id;
    let detached = StartExecOptions { detach: true, ..StartExecOptions::default() };
    docker.start_exec(&id, Some(detached)).await.unwrap();
}

async fn state(docker: &Docker, told: &mut Vec<String>) {
    let logs = query::LogsOptionsBuilder::new().stdout(true).stderr(true).tail("1").build();
    told.push(format!("logs {:?}", all(docker.logs("b-web", Some(logs))).await));
    told.push(format!("top {:?}", docker.top_processes("b-web", None).await.unwrap().titles));
    let once = query::StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    told.push(format!("stats {}", all(docker.stats("b-web", Some(once))).await.len()));
    let update = ContainerUpdateBody {
        memory: Some(96 << 20),
        memory_swap: Some(128 << 20),
        ..ContainerUpdateBody::default()
    };
    docker.update_container("b-web", update).await.unwrap();
    docker.pause_container("b-web").await.unwrap();
    docker.unpause_container("b-web").await.unwrap();
    let inspected = docker.inspect_container("b-web", None).await.unwrap();
    told.push(format!("memory {:?}", inspected.host_config.unwrap().memory));
    let tar = archive("x", b"content");
    let into = query::UploadToContainerOptionsBuilder::new().path("/data").build();
    docker.upload_to_container("b-web", Some(into), body_full(tar.into())).await.unwrap();
    let from = query::DownloadFromContainerOptionsBuilder::new().path("/data/x").build();
    let out: Vec<_> =
        docker.download_from_container("b-web", Some(from)).try_collect().await.unwrap();
    told.push(format!("download {}", out.concat().windows(7).any(|window| window == b"content")));
    told.push(format!("missing {:?}", docker.inspect_container("nothing", None).await.map(|_| ())));
    docker.kill_container("b-web", None).await.unwrap();
    told.push(format!("wait {:?}", all(docker.wait_container("b-web", None)).await));
}

async fn images(docker: &Docker, told: &mut Vec<String>) {
    let build = query::BuildImageOptionsBuilder::new().t("b-built:1").rm(true).build();
    let context = archive("Dockerfile", b"FROM busybox\nENV A=b\n");
    let steps = all(docker.build_image(build, None, Some(body_full(context.into())))).await;
    told.push(format!("build {}", steps.iter().all(Result::is_ok)));
    let commit =
        query::CommitContainerOptionsBuilder::new().container("b-web").repo("b-committed").build();
    docker.commit_container(commit, bollard::models::ContainerConfig::default()).await.unwrap();
    let tag = query::TagImageOptionsBuilder::new().repo("b-tagged").tag("1").build();
    docker.tag_image("b-built:1", Some(tag)).await.unwrap();
    let saved: Vec<_> = docker.export_image("b-built:1").try_collect().await.unwrap();
    let import = query::ImportImageOptionsBuilder::new().quiet(true).build();
    let loaded = all(docker.import_image(import, body_full(saved.concat().into()), None)).await;
    told.push(format!("load {}", loaded.iter().all(Result::is_ok)));
    for name in ["b-built:1", "b-tagged:1", "b-committed"] {
        let gone =
            docker.remove_image(name, None::<query::RemoveImageOptions>, None).await.unwrap();
        told.push(format!("rmi {name} {}", !gone.is_empty()));
    }
}

async fn clean(docker: &Docker, told: &mut Vec<String>) {
    let leave = NetworkDisconnectRequest { container: "b-web".into(), force: Some(true) };
    docker.disconnect_network("b-net", leave).await.unwrap();
    let join = NetworkConnectRequest { container: "b-web".into(), endpoint_config: None };
    docker.connect_network("b-net", join).await.unwrap();
    let force = query::RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    docker.remove_container("b-web", Some(force)).await.unwrap();
    docker.remove_network("b-net").await.unwrap();
    for volume in ["b-vol", "b-more"] {
        docker.remove_volume(volume, None::<query::RemoveVolumeOptions>).await.unwrap();
    }
    let filters = HashMap::from([("label", vec!["l=m"])]);
    let prune = query::PruneContainersOptionsBuilder::new().filters(&filters).build();
    let pruned = docker.prune_containers(Some(prune)).await.unwrap();
    told.push(format!("prune {:?}", pruned.space_reclaimed));
}

/// A tar archive with one plain file: header and content in blocks of 512 bytes.
pub(crate) fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = [header.as_slice(), content].concat();
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}
