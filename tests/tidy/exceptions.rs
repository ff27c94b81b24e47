//! Where the inventory and the source differ on purpose, each with the reason.

use super::facts::Fact;

/// One difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exception {
    operation: &'static str,
    /// As in a fact; `*` is all that the operation has.
    place: &'static str,
    /// The name of the field; what is below it is meant too. Empty is all of the place.
    name: &'static str,
    /// The type, where only one of them is meant.
    kind: Option<&'static str>,
    why: &'static str,
}

impl Exception {
    /// Whether a fact is meant.
    pub(crate) fn covers(&self, fact: &Fact) -> bool {
        self.names(&fact.operation, &fact.place, &fact.name)
            && self.kind.is_none_or(|kind| kind == fact.kind)
    }

    /// Whether a field is meant.
    pub(crate) fn names(&self, operation: &str, place: &str, name: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[', '{']);
        self.operation == operation
            && (self.place == "*"
                || self.place == place
                    && (self.name.is_empty() || name.strip_prefix(self.name).is_some_and(below)))
    }

    /// The reason.
    pub(crate) const fn why(&self) -> &'static str {
        self.why
    }
}

const fn of(
    place: &'static str,
    operation: &'static str,
    name: &'static str,
    why: &'static str,
) -> Exception {
    Exception { operation, place, name, kind: None, why }
}

const fn endpoint(operation: &'static str, why: &'static str) -> Exception {
    of("*", operation, "", why)
}

const fn query(operation: &'static str, name: &'static str, why: &'static str) -> Exception {
    of("query", operation, name, why)
}

const fn header(operation: &'static str, name: &'static str, why: &'static str) -> Exception {
    of("header", operation, name, why)
}

const fn body(operation: &'static str, name: &'static str, why: &'static str) -> Exception {
    of("body", operation, name, why)
}

/// Where a body has the settings of an endpoint.
pub(crate) const ENDPOINTS: &[(&str, &str)] = &[
    ("ContainerCreate", "NetworkingConfig.EndpointsConfig{}."),
    ("NetworkConnect", "EndpointConfig."),
];

/// Documented there with the type of an answer (`container.CreateRequest` shares
/// `network.EndpointSettings` with inspect): read, and never sent on.
pub(crate) const ANSWER_ONLY: &[&str] = &[
    "DNSNames",
    "EndpointID",
    "Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "NetworkID",
];

/// Documented, and not taken in this way.
pub(crate) const NOT_TAKEN: &[Exception] = &[
    header("ImageBuild", "content-type", "written by the gate, as what the body is judged to be"),
    query(
        "PluginList",
        "filters{enable}",
        "a slip of the schema: moby reads `enabled`, and refuses this",
    ),
    Exception {
        operation: "NetworkCreate",
        place: "body",
        name: "IPAM.Config",
        kind: Some("array<map<string>>"),
        why: "how 1.40 described the objects that later versions spell out",
    },
];

const NEGATED: &str = "`label!=` of the description, as it is spelled inside the JSON";
const CLI_ONLY: &str = "experimental in engines and not in the schema; the docker CLI has it";
const PPROF: &str = "Go's own debugging pages, which no schema has";
const SHARED: &str =
    "one type of ours for two of moby's that are alike; the daemon reads it in the other only";
const GO_ONLY: &str = "moby's type has it and reads it, the schema leaves it out";
const BESIDE: &str = "the schema has it inside of AccessMode, moby beside it";
const INDENTED: &str =
    "moby's type has it; the schema's indentation makes it a part of a description";
const LOGS: &str = "one list for all logs; the daemon reads no `until` of a service's";
const OLD_PUSH: &str =
    "engines up to 28.0 also take the credentials as the body; docker-py sends `{}`";

/// Taken, and in no version of the schema.
pub(crate) const OURS_ALONE: &[Exception] = &[
    // Endpoints.
    endpoint("BuildCancel", "BuildKit's, which the schema does not have; the docker CLI sends it"),
    endpoint("CheckpointCreate", CLI_ONLY),
    endpoint("CheckpointDelete", CLI_ONLY),
    endpoint("CheckpointList", CLI_ONLY),
    endpoint("DebugPprofCmdline", PPROF),
    endpoint("DebugPprofIndex", PPROF),
    endpoint("DebugPprofNamed", PPROF),
    endpoint("DebugPprofProfile", PPROF),
    endpoint("DebugPprofSymbol", PPROF),
    endpoint("DebugPprofTrace", PPROF),
    endpoint("DebugVars", PPROF),
    endpoint("Grpc", "BuildKit's, which the schema does not have: HTTP/2 after the upgrade"),
    // Query keys.
    query(
        "ContainerList",
        "before",
        "docker-py sends it; engines of these versions do not read it",
    ),
    query("ContainerList", "since", "docker-py sends it; engines of these versions do not read it"),
    query("ContainerLogs", "details", GO_ONLY),
    query("ContainerStart", "checkpoint", CLI_ONLY),
    query("ContainerStart", "checkpoint-dir", CLI_ONLY),
    query("ImageBuild", "buildid", GO_ONLY),
    query("ImageBuild", "cgroupparent", GO_ONLY),
    query("ImageBuild", "cpusetmems", GO_ONLY),
    query("ImageBuild", "isolation", GO_ONLY),
    query("ImageBuild", "securityopt", GO_ONLY),
    query("ImageBuild", "session", GO_ONLY),
    query("ImageBuild", "ulimits", GO_ONLY),
    query("ImageList", "filter", "what `reference` was up to API 1.40; docker-py still sends it"),
    query("ServiceLogs", "until", LOGS),
    query("TaskLogs", "until", LOGS),
    // Filters.
    query("BuildPrune", "filters{unused-for}", "the older name of `until`, which moby still reads"),
    query("ContainerList", "filters{annotation}", GO_ONLY),
    query("ContainerPrune", "filters{label!}", NEGATED),
    query("ImageList", "filters{label!}", "moby filters a list of images by it as a prune does"),
    query("ImagePrune", "filters{label!}", NEGATED),
    query("NetworkPrune", "filters{label!}", NEGATED),
    query("PluginList", "filters{enabled}", "what the schema calls `enable`"),
    query("ServiceList", "filters{runtime}", GO_ONLY),
    query("TaskList", "filters{_up-to-date}", "the docker CLI sends it for `service ps`"),
    query("TaskList", "filters{runtime}", GO_ONLY),
    query("TaskList", "filters{up-to-date}", GO_ONLY),
    query("VolumePrune", "filters{label!}", NEGATED),
    // Headers.
    header("ContainerAttachWebsocket", "sec-websocket-key", "of the websocket's own handshake"),
    header(
        "ContainerAttachWebsocket",
        "sec-websocket-protocol",
        "of the websocket's own handshake",
    ),
    header("ContainerAttachWebsocket", "sec-websocket-version", "of the websocket's own handshake"),
    header("DistributionInspect", "x-registry-auth", GO_ONLY),
    header("GetPluginPrivileges", "x-registry-auth", GO_ONLY),
    header("ImageSearch", "x-registry-auth", GO_ONLY),
    header("PluginPush", "x-registry-auth", GO_ONLY),
    header(
        "Session",
        "x-docker-expose-session-grpc-method",
        "what BuildKit's client says it serves",
    ),
    header("Session", "x-docker-expose-session-name", "by which BuildKit finds its client again"),
    header(
        "Session",
        "x-docker-expose-session-sharedkey",
        "by which BuildKit finds its client again",
    ),
    header("Session", "x-docker-expose-session-uuid", "by which BuildKit finds its client again"),
    // Bodies.
    body("ContainerCreate", "HostConfig.Mounts[].ClusterOptions", GO_ONLY),
    body("ContainerExec", "Detach", GO_ONLY),
    body("ImagePush", "", OLD_PUSH),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Configs[].SecretID", SHARED),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Configs[].SecretName", SHARED),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Mounts[].ClusterOptions", GO_ONLY),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Secrets[].ConfigID", SHARED),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Secrets[].ConfigName", SHARED),
    body("ServiceCreate", "TaskTemplate.ContainerSpec.Secrets[].Runtime", SHARED),
    body("ServiceCreate", "TaskTemplate.PluginSpec.env", GO_ONLY),
    body(
        "ServiceCreate",
        "TaskTemplate.PluginSpec.privileges",
        "what the schema calls `PluginPrivilege`",
    ),
    body("ServiceCreate", "TaskTemplate.Resources.Reservations.Pids", SHARED),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Configs[].SecretID", SHARED),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Configs[].SecretName", SHARED),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Mounts[].ClusterOptions", GO_ONLY),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Secrets[].ConfigID", SHARED),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Secrets[].ConfigName", SHARED),
    body("ServiceUpdate", "TaskTemplate.ContainerSpec.Secrets[].Runtime", SHARED),
    body("ServiceUpdate", "TaskTemplate.PluginSpec.env", GO_ONLY),
    body(
        "ServiceUpdate",
        "TaskTemplate.PluginSpec.privileges",
        "what the schema calls `PluginPrivilege`",
    ),
    body("ServiceUpdate", "TaskTemplate.Resources.Reservations.Pids", SHARED),
    body("SwarmInit", "AutoLockManagers", GO_ONLY),
    body("SwarmInit", "Availability", GO_ONLY),
    body("SwarmJoin", "Availability", GO_ONLY),
    body("SystemAuth", "auth", GO_ONLY),
    body("SystemAuth", "identitytoken", GO_ONLY),
    body("SystemAuth", "registrytoken", GO_ONLY),
    body("VolumeCreate", "ClusterVolumeSpec.AccessMode.BlockVolume", INDENTED),
    body("VolumeCreate", "ClusterVolumeSpec.AccessMode.MountVolume.FsType", INDENTED),
    body("VolumeCreate", "ClusterVolumeSpec.AccessMode.MountVolume.MountFlags", INDENTED),
    body("VolumeCreate", "ClusterVolumeSpec.AccessibilityRequirements", BESIDE),
    body("VolumeCreate", "ClusterVolumeSpec.Availability", BESIDE),
    body("VolumeCreate", "ClusterVolumeSpec.CapacityRange", BESIDE),
    body("VolumeCreate", "ClusterVolumeSpec.Secrets", BESIDE),
    body("VolumeUpdate", "Spec.AccessMode.BlockVolume", INDENTED),
    body("VolumeUpdate", "Spec.AccessMode.MountVolume.FsType", INDENTED),
    body("VolumeUpdate", "Spec.AccessMode.MountVolume.MountFlags", INDENTED),
    body("VolumeUpdate", "Spec.AccessibilityRequirements", BESIDE),
    body("VolumeUpdate", "Spec.Availability", BESIDE),
    body("VolumeUpdate", "Spec.CapacityRange", BESIDE),
    body("VolumeUpdate", "Spec.Secrets", BESIDE),
];
