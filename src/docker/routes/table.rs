//! The rows. Where several have one method and path, the row that is left comes last.

use super::row::{
    delete, filters, flag, get, head, int, json, lines, moment, never, object, post, put, switch,
    tail, text, word,
};
use crate::docker::body::BodyType;
use crate::docker::route::{Guard, Param, QueryJson, When};
use crate::docker::{Hijack, Method, Resource, Route, Verb};
use Guard::{Judged, Open, Unrestricted, UnrestrictedBut};
use Resource::{
    Build, Config, Container, Debug, Image, Network, Node, Nothing, Plugin, Registry, Secret,
    Service, Swarm, System, Task, Volume,
};

const AUTH: &[&str] = &["x-registry-auth"];
const VERSION: &[Param] = &[int("version")];
const FORCE: &[Param] = &[flag("force")];
const SIZE: &[Param] = &[int("h"), int("w")];
const STOP: &[Param] = &[int("t").judged(), text("signal").judged()];
/// Which of an image's platforms is meant, as a JSON object, which engines know from 1.48 on; where images are made it is
/// `os/arch` as text.
const PLATFORM: Param = json("platform", QueryJson::Platform).from(48);
const PLATFORMS: Param = PLATFORM.many();
const LOGS: &[Param] = &[
    flag("follow"),
    flag("stdout"),
    flag("stderr"),
    moment("since"),
    moment("until"),
    flag("timestamps"),
    tail("tail"),
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
/// What `docker ps` and its like can be narrowed by, and what pruning can.
const CONTAINER_FILTERS: &[&str] = &[
    "ancestor",
    "annotation",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];
const IMAGE_FILTERS: &[&str] =
    &["before", "dangling", "label", "label!", "reference", "since", "until"];
const PRUNE: &[Param] = &[filters(&["label", "label!", "until"])];
const SERVICE_FILTERS: &[&str] = &["id", "label", "mode", "name", "runtime"];
const TASK_FILTERS: &[&str] = &[
    "_up-to-date",
    "desired-state",
    "id",
    "label",
    "name",
    "node",
    "runtime",
    "service",
    "up-to-date",
];
const NODE_FILTERS: &[&str] = &["id", "label", "membership", "name", "node.label", "role"];
const NAMED_FILTERS: &[Param] = &[filters(&["id", "label", "name", "names"])];
const EVENT_FILTERS: &[&str] = &[
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];
const NETWORKS: &[Param] =
    &[filters(&["dangling", "driver", "id", "label", "name", "scope", "type"])];
const BUILD_CACHE_FILTERS: &[&str] =
    &["description", "id", "inuse", "parent", "private", "shared", "type", "unused-for", "until"];
/// `fromImage` wins over `fromSrc`.
const PULL: &[Param] = &[
    text("fromImage").judged(),
    text("tag").judged(),
    word("platform"),
    text("fromSrc").guarded(),
    text("repo").guarded(),
    text("message").guarded(),
    lines("changes").guarded(),
];
const IMPORT: &[Param] = &[
    text("fromSrc").judged(),
    text("repo").judged(),
    text("tag").judged(),
    text("message"),
    lines("changes").judged(),
    word("platform"),
    text("fromImage"),
];
/// Declares the keys of a build once, with who may use each of the classic builder and of BuildKit.
macro_rules! builds {
    ($($key:expr, $classic:expr, $kit:expr;)*) => {
        /// What reaches beyond the build's own containers or writes a name is judged; what only
        /// BuildKit reads is nobody's.
        const BUILD: &[Param] = &[$($key.under($classic)),*];
        /// BuildKit's own verb grants all that it can do: `/grpc` has every one of these and more.
        const BUILDKIT: &[Param] = &[$($key.under($kit)),*];
    };
}
builds! {
    text("dockerfile"), Judged, Open;
    text("t").many(), Judged, Open;
    text("extrahosts").many(), Judged, Open;
    text("remote"), Unrestricted, UnrestrictedBut("client-session");
    flag("q"), Open, Open;
    flag("nocache"), Open, Open;
    json("cachefrom", QueryJson::Texts), Judged, Open;
    flag("pull"), Open, Open;
    switch("rm"), Open, Open;
    flag("forcerm"), Open, Open;
    int("memory"), Judged, Open;
    int("memswap"), Judged, Open;
    int("cpushares"), Judged, Open;
    word("cpusetcpus"), Open, Open;
    word("cpusetmems"), Open, Open;
    int("cpuperiod"), Judged, Open;
    int("cpuquota"), Judged, Open;
    json("buildargs", QueryJson::OptionalTextMap), Open, Open;
    int("shmsize"), Judged, Open;
    flag("squash"), Open, Open;
    json("labels", QueryJson::TextMap), Judged, Open;
    text("networkmode"), Judged, Open;
    text("cgroupparent"), Unrestricted, Unrestricted;
    json("ulimits", QueryJson::Ulimits), Judged, Open;
    text("securityopt").many(), Unrestricted, Unrestricted;
    text("isolation"), UnrestrictedBut("default"), Open;
    word("platform"), Open, Open;
    word("target"), Open, Open;
    json("outputs", QueryJson::Outputs), Unrestricted, Open;
    text("session"), Unrestricted, Open;
    text("buildid"), Unrestricted, Open;
    // A version that nobody has heard of yet is not classic.
    text("version"), UnrestrictedBut("1"), Open;
}
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
    get("/_ping", "SystemPing", System, Verb::Ping).apart(),
    // 1.39 documents HEAD; clients that negotiate send it before they know any version.
    head("/_ping", "SystemPingHead", System, Verb::Ping).apart(),
    get("/version", "SystemVersion", System, Verb::Version),
    get("/info", "SystemInfo", System, Verb::Info),
    get("/events", "SystemEvents", System, Verb::Events).streams()
        .query(&[moment("since"), moment("until"), filters(EVENT_FILTERS)]),
    get("/system/df", "SystemDataUsage", System, Verb::Df).since(25)
        .query(&[text("type").many(), flag("verbose")]),

    // Containers.
    get("/containers/json", "ContainerList", Container, Verb::List)
        .query(&[
            flag("all"), int("limit"), flag("size"), object("since"), object("before"),
            filters(CONTAINER_FILTERS),
        ]),
    post("/containers/create", "ContainerCreate", Container, Verb::Create).run()
        .json(BodyType::ContainerCreate).query(&[text("name").judged(), word("platform")]),
    get("/containers/{id}/json", "ContainerInspect", Container, Verb::Inspect).query(&[flag("size")]),
    // The arguments go to a `ps` that runs on the host as root.
    get("/containers/{id}/top", "ContainerTop", Container, Verb::Top).query(&[text("ps_args").judged()]),
    get("/containers/{id}/logs", "ContainerLogs", Container, Verb::Logs).run().streams().query(LOGS),
    get("/containers/{id}/changes", "ContainerChanges", Container, Verb::Changes),
    get("/containers/{id}/export", "ContainerExport", Container, Verb::Export).apart().streams(),
    get("/containers/{id}/stats", "ContainerStats", Container, Verb::Stats).streams()
        .query(&[switch("stream"), flag("one-shot")]),
    post("/containers/{id}/resize", "ContainerResize", Container, Verb::Resize).run().query(SIZE),
    post("/containers/{id}/start", "ContainerStart", Container, Verb::Start).run()
        .query(&[text("detachKeys"), text("checkpoint").guarded(), text("checkpoint-dir").guarded()]),
    post("/containers/{id}/stop", "ContainerStop", Container, Verb::Stop).run().query(STOP),
    post("/containers/{id}/restart", "ContainerRestart", Container, Verb::Restart).query(STOP),
    post("/containers/{id}/kill", "ContainerKill", Container, Verb::Kill).run().query(&[text("signal").judged()]),
    post("/containers/{id}/update", "ContainerUpdate", Container, Verb::Update).json(BodyType::ContainerUpdate),
    post("/containers/{id}/rename", "ContainerRename", Container, Verb::Rename).query(&[text("name").judged()]),
    post("/containers/{id}/pause", "ContainerPause", Container, Verb::Pause),
    post("/containers/{id}/unpause", "ContainerUnpause", Container, Verb::Unpause),
    post("/containers/{id}/attach", "ContainerAttach", Container, Verb::Attach)
        .hijack(Hijack::Attach).run().query(ATTACH),
    get("/containers/{id}/attach/ws", "ContainerAttachWebsocket", Container, Verb::Attach)
        .hijack(Hijack::WebSocket).run().query(ATTACH).headers(WEBSOCKET_HEADERS),
    post("/containers/{id}/wait", "ContainerWait", Container, Verb::Wait).run().waits()
        .query(&[word("condition")]),
    delete("/containers/{id}", "ContainerDelete", Container, Verb::Delete).run()
        .query(&[flag("v"), flag("force"), flag("link")]),
    // A legacy link, `docker rm --link`: the daemon's one name of a container with a slash in it.
    delete("/containers/{id}/{link}", "ContainerDelete", Container, Verb::Delete).run()
        .query(&[flag("v"), flag("force"), flag("link")]),
    get("/containers/{id}/archive", "ContainerArchive", Container, Verb::CopyOut).apart().streams()
        .query(&[text("path").judged()]),
    head("/containers/{id}/archive", "ContainerArchiveInfo", Container, Verb::CopyOut).apart()
        .query(&[text("path").judged()]),
    // It is unpacked by the daemon, as root: holes there were the host's (CVE-2026-41567).
    put("/containers/{id}/archive", "PutContainerArchive", Container, Verb::CopyIn).archive().root()
        .query(&[text("path").judged(), flag("noOverwriteDirNonDir"), flag("copyUIDGID")]),
    post("/containers/prune", "ContainerPrune", Container, Verb::Prune).since(25).query(PRUNE),
    never(Method::Post, "/containers/{id}/copy", "ContainerCopy", Container),
    post("/containers/{id}/exec", "ContainerExec", Container, Verb::Exec).json(BodyType::ExecCreate),
    post("/exec/{exec}/start", "ExecStart", Container, Verb::Exec)
        .json(BodyType::ExecStart).hijack(Hijack::ExecStart),
    post("/exec/{exec}/resize", "ExecResize", Container, Verb::Exec).query(SIZE),
    get("/exec/{exec}/json", "ExecInspect", Container, Verb::Exec).apart(),
    // A checkpoint directory is any directory of the host, written and deleted as root.
    get("/containers/{id}/checkpoints", "CheckpointList", Container, Verb::Checkpoint)
        .since(25).reserved().query(&[text("dir")]),
    post("/containers/{id}/checkpoints", "CheckpointCreate", Container, Verb::Checkpoint)
        .since(25).json(BodyType::CheckpointCreate).reserved().root(),
    delete("/containers/{id}/checkpoints/{checkpoint}", "CheckpointDelete", Container, Verb::Checkpoint)
        .since(25).reserved().root().query(&[text("dir")]),

    // Images.
    get("/images/json", "ImageList", Image, Verb::List).query(&[
        flag("all"), filters(IMAGE_FILTERS), text("filter"), flag("digests"), flag("shared-size"),
        flag("manifests"), flag("identity"),
    ]),
    get("/images/{name...}/json", "ImageInspect", Image, Verb::Inspect)
        .query(&[flag("manifests"), PLATFORM.from(49)]),
    get("/images/{name...}/history", "ImageHistory", Image, Verb::Inspect).query(&[PLATFORM]),
    get("/images/{name...}/attestations", "ImageAttestations", Image, Verb::Inspect).since(55)
        .query(&[PLATFORMS, word("type").many(), flag("statement")]),
    get("/images/get", "ImageGetAll", Image, Verb::Save).apart().streams()
        .query(&[text("names").many(), PLATFORMS]),
    get("/images/{name...}/get", "ImageGet", Image, Verb::Save).apart().streams()
        .query(&[PLATFORMS]),
    post("/images/create", "ImageCreate", Image, Verb::Pull).streams()
        .when(When::QuerySet("fromImage")).query(PULL).headers(AUTH),
    post("/images/create", "ImageCreate", Image, Verb::Import).opaque().dagger().query(IMPORT),
    post("/images/load", "ImageLoad", Image, Verb::Load).opaque().dagger()
        .query(&[switch("quiet"), PLATFORMS]),
    // Up to 28.0 the credentials may be the body; docker-py always sends `{}`.
    post("/images/{name...}/push", "ImagePush", Image, Verb::Push).streams()
        .perhaps_json(BodyType::Auth)
        .query(&[text("tag").judged(), PLATFORM.from(46)]).headers(AUTH),
    post("/images/{name...}/tag", "ImageTag", Image, Verb::Tag)
        .query(&[text("repo").judged(), text("tag").judged()]),
    post("/commit", "ImageCommit", Image, Verb::Commit).perhaps_json(BodyType::Commit).query(&[
        object("container"), switch("pause"), text("repo").judged(), text("tag").judged(),
        text("comment"), text("author"), lines("changes").judged(),
    ]),
    delete("/images/{name...}", "ImageDelete", Image, Verb::Delete)
        .query(&[flag("force"), flag("noprune"), json("platforms", QueryJson::Platform).from(50).many()]),
    post("/images/prune", "ImagePrune", Image, Verb::Prune).since(25)
        .query(&[filters(&["dangling", "label", "label!", "until"])]),

    // Registries: the daemon calls the host that the request names.
    post("/auth", "SystemAuth", Registry, Verb::Login).json(BodyType::Auth),
    get("/images/search", "ImageSearch", Registry, Verb::Search).apart().headers(AUTH)
        .query(&[
            text("term").judged(), int("limit"), filters(&["is-automated", "is-official", "stars"]),
        ]),
    get("/distribution/{name...}/json", "DistributionInspect", Registry, Verb::Resolve).apart()
        .since(30).headers(AUTH),

    // Builds. BuildKit's own API is open to nobody's judgement.
    post("/build", "ImageBuild", Build, Verb::Buildkit).opaque().dagger().root()
        .when(When::QueryIs("version", "2")).query(BUILDKIT).headers(CONFIG_HEADER),
    post("/build", "ImageBuild", Build, Verb::Buildkit).opaque().dagger().root()
        .when(When::QueryIs("remote", "client-session")).query(BUILDKIT).headers(CONFIG_HEADER),
    post("/build", "ImageBuild", Build, Verb::Create).opaque().query(BUILD).headers(CONFIG_HEADER),
    post("/build/prune", "BuildPrune", Build, Verb::Prune).since(31).dagger().query(&[
        flag("all"), filters(BUILD_CACHE_FILTERS), int("keep-storage"), int("reserved-space"),
        int("max-used-space"), int("min-free-space"),
    ]),
    post("/build/cancel", "BuildCancel", Build, Verb::Cancel).since(39).query(&[word("id")]),
    post("/session", "Session", Build, Verb::Buildkit).since(31).dagger().root()
        .hijack(Hijack::H2c).headers(SESSION_HEADERS),
    post("/grpc", "Grpc", Build, Verb::Buildkit).since(39).dagger().root().hijack(Hijack::H2c),
    // Newer engines serve gRPC services at the root when spoken to in HTTP/2; we never do.
    never(Method::Post, "/{grpc.service}/{Method}", "GrpcService", Build),

    // Volumes. The local driver mounts whatever its options name.
    get("/volumes", "VolumeList", Volume, Verb::List)
        .query(&[filters(&["dangling", "driver", "label", "name"])]),
    post("/volumes/create", "VolumeCreate", Volume, Verb::Create).json(BodyType::VolumeCreate),
    post("/volumes/prune", "VolumePrune", Volume, Verb::Prune).since(25)
        .query(&[filters(&["all", "label", "label!"])]),
    get("/volumes/{name}", "VolumeInspect", Volume, Verb::Inspect),
    put("/volumes/{name}", "VolumeUpdate", Volume, Verb::Update).since(42)
        .json(BodyType::VolumeUpdate).reserved().query(VERSION),
    delete("/volumes/{name}", "VolumeDelete", Volume, Verb::Delete).query(FORCE),

    // Networks. Only `/networks/` has a twin with a slash at the end.
    get("/networks", "NetworkList", Network, Verb::List).query(NETWORKS),
    get("/networks/", "NetworkList", Network, Verb::List).query(NETWORKS),
    post("/networks/create", "NetworkCreate", Network, Verb::Create).json(BodyType::NetworkCreate),
    post("/networks/prune", "NetworkPrune", Network, Verb::Prune).since(25).query(PRUNE),
    get("/networks/{id}", "NetworkInspect", Network, Verb::Inspect).query(&[flag("verbose"), word("scope")]),
    post("/networks/{id}/connect", "NetworkConnect", Network, Verb::Connect).json(BodyType::NetworkConnect),
    post("/networks/{id}/disconnect", "NetworkDisconnect", Network, Verb::Disconnect)
        .json(BodyType::NetworkDisconnect),
    delete("/networks/{id}", "NetworkDelete", Network, Verb::Delete),

    // Services and tasks: a service is any container, on any node.
    get("/services", "ServiceList", Service, Verb::List).query(&[filters(SERVICE_FILTERS), flag("status")]),
    post("/services/create", "ServiceCreate", Service, Verb::Create).json(BodyType::Service).headers(AUTH),
    get("/services/{id}", "ServiceInspect", Service, Verb::Inspect).query(&[flag("insertDefaults")]),
    post("/services/{id}/update", "ServiceUpdate", Service, Verb::Update).json(BodyType::Service).headers(AUTH)
        .query(&[int("version"), word("registryAuthFrom"), word("rollback").guarded()]),
    delete("/services/{id}", "ServiceDelete", Service, Verb::Delete),
    get("/services/{id}/logs", "ServiceLogs", Service, Verb::Logs).apart().since(29).streams().query(LOGS),
    get("/tasks", "TaskList", Task, Verb::List).query(&[filters(TASK_FILTERS)]),
    get("/tasks/{id}", "TaskInspect", Task, Verb::Inspect),
    get("/tasks/{id}/logs", "TaskLogs", Task, Verb::Logs).apart().since(29).streams().query(LOGS),

    // Nodes.
    get("/nodes", "NodeList", Node, Verb::List).query(&[filters(NODE_FILTERS)]),
    get("/nodes/{id}", "NodeInspect", Node, Verb::Inspect),
    post("/nodes/{id}/update", "NodeUpdate", Node, Verb::Update).json(BodyType::Node).reserved().root().query(VERSION),
    delete("/nodes/{id}", "NodeDelete", Node, Verb::Delete).reserved().query(FORCE),

    // Secrets and configs.
    get("/secrets", "SecretList", Secret, Verb::List).since(25).query(NAMED_FILTERS),
    post("/secrets/create", "SecretCreate", Secret, Verb::Create).since(25).json(BodyType::Secret),
    get("/secrets/{id}", "SecretInspect", Secret, Verb::Inspect).since(25),
    post("/secrets/{id}/update", "SecretUpdate", Secret, Verb::Update).since(25).json(BodyType::Secret).query(VERSION),
    delete("/secrets/{id}", "SecretDelete", Secret, Verb::Delete).since(25),
    get("/configs", "ConfigList", Config, Verb::List).since(30).query(NAMED_FILTERS),
    post("/configs/create", "ConfigCreate", Config, Verb::Create).since(30).json(BodyType::Config),
    get("/configs/{id}", "ConfigInspect", Config, Verb::Inspect).since(30),
    post("/configs/{id}/update", "ConfigUpdate", Config, Verb::Update).since(30).json(BodyType::Config).query(VERSION),
    delete("/configs/{id}", "ConfigDelete", Config, Verb::Delete).since(30),

    // The swarm: its join tokens and its certificates make managers, and managers run anything.
    get("/swarm", "SwarmInspect", Swarm, Verb::Inspect).reserved().root(),
    get("/swarm/unlockkey", "SwarmUnlockkey", Swarm, Verb::UnlockKey).reserved(),
    post("/swarm/init", "SwarmInit", Swarm, Verb::Init).json(BodyType::SwarmInit).reserved().root(),
    post("/swarm/join", "SwarmJoin", Swarm, Verb::Join).json(BodyType::SwarmJoin).reserved().root(),
    post("/swarm/leave", "SwarmLeave", Swarm, Verb::Leave).reserved().query(FORCE),
    post("/swarm/update", "SwarmUpdate", Swarm, Verb::Update).json(BodyType::SwarmUpdate).reserved().root().query(&[
        int("version"), flag("rotateWorkerToken"), flag("rotateManagerToken"),
        flag("rotateManagerUnlockKey"),
    ]),
    post("/swarm/unlock", "SwarmUnlock", Swarm, Verb::Unlock).json(BodyType::SwarmUnlock).reserved(),

    // Plugins: their code runs on the host as root, and some are what guards it.
    get("/plugins", "PluginList", Plugin, Verb::List).since(25)
        .query(&[filters(&["capability", "enabled"])]),
    get("/plugins/privileges", "GetPluginPrivileges", Plugin, Verb::Privileges).since(25)
        .reserved().query(&[text("remote")]).headers(AUTH),
    get("/plugins/{name...}/json", "PluginInspect", Plugin, Verb::Inspect).since(25),
    post("/plugins/pull", "PluginPull", Plugin, Verb::Pull).since(25).json(BodyType::PluginPrivileges).streams().reserved().root()
        .query(&[text("remote"), text("name")]).headers(AUTH),
    post("/plugins/create", "PluginCreate", Plugin, Verb::Create).since(25).opaque().reserved().root()
        .query(&[text("name")]),
    post("/plugins/{name...}/enable", "PluginEnable", Plugin, Verb::Enable).since(25).reserved().root()
        .query(&[int("timeout")]),
    post("/plugins/{name...}/disable", "PluginDisable", Plugin, Verb::Disable).since(25).reserved().root()
        .query(FORCE),
    post("/plugins/{name...}/set", "PluginSet", Plugin, Verb::Set).since(25).json(BodyType::PluginSet).reserved().root(),
    post("/plugins/{name...}/upgrade", "PluginUpgrade", Plugin, Verb::Upgrade).since(26)
        .json(BodyType::PluginPrivileges).streams()
        .reserved().root().query(&[text("remote")]).headers(AUTH),
    post("/plugins/{name...}/push", "PluginPush", Plugin, Verb::Push).since(25).streams().reserved()
        .headers(AUTH),
    delete("/plugins/{name...}", "PluginDelete", Plugin, Verb::Delete).since(25).reserved().root()
        .query(FORCE),

    // The daemon's own insides, which older engines show to any method.
    get("/debug/vars", "DebugVars", Debug, Verb::Read).reserved(),
    get("/debug/pprof/", "DebugPprofIndex", Debug, Verb::Read).reserved().query(DEBUG),
    get("/debug/pprof/cmdline", "DebugPprofCmdline", Debug, Verb::Read).reserved(),
    get("/debug/pprof/profile", "DebugPprofProfile", Debug, Verb::Read).reserved().streams().query(DEBUG),
    get("/debug/pprof/symbol", "DebugPprofSymbol", Debug, Verb::Read).reserved(),
    get("/debug/pprof/trace", "DebugPprofTrace", Debug, Verb::Read).reserved().streams().query(DEBUG),
    get("/debug/pprof/{name}", "DebugPprofNamed", Debug, Verb::Read).reserved().streams().query(DEBUG),
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
