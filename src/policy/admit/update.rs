//! Container update: limits that are moved, and the restart policy. Zero is "as it is", so what is judged
//! is what the update sets.

use super::Judge;
use super::amount::Unit;
use crate::docker::body::create::Resources;
use crate::docker::body::update::ContainerUpdate;
use crate::docker::{ApiVersion, CallHead};
use crate::policy::Reason;

/// `POST /containers/{}/update`.
pub(super) fn update(judge: &mut Judge<'_>, head: &CallHead, body: &ContainerUpdate<'_>) {
    let ContainerUpdate { resources, restart_policy, borrow: _ } = body;
    let Resources {
        cpu_shares,
        memory,
        cgroup_parent,
        blkio_weight: _, // a share among containers, kept by the kernel within 10 to 1000
        blkio_weight_device,
        blkio_device_read_bps,
        blkio_device_write_bps,
        blkio_device_read_iops,
        blkio_device_write_iops,
        cpu_period,
        cpu_quota,
        cpu_realtime_period,
        cpu_realtime_runtime,
        cpuset_cpus: _, // only takes CPUs away
        cpuset_mems: _, // only takes memory nodes away
        devices,
        device_cgroup_rules,
        device_requests,
        kernel_memory,
        kernel_memory_tcp,
        memory_reservation: _, // a soft bound below the hard one
        memory_swap,
        memory_swappiness: _,
        nano_cpus,
        oom_kill_disable,
        init: _,
        pids_limit,
        ulimits,
        cpu_count: _,
        cpu_percent: _,
        io_maximum_iops: _,
        io_maximum_bandwidth: _,
        borrow: _,
    } = resources;
    judge.base = "";
    judge.new_memory(memory.or_zero(), memory_swap.or_zero());
    judge.new_cpus(nano_cpus.or_zero(), cpu_quota.or_zero(), cpu_period.or_zero());
    // below this version the daemon takes it out, and the clients of that time always send 0
    // (`postContainerUpdate` in `api/server/router/container/container_routes.go`)
    let heard = head.version >= ApiVersion::new(40);
    if let Some(pids) = pids_limit.value().filter(|pids| heard || **pids != 0) {
        judge.new_pids(*pids);
    }
    let realtime = (cpu_realtime_period.or_zero(), cpu_realtime_runtime.or_zero());
    judge.scheduling(cpu_shares.or_zero(), realtime);
    judge.oom(oom_kill_disable.or_zero(), 0);
    judge.kernel_memory(kernel_memory.or_zero(), kernel_memory_tcp.or_zero());
    judge.block_io_weights(blkio_weight_device.items());
    judge.block_io("BlkioDeviceReadBps", blkio_device_read_bps.items());
    judge.block_io("BlkioDeviceWriteBps", blkio_device_write_bps.items());
    judge.block_io("BlkioDeviceReadIOps", blkio_device_read_iops.items());
    judge.block_io("BlkioDeviceWriteIOps", blkio_device_write_iops.items());
    judge.devices(devices.items());
    judge.device_rules(device_cgroup_rules.items());
    judge.device_requests(device_requests.items());
    judge.ulimits(ulimits.items());
    judge.cgroup("", cgroup_parent.text());
    judge.restart(restart_policy.value());
}

/// Whether the daemon will start the container again by itself, with all that it has mounted.
pub(super) fn will_restart(body: &ContainerUpdate<'_>) -> bool {
    let policy = body.restart_policy.value().map_or("", |policy| policy.name.text());
    !matches!(policy, "" | "no")
}

impl Judge<'_> {
    fn new_memory(&mut self, memory: i64, swap: i64) {
        if memory != 0 {
            self.memory(memory, swap);
        } else if swap != 0 {
            self.swap(swap);
        }
    }

    /// Null leaves the bound as it is; 0 takes it away, for nothing is filled in here.
    fn new_pids(&mut self, pids: i64) {
        let limit = *self.profile.pids();
        self.bounded_exactly(Reason::Pids, "PidsLimit", pids, limit, Unit::Processes);
    }

    /// A quota means nothing without its period, nor a period without its quota: where CPU is bounded,
    /// the one that is left as it is would be unknown.
    fn new_cpus(&mut self, nano: i64, quota: i64, period: i64) {
        if nano == 0 && quota == 0 && period == 0 {
            return;
        }
        let half = nano == 0 && quota >= 0 && (quota == 0) != (period == 0);
        if half && self.profile.cpus().max.is_some() {
            let what = "change a CPU quota or its period without the other";
            self.deny(Reason::Cpus, "CpuQuota", quota.to_string(), what);
            self.allowing("set CpuQuota and CpuPeriod together, or NanoCpus");
        } else {
            self.cpus(nano, quota, period);
        }
    }
}
