//! The body of `POST /containers/create`, every field of API v1.24 to v1.56.
//!
//! A field is either judged in `policy/admit`, where the structs below are taken apart without
//! `..`, or declared [`Inert`] here with the reason beside it. A field that Docker adds is unknown
//! until it stands here, and left out (`docker/left_out`).

use super::config::ContainerConfig;
use super::field::{Dropped, Empty, Field, Inert, Map, Words, body};
use std::borrow::Cow;

/// A text field.
pub type Text<'a> = Field<Cow<'a, str>>;

/// A field of several texts.
pub type Texts<'a> = Field<Vec<Cow<'a, str>>>;

/// A field of texts by name: Go's `map[string]string`.
pub type StringMap<'a> = Field<Map<'a, Cow<'a, str>>>;

/// A text field that is not judged.
pub type InertText<'a> = Inert<Text<'a>>;

body! {
    /// The whole body: moby's `container.Config` with `HostConfig` and `NetworkingConfig` beside it
    /// (`api/types/container/create_request.go`). The HostConfig fields that engines up to 26 also
    /// took at this level are unknown here: set, they are refused.
    ContainerCreate<'a> {
        ..config: ContainerConfig<'a>,
        host_config: Field<HostConfig<'a>> = "HostConfig",
        networking_config: Field<NetworkingConfig<'a>> = "NetworkingConfig",
    }

    /// `container.HealthConfig`; durations in nanoseconds, 0 is the daemon's default.
    Healthcheck<'a> {
        /// Inert: a command inside its own container.
        test: Inert<Texts<'a>> = "Test",
        interval: Field<i64> = "Interval",
        timeout: Field<i64> = "Timeout",
        /// Inert: failures before it counts as unhealthy.
        retries: Inert<Field<i64>> = "Retries",
        /// Inert: a grace period only makes it check less.
        start_period: Inert<Field<i64>> = "StartPeriod",
        start_interval: Field<i64> = "StartInterval",
    }

    /// `container.Resources`, which moby has in what is created and in what is updated.
    Resources<'a> {
        cpu_shares: Field<i64> = "CpuShares",
        memory: Field<i64> = "Memory",
        cgroup_parent: Text<'a> = "CgroupParent",
        blkio_weight: Field<u16> = "BlkioWeight",
        blkio_weight_device: Field<Vec<WeightDevice<'a>>> = "BlkioWeightDevice",
        blkio_device_read_bps: Field<Vec<ThrottleDevice<'a>>> = "BlkioDeviceReadBps",
        blkio_device_write_bps: Field<Vec<ThrottleDevice<'a>>> = "BlkioDeviceWriteBps",
        blkio_device_read_iops: Field<Vec<ThrottleDevice<'a>>> = "BlkioDeviceReadIOps",
        blkio_device_write_iops: Field<Vec<ThrottleDevice<'a>>> = "BlkioDeviceWriteIOps",
        cpu_period: Field<i64> = "CpuPeriod",
        cpu_quota: Field<i64> = "CpuQuota",
        cpu_realtime_period: Field<i64> = "CpuRealtimePeriod",
        cpu_realtime_runtime: Field<i64> = "CpuRealtimeRuntime",
        cpuset_cpus: Text<'a> = "CpusetCpus",
        cpuset_mems: Text<'a> = "CpusetMems",
        devices: Field<Vec<Device<'a>>> = "Devices",
        device_cgroup_rules: Texts<'a> = "DeviceCgroupRules",
        device_requests: Field<Vec<DeviceRequest<'a>>> = "DeviceRequests",
        kernel_memory: Field<i64> = "KernelMemory",
        kernel_memory_tcp: Field<i64> = "KernelMemoryTCP",
        memory_reservation: Field<i64> = "MemoryReservation",
        memory_swap: Field<i64> = "MemorySwap",
        /// Inert: how eagerly its own memory is swapped.
        memory_swappiness: Inert<Field<i64>> = "MemorySwappiness",
        nano_cpus: Field<i64> = "NanoCpus",
        oom_kill_disable: Field<bool> = "OomKillDisable",
        /// An init process inside the container.
        init: Field<bool> = "Init",
        pids_limit: Field<i64> = "PidsLimit",
        ulimits: Field<Vec<Ulimit<'a>>> = "Ulimits",
        /// Inert: Windows only.
        cpu_count: Inert<Field<i64>> = "CpuCount",
        /// Inert: Windows only.
        cpu_percent: Inert<Field<i64>> = "CpuPercent",
        /// Inert: Windows only.
        io_maximum_iops: Inert<Field<u64>> = "IOMaximumIOps",
        /// Inert: Windows only.
        io_maximum_bandwidth: Inert<Field<u64>> = "IOMaximumBandwidth",
    }

    /// `container.HostConfig`.
    HostConfig<'a> {
        ..resources: Resources<'a>,
        binds: Texts<'a> = "Binds",
        /// Inert: the client's own file; the daemon only stores the text.
        container_id_file: InertText<'a> = "ContainerIDFile",
        log_config: Field<LogConfig<'a>> = "LogConfig",
        network_mode: Text<'a> = "NetworkMode",
        port_bindings: Field<Map<'a, Option<Vec<PortBinding<'a>>>>> = "PortBindings",
        restart_policy: Field<RestartPolicy<'a>> = "RestartPolicy",
        /// Inert: the container goes when it ends.
        auto_remove: Inert<Field<bool>> = "AutoRemove",
        volume_driver: Text<'a> = "VolumeDriver",
        volumes_from: Texts<'a> = "VolumesFrom",
        mounts: Field<Vec<Mount<'a>>> = "Mounts",
        cap_add: Field<Words<'a>> = "CapAdd",
        cap_drop: Field<Words<'a>> = "CapDrop",
        /// v1.40 only, engine 19.03: an exact capability set beside CapAdd.
        capabilities: Texts<'a> = "Capabilities",
        dns: Texts<'a> = "Dns",
        dns_options: Texts<'a> = "DnsOptions",
        dns_search: Texts<'a> = "DnsSearch",
        extra_hosts: Texts<'a> = "ExtraHosts",
        group_add: Texts<'a> = "GroupAdd",
        ipc_mode: Text<'a> = "IpcMode",
        cgroup: Text<'a> = "Cgroup",
        links: Texts<'a> = "Links",
        oom_score_adj: Field<i64> = "OomScoreAdj",
        pid_mode: Text<'a> = "PidMode",
        privileged: Field<bool> = "Privileged",
        publish_all_ports: Field<bool> = "PublishAllPorts",
        readonly_rootfs: Field<bool> = "ReadonlyRootfs",
        security_opt: Texts<'a> = "SecurityOpt",
        storage_opt: StringMap<'a> = "StorageOpt",
        tmpfs: StringMap<'a> = "Tmpfs",
        uts_mode: Text<'a> = "UTSMode",
        userns_mode: Text<'a> = "UsernsMode",
        shm_size: Field<i64> = "ShmSize",
        sysctls: StringMap<'a> = "Sysctls",
        runtime: Text<'a> = "Runtime",
        /// Inert: height and width of the terminal.
        console_size: Inert<Field<Vec<u64>>> = "ConsoleSize",
        /// Judged as the daemon's default or refused: Windows has others.
        isolation: Text<'a> = "Isolation",
        masked_paths: Texts<'a> = "MaskedPaths",
        readonly_paths: Texts<'a> = "ReadonlyPaths",
        annotations: StringMap<'a> = "Annotations",
        cgroupns_mode: Text<'a> = "CgroupnsMode",
    }

    /// `blkiodev.WeightDevice`.
    WeightDevice<'a> {
        path: Text<'a> = "Path",
        weight: Field<u16> = "Weight",
    }

    /// `blkiodev.ThrottleDevice`; the rate in bytes or operations a second.
    ThrottleDevice<'a> {
        path: Text<'a> = "Path",
        rate: Field<u64> = "Rate",
    }

    /// `container.DeviceMapping`; `PathOnHost` may be a directory or a CDI name.
    Device<'a> {
        path_on_host: Text<'a> = "PathOnHost",
        path_in_container: Text<'a> = "PathInContainer",
        cgroup_permissions: Text<'a> = "CgroupPermissions",
    }

    /// `container.DeviceRequest`.
    DeviceRequest<'a> {
        driver: Text<'a> = "Driver",
        count: Field<i64> = "Count",
        device_ids: Texts<'a> = "DeviceIDs",
        capabilities: Field<Vec<Vec<Cow<'a, str>>>> = "Capabilities",
        options: StringMap<'a> = "Options",
    }

    /// `units.Ulimit`.
    Ulimit<'a> {
        name: Text<'a> = "Name",
        hard: Field<i64> = "Hard",
        soft: Field<i64> = "Soft",
    }

    /// `container.LogConfig`.
    LogConfig<'a> {
        driver: Text<'a> = "Type",
        config: StringMap<'a> = "Config",
    }

    /// `nat.PortBinding`.
    PortBinding<'a> {
        host_ip: Text<'a> = "HostIp",
        host_port: Text<'a> = "HostPort",
    }

    /// `container.RestartPolicy`.
    RestartPolicy<'a> {
        name: Text<'a> = "Name",
        maximum_retry_count: Field<i64> = "MaximumRetryCount",
    }

    /// `mount.Mount`.
    Mount<'a> {
        kind: Text<'a> = "Type",
        source: Text<'a> = "Source",
        target: Text<'a> = "Target",
        read_only: Field<bool> = "ReadOnly",
        /// Inert: a hint that only Docker Desktop on macOS reads.
        consistency: InertText<'a> = "Consistency",
        bind_options: Field<BindOptions<'a>> = "BindOptions",
        volume_options: Field<VolumeMountOptions<'a>> = "VolumeOptions",
        image_options: Field<ImageOptions<'a>> = "ImageOptions",
        tmpfs_options: Field<TmpfsOptions<'a>> = "TmpfsOptions",
        /// Judged with the type: mounts of the cluster are refused.
        cluster_options: Field<Empty> = "ClusterOptions",
    }

    /// `mount.BindOptions`.
    BindOptions<'a> {
        propagation: Text<'a> = "Propagation",
        non_recursive: Field<bool> = "NonRecursive",
        create_mountpoint: Field<bool> = "CreateMountpoint",
        read_only_non_recursive: Field<bool> = "ReadOnlyNonRecursive",
        read_only_force_recursive: Field<bool> = "ReadOnlyForceRecursive",
    }

    /// `mount.VolumeOptions`.
    VolumeMountOptions<'a> {
        /// Inert: whether the image's files are copied into a new volume.
        no_copy: Inert<Field<bool>> = "NoCopy",
        labels: StringMap<'a> = "Labels",
        driver_config: Field<Driver<'a>> = "DriverConfig",
        subpath: Text<'a> = "Subpath",
    }

    /// `mount.Driver`.
    Driver<'a> {
        name: Text<'a> = "Name",
        options: StringMap<'a> = "Options",
    }

    /// `mount.ImageOptions`.
    ImageOptions<'a> {
        subpath: Text<'a> = "Subpath",
    }

    /// `mount.TmpfsOptions`; size in bytes.
    TmpfsOptions<'a> {
        size_bytes: Field<i64> = "SizeBytes",
        mode: Field<u32> = "Mode",
        options: Field<Vec<Vec<Cow<'a, str>>>> = "Options",
    }

    /// `network.NetworkingConfig`.
    NetworkingConfig<'a> {
        endpoints_config: Field<Map<'a, Option<Endpoint<'a>>>> = "EndpointsConfig",
    }

    /// `network.EndpointSettings`. Tools that make a container anew send the fields that only answers
    /// have as `inspect` gave them; they are dropped, `NetworkID` above all: moby prefers it to the key
    /// that was judged (`getNetworkID` in `daemon/container_operations.go`).
    Endpoint<'a> {
        ipam_config: Field<EndpointIpam<'a>> = "IPAMConfig",
        links: Texts<'a> = "Links",
        aliases: Texts<'a> = "Aliases",
        mac_address: Text<'a> = "MacAddress",
        driver_opts: StringMap<'a> = "DriverOpts",
        gw_priority: Field<i64> = "GwPriority",
        network_id: Dropped<Cow<'a, str>> = "NetworkID",
        endpoint_id: Dropped<Cow<'a, str>> = "EndpointID",
        gateway: Dropped<Cow<'a, str>> = "Gateway",
        ip_address: Dropped<Cow<'a, str>> = "IPAddress",
        ip_prefix_len: Dropped<i64> = "IPPrefixLen",
        ipv6_gateway: Dropped<Cow<'a, str>> = "IPv6Gateway",
        global_ipv6_address: Dropped<Cow<'a, str>> = "GlobalIPv6Address",
        global_ipv6_prefix_len: Dropped<i64> = "GlobalIPv6PrefixLen",
        dns_names: Dropped<Vec<Cow<'a, str>>> = "DNSNames",
    }

    /// `network.EndpointIPAMConfig`.
    EndpointIpam<'a> {
        ipv4_address: Text<'a> = "IPv4Address",
        ipv6_address: Text<'a> = "IPv6Address",
        link_local_ips: Texts<'a> = "LinkLocalIPs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::body::field::Typed;
    use crate::docker::left_out::LeftOut;
    use crate::docker::{Flaw, json};

    fn read(text: &str) -> Result<ContainerCreate<'_>, crate::docker::Malformed> {
        ContainerCreate::read(json::read(text.as_bytes())?, &mut LeftOut::nothing())
    }

    fn refused(text: &str) -> (Flaw, String) {
        let e = read(text).unwrap_err();
        (e.flaw, e.at)
    }

    #[test]
    fn what_is_read_is_written_null_and_absent_kept_apart() {
        let text =
            r#"{"Cmd":["a"],"Image":"x","HostConfig":{"Memory":5,"CapAdd":null,"MaskedPaths":[]}}"#;
        let mut out = Vec::new();
        read(text).unwrap().write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn a_string_stands_for_an_array_where_moby_has_strslice() {
        let body = read(r#"{"Cmd":"echo","HostConfig":{"CapAdd":"SYS_ADMIN"}}"#).unwrap();
        assert_eq!(body.host_config.value().unwrap().cap_add.words(), ["SYS_ADMIN"]);
        assert_eq!(refused(r#"{"Env":"A=b"}"#), (Flaw::JsonType, "Env".into()));
    }

    #[test]
    fn unknown_keys_that_say_nothing_are_dropped_and_others_refused() {
        assert!(read(r#"{"Privileged":false,"HostConfig":{"New":null,"Newer":[]}}"#).is_ok());
        assert_eq!(refused(r#"{"Privileged":true}"#), (Flaw::JsonUnknown, "Privileged".into()));
        let deep = r#"{"HostConfig":{"Mounts":[{"X":1}]}}"#;
        assert_eq!(refused(deep), (Flaw::JsonUnknown, "HostConfig.Mounts[0].X".into()));
    }

    #[test]
    fn a_key_in_another_case_is_the_field_and_is_given_once() {
        for text in
            [r#"{"hostconfig":{"privileged":true}}"#, r#"{"Ho\u017ftConfig":{"Privileged":true}}"#]
        {
            let mut out = Vec::new();
            read(text).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), r#"{"HostConfig":{"Privileged":true}}"#);
        }
        for (text, at) in [
            (r#"{"HostConfig":{},"hostconfig":null}"#, "hostconfig"),
            (r#"{"image":"a","IMAGE":"b"}"#, "IMAGE"),
            (
                r#"{"HostConfig":{"Mounts":[{"Source":"/a","source":"/"}]}}"#,
                "HostConfig.Mounts[0].source",
            ),
        ] {
            assert_eq!(refused(text), (Flaw::JsonDuplicate, at.into()), "{text}");
        }
    }

    #[test]
    fn what_only_answers_have_is_never_sent_on() {
        let endpoint = |inner: &str| {
            format!(r#"{{"NetworkingConfig":{{"EndpointsConfig":{{"front":{{{inner}}}}}}}}}"#)
        };
        let text = endpoint(r#""NetworkID":"host","IPPrefixLen":16,"DNSNames":null"#);
        let mut out = Vec::new();
        read(&text).unwrap().write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), endpoint(""));
        assert_eq!(refused(&endpoint(r#""IPPrefixLen":"16""#)).0, Flaw::JsonType);
    }

    #[test]
    fn integers_are_exact() {
        for n in ["1.0", "1e3", "9223372036854775808", "\"1\"", "-0"] {
            assert!(read(&format!(r#"{{"HostConfig":{{"Memory":{n}}}}}"#)).is_err(), "{n}");
        }
        assert!(read(r#"{"HostConfig":{"Memory":-1}}"#).is_ok());
        assert!(read(r#"{"HostConfig":{"BlkioWeight":65536}}"#).is_err());
    }
}
