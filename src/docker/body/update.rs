//! The body of `POST /containers/{}/update`. What is absent or zero stays as it is.

use super::create::{
    Device, DeviceRequest, RestartPolicy, Text, ThrottleDevice, Ulimit, WeightDevice,
};
use super::field::{Field, Inert, body};
use std::borrow::Cow;

body! {
    /// `container.UpdateConfig`: `container.Resources` and the restart policy.
    ContainerUpdate<'a> {
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
        device_cgroup_rules: Field<Vec<Cow<'a, str>>> = "DeviceCgroupRules",
        device_requests: Field<Vec<DeviceRequest<'a>>> = "DeviceRequests",
        kernel_memory: Field<i64> = "KernelMemory",
        kernel_memory_tcp: Field<i64> = "KernelMemoryTCP",
        memory_reservation: Field<i64> = "MemoryReservation",
        memory_swap: Field<i64> = "MemorySwap",
        /// Inert: how eagerly its own memory is swapped.
        memory_swappiness: Inert<Field<i64>> = "MemorySwappiness",
        nano_cpus: Field<i64> = "NanoCpus",
        oom_kill_disable: Field<bool> = "OomKillDisable",
        /// Inert: an init process inside the container.
        init: Inert<Field<bool>> = "Init",
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
        restart_policy: Field<RestartPolicy<'a>> = "RestartPolicy",
    }
}
