//! The rows. Where several have one method and path, the row that is left comes last.

use super::row::{delete, flag, get, head, int, json, never, post, put, switch, text};
use crate::docker::route::{Param, When};
use crate::docker::{BodyKind, Hijack, Method, Resource, Route, Verb};

use Resource::{
    Build, Config, Container, Debug, Image, Network, Node, Nothing, Plugin, Registry, Secret,
    Service, Swarm, System, Task, Volume,
};

const AUTH: &[&str] = &["x-registry-auth"];
const FILTERS: &[Param] = &[json("filters")];
const VERSION: &[Param] = &[int("version")];
const FORCE: &[Param] = &[flag("force")];
const SIZE: &[Param] = &[int("h"), int("w")];
const STOP: &[Param] = &[int("t"), text("signal")];
/// The platform as a JSON object; where images are made it is `os/arch` as text.
const PLATFORM: &[Param] = &[json("platform")];
const LOGS: &[Param] = &[
    flag("follow"),
    flag("stdout"),
    flag("stderr"),
    text("since"),
    text("until"),
    flag("timestamps"),
    text("tail"),
    flag("details"),
];
const ATTACH: &[Param] = &[
    flag("logs"),
    flag("stream"),
    flag("stdin"),
    flag("stdout"),
    flag("stderr"),
    text("detachKeys"),
];
/// No query key of `POST /images/create` but these three is judged. `fromImage` wins over `fromSrc`.
const PULL: &[Param] = &[
    text("fromImage"),
    text("tag"),
    text("platform"),
    text("fromSrc").guarded(),
    text("repo").guarded(),
    text("message").guarded(),
    text("changes").many().guarded(),
];
const IMPORT: &[Param] = &[
    text("fromSrc").guarded(),
    text("repo").guarded(),
    text("tag").guarded(),
    text("message").guarded(),
    text("changes").many().guarded(),
    text("platform"),
    text("fromImage"),
];
/// Guarded is what reaches beyond the build's own containers or writes a name.
const BUILD: &[Param] = &[
    text("dockerfile"),
    text("t").many().guarded(),
    text("extrahosts").many().guarded(),
    text("remote").guarded(),
    flag("q"),
    flag("nocache"),
    json("cachefrom").guarded(),
    flag("pull"),
    switch("rm"),
    flag("forcerm"),
    int("memory"),
    int("memswap"),
    int("cpushares"),
    text("cpusetcpus"),
    text("cpusetmems"),
    int("cpuperiod"),
    int("cpuquota"),
    json("buildargs"),
    int("shmsize"),
    flag("squash").guarded(),
    json("labels"),
    text("networkmode").guarded_but("default"),
    text("cgroupparent").guarded(),
    json("ulimits").guarded(),
    text("securityopt").many().guarded(),
    text("isolation").guarded(),
    text("platform"),
    text("target"),
    json("outputs").guarded(),
    text("session").guarded(),
    text("buildid").guarded(),
    // A version that nobody has heard of yet is not classic.
    text("version").guarded_but("1"),
];
const CONFIG_HEADER: &[&str] = &["x-registry-config"];
const SESSION_HEADERS: &[&str] = &[
    "x-docker-expose-session-uuid",
    "x-docker-expose-session-name",
    "x-docker-expose-session-sharedkey",
    "x-docker-expose-session-grpc-method",
];
const WEBSOCKET_HEADERS: &[&str] =
    &["sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"];
const DEBUG: &[Param] = &[int("debug"), int("seconds"), int("gc")];

/// Every endpoint of the API, one row each, and a row for each meaning where one has several.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    // The system.
    get("/_ping", "SystemPing", System, Verb::Ping),
    // 1.39 documents HEAD; clients that negotiate send it before they know any version.
    head("/_ping", "SystemPingHead", System, Verb::Ping),
    get("/version", "SystemVersion", System, Verb::Version),
    get("/info", "SystemInfo", System, Verb::Info),
    get("/events", "SystemEvents", System, Verb::Events).streams()
        .query(&[text("since"), text("until"), json("filters")]),
    get("/system/df", "SystemDataUsage", System, Verb::Df).since(25)
        .query(&[text("type").many(), flag("verbose")]),

    // Containers.
    get("/containers/json", "ContainerList", Container, Verb::List)
        .query(&[flag("all"), int("limit"), flag("size"), text("since"), text("before"), json("filters")]),
    post("/containers/create", "ContainerCreate", Container, Verb::Create)
        .body(BodyKind::ContainerCreate).query(&[text("name"), text("platform")]),
    get("/containers/{id}/json", "ContainerInspect", Container, Verb::Inspect).query(&[flag("size")]),
    // The arguments go to a `ps` that runs on the host as root.
    get("/containers/{id}/top", "ContainerTop", Container, Verb::Top).query(&[text("ps_args").guarded()]),
    get("/containers/{id}/logs", "ContainerLogs", Container, Verb::Logs).streams().query(LOGS),
    get("/containers/{id}/changes", "ContainerChanges", Container, Verb::Changes),
    get("/containers/{id}/export", "ContainerExport", Container, Verb::Export).streams(),
    get("/containers/{id}/stats", "ContainerStats", Container, Verb::Stats).streams()
        .query(&[switch("stream"), flag("one-shot")]),
    post("/containers/{id}/resize", "ContainerResize", Container, Verb::Resize).query(SIZE),
    post("/containers/{id}/start", "ContainerStart", Container, Verb::Start)
        .query(&[text("detachKeys"), text("checkpoint").guarded(), text("checkpoint-dir").guarded()]),
    post("/containers/{id}/stop", "ContainerStop", Container, Verb::Stop).query(STOP),
    post("/containers/{id}/restart", "ContainerRestart", Container, Verb::Restart).query(STOP),
    post("/containers/{id}/kill", "ContainerKill", Container, Verb::Kill).query(&[text("signal")]),
    post("/containers/{id}/update", "ContainerUpdate", Container, Verb::Update).json(),
    post("/containers/{id}/rename", "ContainerRename", Container, Verb::Rename).query(&[text("name")]),
    post("/containers/{id}/pause", "ContainerPause", Container, Verb::Pause),
    post("/containers/{id}/unpause", "ContainerUnpause", Container, Verb::Unpause),
    post("/containers/{id}/attach", "ContainerAttach", Container, Verb::Attach)
        .hijack(Hijack::Attach).query(ATTACH),
    get("/containers/{id}/attach/ws", "ContainerAttachWebsocket", Container, Verb::Attach)
        .hijack(Hijack::WebSocket).query(ATTACH).headers(WEBSOCKET_HEADERS),
    post("/containers/{id}/wait", "ContainerWait", Container, Verb::Wait).waits()
        .query(&[text("condition")]),
    delete("/containers/{id}", "ContainerDelete", Container, Verb::Delete)
        .query(&[flag("v"), flag("force"), flag("link")]),
    get("/containers/{id}/archive", "ContainerArchive", Container, Verb::CopyOut).streams()
        .query(&[text("path")]),
    head("/containers/{id}/archive", "ContainerArchiveInfo", Container, Verb::CopyOut)
        .query(&[text("path")]),
    // Whoever writes into a privileged container runs code in it.
    put("/containers/{id}/archive", "PutContainerArchive", Container, Verb::CopyIn).opaque().root()
        .query(&[text("path"), flag("noOverwriteDirNonDir"), flag("copyUIDGID")]),
    post("/containers/prune", "ContainerPrune", Container, Verb::Prune).since(25).query(FILTERS),
    never(Method::Post, "/containers/{id}/copy", "ContainerCopy", Container),
    post("/containers/{id}/exec", "ContainerExec", Container, Verb::Exec).body(BodyKind::ExecCreate),
    post("/exec/{exec}/start", "ExecStart", Container, Verb::Exec)
        .body(BodyKind::ExecStart).hijack(Hijack::ExecStart),
    post("/exec/{exec}/resize", "ExecResize", Container, Verb::Exec).query(SIZE),
    get("/exec/{exec}/json", "ExecInspect", Container, Verb::Exec),
    // A checkpoint directory is any directory of the host, written and deleted as root.
    get("/containers/{id}/checkpoints", "CheckpointList", Container, Verb::Checkpoint)
        .since(25).dagger().query(&[text("dir").guarded()]),
    post("/containers/{id}/checkpoints", "CheckpointCreate", Container, Verb::Checkpoint)
        .since(25).json().dagger().root(),
    delete("/containers/{id}/checkpoints/{checkpoint}", "CheckpointDelete", Container, Verb::Checkpoint)
        .since(25).dagger().root().query(&[text("dir").guarded()]),

    // Images.
    get("/images/json", "ImageList", Image, Verb::List).query(&[
        flag("all"), json("filters"), text("filter"), flag("digests"), flag("shared-size"),
        flag("manifests"), flag("identity"),
    ]),
    get("/images/{name...}/json", "ImageInspect", Image, Verb::Inspect)
        .query(&[flag("manifests"), json("platform")]),
    get("/images/{name...}/history", "ImageHistory", Image, Verb::Inspect).query(PLATFORM),
    get("/images/{name...}/attestations", "ImageAttestations", Image, Verb::Inspect).since(55)
        .query(&[json("platform").many(), text("type").many(), flag("statement")]),
    get("/images/get", "ImageGetAll", Image, Verb::Save).streams()
        .query(&[text("names").many(), json("platform").many()]),
    get("/images/{name...}/get", "ImageGet", Image, Verb::Save).streams()
        .query(&[json("platform").many()]),
    post("/images/create", "ImageCreate", Image, Verb::Pull).streams()
        .when(When::QuerySet("fromImage")).query(PULL).headers(AUTH),
    post("/images/create", "ImageCreate", Image, Verb::Import).opaque().dagger().query(IMPORT),
    post("/images/load", "ImageLoad", Image, Verb::Load).opaque().dagger()
        .query(&[switch("quiet"), json("platform").many()]),
    // Up to 28.0 the credentials may be the body; docker-py always sends `{}`.
    post("/images/{name...}/push", "ImagePush", Image, Verb::Push).streams()
        .body(BodyKind::Json { optional: true })
        .query(&[text("tag").guarded(), json("platform")]).headers(AUTH),
    post("/images/{name...}/tag", "ImageTag", Image, Verb::Tag)
        .query(&[text("repo").guarded(), text("tag").guarded()]),
    post("/commit", "ImageCommit", Image, Verb::Commit).body(BodyKind::Json { optional: true }).query(&[
        text("container"), switch("pause"), text("repo").guarded(), text("tag").guarded(),
        text("comment").guarded(), text("author").guarded(), text("changes").many().guarded(),
    ]),
    delete("/images/{name...}", "ImageDelete", Image, Verb::Delete)
        .query(&[flag("force"), flag("noprune"), json("platforms").many()]),
    post("/images/prune", "ImagePrune", Image, Verb::Prune).since(25).query(FILTERS),

    // Registries: the daemon calls the host that the request names.
    post("/auth", "SystemAuth", Registry, Verb::Login).json(),
    get("/images/search", "ImageSearch", Registry, Verb::Search).headers(AUTH)
        .query(&[text("term").guarded(), int("limit"), json("filters")]),
    get("/distribution/{name...}/json", "DistributionInspect", Registry, Verb::Resolve)
        .since(30).headers(AUTH),

    // Builds. BuildKit's own API is open to nobody's judgement.
    post("/build", "ImageBuild", Build, Verb::Buildkit).opaque().dagger().root()
        .when(When::QueryIs("version", "2")).query(BUILD).headers(CONFIG_HEADER),
    post("/build", "ImageBuild", Build, Verb::Buildkit).opaque().dagger().root()
        .when(When::QueryIs("remote", "client-session")).query(BUILD).headers(CONFIG_HEADER),
    post("/build", "ImageBuild", Build, Verb::Create).opaque().query(BUILD).headers(CONFIG_HEADER),
    post("/build/prune", "BuildPrune", Build, Verb::Prune).since(31).dagger().query(&[
        flag("all"), json("filters"), int("keep-storage"), int("reserved-space"),
        int("max-used-space"), int("min-free-space"),
    ]),
    post("/build/cancel", "BuildCancel", Build, Verb::Cancel).since(39).query(&[text("id")]),
    post("/session", "Session", Build, Verb::Buildkit).since(31).dagger().root()
        .hijack(Hijack::H2c).headers(SESSION_HEADERS),
    post("/grpc", "Grpc", Build, Verb::Buildkit).since(39).dagger().root().hijack(Hijack::H2c),
    // Newer engines serve gRPC services at the root when spoken to in HTTP/2; we never do.
    never(Method::Post, "/{grpc.service}/{Method}", "GrpcService", Build),

    // Volumes. The local driver mounts whatever its options name.
    get("/volumes", "VolumeList", Volume, Verb::List).query(FILTERS),
    post("/volumes/create", "VolumeCreate", Volume, Verb::Create).json().root(),
    post("/volumes/prune", "VolumePrune", Volume, Verb::Prune).since(25).query(FILTERS),
    get("/volumes/{name}", "VolumeInspect", Volume, Verb::Inspect),
    put("/volumes/{name}", "VolumeUpdate", Volume, Verb::Update).since(42).json().dagger().query(VERSION),
    delete("/volumes/{name}", "VolumeDelete", Volume, Verb::Delete).query(FORCE),

    // Networks. Only `/networks/` has a twin with a slash at the end.
    get("/networks", "NetworkList", Network, Verb::List).query(FILTERS),
    get("/networks/", "NetworkList", Network, Verb::List).query(FILTERS),
    post("/networks/create", "NetworkCreate", Network, Verb::Create).json().root(),
    post("/networks/prune", "NetworkPrune", Network, Verb::Prune).since(25).query(FILTERS),
    get("/networks/{id}", "NetworkInspect", Network, Verb::Inspect).query(&[flag("verbose"), text("scope")]),
    post("/networks/{id}/connect", "NetworkConnect", Network, Verb::Connect).json(),
    post("/networks/{id}/disconnect", "NetworkDisconnect", Network, Verb::Disconnect).json(),
    delete("/networks/{id}", "NetworkDelete", Network, Verb::Delete),

    // Services and tasks: a service is any container, on any node.
    get("/services", "ServiceList", Service, Verb::List).query(&[json("filters"), flag("status")]),
    post("/services/create", "ServiceCreate", Service, Verb::Create).json().root().headers(AUTH),
    get("/services/{id}", "ServiceInspect", Service, Verb::Inspect).query(&[flag("insertDefaults")]),
    post("/services/{id}/update", "ServiceUpdate", Service, Verb::Update).json().root().headers(AUTH)
        .query(&[int("version"), text("registryAuthFrom"), text("rollback")]),
    delete("/services/{id}", "ServiceDelete", Service, Verb::Delete),
    get("/services/{id}/logs", "ServiceLogs", Service, Verb::Logs).since(29).streams().query(LOGS),
    get("/tasks", "TaskList", Task, Verb::List).query(FILTERS),
    get("/tasks/{id}", "TaskInspect", Task, Verb::Inspect),
    get("/tasks/{id}/logs", "TaskLogs", Task, Verb::Logs).since(29).streams().query(LOGS),

    // Nodes.
    get("/nodes", "NodeList", Node, Verb::List).query(FILTERS),
    get("/nodes/{id}", "NodeInspect", Node, Verb::Inspect),
    post("/nodes/{id}/update", "NodeUpdate", Node, Verb::Update).json().dagger().root().query(VERSION),
    delete("/nodes/{id}", "NodeDelete", Node, Verb::Delete).dagger().query(FORCE),

    // Secrets and configs.
    get("/secrets", "SecretList", Secret, Verb::List).since(25).query(FILTERS),
    post("/secrets/create", "SecretCreate", Secret, Verb::Create).since(25).json(),
    get("/secrets/{id}", "SecretInspect", Secret, Verb::Inspect).since(25),
    post("/secrets/{id}/update", "SecretUpdate", Secret, Verb::Update).since(25).json().query(VERSION),
    delete("/secrets/{id}", "SecretDelete", Secret, Verb::Delete).since(25),
    get("/configs", "ConfigList", Config, Verb::List).since(30).query(FILTERS),
    post("/configs/create", "ConfigCreate", Config, Verb::Create).since(30).json(),
    get("/configs/{id}", "ConfigInspect", Config, Verb::Inspect).since(30),
    post("/configs/{id}/update", "ConfigUpdate", Config, Verb::Update).since(30).json().query(VERSION),
    delete("/configs/{id}", "ConfigDelete", Config, Verb::Delete).since(30),

    // The swarm: its join tokens and its certificates make managers, and managers run anything.
    get("/swarm", "SwarmInspect", Swarm, Verb::Inspect).dagger().root(),
    get("/swarm/unlockkey", "SwarmUnlockkey", Swarm, Verb::UnlockKey).dagger(),
    post("/swarm/init", "SwarmInit", Swarm, Verb::Init).json().dagger().root(),
    post("/swarm/join", "SwarmJoin", Swarm, Verb::Join).json().dagger().root(),
    post("/swarm/leave", "SwarmLeave", Swarm, Verb::Leave).dagger().query(FORCE),
    post("/swarm/update", "SwarmUpdate", Swarm, Verb::Update).json().dagger().root().query(&[
        int("version"), flag("rotateWorkerToken"), flag("rotateManagerToken"),
        flag("rotateManagerUnlockKey"),
    ]),
    post("/swarm/unlock", "SwarmUnlock", Swarm, Verb::Unlock).json().dagger(),

    // Plugins: their code runs on the host as root, and some are what guards it.
    get("/plugins", "PluginList", Plugin, Verb::List).since(25).query(FILTERS),
    get("/plugins/privileges", "GetPluginPrivileges", Plugin, Verb::Privileges).since(25)
        .query(&[text("remote").guarded()]).headers(AUTH),
    get("/plugins/{name...}/json", "PluginInspect", Plugin, Verb::Inspect).since(25),
    post("/plugins/pull", "PluginPull", Plugin, Verb::Pull).since(25).json().streams().dagger().root()
        .query(&[text("remote").guarded(), text("name").guarded()]).headers(AUTH),
    post("/plugins/create", "PluginCreate", Plugin, Verb::Create).since(25).opaque().dagger().root()
        .query(&[text("name")]),
    post("/plugins/{name...}/enable", "PluginEnable", Plugin, Verb::Enable).since(25).dagger().root()
        .query(&[int("timeout")]),
    post("/plugins/{name...}/disable", "PluginDisable", Plugin, Verb::Disable).since(25).dagger().root()
        .query(FORCE),
    post("/plugins/{name...}/set", "PluginSet", Plugin, Verb::Set).since(25).json().dagger().root(),
    post("/plugins/{name...}/upgrade", "PluginUpgrade", Plugin, Verb::Upgrade).since(26).json().streams()
        .dagger().root().query(&[text("remote").guarded()]).headers(AUTH),
    post("/plugins/{name...}/push", "PluginPush", Plugin, Verb::Push).since(25).streams().dagger()
        .headers(AUTH),
    delete("/plugins/{name...}", "PluginDelete", Plugin, Verb::Delete).since(25).dagger().root()
        .query(FORCE),

    // The daemon's own insides, which older engines show to any method.
    get("/debug/vars", "DebugVars", Debug, Verb::Read).dagger(),
    get("/debug/pprof/", "DebugPprofIndex", Debug, Verb::Read).dagger().query(DEBUG),
    get("/debug/pprof/cmdline", "DebugPprofCmdline", Debug, Verb::Read).dagger(),
    get("/debug/pprof/profile", "DebugPprofProfile", Debug, Verb::Read).dagger().streams().query(DEBUG),
    get("/debug/pprof/symbol", "DebugPprofSymbol", Debug, Verb::Read).dagger(),
    get("/debug/pprof/trace", "DebugPprofTrace", Debug, Verb::Read).dagger().streams().query(DEBUG),
    get("/debug/pprof/{name}", "DebugPprofNamed", Debug, Verb::Read).dagger().streams().query(DEBUG),
    never(Method::Any, "/debug/vars", "DebugVars", Debug),
    never(Method::Any, "/debug/pprof/", "DebugPprofIndex", Debug),
    never(Method::Any, "/debug/pprof/cmdline", "DebugPprofCmdline", Debug),
    never(Method::Any, "/debug/pprof/profile", "DebugPprofProfile", Debug),
    never(Method::Any, "/debug/pprof/symbol", "DebugPprofSymbol", Debug),
    never(Method::Any, "/debug/pprof/trace", "DebugPprofTrace", Debug),
    never(Method::Any, "/debug/pprof/{name}", "DebugPprofNamed", Debug),

    // Nobody's.
    never(Method::Get, "/metrics", "Metrics", Nothing),
    never(Method::Options, "/{any...}", "SystemOptions", Nothing),
];
