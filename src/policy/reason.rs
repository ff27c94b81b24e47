//! Every reason for which something is refused: id, what, why, remedy, references. One table, many
//! readers: the 403's message, the log, `dockward rules`, the docs, the corpus.

use crate::docker::Flaw;

/// What is documented about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable, dotted id.
    pub id: &'static str,
    /// What is refused.
    pub what: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do instead, or whom to ask.
    pub remedy: &'static str,
    /// CIS Docker Benchmark sections, Pod Security controls, CVEs.
    pub references: &'static [&'static str],
    /// Whether letting it through amounts to root on the host: `observe` does not soften it.
    pub root: bool,
}

macro_rules! reasons {
    ($( $variant:ident = $id:literal $(root $root:ident)?, $what:literal, $why:literal, $remedy:literal, [$($ref:literal),*]; )*) => {
        /// Why a request is refused by policy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $( #[doc = $what] $variant, )* }

        impl Reason {
            /// Every reason, in the order of the docs.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// What is documented about it.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self { $( Self::$variant => Rule {
                    id: $id, what: $what, why: $why, remedy: $remedy,
                    references: &[$($ref),*],
                    root: false $( || reasons!(@ $root) )?,
                }, )* }
            }
        }
    };
    (@ yes) => { true };
}

impl Reason {
    /// The stable, dotted id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.rule().id
    }

    /// The reason with this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.id() == id)
    }
}

reasons! {
    // who and what
    RouteNever = "route.never" root yes, "a route that nobody may use",
        "it opens the daemon in a way that cannot be judged", "use another command", [];
    VerbNotGranted = "verb.not-granted", "a verb that no role of this identity grants",
        "everything is denied that is not allowed", "ask for a role that has the verb", [];
    VerbDenied = "verb.denied", "a verb that a role of this identity denies",
        "a deny cannot be undone by another role", "ask for the deny to be lifted", [];
    Reserved = "admission.reserved" root yes, "what no profile can judge: swarms, nodes, plugins, cluster volumes, checkpoints, the daemon's insides",
        "it acts on the whole host, or on other hosts", "ask an administrator to do it", ["CIS 7.1"];
    QueryGuarded = "query.guarded" root yes, "a query key of which no value is safe",
        "it reaches beyond what the verb grants", "leave the key out, or ask an administrator", [];
    TargetAbsent = "target.absent", "a container that the daemon does not have",
        "what is not there cannot be judged, and may be there a moment later", "check its name; answered as the daemon would", [];
    TargetUnseen = "target.unseen" root yes, "a container that the gate could not look at",
        "what cannot be seen is not guessed", "try again when the daemon answers", [];

    // privilege
    Privileged = "privilege.privileged" root yes, "a privileged container or exec",
        "it has every capability and every device: it is root on the host",
        "add the one capability or device that is needed", ["CIS 5.5", "PSS baseline: Privileged Containers"];
    CapAdd = "privilege.capability" root yes, "a capability beyond those that the profile lists",
        "most capabilities beyond Docker's own lead to the host", "leave it out, or have it listed under capabilities.add",
        ["CIS 5.4", "PSS baseline: Capabilities"];
    CapSet = "privilege.capability-set" root yes, "an exact capability set",
        "one old engine reads it beside CapAdd", "use CapAdd", ["CIS 5.4"];
    CapDrop = "privilege.capability-drop", "capabilities that are kept where all must be dropped",
        "what is not needed is not held", "run with --cap-drop ALL", ["CIS 5.4", "PSS restricted: Capabilities"];
    SecurityOpt = "privilege.security-option" root yes, "a security option that the profile does not list exactly",
        "seccomp, AppArmor and SELinux are switched off by it", "leave it out, or have it listed under security_options",
        ["CIS 5.2", "CIS 5.3", "CIS 5.22", "PSS baseline: Seccomp", "PSS baseline: AppArmor", "PSS baseline: SELinux"];
    NoNewPrivileges = "privilege.no-new-privileges", "new privileges where none may be gained",
        "setuid programs in the image give root back", "run with --security-opt no-new-privileges",
        ["CIS 5.26", "PSS restricted: Privilege Escalation"];
    MaskedPaths = "privilege.masked-paths" root yes, "a list of masked or read-only paths of one's own",
        "a shorter list uncovers /proc and /sys of the host", "leave MaskedPaths and ReadonlyPaths out",
        ["PSS baseline: /proc Mount Type"];

    // namespaces
    NamespacePid = "namespace.pid" root yes, "the process namespace of the host or of another container",
        "the host's processes can be seen, traced and entered", "leave --pid out", ["CIS 5.16", "PSS baseline: Host Namespaces"];
    NamespaceIpc = "namespace.ipc" root yes, "the IPC namespace of the host or of another container, or a mode not listed",
        "shared memory of others can be read and written", "leave --ipc out", ["CIS 5.17", "PSS baseline: Host Namespaces"];
    NamespaceUts = "namespace.uts" root yes, "the UTS namespace of the host",
        "the host's name can be changed", "leave --uts out", ["CIS 5.21"];
    NamespaceUser = "namespace.user" root yes, "the user namespace of the host",
        "it undoes the remapping of root", "leave --userns out", ["CIS 5.31"];
    NamespaceCgroup = "namespace.cgroup" root yes, "the cgroup namespace of the host",
        "the host's cgroups can be seen", "leave --cgroupns out", [];
    NamespaceNetwork = "namespace.network" root yes, "the network of the host or of another container",
        "the host's own services and sockets can be reached", "use a network of its own", ["CIS 5.10", "CVE-2020-15257", "PSS baseline: Host Namespaces"];
    CgroupParent = "namespace.cgroup-parent" root yes, "a cgroup parent of one's own",
        "limits are left behind, and paths with .. leave Docker's cgroup", "leave --cgroup-parent out", ["CIS 5.25"];
    Isolation = "namespace.isolation", "an isolation technology other than the daemon's",
        "it belongs to Windows", "leave --isolation out", [];

    // mounts
    MountHostPath = "mount.host-path" root yes, "a path of the host that the profile does not list",
        "whoever writes the host's files owns the host", "use a volume, or have the path listed under host_paths",
        ["CIS 5.6", "PSS baseline: HostPath Volumes"];
    MountReadOnly = "mount.read-only" root yes, "a writable mount of a path that is listed as read-only",
        "it is shared with others", "mount it with :ro", [];
    MountLink = "mount.link" root yes, "a path of the host that leads elsewhere by a symbolic link",
        "what is judged would not be what is mounted", "name the real path", [];
    MountUnseen = "mount.unseen" root yes, "a path of the host that the gate cannot see as the daemon does",
        "what cannot be seen is not guessed", "let the gate see it (PrivateTmp, ProtectHome), or use a volume", [];
    MountProtected = "mount.protected" root yes, "a directory or socket of the gate, the daemon or containerd, or a path that holds one",
        "it holds every container's files and the keys of the gate", "use a volume", ["CIS 5.6"];
    MountSocket = "mount.socket" root yes, "a socket or device of the host, the Docker socket above all",
        "whoever reaches the Docker socket is root on the host", "use the gate with a certificate of its own", ["CIS 5.32"];
    MountPath = "mount.path" root yes, "a source that is not an absolute, clean path or a plain volume name",
        "it can be read in two ways", "write the path without . and .. parts", [];
    MountType = "mount.type" root yes, "a mount of a type that is not judged",
        "image, cluster and npipe mounts read what is others'", "use bind, volume or tmpfs", ["PSS restricted: Volume Types"];
    MountOptions = "mount.options" root yes, "mount options beyond ro, rw, z, Z and nocopy",
        "shared propagation carries mounts to the host", "leave the option out", ["CIS 5.20", "CVE-2025-31133"];
    MountTarget = "mount.target" root yes, "a mount over /proc, /sys, /dev or the root directory",
        "it hides what keeps the container in", "choose another target", ["CVE-2025-31133", "CVE-2025-52881"];
    MountDriver = "mount.volume-driver" root yes, "volume driver options inside a mount",
        "the local driver mounts anything with them, the host's root too", "create the volume first, without options", [];
    VolumeDriver = "mount.driver-name" root yes, "a volume driver that the profile does not list",
        "a driver is a program that runs as root", "leave --volume-driver out", [];
    VolumeName = "mount.volume-name", "a volume that the profile does not list",
        "it may be somebody else's", "use a name that matches", [];
    VolumesFrom = "mount.volumes-from" root yes, "the volumes of another container",
        "its mounts may hold the host", "mount the volumes by name", [];
    VolumeOptions = "volume.options" root yes, "a volume with options that the profile does not list as a whole",
        "the local driver mounts whatever they name, the host's root too", "leave the options out, or have type, device and o listed under volume_options", ["CIS 5.6"];
    VolumeUnseen = "volume.unseen" root yes, "a volume that the gate could not look at",
        "what cannot be seen is not guessed", "try again when the daemon answers", [];
    TmpfsOption = "mount.tmpfs-option", "a tmpfs option that brings devices or setuid programs",
        "they are switched off for a reason", "leave dev and suid out", [];

    // devices
    Device = "device.node" root yes, "a device of the host that the profile does not list",
        "a disk is the host's files", "leave --device out, or have it listed under devices", ["CIS 5.18"];
    DeviceRule = "device.cgroup-rule" root yes, "a cgroup rule for devices",
        "with mknod it opens any device", "leave --device-cgroup-rule out", ["CIS 5.18"];
    DeviceRequest = "device.request" root yes, "a device request that the profile does not list",
        "drivers hand out host devices and run hooks as root", "leave --gpus out, or have the driver listed under device_requests", [];

    // network
    NetworkName = "network.name", "a network that the profile does not list",
        "containers on it can be reached", "use a network that matches", [];
    PortHost = "network.port", "a host port that the profile does not list",
        "it takes the place of a service of the host", "publish without a host port, or within the range",
        ["CIS 5.8", "PSS baseline: Host Ports"];
    PortAddress = "network.port-address", "publishing on an address that the profile does not list",
        "the port is reachable from everywhere", "publish on 127.0.0.1", ["CIS 5.14"];
    PortSyntax = "network.port-syntax", "a port binding that can be read in two ways",
        "it cannot be judged", "write 8080/tcp and one number", [];
    ExtraHost = "network.extra-host", "an extra host that is not listed or not plain name:address",
        "a line break writes lines of /etc/hosts", "write name:address", [];
    Dns = "network.dns", "a name server, search domain or option that is not listed or not plain",
        "names lead to somebody else's machines", "leave --dns out", [];
    MacAddress = "network.mac-address", "a MAC address of one's own",
        "it takes another container's traffic", "leave --mac-address out", [];
    NetworkOption = "network.driver-option", "driver options of an endpoint",
        "they set kernel parameters", "leave --driver-opt out", [];
    NetworkUnseen = "network.unseen" root yes, "a network, by what may be an id, that the gate could not look at",
        "what cannot be seen is not guessed", "try again when the daemon answers", [];
    NetworkDriver = "network.driver" root yes, "a network driver that the profile does not list",
        "macvlan and ipvlan reach the host's own network, and drivers run as root", "use bridge", [];
    NetworkSetting = "network.setting" root yes, "an option of a network that the profile does not list",
        "it names the host's interfaces and addresses", "leave --opt out, or have it listed under network_options", [];
    NetworkScope = "network.scope", "a network of the swarm, one that is configuration, or one that follows another",
        "what it will be is decided elsewhere", "make a plain local network", [];
    Subnet = "network.subnet", "a range of addresses that the profile does not list",
        "the host sends what goes there into the network", "leave --subnet out, or have the range listed under subnets", [];
    Link = "network.link", "a link to another container",
        "it shows that container's environment", "use a network that both are on", [];
    EndpointAddress = "network.address", "an endpoint address that is no plain IP address, or a link-local one",
        "it takes another container's place", "leave --ip and --link-local-ip out", [];
    Hostname = "network.hostname", "a host or domain name with characters that names do not have",
        "a line break writes lines of /etc/hostname", "use letters, digits, dots and hyphens", [];

    // resources
    Memory = "resource.memory", "memory without bound, or above the bound",
        "one container can starve the host", "run with --memory within the bound", ["CIS 5.11"];
    Swap = "resource.swap", "swap without bound, or above twice the memory bound",
        "it undoes the memory bound", "leave --memory-swap out", ["CIS 5.11"];
    Cpus = "resource.cpus", "CPU without bound, or above the bound",
        "one container can starve the host", "run with --cpus within the bound", ["CIS 5.12"];
    Realtime = "resource.realtime", "real-time CPU time, or a scheduling weight above the default",
        "it takes time from the host itself", "leave it out", ["CIS 5.12"];
    Pids = "resource.pids", "processes without bound, or above the bound",
        "a fork bomb takes the host down", "run with --pids-limit within the bound", ["CIS 5.29"];
    Shm = "resource.shm", "shared memory above the bound",
        "it is the host's memory", "run with a smaller --shm-size", [];
    Oom = "resource.oom", "protection from the out-of-memory killer",
        "others are killed instead", "leave --oom-kill-disable and --oom-score-adj out", [];
    KernelMemory = "resource.kernel-memory", "a kernel memory limit",
        "old kernels leak or crash with it", "use --memory", [];
    BlockIo = "resource.block-io", "block IO rules for devices of the host",
        "they name the host's disks and take from others", "leave them out", [];
    Ulimit = "resource.ulimit", "a ulimit that the profile does not list, or above its bound",
        "limits keep the host usable", "leave --ulimit out, or stay within the bound", ["CIS 5.19"];
    Sysctl = "resource.sysctl" root yes, "a kernel parameter that the profile does not list",
        "some are the host's", "leave --sysctl out", ["PSS baseline: Sysctls"];

    // image, user, runtime, filesystem
    ImageNotAllowed = "image.not-allowed", "an image that the role does not list",
        "whoever chooses the image chooses the code", "use an image that matches, or have it listed under images", ["CIS 4.2"];
    ImageById = "image.by-id", "an image given by an id that the daemon does not have",
        "an id alone says nothing of where it came from", "name it by repository and tag or digest", [];
    ImageOrigin = "image.origin", "an image that bears an allowed name and did not come from there",
        "anyone may tag, load or import an image under any name", "pull it from the repository, or have local:NAME listed", ["CIS 4.2"];
    ImageUnseen = "image.unseen", "an image that the gate could not look at",
        "what cannot be seen is not guessed", "try again when the daemon answers", [];
    ImageUnpinned = "image.not-pinned", "a service's image without its digest",
        "each node takes what it has under the name", "name it with @sha256:..., as docker service create does by itself", ["CIS 4.2"];
    ImageWrite = "image.write", "a name that the role may not give to an image",
        "others trust what bears it", "use a name that matches, or have it listed under images.write", [];
    ImageChange = "image.change", "a change of an image that is not one plain instruction, or is ONBUILD",
        "it acts when others build or run", "use CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR and the like", [];
    ImageSource = "image.source", "an image to import from an address",
        "the daemon fetches it from wherever the address leads", "send it as the body: docker import - NAME", [];
    RegistryHost = "registry.host", "a registry that the role does not list, or an address, localhost or port that it does not name to the letter",
        "the daemon calls it, from inside the network, with credentials", "use a registry that is listed under images.pull or images.push", [];
    ImageSyntax = "image.syntax", "an image reference that can be read in two ways",
        "it cannot be judged", "write registry/name:tag or registry/name@sha256:...", [];
    UserRoot = "user.root", "root, or a user that may turn out to be root, inside the container",
        "root inside is one kernel bug away from root outside", "run with --user and a number above 0",
        ["CIS 4.1", "PSS restricted: Running as Non-root"];
    UserRange = "user.range", "a user or group id outside the ranges",
        "ids are shared with the host", "run with --user within the ranges", ["CIS 4.1"];
    WorkingDir = "user.working-dir" root yes, "a working directory under /proc or /dev, or not a clean absolute path",
        "a leaked descriptor leads to the host's files", "choose another --workdir", ["CVE-2024-21626"];
    Runtime = "runtime.not-allowed" root yes, "a runtime that the profile does not list",
        "a runtime is the wall around the container", "leave --runtime out, or use one that is listed", ["CIS 5.1"];
    ReadOnlyRoot = "filesystem.read-only", "a writable root filesystem where it must be read-only",
        "what cannot be written cannot be kept", "run with --read-only and tmpfs", ["CIS 5.13"];
    StorageOption = "filesystem.storage-option", "a storage option that the profile does not list",
        "it reaches the storage driver", "leave --storage-opt out", [];
    LogDriver = "logging.driver", "a log driver that the profile does not list",
        "it sends output to any address, or hides it", "leave --log-driver out", [];
    LogOption = "logging.option", "a log option that the profile does not list",
        "options name addresses, files and environments", "leave --log-opt out", [];
    Restart = "restart.policy", "a restart policy that the profile does not list",
        "a container that restarts outlives a revocation", "use a policy that is listed", ["CIS 5.15"];
    Annotation = "annotation.not-allowed" root yes, "an annotation that the profile does not list",
        "annotations reach runtimes and their hooks", "leave --annotation out", [];
    Label = "label.not-allowed", "a label that the profile does not allow",
        "labels steer proxies, updaters and schedulers", "leave the label out", [];
    LabelRequired = "label.required", "a label that must be set is missing, or has another value",
        "labels say whose it is", "run with --label", [];
    StopTimeout = "resource.stop-timeout", "a container that takes for ever, or more than an hour, to stop",
        "stopping the daemon waits for it", "leave --stop-timeout out, or stay within an hour", [];
    HealthInterval = "health.interval", "a health check more often than the profile allows",
        "each check is a process on the host", "use a longer interval", ["CIS 5.27"];
    PsArgs = "container.ps-args", "arguments of ps that are not plain columns",
        "ps runs on the host as root and shows environments", "use docker top without arguments, or -eo with columns", [];
    Signal = "container.signal", "a signal that is no plain name or number",
        "it can be read in two ways", "write SIGTERM or 15", [];
    Dockerfile = "build.dockerfile", "a Dockerfile outside of its context",
        "it can be read in two ways", "name a path within the context", [];
    CopyPath = "copy.path", "a path in a container that is not clean, or lies under /proc or /sys",
        "it can lead to the host's own files", "write the path without . and .. parts", ["CVE-2018-15664"];
    CopyCompressed = "copy.compressed" root yes, "an archive for a container that is not a plain tar",
        "daemons before 29.5.1 run the container's own decompressor as root", "send it uncompressed", ["CVE-2026-41567"];
    CopyMounts = "copy.running-mounts" root yes, "copying into or out of a container that runs and has mounts",
        "a link that changes meanwhile leads to the host's files", "stop it first, or use docker exec with tar", ["CVE-2026-41568", "CVE-2026-42306", "CVE-2018-15664"];
    SecretDriver = "secret.driver" root yes, "a driver or template for a secret or config",
        "a driver is a program that runs as root, a template reads other secrets", "send the data itself", [];
    Name = "name.reserved", "a name that reads as an id or as a mode",
        "it takes the place of another container's short id", "choose another name", [];
}

/// What is documented about a flaw: the refusals with 400, and `route.unknown`.
#[must_use]
pub const fn flaw_rule(flaw: Flaw) -> Rule {
    let (what, why, remedy): (&str, &str, &str) = match flaw {
        Flaw::PathCanonical => (
            "a path in another spelling than the one we accept",
            "the daemon decodes and cleans paths in its own way",
            "send the path as Docker's own clients do",
        ),
        Flaw::RouteUnknown => (
            "a path that is no endpoint of the API",
            "what is unknown cannot be judged",
            "check the method and path",
        ),
        Flaw::NameAbsent => (
            "a name to look at that nothing of its kind can have",
            "the daemon's router reads such a name over path segments",
            "none is needed: clients go on to the kind that can",
        ),
        Flaw::VersionSpelling => (
            "a version prefix other than /v1.NN",
            "the daemon reads /v01.041 as a version too",
            "write /v1.41",
        ),
        Flaw::VersionRange => (
            "an API version outside the accepted range",
            "older versions mean other things, newer ones have fields nobody has judged",
            "set DOCKER_API_VERSION to a version within the range",
        ),
        Flaw::VersionEndpoint => (
            "an endpoint that this API version does not have",
            "daemons serve endpoints below their documented version",
            "use a newer version",
        ),
        Flaw::QuerySyntax => (
            "a query string that cannot be decoded in one way",
            "daemons of different age split it differently",
            "percent-encode the values",
        ),
        Flaw::QueryUnknown => (
            "a query key that this endpoint does not have",
            "what is unknown cannot be judged",
            "leave the key out",
        ),
        Flaw::QueryDuplicate => {
            ("a query key given twice", "which one counts depends on the endpoint", "give it once")
        }
        Flaw::QueryValue => (
            "a query value of another kind than the key has",
            "the daemon would read it otherwise than it looks",
            "correct the value",
        ),
        Flaw::QueryFilter => (
            "a filter that the endpoint does not have, or one without a value",
            "the daemon takes it for none, and a prune then removes everything",
            "leave the key out, or give it a value",
        ),
        Flaw::HeaderCredentials => (
            "registry credentials that cannot be read in one way",
            "the daemon goes on without them, or with others",
            "send base64url of the JSON that Docker documents",
        ),
        Flaw::HttpVersion => {
            ("a request that is not HTTP/1.1", "framing differs between versions", "use HTTP/1.1")
        }
        Flaw::HttpMethod => (
            "a method in another spelling, or CONNECT",
            "the API has GET, HEAD, POST, PUT and DELETE",
            "use the method that the API documents",
        ),
        Flaw::HttpHost => {
            ("no Host header, or several", "HTTP/1.1 asks for exactly one", "send one Host header")
        }
        Flaw::HttpFraming => (
            "a length or transfer coding that can be read in two ways",
            "where a body ends decides what the next request is (request smuggling)",
            "send one Content-Length, or Transfer-Encoding: chunked",
        ),
        Flaw::HttpExpect => {
            ("an Expect header other than 100-continue", "the daemon answers 417", "leave it out")
        }
        Flaw::HttpHeader => (
            "a header given twice or with bytes that are not printable ASCII",
            "which one counts differs",
            "send it once, in ASCII",
        ),
        Flaw::BodyUnexpected => (
            "a body on a request that has none",
            "old daemons read it where new ones do not",
            "send no body",
        ),
        Flaw::BodyMissing => {
            ("no body where one is needed", "nothing can be judged", "send the JSON body")
        }
        Flaw::BodyType => (
            "a content type that this endpoint does not take",
            "the daemon merges form fields into the query",
            "send application/json, or a tar stream where one belongs",
        ),
        Flaw::BodyTooLarge => (
            "a body larger than what is inspected whole (CVE-2024-41110, CVE-2026-34040)",
            "a body is never judged in part",
            "send a smaller body",
        ),
        Flaw::BodyIncomplete => (
            "a body that ended early or did not arrive in time",
            "a body is never judged in part",
            "send it again",
        ),
        Flaw::BodyTrailers => {
            ("trailer fields after a body", "they can overwrite headers", "send none")
        }
        Flaw::JsonSyntax => {
            ("a body that is not JSON", "it cannot be read", "correct it at the place named")
        }
        Flaw::JsonTrailing => (
            "more after the JSON value",
            "old daemons ignore it, new ones do not",
            "send one value",
        ),
        Flaw::JsonDepth => {
            ("JSON nested deeper than 64 levels", "no request needs it", "send a flatter body")
        }
        Flaw::JsonValues => (
            "JSON with more values than a text of its size has in any request",
            "small texts could take much memory",
            "send only what Docker documents",
        ),
        Flaw::JsonDuplicate => {
            ("a JSON key given twice", "the daemon merges the two", "give it once")
        }
        Flaw::JsonKeyCase => (
            "a known JSON key in another spelling",
            "the daemon reads it as the known key",
            "spell it as Docker documents it",
        ),
        Flaw::JsonUnknown => (
            "an unknown JSON key that says something",
            "what is unknown cannot be judged",
            "leave it out, or use a client of an accepted API version",
        ),
        Flaw::JsonType => {
            ("a JSON value of another type than the field has", "it cannot be judged", "correct it")
        }
        Flaw::JsonNumber => (
            "a number that is no exact integer in range",
            "the daemon refuses or rounds it",
            "write a plain integer",
        ),
        Flaw::JsonContradiction => (
            "a body that names another object than the path",
            "the two could be judged apart",
            "send it to the object's own path",
        ),
        Flaw::UpgradeRequired => (
            "a stream with input that does not ask to upgrade",
            "without an upgrade only output can be streamed",
            "send Connection: Upgrade and Upgrade: tcp",
        ),
        Flaw::UpgradeProtocol => (
            "an upgrade to a protocol that the route does not have",
            "a tunnel is opened for what was judged alone",
            "send the protocol that the API documents",
        ),
    };
    Rule { id: flaw.id(), what, why, remedy, references: &[], root: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_dotted_and_lower_case() {
        let mut ids: Vec<_> = Reason::ALL.iter().map(|r| r.id()).collect();
        ids.extend(Flaw::ALL.iter().map(|f| f.id()));
        for id in &ids {
            assert!(
                id.contains('.')
                    && id.bytes().all(|b| b.is_ascii_lowercase() || b".-".contains(&b)),
                "{id}"
            );
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
