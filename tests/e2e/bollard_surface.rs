//! bollard's whole surface, one line per call, beside the everyday use in `bollard.rs`.

use super::bollard_client::{all, archive};
use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::container::CreateCheckpointOptions;
use bollard::models::{SwarmSpec, TaskSpec};
use bollard::query_parameters as query;
use bollard::{body_full, body_stream};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// The longest that one call, or one condition, may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A registry that refuses at once.
const NOWHERE: &str = "localhost:1/none";

/// Every public method of `bollard::Docker` that makes a request, written down from the `pub fn`s of the
/// `impl Docker` blocks in the source of bollard 0.21.1, without those of features not in Cargo.toml. Constructors, settings and
/// `negotiate_version` (which is `version`) are not among them.
const METHODS: &str = "
    attach_container build_image commit_container connect_network container_changes create_checkpoint
    create_config create_container create_exec create_image create_network create_plugin create_secret
    create_service create_volume delete_checkpoint delete_config delete_node delete_secret delete_service
    df disable_plugin disconnect_network download_from_container enable_plugin events export_container
    export_image export_images get_container_archive_info get_plugin_privileges image_history import_image
    import_image_stream info init_swarm inspect_config inspect_container inspect_exec inspect_image
    inspect_network inspect_node inspect_plugin inspect_registry_image inspect_secret inspect_service
    inspect_swarm inspect_task inspect_volume install_plugin join_swarm kill_container leave_swarm
    list_checkpoints list_configs list_containers list_images list_networks list_nodes list_plugins
    list_secrets list_services list_tasks list_volumes logs pause_container ping prune_build
    prune_containers prune_images prune_networks prune_volumes push_image push_plugin remove_container
    remove_image remove_network remove_plugin remove_volume rename_container resize_container_tty
    resize_exec restart_container search_images service_logs set_plugin_config start_container start_exec
    stats stop_container tag_image task_logs top_processes unpause_container update_config update_container
    update_node update_secret update_service update_swarm upgrade_plugin upload_to_container
    upload_to_container_streaming version wait_container
";

/// Methods behind features that this test does not build with, and why.
const NOT_DRIVEN: [(&str, &str); 1] =
    [("attach_container_websocket", "feature websocket; it asks for the attach/ws endpoint")];

/// What was called and what came back.
struct Told {
    lines: Vec<String>,
    called: BTreeSet<&'static str>,
}

impl Told {
    fn add<T>(
        &mut self,
        name: &'static str,
        result: Result<T, impl Display>,
        show: impl Fn(T) -> String,
    ) {
        self.called.insert(name);
        let count =
            self.lines.iter().filter(|line| line.split(' ').next() == Some(name)).count() + 1;
        let text = match result {
            Ok(value) => show(value),
            Err(error) => format!("error {error}"),
        };
        self.lines.push(format!("{name} {count}: {}", masked(&text)));
    }
}

/// Without what is drawn: ids, and words of 25 characters.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            word.push(letter);
            continue;
        }
        let hex = word.len() >= 12 && word.chars().all(|letter| letter.is_ascii_hexdigit());
        out.push_str(if hex || word.len() == 25 { "ID" } else { &word });
        word.clear();
        out.push(letter);
    }
    out.trim_end().to_owned()
}

/// The keys of an answer, and the kinds of its leaves.
fn shape(value: impl Serialize) -> String {
    fn of(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(key, field)| (masked(key), of(field))).collect()
            }
            Value::Array(items) => items
                .iter()
                .map(of)
                .map(|item| item.to_string())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            Value::Bool(value) => json!(value),
            Value::Null => Value::Null,
            Value::Number(_) => json!("number"),
            Value::String(_) => json!("text"),
        }
    }
    of(&serde_json::to_value(value).unwrap()).to_string()
}

/// A model from what it is as JSON.
fn model<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Calls one method and tells the shape of what came back.
macro_rules! one {
    ($told:ident, $docker:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let result = tokio::time::timeout(PATIENCE, $docker.$method($($argument),*)).await;
        let result = result.expect("the call ends");
        $told.add(stringify!($method), result.as_ref(), |value| shape(value));
        result
    }};
}

/// Calls one method whose answer is a stream, and tells what came and how it ended.
macro_rules! many {
    ($told:ident, $docker:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let items = all($docker.$method($($argument),*)).await;
        let failed: Vec<_> = items.iter().filter_map(|item| item.as_ref().err()).collect();
        let some = items.iter().any(Result::is_ok);
        $told.add(stringify!($method), Ok::<_, String>((some, failed)), |(some, failed)| format!("{some} {failed:?}"));
        items
    }};
}

/// Everything that `everyday` has not called, told.
pub(crate) async fn surface(docker: Docker) -> Vec<String> {
    let docker = docker.negotiate_version().await.unwrap();
    let mut told = Told { lines: Vec::new(), called: BTreeSet::new() };
    system(&docker, &mut told).await;
    images(&docker, &mut told).await;
    containers(&docker, &mut told).await;
    storage(&docker, &mut told).await;
    plugins(&docker, &mut told).await;
    swarm(&docker, &mut told).await;
    complete(&told.called);
    told.lines
}

/// Every method is called here, or in the everyday use.
fn complete(called: &BTreeSet<&'static str>) {
    let everyday = include_str!("bollard.rs").replace(char::is_whitespace, "");
    let listed: BTreeSet<_> = METHODS.split_whitespace().collect();
    let unlisted: Vec<_> = called.difference(&listed).collect();
    assert!(unlisted.is_empty(), "called, but not listed: {unlisted:?}");
    let never: Vec<_> = listed
        .difference(called)
        .filter(|name| !everyday.contains(&format!("docker.{name}(")))
        .collect();
    assert!(never.is_empty(), "listed, but never called: {never:?}");
    assert!(NOT_DRIVEN.iter().all(|(name, why)| !listed.contains(name) && !why.is_empty()));
}

async fn system(docker: &Docker, told: &mut Told) {
    let _ = one!(told, docker.df(None));
    let verbose = query::DataUsageOptionsBuilder::new().verbose(true).build();
    let _ = one!(told, docker.df(Some(verbose)));
    let window = query::EventsOptionsBuilder::new().since("1").until("2").build();
    many!(told, docker.events(Some(window)));
    let search = query::SearchImagesOptionsBuilder::new().term(NOWHERE).limit(3).build();
    let _ = one!(told, docker.search_images(search));
}

fn credentials() -> Option<DockerCredentials> {
    Some(DockerCredentials {
        username: Some("u".into()),
        password: Some("p".into()),
        ..DockerCredentials::default()
    })
}

async fn images(docker: &Docker, told: &mut Told) {
    let list = query::ListImagesOptionsBuilder::new().all(true).digests(true).build();
    let _ = one!(told, docker.list_images(Some(list)));
    let _ = one!(told, docker.inspect_image("busybox"));
    let _ = one!(told, docker.image_history("busybox"));
    let _ = one!(told, docker.inspect_registry_image(NOWHERE, credentials()));
    let pull = query::CreateImageOptionsBuilder::new()
        .from_image(NOWHERE)
        .tag("1")
        .platform("linux/amd64")
        .build();
    many!(told, docker.create_image(Some(pull), None, credentials()));
    for (repo, changes) in [("b-made", vec!["CMD sh"]), ("b-two", vec!["CMD sh", "ENV A=b"])] {
        let import = query::CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(repo)
            .tag("1")
            .message("note")
            .changes(changes.into_iter().map(str::to_owned).collect())
            .build();
        let tree = Some(body_full(archive("x", b"y").into()));
        many!(told, docker.create_image(Some(import), tree, None));
    }
    // Whether it was made is told above.
    let _ = docker.remove_image("b-two:1", None::<query::RemoveImageOptions>, None).await;
    let push = query::PushImageOptionsBuilder::new().tag("1").build();
    many!(told, docker.push_image(NOWHERE, Some(push), credentials()));
    let saved: Vec<u8> = many!(told, docker.export_images(&["busybox", "b-made:1"]))
        .into_iter()
        .filter_map(Result::ok)
        .flatten()
        .collect();
    let load = || query::ImportImageOptionsBuilder::new().quiet(false).build();
    let pieces = saved
        .chunks(1 << 16)
        .map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(piece)));
    let pieces = stream::iter(pieces.collect::<Vec<_>>());
    many!(told, docker.import_image_stream(load(), pieces, None));
    let build = query::BuildImageOptionsBuilder::new()
        .t("b-whole:1")
        .dockerfile("Dockerfile")
        .extrahosts("name:10.0.0.1")
        .nocache(true)
        .cachefrom(&vec!["busybox"])
        .rm(true)
        .forcerm(true)
        .memory(64 << 20)
        .memswap(128 << 20)
        .cpushares(512)
        .cpusetcpus("0")
        .buildargs(&[("A", "b")].into())
        .shmsize(1 << 20)
        .labels(&[("l", "m")].into())
        .networkmode("none")
        .platform("linux/amd64")
        .build();
    let context = archive("Dockerfile", b"FROM busybox\nARG A\nRUN echo $A >/arg\n");
    many!(told, docker.build_image(build, None, Some(body_full(context.into()))));
    for name in ["b-made:1", "b-whole:1"] {
        let gone = docker.remove_image(name, None::<query::RemoveImageOptions>, None).await;
        told.add("remove_image", gone, |gone| (!gone.is_empty()).to_string());
    }
    let all = query::PruneBuildOptionsBuilder::new()
        .all(true)
        .filters(&[("until", vec!["1h"])].into())
        .build();
    let _ = one!(told, docker.prune_build(Some(all)));
    let dangling = query::PruneImagesOptionsBuilder::new()
        .filters(&[("dangling", vec!["true"])].into())
        .build();
    let _ = one!(told, docker.prune_images(Some(dangling)));
}

#[expect(deprecated, reason = "what is deprecated is still sent")]
async fn containers(docker: &Docker, told: &mut Told) {
    let named = |name: &str| {
        Some(query::CreateContainerOptionsBuilder::new().name(name).platform("linux/amd64").build())
    };
    let body = json!({ "Image": "busybox", "Cmd": ["cat"], "Tty": true, "OpenStdin": true, "StopSignal": "SIGKILL" });
    let _ = one!(told, docker.create_container(named("b-tty"), model(body)));
    let _ = one!(told, docker.start_container("b-tty", None));
    let size = query::ResizeContainerTTYOptionsBuilder::new().h(24).w(80).build();
    let _ = one!(told, docker.resize_container_tty("b-tty", size));
    let attach = query::AttachContainerOptionsBuilder::new()
        .stream(true)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .logs(true)
        .detach_keys("ctrl-a,a")
        .build();
    match docker.attach_container("b-tty", Some(attach)).await {
        Ok(mut attached) => {
            tokio::io::AsyncWriteExt::write_all(&mut attached.input, b"words\n").await.unwrap();
            let first = tokio::time::timeout(PATIENCE, attached.output.next()).await.unwrap();
            told.add("attach_container", first.unwrap(), |_| "something".to_owned());
        }
        Err(error) => told.add("attach_container", Err::<(), _>(error), |()| String::new()),
    }
    let exec = json!({ "Cmd": ["cat"], "Tty": true, "AttachStdin": true, "AttachStdout": true });
    let exec =
        docker.create_exec("b-tty", model::<bollard::models::ExecConfig>(exec)).await.unwrap().id;
    let running = docker.start_exec(&exec, None).await.unwrap();
    until("the exec runs", || async {
        docker.inspect_exec(&exec).await.unwrap().running == Some(true)
    })
    .await;
    let size = query::ResizeExecOptionsBuilder::new().h(24).w(80).build();
    let _ = one!(told, docker.resize_exec(&exec, size));
    drop(running);
    let _ = one!(told, docker.container_changes("b-tty"));
    let path = query::ContainerArchiveInfoOptionsBuilder::new().path("/etc/passwd").build();
    let info = docker.get_container_archive_info("b-tty", Some(path)).await;
    told.add("get_container_archive_info", info, |info| {
        format!("{info:?}").contains("passwd").to_string()
    });
    let into = query::UploadToContainerOptionsBuilder::new()
        .path("/tmp")
        .no_overwrite_dir_non_dir("true")
        .build();
    let pieces = stream::iter([bytes::Bytes::from(archive("x", b"y"))]);
    let _ = one!(told, docker.upload_to_container_streaming("b-tty", Some(into), pieces));
    let into = query::UploadToContainerOptionsBuilder::new().path("/tmp").build();
    let body = body_stream(stream::iter([bytes::Bytes::from(archive("x", b"y"))]));
    let _ = one!(told, docker.upload_to_container("b-tty", Some(into), body));
    many!(told, docker.export_container("b-tty"));
    let name = query::RenameContainerOptionsBuilder::new().name("b-named").build();
    let _ = one!(told, docker.rename_container("b-tty", name));
    let point =
        CreateCheckpointOptions { checkpoint_id: "c".into(), checkpoint_dir: None, exit: false };
    let made = docker.create_checkpoint("b-named", point).await;
    // The daemon's words hold paths and a process of its own.
    told.add(
        "create_checkpoint",
        made.map_err(|error| error.to_string().chars().take(60).collect::<String>()),
        |()| "made".into(),
    );
    let listed = docker.list_checkpoints("b-named", None).await;
    told.add("list_checkpoints", listed, |all| all.len().to_string());
    let _ = one!(told, docker.delete_checkpoint("b-named", "c", None));
    let at_once = query::RestartContainerOptionsBuilder::new().t(0).build();
    let _ = one!(told, docker.restart_container("b-named", Some(at_once)));
    let at_once = query::StopContainerOptionsBuilder::new().t(0).build();
    let _ = one!(told, docker.stop_container("b-named", Some(at_once)));
    let force = query::RemoveContainerOptionsBuilder::new().force(true).build();
    let _ = one!(told, docker.remove_container("b-named", Some(force)));
}

async fn storage(docker: &Docker, told: &mut Told) {
    let network = json!({ "Name": "b-all", "Driver": "bridge", "Internal": true, "Attachable": true,
        "EnableIPv6": false, "IPAM": { "Driver": "default", "Config": [{ "Subnet": "10.98.0.0/24",
        "IPRange": "10.98.0.0/25", "Gateway": "10.98.0.254" }], "Options": { "k": "v" } },
        "Options": { "com.docker.network.bridge.name": "b0" }, "Labels": { "l": "m" } });
    let _ = one!(told, docker.create_network(model(network)));
    let _ = one!(told, docker.list_networks(None));
    let verbose = query::InspectNetworkOptionsBuilder::new().verbose(true).scope("local").build();
    let _ = one!(told, docker.inspect_network("b-all", Some(verbose)));
    let label =
        query::PruneNetworksOptionsBuilder::new().filters(&[("label", vec!["l=m"])].into()).build();
    let _ = one!(told, docker.prune_networks(Some(label)));
    let volume = json!({ "Name": "b-all", "Driver": "local", "DriverOpts": { "type": "tmpfs", "device": "tmpfs" }, "Labels": { "l": "m" } });
    let _ = one!(told, docker.create_volume(model::<bollard::models::VolumeCreateRequest>(volume)));
    let _ = one!(told, docker.list_volumes(None::<query::ListVolumesOptions>));
    let _ = one!(told, docker.inspect_volume("b-all"));
    let label =
        query::PruneVolumesOptionsBuilder::new().filters(&[("label", vec!["l=m"])].into()).build();
    let _ = one!(told, docker.prune_volumes(Some(label)));
}

async fn plugins(docker: &Docker, told: &mut Told) {
    let _ = one!(told, docker.list_plugins(None));
    let name = query::CreatePluginOptionsBuilder::new().name("b-plugin").build();
    let _ = one!(told, docker.create_plugin(name, body_full(archive("x", b"no plugin").into())));
    let _ = one!(told, docker.inspect_plugin("b-plugin"));
    let _ = one!(told, docker.set_plugin_config("b-plugin", vec!["DEBUG=1".into()]));
    let timeout = query::EnablePluginOptionsBuilder::new().timeout(1).build();
    let _ = one!(told, docker.enable_plugin("b-plugin", Some(timeout)));
    let _ = one!(told, docker.disable_plugin("b-plugin", None));
    let remote = query::GetPluginPrivilegesOptionsBuilder::new().remote(NOWHERE).build();
    let _ = one!(told, docker.get_plugin_privileges(remote));
    let may = || vec![model(json!({ "Name": "network", "Description": "", "Value": ["host"] }))];
    let remote = query::InstallPluginOptionsBuilder::new().remote(NOWHERE).name("b-pulled").build();
    many!(told, docker.install_plugin(remote, may(), credentials()));
    let remote = query::UpgradePluginOptionsBuilder::new().remote(NOWHERE).build();
    let _ = one!(told, docker.upgrade_plugin("b-plugin", remote, may(), credentials()));
    let _ = one!(told, docker.push_plugin("b-plugin", credentials()));
    let _ = one!(told, docker.remove_plugin("b-plugin", None));
}

/// Waits for a condition that no call waits for by itself.
async fn until<F: Future<Output = bool>>(what: &str, found: impl Fn() -> F) {
    let start = Instant::now();
    while !found().await {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn swarm(docker: &Docker, told: &mut Told) {
    let _ = one!(told, docker.inspect_swarm());
    let init = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1", "DataPathAddr": "127.0.0.1",
        "DataPathPort": 4790, "DefaultAddrPool": ["10.88.0.0/16"], "SubnetSize": 24, "ForceNewCluster": false,
        "Spec": { "Orchestration": { "TaskHistoryRetentionLimit": 5 }, "Labels": { "l": "m" } } });
    let _ = one!(told, docker.init_swarm(model(init)));
    let join = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1", "RemoteAddrs": ["127.0.0.1:1"], "JoinToken": "x" });
    let _ = one!(told, docker.join_swarm(model(join)));
    let swarm = one!(told, docker.inspect_swarm()).unwrap();
    let index = swarm.version.unwrap().index.unwrap();
    let rotate = query::UpdateSwarmOptionsBuilder::new()
        .version(i64::try_from(index).unwrap())
        .rotate_worker_token(true)
        .rotate_manager_token(true)
        .build();
    let spec: SwarmSpec = swarm.spec.unwrap();
    let _ = one!(told, docker.update_swarm(spec, rotate));
    let leads = || async {
        let nodes = docker.list_nodes(None).await.unwrap();
        nodes.iter().any(|node| shape(node).contains("Leader"))
    };
    until("the node leads", leads).await;
    let node = one!(told, docker.list_nodes(None)).unwrap().remove(0).id.unwrap();
    let _ = one!(told, docker.inspect_node(&node));
    let spec = json!({ "Role": "manager", "Availability": "active", "Labels": { "l": "m" } });
    let old = query::UpdateNodeOptionsBuilder::new().version(1).build();
    let _ = one!(told, docker.update_node(&node, model(spec), old));
    let force = query::DeleteNodeOptionsBuilder::new().force(true).build();
    let _ = one!(told, docker.delete_node("nothing", Some(force)));
    stored(docker, told).await;
    services(docker, told).await;
    let force = query::LeaveSwarmOptionsBuilder::new().force(true).build();
    let _ = one!(told, docker.leave_swarm(Some(force)));
}

async fn stored(docker: &Docker, told: &mut Told) {
    let spec = |labels: Value| json!({ "Name": "b-kept", "Data": "c2VjcmV0", "Labels": labels });
    let id = one!(told, docker.create_secret(model(spec(json!({ "l": "m" }))))).unwrap().id;
    let _ = one!(told, docker.list_secrets(None));
    let version = one!(told, docker.inspect_secret(&id)).unwrap().version.unwrap().index.unwrap();
    let version = i64::try_from(version).unwrap();
    let options = query::UpdateSecretOptionsBuilder::new().version(version).build();
    let _ = one!(
        told,
        docker.update_secret(
            "b-kept",
            model(json!({ "Name": "b-kept", "Labels": { "n": "o" } })),
            options
        )
    );
    let _ = one!(told, docker.delete_secret(&id));
    let id = one!(told, docker.create_config(model(spec(json!({ "l": "m" }))))).unwrap().id;
    let _ = one!(told, docker.list_configs(None));
    let version = one!(told, docker.inspect_config(&id)).unwrap().version.unwrap().index.unwrap();
    let version = i64::try_from(version).unwrap();
    let options = query::UpdateConfigOptionsBuilder::new().version(version).build();
    let _ = one!(told, docker.update_config("b-kept", model(spec(json!({ "n": "o" }))), options));
    let _ = one!(told, docker.delete_config(&id));
}

async fn services(docker: &Docker, told: &mut Told) {
    let task: TaskSpec = model(json!({
        "ContainerSpec": { "Image": "busybox", "Command": ["sh", "-c"], "Args": ["echo started; exec sleep 600"],
            "Labels": { "l": "m" }, "Env": ["A=b"], "Dir": "/tmp", "User": "0", "Groups": ["1000"], "TTY": false,
            "ReadOnly": false, "StopSignal": "SIGKILL", "StopGracePeriod": 1_000_000_000, "Init": true,
            "Mounts": [{ "Type": "volume", "Source": "b-service", "Target": "/data" }], "Hosts": ["10.0.0.1 name"],
            "DNSConfig": { "Nameservers": ["127.0.0.1"], "Search": ["example.org"], "Options": ["ndots:1"] },
            "Isolation": "default", "CapabilityAdd": ["NET_ADMIN"], "Ulimits": [{ "Name": "nofile", "Soft": 1024, "Hard": 2048 }] },
        "Resources": { "Limits": { "NanoCPUs": 500_000_000, "MemoryBytes": 67_108_864, "Pids": 50 }, "Reservations": { "MemoryBytes": 16_777_216 } },
        "RestartPolicy": { "Condition": "any", "Delay": 1_000_000_000, "MaxAttempts": 3 },
        "Placement": { "Constraints": ["node.role==manager"], "Preferences": [{ "Spread": { "SpreadDescriptor": "node.labels.l" } }] },
        "LogDriver": { "Name": "json-file", "Options": { "max-size": "1m" } }
    }));
    let spec = |replicas: u8| {
        json!({ "Name": "b-service", "Labels": { "l": "m" }, "TaskTemplate": task,
        "Mode": { "Replicated": { "Replicas": replicas } },
        "UpdateConfig": { "Parallelism": 1, "Delay": 0, "FailureAction": "pause", "Monitor": 1_000_000_000, "MaxFailureRatio": 0.5, "Order": "stop-first" },
        "RollbackConfig": { "Parallelism": 1, "FailureAction": "pause", "Order": "stop-first" }, "EndpointSpec": { "Mode": "dnsrr" } })
    };
    if one!(told, docker.create_service(model(spec(1)), credentials())).is_err() {
        // So that the calls below have a service even where that one was refused.
        let plain = docker.clone().with_request_modifier(|mut request| {
            let json = http::HeaderValue::from_static("application/json");
            request.headers_mut().insert(http::header::CONTENT_TYPE, json);
            request
        });
        plain.create_service(model(spec(1)), None).await.unwrap();
    }
    let _ = one!(told, docker.list_services(None));
    let full = query::InspectServiceOptionsBuilder::new().insert_defaults(true).build();
    let _ = one!(told, docker.inspect_service("b-service", Some(full)));
    let running = || async {
        let tasks = docker.list_tasks(None).await.unwrap();
        tasks.iter().any(|task| format!("{:?}", task.status).contains("state: Some(RUNNING)"))
    };
    until("a task runs", running).await;
    let task = one!(told, docker.list_tasks(None)).unwrap().remove(0).id.unwrap();
    let _ = one!(told, docker.inspect_task(&task));
    let logs = || query::LogsOptionsBuilder::new().stdout(true).tail("5").build();
    let logged = || async { !all(docker.service_logs("b-service", Some(logs()))).await.is_empty() };
    until("it is logged", logged).await;
    many!(told, docker.service_logs("b-service", Some(logs())));
    many!(told, docker.task_logs(&task, Some(logs())));
    let version =
        docker.inspect_service("b-service", None).await.unwrap().version.unwrap().index.unwrap();
    let version =
        query::UpdateServiceOptionsBuilder::new().version(i32::try_from(version).unwrap()).build();
    let _ = one!(told, docker.update_service("b-service", model(spec(0)), version, credentials()));
    let _ = one!(told, docker.delete_service("b-service"));
}
