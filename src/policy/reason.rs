//! Every reason for which policy refuses something: id, what, why, remedy, references. One table, many
//! readers: the 403's message, the log, `dockward rules`, the docs, the corpus.

use crate::rule::rules;

rules! {
    /// Why a request is refused by policy.
    pub enum Reason in "Denied by policy", "403. `observe` lets through what is not marked as root on the host." {
        // who and what
        RouteNever = "route.never" root, "a route that nobody may use",
            "it opens the daemon in a way that cannot be judged", "use another command", [];
        VerbNotGranted = "verb.not-granted", "a verb that no role of this identity grants",
            "everything is denied that is not allowed", "ask for a role that has the verb", [];
        VerbDenied = "verb.denied", "a verb that a role of this identity denies",
            "a deny cannot be undone by another role", "ask for the deny to be lifted", [];
        Reserved = "admission.reserved" root, "what no profile can judge: swarms, nodes, plugins, cluster volumes, checkpoints, the daemon's insides",
            "it acts on the whole host, or on other hosts", "ask an administrator to do it", ["CIS 7.1"];
        QueryGuarded = "query.guarded" root, "a query key of which no value is safe",
            "it reaches beyond what the verb grants", "leave the key out, or ask an administrator", [];
        TargetAbsent = "target.absent", "a container that the daemon does not have",
            "what is not there cannot be judged, and may be there a moment later", "check its name; answered as the daemon would", [];
        TargetUnseen = "target.unseen" root, "a container that the gate could not look at",
            "what cannot be seen is not guessed", "try again when the daemon answers", [];

        OwnerForeign = "owner.foreign", "an object that is somebody else's, or nobody's",
            "whoever does not own it shall not know that it is there", "ask its owner; answered as if it were not there", [];
        OwnerTaken = "owner.taken", "a name that an object of somebody else has",
            "a name is whose object bears it first", "choose another name", [];
        OwnerAllTags = "owner.all-tags", "all tags of a repository at once, by a role that means its own images alone",
            "some may be somebody else's", "name one tag", [];
        OwnerAlias = "owner.alias", "a name on a network of others that does not begin with the identity's, or begins with another's",
            "others would be answered in the place of what they mean", "begin it with the identity's name", [];
        OwnerBridge = "owner.bridge", "the owner's own bridge, which leads outside, by a role that has none that does",
            "it was made by a role that has one", "have that network removed, once nothing is on it; the gate makes it anew", [];
        OwnerVolume = "owner.volume", "a volume that is made by the way in a form that takes no label",
            "it could not be told whose it is", "make it first with docker volume create, or leave z, Z and --volume-driver out", [];
        OwnerUntold = "owner.untold", "what makes or removes things of which it cannot be told whose they are, by a role that means its own alone",
            "the daemon writes no owner there", "have a role with scope: any do it", [];
        UnknownKey = "request.unknown", "what no daemon reads, by a role with unknown: refuse",
            "whoever asks so may rely on what is not done", "leave it out, or ask for unknown: drop", [];
        LabelReserved = "label.reserved", "a label that begins with dockward., other than what the gate sets by itself",
            "these say whose an object is", "leave the label out", [];
        RedactedValue = "value.redacted", "a value that the gate has taken out of what it was told",
            "what is made anew of an answer would lose what it had", "have reveal granted, or write the value", [];
        LookupsTooMany = "lookups.too-many" root, "a request that names more volumes, networks, images and paths than are looked up for one",
            "each is asked of the daemon, which one small request must not keep busy", "name fewer, in several requests", [];

        // privilege
        Privileged = "privilege.privileged" root, "a privileged container or exec",
            "it has every capability and every device: it is root on the host",
            "add the one capability or device that is needed", ["CIS 5.5", "PSS baseline: Privileged Containers"];
        CapAdd = "privilege.capability" root, "a capability beyond those that the profile lists",
            "most capabilities beyond Docker's own lead to the host", "leave it out, or have it listed under capabilities.add",
            ["CIS 5.4", "PSS baseline: Capabilities"];
        CapSet = "privilege.capability-set" root, "an exact capability set",
            "one old engine reads it beside CapAdd", "use CapAdd", ["CIS 5.4"];
        CapDrop = "privilege.capability-drop", "capabilities that are kept where all must be dropped",
            "what is not needed is not held", "run with --cap-drop ALL", ["CIS 5.4", "PSS restricted: Capabilities"];
        SecurityOpt = "privilege.security-option" root, "a security option that the profile does not list exactly",
            "seccomp, AppArmor and SELinux are switched off by it", "leave it out, or have it listed under security_options",
            ["CIS 5.2", "CIS 5.3", "CIS 5.22", "PSS baseline: Seccomp", "PSS baseline: AppArmor", "PSS baseline: SELinux"];
        NoNewPrivileges = "privilege.no-new-privileges", "new privileges where none may be gained",
            "setuid programs in the image give root back", "run with --security-opt no-new-privileges",
            ["CIS 5.26", "PSS restricted: Privilege Escalation"];
        MaskedPaths = "privilege.masked-paths" root, "a list of masked or read-only paths of one's own",
            "a shorter list uncovers /proc and /sys of the host", "leave MaskedPaths and ReadonlyPaths out",
            ["PSS baseline: /proc Mount Type"];

        // namespaces
        NamespacePid = "namespace.pid" root, "the process namespace of the host, or of another container by a role that may not exec at will",
            "the host's processes can be seen, traced and entered", "leave --pid out", ["CIS 5.16", "PSS baseline: Host Namespaces"];
        NamespaceIpc = "namespace.ipc" root, "the IPC namespace of the host, a mode not listed, or another container's by a role that may not exec at will",
            "shared memory of others can be read and written", "leave --ipc out", ["CIS 5.17", "PSS baseline: Host Namespaces"];
        NamespaceUts = "namespace.uts" root, "the UTS namespace of the host",
            "the host's name can be changed", "leave --uts out", ["CIS 5.21"];
        NamespaceUser = "namespace.user" root, "the user namespace of the host",
            "it undoes the remapping of root", "leave --userns out", ["CIS 5.31"];
        NamespaceCgroup = "namespace.cgroup" root, "the cgroup namespace of the host",
            "the host's cgroups can be seen", "leave --cgroupns out", [];
        NamespaceNetwork = "namespace.network" root, "the network of the host, or of another container by a role that may not exec at will",
            "the host's own services and sockets can be reached", "use a network of its own", ["CIS 5.10", "CVE-2020-15257", "PSS baseline: Host Namespaces"];
        CgroupParent = "namespace.cgroup-parent" root, "a cgroup parent of one's own",
            "limits are left behind, and paths with .. leave Docker's cgroup", "leave --cgroup-parent out", ["CIS 5.25"];
        Isolation = "namespace.isolation", "an isolation technology other than the daemon's",
            "it belongs to Windows", "leave --isolation out", [];

        // mounts
        MountHostPath = "mount.host-path" root, "a path of the host that the profile does not list",
            "whoever writes the host's files owns the host", "use a volume, or have the path listed under host_paths",
            ["CIS 5.6", "PSS baseline: HostPath Volumes"];
        MountReadOnly = "mount.read-only" root, "a writable mount of a path that is listed as read-only",
            "it is shared with others", "mount it with :ro", [];
        MountLink = "mount.link" root, "a path of the host that leads elsewhere by a symbolic link, or that others than root can exchange for one",
            "what is judged would not be what is mounted", "name the real path, and list paths in directories that root alone writes", [];
        MountUnseen = "mount.unseen" root, "a path of the host that the gate cannot see as the daemon does",
            "what cannot be seen is not guessed", "let the gate see it (PrivateTmp, ProtectHome), or use a volume", [];
        MountProtected = "mount.protected" root, "a directory or socket of the gate, the daemon or containerd, or a path that holds one",
            "it holds every container's files and the keys of the gate", "use a volume", ["CIS 5.6"];
        MountSocket = "mount.socket" root, "a socket or device of the host, the Docker socket above all",
            "whoever reaches the Docker socket is root on the host", "use the gate with a certificate of its own", ["CIS 5.32"];
        MountPath = "mount.path" root, "a source that is not an absolute, clean path or a plain volume name",
            "it can be read in two ways", "write the path without . and .. parts", [];
        MountType = "mount.type" root, "a mount of a type that is not judged",
            "image, cluster and npipe mounts read what is others'", "use bind, volume or tmpfs", ["PSS restricted: Volume Types"];
        MountOptions = "mount.options" root, "mount options beyond ro, rw, z, Z and nocopy",
            "shared propagation carries mounts to the host", "leave the option out", ["CIS 5.20", "CVE-2025-31133"];
        MountTarget = "mount.target" root, "a mount over /proc, /sys, /dev, the root directory, or where a GPU is asked for, also by a link in the container",
            "it hides what keeps the container in", "choose another target", ["CVE-2025-31133", "CVE-2025-52881"];
        MountNested = "mount.nested" root, "a mount within another one, where whoever writes there chooses what it covers",
            "a link in the outer one puts the inner one over /dev", "mount them side by side, or have nested_mounts allowed", ["CVE-2025-31133"];
        MountRestart = "mount.restart" root, "a path of the host that others than root can exchange, in a container that the daemon starts again by itself",
            "it is mounted again without being looked at", "leave --restart out, or list a path in directories that root alone writes", [];
        PathUnseen = "container.path-unseen" root, "a path in a container that the gate could not follow, or a mount that is not at its target",
            "a link in the container's own tree leads anywhere", "mount it where no link leads, or try again when the daemon answers", [];
        MountDriver = "mount.volume-driver" root, "volume driver options inside a mount",
            "the local driver mounts anything with them, the host's root too", "create the volume first, without options", [];
        VolumeDriver = "mount.driver-name" root, "a volume driver that the profile does not list",
            "a driver is a program that runs as root", "leave --volume-driver out", [];
        VolumeName = "mount.volume-name", "a volume that the profile does not list",
            "it may be somebody else's", "use a name that matches", [];
        VolumesFrom = "mount.volumes-from" root, "the volumes of more than 64 containers, in another mode than ro or rw, or by a role that may not exec at will",
            "whoever has them reaches into that container", "mount the volumes by name", [];
        VolumeOptions = "volume.options" root, "a volume with options that the profile does not list as a whole",
            "the local driver mounts whatever they name, the host's root too", "leave the options out, or have type, device and o listed under volume_options", ["CIS 5.6"];
        VolumeUnseen = "volume.unseen" root, "a volume that the gate could not look at",
            "what cannot be seen is not guessed", "try again when the daemon answers", [];
        TmpfsOption = "mount.tmpfs-option", "a tmpfs option that brings devices or setuid programs",
            "they are switched off for a reason", "leave dev and suid out", [];

        // devices
        Device = "device.node" root, "a device of the host that the profile does not list",
            "a disk is the host's files", "leave --device out, or have it listed under devices", ["CIS 5.18"];
        DeviceRule = "device.cgroup-rule" root, "a cgroup rule for devices",
            "with mknod it opens any device", "leave --device-cgroup-rule out", ["CIS 5.18"];
        DeviceRequest = "device.request" root, "a device request that the profile does not list",
            "drivers hand out host devices and run hooks as root", "leave --gpus out, or have the driver listed under device_requests", [];

        DeviceEnvironment = "device.environment" root, "a variable that hooks of devices read on the host, where devices may be requested",
            "a hook that runs as root loads what the variable names", "leave it out, or run it where no devices are listed", ["CVE-2025-23266"];

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
        NetworkUnseen = "network.unseen" root, "a network, by what may be an id, that the gate could not look at",
            "what cannot be seen is not guessed", "try again when the daemon answers", [];
        NetworkMoved = "network.moved" root, "a network of a container whose name leads to another now",
            "what it was called is gone, and the daemon takes the name for the beginning of an id", "make the network, or the container, again", [];
        NetworkDriver = "network.driver" root, "a network driver that the profile does not list",
            "macvlan and ipvlan reach the host's own network, and drivers run as root", "use bridge", [];
        NetworkSetting = "network.setting" root, "an option of a network that the profile does not list",
            "it names the host's interfaces and addresses", "leave --opt out, or have it listed under network_options", [];
        NetworkScope = "network.scope", "a network of the swarm, one that is configuration, or one that follows another",
            "what it will be is decided elsewhere", "make a plain local network", [];
        Subnet = "network.subnet", "a range of addresses that the profile does not list",
            "the host sends what goes there into the network", "leave --subnet out, or have the range listed under subnets", [];
        Link = "network.link", "a link to another container whose name is a path, to more than 64, at an endpoint, or by a role that may not exec at will",
            "it shows that container's environment, and gives it a name", "use a network that both are on", [];
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
        Sysctl = "resource.sysctl" root, "a kernel parameter that the profile does not list",
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
        Group = "user.group", "a group that the profile does not list",
            "what the host shares with a group is shared with it, and a name means what the image says", "leave --group-add out, or have the group listed under groups", [];
        WorkingDir = "user.working-dir" root, "a working directory under /proc or /dev, also by a link in the container, or not a clean absolute path",
            "a leaked descriptor leads to the host's files", "choose another --workdir", ["CVE-2024-21626"];
        Runtime = "runtime.not-allowed" root, "a runtime that the profile does not list",
            "a runtime is the wall around the container", "leave --runtime out, or use one that is listed", ["CIS 5.1"];
 Init = "process.init", "no init process where there must be one",
            "what a container leaves behind holds places in its bound of processes", "run with --init", [];
        ReadOnlyRoot = "filesystem.read-only", "a writable root filesystem where it must be read-only",
            "what cannot be written cannot be kept", "run with --read-only and tmpfs", ["CIS 5.13"];
        StorageOption = "filesystem.storage-option", "a storage option that the profile does not list",
            "it reaches the storage driver", "leave --storage-opt out", [];
        LogDriver = "logging.driver", "a log driver that the profile does not list",
            "it sends output to any address, or hides it", "leave --log-driver out", [];
        LogOption = "logging.option", "a log option that the profile does not list",
            "options name addresses, files and environments", "leave --log-opt out", [];
        LogValue = "logging.value", "a log option with a value that the daemon cannot bear, or that can be read in two ways",
            "what waits for a log waits in the daemon's memory, which all containers share", "stay within what is allowed, or have KEY=VALUE listed under logging.options", [];
        Restart = "restart.policy", "a restart policy that the profile does not list",
            "a container that restarts outlives a revocation", "use a policy that is listed", ["CIS 5.15"];
        Annotation = "annotation.not-allowed" root, "an annotation that the profile does not list",
            "annotations reach runtimes and their hooks", "leave --annotation out", [];
        Label = "label.not-allowed", "a label that the profile does not allow",
            "labels steer proxies, updaters and schedulers", "leave the label out", [];
        LabelRequired = "label.required", "a label that must be set is missing, or has another value",
            "labels say whose it is", "run with --label", [];
        StopTimeout = "resource.stop-timeout", "a container that takes for ever, or more than an hour, to stop",
            "stopping the daemon waits for it", "leave --stop-timeout out, or stay within an hour", [];
        Weight = "resource.bytes", "arguments and environment, or labels, of more than 128 KiB together",
            "the daemon keeps them in memory, all containers' together", "hand large data over in a volume or on standard input", [];
        Execs = "resource.execs", "an exec in a container that has 256 of them",
            "the daemon keeps each until it has run, or its container stops", "let those that were made run, or start the container again", [];
        ExecUser = "exec.user", "an exec as a user that the role does not list",
            "a command is granted to whom it was meant for", "leave --user out, or have it listed under exec.users", [];
        ExecCommand = "exec.command", "an exec of a command that the role does not list",
            "what else can be run in a container does what it likes there", "run it as it is listed under exec.commands", [];
        ExecEnvironment = "exec.environment", "a variable for an exec that the role does not list",
            "variables choose what a command loads and where it connects", "leave --env out, or have its name listed under exec.env", [];
        ExecDirectory = "exec.working-dir", "a directory for an exec that the role does not list",
            "commands read what lies where they begin", "leave --workdir out, or have it listed under exec.working_dir", [];
        ExecInput = "exec.stdin", "an exec that is spoken to, which the role does not grant",
            "many commands do what their input says", "leave -i out, or have stdin: true beside exec.commands", [];
        ExecTerminal = "exec.tty", "an exec with a terminal, which the role does not grant",
            "a terminal is for people", "leave -t out", [];
        ExecPrivileged = "exec.privileged" root, "a privileged exec, which the role does not grant",
            "it has every capability: it is root on the host", "leave --privileged out", ["CIS 5.23"];
        DeleteManner = "delete.manner", "the removal of a container by force, with its volumes, or of a link, which the role does not grant",
            "what is deleted is not there for anybody", "stop the container first, and leave -v and --link out", [];
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
        CopyCompressed = "copy.compressed" root, "an archive for a container that is not a plain tar",
            "daemons before 29.5.1 run the container's own decompressor as root", "send it uncompressed", ["CVE-2026-41567"];
        CopyMounts = "copy.running-mounts" root, "copying into or out of a container that runs and has mounts, or has one within another",
            "a link that changes meanwhile leads to the host's files", "stop it first, or use docker exec with tar", ["CVE-2026-41568", "CVE-2026-42306", "CVE-2018-15664"];
        SecretDriver = "secret.driver" root, "a driver or template for a secret or config",
            "a driver is a program that runs as root, a template reads other secrets", "send the data itself", [];
        Name = "name.reserved", "a name that reads as a few digits of an id (`7`, `a6f29`), is the short id of another object, or a mode (`host`)",
            "the daemon takes it for the name where an id was meant, or for the beginning of an id when this one is gone",
            "choose a name with a letter beyond f, or with a hyphen", [];
        NamePlain = "name.plain", "a name that is missing, or has characters that names do not have",
            "it cannot be told apart from others, or is read over parts of a path", "use letters, digits, dots, hyphens and underscores", [];
    }
}

impl Reason {
    /// Whether it says that what is named is not there, for whoever asks: then nothing else is told of it.
    #[must_use]
    pub const fn is_absent(self) -> bool {
        matches!(self, Self::TargetAbsent | Self::OwnerForeign)
    }

    /// Whether it says only that something was not seen, so that looking could lift it.
    pub(in crate::policy) const fn is_unseen(self) -> bool {
        matches!(
            self,
            Self::TargetUnseen
                | Self::MountUnseen
                | Self::VolumeUnseen
                | Self::NetworkUnseen
                | Self::ImageUnseen
                | Self::PathUnseen
        )
    }
}
