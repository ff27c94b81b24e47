//! How people write what a request's fields say: as an option of `docker run`, and as a key of a compose file. A refusal
//! names the field, which is the daemon's word for it; who reads it wrote the other.

/// A field, without its index, the option and the key.
type SpellingRow = (&'static str, &'static str, &'static str);

/// The fields of a container's body that have an option.
const ROWS: &[SpellingRow] = &[
    ("ExposedPorts", "--expose", "expose"),
    ("Healthcheck", "--health-interval and the like", "healthcheck"),
    ("HostConfig.Annotations", "--annotation", "annotations"),
    ("HostConfig.Binds", "--volume", "volumes"),
    ("HostConfig.CapAdd", "--cap-add", "cap_add"),
    ("HostConfig.CapDrop", "--cap-drop", "cap_drop"),
    ("HostConfig.CgroupParent", "--cgroup-parent", "cgroup_parent"),
    ("HostConfig.CgroupnsMode", "--cgroupns", "cgroup"),
    ("HostConfig.CpuQuota", "--cpu-quota", "cpu_quota"),
    ("HostConfig.CpuShares", "--cpu-shares", "cpu_shares"),
    ("HostConfig.DeviceCgroupRules", "--device-cgroup-rule", "device_cgroup_rules"),
    ("HostConfig.DeviceRequests", "--gpus", "gpus"),
    ("HostConfig.Devices", "--device", "devices"),
    ("HostConfig.Dns", "--dns", "dns"),
    ("HostConfig.ExtraHosts", "--add-host", "extra_hosts"),
    ("HostConfig.GroupAdd", "--group-add", "group_add"),
    ("HostConfig.Init", "--init", "init"),
    ("HostConfig.IpcMode", "--ipc", "ipc"),
    ("HostConfig.Links", "--link", "links"),
    ("HostConfig.LogConfig", "--log-driver and --log-opt", "logging"),
    ("HostConfig.MaskedPaths", "--security-opt systempaths=unconfined", "security_opt"),
    ("HostConfig.Memory", "--memory", "mem_limit"),
    ("HostConfig.MemorySwap", "--memory-swap", "memswap_limit"),
    ("HostConfig.Mounts", "--mount", "volumes"),
    ("HostConfig.NanoCpus", "--cpus", "cpus"),
    ("HostConfig.NetworkMode", "--network", "network_mode"),
    ("HostConfig.OomKillDisable", "--oom-kill-disable", "oom_kill_disable"),
    ("HostConfig.OomScoreAdj", "--oom-score-adj", "oom_score_adj"),
    ("HostConfig.PidMode", "--pid", "pid"),
    ("HostConfig.PidsLimit", "--pids-limit", "pids_limit"),
    ("HostConfig.PortBindings", "--publish", "ports"),
    ("HostConfig.Privileged", "--privileged", "privileged"),
    ("HostConfig.ReadonlyPaths", "--security-opt systempaths=unconfined", "security_opt"),
    ("HostConfig.ReadonlyRootfs", "--read-only", "read_only"),
    ("HostConfig.RestartPolicy", "--restart", "restart"),
    ("HostConfig.Runtime", "--runtime", "runtime"),
    ("HostConfig.SecurityOpt", "--security-opt", "security_opt"),
    ("HostConfig.ShmSize", "--shm-size", "shm_size"),
    ("HostConfig.StorageOpt", "--storage-opt", "storage_opt"),
    ("HostConfig.Sysctls", "--sysctl", "sysctls"),
    ("HostConfig.Tmpfs", "--tmpfs", "tmpfs"),
    ("HostConfig.UTSMode", "--uts", "uts"),
    ("HostConfig.Ulimits", "--ulimit", "ulimits"),
    ("HostConfig.UsernsMode", "--userns", "userns_mode"),
    ("HostConfig.VolumeDriver", "--volume-driver", "volumes"),
    ("HostConfig.VolumesFrom", "--volumes-from", "volumes_from"),
    ("Labels", "--label", "labels"),
    ("MacAddress", "--mac-address", "mac_address"),
    ("NetworkingConfig.EndpointsConfig", "--network", "networks"),
    ("StopTimeout", "--stop-timeout", "stop_grace_period"),
    ("User", "--user", "user"),
    ("WorkingDir", "--workdir", "working_dir"),
];

/// The option of `docker run` and the key of a compose file for a field of a container's body, such as
/// `HostConfig.CapAdd[0]`.
fn spelled(field: &str) -> Option<(&'static str, &'static str)> {
    let of = |name: &str| {
        let rest = field.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(())
    };
    ROWS.iter().find(|(name, ..)| of(name).is_some()).map(|(_, option, key)| (*option, *key))
}

/// The place of a finding as it is told behind it, the field being `shown` so: ` (User: --user, in compose user)`.
#[must_use]
pub fn place(field: &str, shown: &str) -> String {
    match spelled(field) {
        _ if field.is_empty() => String::new(),
        Some((option, key)) => format!(" ({shown}: {option}, in compose {key})"),
        None => format!(" ({shown})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS, spelled};
    use crate::docker::body::config::ContainerConfig;
    use crate::docker::body::create::HostConfig;
    use crate::docker::body::slot::Fields as _;

    #[test]
    fn a_field_is_found_by_its_beginning_and_by_nothing_less() {
        assert_eq!(spelled("HostConfig.CapAdd[0]"), Some(("--cap-add", "cap_add")));
        let port = spelled("HostConfig.PortBindings.80/tcp[0].HostIp");
        assert_eq!(port, Some(("--publish", "ports")));
        assert_eq!(spelled("HostConfig.MemorySwap").map(|of| of.0), Some("--memory-swap"));
        assert_eq!(spelled("HostConfig.MemorySwappiness"), None);
        assert_eq!(spelled("query networkmode"), None);
        assert_eq!(spelled(""), None);
    }

    #[test]
    fn every_row_is_a_field_that_there_is() {
        for (name, option, key) in ROWS {
            let known = match name.strip_prefix("HostConfig.") {
                Some(field) => HostConfig::keys().any(|key| key == field),
                None => {
                    let first = name.split('.').next().unwrap();
                    first == "NetworkingConfig" || ContainerConfig::keys().any(|key| key == first)
                }
            };
            assert!(known && option.starts_with("--") && !key.is_empty(), "{name}");
        }
        assert!(ROWS.is_sorted(), "kept in order");
    }
}
