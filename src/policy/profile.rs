//! Admission profiles: what a body may ask for. `baseline` and `restricted` are named and meant as
//! in the Kubernetes Pod Security Standards; `unrestricted` is no profile at all.

use super::pattern::Pattern;
use ipnet::IpNet;
use std::ops::RangeInclusive;

/// A profile, complete: every rule has its value, inherited or written.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The name in the policy file.
    pub name: String,
    /// `user`: who the first process may be.
    pub user: UserRule,
    /// `capabilities.add`: names without `CAP_`, upper case, that may be added.
    pub capabilities_add: Vec<String>,
    /// `capabilities.drop_all`: whether dropping ALL is required.
    pub drop_all: bool,
    /// `security_options`: allowed besides the spellings of no-new-privileges, each exactly.
    pub security_options: Vec<String>,
    /// `no_new_privileges`: whether it must be asked for.
    pub no_new_privileges: bool,
    /// `ipc`: modes that may be asked for (`private`, `none`, `shareable`).
    pub ipc: Vec<String>,
    /// `host_paths`: what of the host may be mounted.
    pub host_paths: Vec<HostPath>,
    /// `volumes`: names that may be mounted (and thereby made).
    pub volumes: Vec<Pattern>,
    /// `volume_drivers`: drivers that may be named; the daemon's default counts as `local`.
    pub volume_drivers: Vec<String>,
    /// `volume_options`: what the local driver may be told to mount, as a whole.
    pub volume_options: Vec<VolumeOptions>,
    /// `devices`: device nodes, each exactly, the same inside as outside.
    pub devices: Vec<String>,
    /// `device_requests`: drivers (`nvidia`, `cdi`) that may be asked for.
    pub device_requests: Vec<String>,
    /// `networks`: names that may be joined; `host` and `container:` never by pattern.
    pub networks: Vec<Pattern>,
    /// `network_drivers`: drivers of networks that may be made; naming none is `bridge`.
    pub network_drivers: Vec<String>,
    /// `network_options`: driver options that a network may be made with.
    pub network_options: Vec<String>,
    /// `subnets`: ranges of addresses in which a network may choose its own.
    pub subnets: Vec<IpNet>,
    /// `ports`: what may be published.
    pub ports: Ports,
    /// `extra_hosts`: names that may be put into /etc/hosts.
    pub extra_hosts: Vec<Pattern>,
    /// `dns`: name servers that may be set.
    pub dns: Vec<Pattern>,
    /// `mac_address`: whether a MAC address may be chosen.
    pub mac_address: bool,
    /// `memory` in bytes.
    pub memory: Limit,
    /// `cpus` in billionths of a CPU.
    pub cpus: Limit,
    /// `pids`, a number of processes and threads.
    pub pids: Limit,
    /// `shm` in bytes.
    pub shm: Limit,
    /// `ulimits`: the highest hard limit by name.
    pub ulimits: Vec<(String, i64)>,
    /// `sysctls` that may be set.
    pub sysctls: Vec<String>,
    /// `runtime`: names that may run it; empty is the daemon's default alone.
    pub runtime: Vec<String>,
    /// `read_only_root`: whether it is required.
    pub read_only_root: bool,
    /// `storage_options`: keys that may be set.
    pub storage_options: Vec<String>,
    /// `logging`: drivers and options.
    pub logging: Logging,
    /// `restart`: policies that may be asked for.
    pub restart: Vec<String>,
    /// `annotations` that may be set.
    pub annotations: Vec<Pattern>,
    /// `labels`: which may, may not, must be set.
    pub labels: Labels,
    /// `health.min_interval` in nanoseconds.
    pub health_min_interval: i64,
    /// `copy`: what may be copied into and out of a container.
    pub copy: Copying,
}

/// What the local driver may be told to mount: `mount -t type -o o device`. All three are judged
/// together, since each alone means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeOptions {
    /// The type of file system, exactly.
    pub kind: String,
    /// The device or address.
    pub device: Pattern,
    /// The options.
    pub options: Pattern,
}

/// How files are copied into and out of a container, which the daemon does as root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copying {
    /// Whether an archive may be compressed (CVE-2026-41567).
    pub compressed: bool,
    /// Whether the container may run and have mounts meanwhile (CVE-2026-41568, CVE-2026-42306).
    pub running_with_mounts: bool,
}

/// Who the container's first process, and an exec, may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRule {
    /// Anybody, root included.
    Any,
    /// A number that is not 0. A name is refused: the image decides what it means.
    NonRoot,
    /// Numbers in these ranges.
    Ids {
        /// User ids.
        uid: Vec<RangeInclusive<u32>>,
        /// Group ids, for the group and each supplementary one.
        gid: Vec<RangeInclusive<u32>>,
    },
}

/// A path of the host that may be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// Absolute and lexically clean.
    pub path: String,
    /// Whether only read-only mounts are allowed.
    pub read_only: bool,
    /// Whether also what lies under it may be mounted (read-only paths alone).
    pub below: bool,
}

/// A bound on a number of which 0 and less mean unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Written into a body that sets none.
    pub default: Option<i64>,
    /// The highest that may be asked for; with it, unlimited is refused.
    pub max: Option<i64>,
}

impl Limit {
    /// No bound.
    pub const NONE: Self = Self { default: None, max: None };
}

/// What may be published on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Whether a port that the daemon picks is allowed.
    pub ephemeral: bool,
    /// Host ports that may be named.
    pub host: Vec<RangeInclusive<u16>>,
    /// Addresses that may be bound; `None` is any.
    pub address: Option<Vec<std::net::IpAddr>>,
}

/// Where the container's output may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Drivers that may be named; naming none is the daemon's default and always allowed.
    pub drivers: Vec<String>,
    /// Option keys that may be set.
    pub options: Vec<String>,
}

/// Rules on labels, which steer Traefik, Watchtower and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Keys that may be set; `None` is any.
    pub allow: Option<Vec<Pattern>>,
    /// Keys that may not be set, even if allowed.
    pub deny: Vec<Pattern>,
    /// Keys that must be set, and the values they may have.
    pub require: Vec<(String, Pattern)>,
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&w| w.to_owned()).collect()
}

fn any() -> Vec<Pattern> {
    vec![Pattern::new("**")]
}

impl Profile {
    /// `baseline`: prevents known privilege escalations, asks for nothing.
    #[must_use]
    pub fn baseline() -> Self {
        Self {
            name: "baseline".into(),
            user: UserRule::Any,
            // Docker's default set, which is what the standard allows to be added
            capabilities_add: words(&[
                "AUDIT_WRITE",
                "CHOWN",
                "DAC_OVERRIDE",
                "FOWNER",
                "FSETID",
                "KILL",
                "MKNOD",
                "NET_BIND_SERVICE",
                "SETFCAP",
                "SETGID",
                "SETPCAP",
                "SETUID",
                "SYS_CHROOT",
            ]),
            drop_all: false,
            security_options: Vec::new(),
            no_new_privileges: false,
            ipc: words(&["private", "none", "shareable"]),
            host_paths: Vec::new(),
            volumes: any(),
            volume_drivers: words(&["local"]),
            volume_options: Vec::new(),
            devices: Vec::new(),
            device_requests: Vec::new(),
            networks: any(),
            network_drivers: words(&["bridge"]),
            network_options: words(&[
                "com.docker.network.bridge.enable_icc",
                "com.docker.network.bridge.enable_ip_masquerade",
                "com.docker.network.driver.mtu",
            ]),
            subnets: Vec::new(),
            ports: Ports { ephemeral: true, host: Vec::new(), address: None },
            extra_hosts: any(),
            dns: any(),
            mac_address: false,
            memory: Limit::NONE,
            cpus: Limit::NONE,
            pids: Limit::NONE,
            shm: Limit { default: None, max: Some(1 << 30) },
            ulimits: vec![
                ("nofile".into(), 1 << 20),
                ("nproc".into(), 1 << 20),
                ("core".into(), 0),
            ],
            sysctls: words(&[
                "kernel.shm_rmid_forced",
                "net.ipv4.ip_local_port_range",
                "net.ipv4.ip_local_reserved_ports",
                "net.ipv4.ip_unprivileged_port_start",
                "net.ipv4.ping_group_range",
                "net.ipv4.tcp_fin_timeout",
                "net.ipv4.tcp_keepalive_intvl",
                "net.ipv4.tcp_keepalive_probes",
                "net.ipv4.tcp_keepalive_time",
                "net.ipv4.tcp_syncookies",
            ]),
            runtime: Vec::new(),
            read_only_root: false,
            storage_options: Vec::new(),
            logging: Logging {
                drivers: words(&["json-file", "local", "journald"]),
                options: words(&["max-size", "max-file", "compress", "mode", "max-buffer-size"]),
            },
            restart: words(&["no", "on-failure", "always", "unless-stopped"]),
            annotations: Vec::new(),
            labels: Labels { allow: None, deny: Vec::new(), require: Vec::new() },
            health_min_interval: 1_000_000_000,
            copy: Copying::default(),
        }
    }

    /// `restricted`: `baseline`, and today's hardening is asked for: no root, no new privileges,
    /// all capabilities dropped, a bound on processes.
    #[must_use]
    pub fn restricted() -> Self {
        Self {
            name: "restricted".into(),
            user: UserRule::NonRoot,
            capabilities_add: words(&["NET_BIND_SERVICE"]),
            drop_all: true,
            no_new_privileges: true,
            ipc: words(&["private", "none"]),
            pids: Limit { default: Some(512), max: Some(4096) },
            ..Self::baseline()
        }
    }
}
