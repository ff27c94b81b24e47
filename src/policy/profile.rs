//! Admission profiles: what a body may ask for. `baseline` and `restricted` are named and meant as
//! in the Kubernetes Pod Security Standards; `unrestricted` is no profile at all.
//!
//! A key of a profile is one row of `profile_keys!`. The field, the accessor that admission judges by, the
//! comparison with the parent, the key of the file, its reading and its schema are made of that row, so that
//! none of them can be forgotten: a key that admission does not read, whose kind nobody compares or that the
//! file has no form for, does not compile.

mod kinds;
mod looser;

pub use kinds::{
    Allowed, Capabilities, Chosen, Copying, Demanded, Groups, HardLimit, Health, HostPath, Labels,
    Limit, Listed, Logging, Ports, Restarts, Runtimes, UserRule, Users, VolumeOptions,
};

use super::glob::Glob;
use crate::docker::image::ImagePattern;
use ipnet::IpNet;
use looser::Looser;
use std::sync::Arc;

/// Every key: what it says, its name, the kind of rule that it is, and how the file writes it (a `Form` of
/// `config/keys/profile.rs`). Hands the rows to the macro that is named.
macro_rules! profile_keys {
    ($then:ident) => {
        $then! {
            /// who the first process may be
            user: Users as USER,
            // besides what `user` asks of them
            /// groups that may be joined
            groups: Groups as GROUPS,
            /// capabilities beyond the daemon's own
            capabilities: Capabilities as CAPABILITIES,
            // besides the spellings of no-new-privileges
            /// security options, each exactly
            security_options: Listed<String> as NAMES,
            /// whether it must be asked for
            no_new_privileges: Demanded as DEMANDED,
            /// IPC modes
            ipc: Listed<String> as IPC,
            /// paths of the host that may be mounted
            host_paths: Listed<HostPath> as HOST_PATHS,
            /// what a mount of the daemon's socket becomes
            docker_socket: Chosen as SOCKET,
            // whoever writes in the outer one chooses what the inner one covers
            /// whether a mount may lie within another that is no tmpfs
            nested_mounts: Allowed as ALLOWED,
            // what is mounted is thereby made
            /// patterns of volume names
            volumes: Listed<Glob> as OWN_NAMES,
            // the daemon's default counts as `local`
            /// volume drivers
            volume_drivers: Listed<String> as NAMES,
            /// what the local driver may be told to mount
            volume_options: Listed<VolumeOptions> as VOLUME_OPTIONS,
            // the same inside as outside
            /// device nodes, each exactly
            devices: Listed<String> as PATHS,
            /// device drivers such as nvidia
            device_requests: Listed<String> as NAMES,
            // `host` and `container:` never by pattern
            /// patterns of network names; {identity} and {1} as in identities
            networks: Listed<Glob> as NETWORKS,
            // naming none is `bridge`
            /// drivers of networks that may be made
            network_drivers: Listed<String> as NAMES,
            /// driver options that a network may be made with
            network_options: Listed<String> as NAMES,
            /// ranges in which a network may choose its own
            subnets: Listed<IpNet> as SUBNETS,
            /// what may be published
            ports: Ports as PORTS,
            /// patterns of names for /etc/hosts
            extra_hosts: Listed<Glob> as PATTERNS,
            /// patterns of name servers
            dns: Listed<Glob> as PATTERNS,
            /// whether a MAC address may be chosen
            mac_address: Chosen as CHOSEN,
            // in bytes
            /// memory
            memory: Limit as SIZE_LIMIT,
            // in billionths of a CPU
            /// CPUs
            cpus: Limit as CPU_LIMIT,
            /// processes and threads
            pids: Limit as COUNT_LIMIT,
            // in bytes
            /// shared memory
            shm: Limit as SIZE_LIMIT,
            /// the highest hard limit by name
            ulimits: Listed<HardLimit> as ULIMITS,
            /// kernel parameters that may be set
            sysctls: Listed<String> as NAMES,
            /// runtimes that must be used; left empty: the daemon's default
            runtime: Runtimes as RUNTIMES,
            /// whether the root filesystem must be read-only
            read_only_root: Demanded as DEMANDED,
            /// whether an init process must reap what others leave behind
            init: Demanded as DEMANDED,
            /// storage options that may be set
            storage_options: Listed<String> as NAMES,
            /// where output may go
            logging: Logging as LOGGING,
            /// restart policies
            restart: Restarts as RESTART,
            /// patterns of annotations
            annotations: Listed<Glob> as PATTERNS,
            /// labels that may, may not, must be set
            labels: Labels as LABELS,
            /// health checks
            health: Health as HEALTH,
            /// copying into and out of containers
            copy: Copying as COPYING,
        }
    };
}

pub(crate) use profile_keys;

/// Makes the profile of the rows. Admission judges by the accessors, which are the crate's own: one that
/// nobody calls is dead code, which is denied.
macro_rules! profile {
    ($( #[doc = $what:literal] $key:ident: $kind:ty as $form:ident, )*) => {
        /// A profile, complete: every rule has its value, inherited or written.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Profile {
            /// The name in the policy file.
            pub name: String,
            /// What holds instead for some images: the first that has the image.
            pub images: Vec<ImageException>,
            $( #[doc = $what] pub $key: $kind, )*
        }

        impl Profile {
            $(
                #[doc = $what]
                pub(in crate::policy) const fn $key(&self) -> &$kind {
                    &self.$key
                }
            )*

            /// The keys in which it is looser than its parent. `extends: restricted` reads as if the child
            /// were restricted too; `check` says where that is no longer so.
            #[must_use]
            pub fn looser_than(&self, parent: &Self) -> Vec<&'static str> {
                let keys = [
                    $( (stringify!($key), Looser::is_looser(&self.$key, &parent.$key)), )*
                ];
                keys.into_iter().filter(|(_, looser)| *looser).map(|(key, _)| key).collect()
            }
        }
    };
}

profile_keys!(profile);

/// Images of which containers are judged by a profile of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageException {
    /// Patterns of the images, by where they came from.
    pub matching: Vec<ImagePattern>,
    /// The profile, complete: the one that it stands in, but for what is written here; it has no exceptions.
    pub profile: Arc<Profile>,
}

fn words(list: &[&str]) -> Listed<String> {
    list.iter().map(|&w| w.to_owned()).collect()
}

fn any() -> Listed<Glob> {
    Listed(vec![Glob::new("**")])
}

impl Profile {
    /// This profile, and those that hold instead for some images.
    pub fn with_exceptions(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.images.iter().map(|of| of.profile.as_ref()))
    }

    /// `baseline`: prevents known privilege escalations, asks for nothing.
    #[must_use]
    pub fn baseline() -> Self {
        Self {
            name: "baseline".into(),
            images: Vec::new(),
            user: Users { allow: UserRule::Any, set: None },
            // a name means what the image says, and 0 is root's
            groups: Groups { ids: Listed(vec![1..=u32::MAX]), names: Listed::NONE },
            capabilities: Capabilities {
                // Docker's default set but for NET_RAW, which is what the standard allows to be added
                add: (Capabilities::DEFAULT.into_iter().filter(|name| *name != "NET_RAW"))
                    .map(str::to_owned)
                    .collect(),
                drop_all: Demanded::No,
            },
            security_options: Listed::NONE,
            no_new_privileges: Demanded::No,
            ipc: words(&["private", "none", "shareable"]),
            host_paths: Listed::NONE,
            docker_socket: Chosen::Refuse,
            nested_mounts: Allowed(false),
            volumes: any(),
            volume_drivers: words(&["local"]),
            volume_options: Listed::NONE,
            devices: Listed::NONE,
            device_requests: Listed::NONE,
            networks: any(),
            network_drivers: words(&["bridge"]),
            network_options: words(&[
                "com.docker.network.bridge.enable_icc",
                "com.docker.network.bridge.enable_ip_masquerade",
                "com.docker.network.driver.mtu",
            ]),
            subnets: Listed::NONE,
            ports: Ports {
                ephemeral: Allowed(true),
                host: Listed::NONE,
                address: None,
                default: None,
            },
            extra_hosts: any(),
            dns: any(),
            mac_address: Chosen::Refuse,
            memory: Limit::NONE,
            cpus: Limit::NONE,
            pids: Limit::NONE,
            shm: Limit { default: None, max: Some(1 << 30) },
            ulimits: [("nofile", 1 << 20), ("nproc", 1 << 20), ("core", 0)]
                .map(|(name, most)| HardLimit { name: name.to_owned(), most })
                .into_iter()
                .collect(),
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
            runtime: Runtimes(Vec::new()),
            read_only_root: Demanded::No,
            init: Demanded::No,
            storage_options: Listed::NONE,
            logging: Logging {
                drivers: words(&["json-file", "local", "journald"]),
                options: words(&["max-size", "max-file", "compress", "mode", "max-buffer-size"]),
            },
            restart: Restarts {
                allow: words(&["no", "on-failure", "always", "unless-stopped"]),
                set: None,
            },
            annotations: Listed::NONE,
            labels: Labels { allow: None, deny: Vec::new(), require: Vec::new(), set: Vec::new() },
            health: Health { min_interval: 1_000_000_000 },
            copy: Copying { compressed: Allowed(false), running_with_mounts: Allowed(false) },
        }
    }

    /// `restricted`: `baseline`, and today's hardening is asked for: no root, no new privileges,
    /// all capabilities dropped, a bound on processes.
    #[must_use]
    pub fn restricted() -> Self {
        Self {
            name: "restricted".into(),
            user: Users { allow: UserRule::NonRoot, set: None },
            capabilities: Capabilities {
                add: words(&["NET_BIND_SERVICE"]),
                drop_all: Demanded::Required,
            },
            no_new_privileges: Demanded::Required,
            ipc: words(&["private", "none"]),
            pids: Limit { default: Some(512), max: Some(4096) },
            ..Self::baseline()
        }
    }
}
