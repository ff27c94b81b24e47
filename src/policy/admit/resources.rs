//! Resources: to the daemon 0, -1 and null are unlimited, so they are what a bound refuses.

use super::amount::{Unit, bytes};
use super::labels::masked;
use super::{Judge, StringMap};
use crate::docker::body::create::{ThrottleDevice, Ulimit, WeightDevice};
use crate::policy::Reason;
use crate::policy::profile::Limit;

/// The CFS period that the daemon uses where none is given, in microseconds.
pub(super) const DEFAULT_PERIOD: i64 = 100_000;

impl Judge<'_> {
    /// `Memory`, `MemorySwap` in bytes. Swap counts memory and swap together; 0 is twice the memory.
    pub(super) fn memory(&mut self, memory: i64, swap: i64) {
        let limit = *self.profile.memory();
        self.bounded(Reason::Memory, &self.host("Memory"), memory, limit, Unit::Bytes("memory"));
        self.swap(swap);
    }

    /// `MemorySwap` alone.
    pub(super) fn swap(&mut self, swap: i64) {
        let Some(max) = self.profile.memory().max else { return };
        if swap < 0 || swap > max.saturating_mul(2) {
            let what = format!("use swap up to {}", bytes(swap));
            self.deny(Reason::Swap, self.host("MemorySwap"), swap.to_string(), what);
            self.allowing(format!("at most {}", bytes(max.saturating_mul(2))));
        }
    }

    /// `NanoCpus`, or `CpuQuota` by `CpuPeriod` in microseconds. The daemon refuses both together.
    pub(super) fn cpus(&mut self, nano: i64, quota: i64, period: i64) {
        let limit = *self.profile.cpus();
        if quota < 0 && limit.max.is_some() {
            let what = "use CPU without a quota";
            return self.deny(Reason::Cpus, self.host("CpuQuota"), quota.to_string(), what);
        }
        let (name, asked) = match nano == 0 && quota > 0 {
            true => {
                let period = if period > 0 { period } else { DEFAULT_PERIOD };
                let asked = i128::from(quota) * 1_000_000_000 / i128::from(period);
                ("CpuQuota", i64::try_from(asked).unwrap_or(i64::MAX).max(1))
            }
            false => ("NanoCpus", nano),
        };
        self.bounded(Reason::Cpus, &self.host(name), asked, limit, Unit::NanoCpus);
    }

    /// `CpuShares` (1024 is a container's share) and real-time scheduling.
    pub(super) fn scheduling(&mut self, shares: i64, realtime: (i64, i64)) {
        if !(0..=1024).contains(&shares) {
            let what = format!("take {shares} CPU shares");
            self.deny(Reason::Realtime, self.host("CpuShares"), shares.to_string(), what);
            self.allowing("at most 1024");
        }
        for (name, value) in [("CpuRealtimePeriod", realtime.0), ("CpuRealtimeRuntime", realtime.1)]
        {
            self.unset(Reason::Realtime, name, value, "use real-time CPU time");
        }
    }

    /// `PidsLimit`.
    pub(super) fn pids(&mut self, pids: i64) {
        let limit = *self.profile.pids();
        self.bounded(Reason::Pids, &self.host("PidsLimit"), pids, limit, Unit::Processes);
    }

    /// `ShmSize` in bytes; 0 is the daemon's 64 MiB, so that only what is above the bound is refused.
    pub(super) fn shm(&mut self, size: i64) {
        let max = self.profile.shm().max.unwrap_or(i64::MAX);
        if size < 0 || size > max {
            let what = format!("use {} of shared memory", bytes(size));
            self.deny(Reason::Shm, self.host("ShmSize"), size.to_string(), what);
            self.allowing(format!("at most {}", bytes(max)));
        }
    }

    /// `OomKillDisable`, `OomScoreAdj`.
    pub(super) fn oom(&mut self, disable: bool, adjust: i64) {
        if disable {
            let what = "switch the out-of-memory killer off";
            self.deny(Reason::Oom, self.host("OomKillDisable"), "true", what);
        }
        if adjust < 0 {
            let what = "be spared by the out-of-memory killer";
            self.deny(Reason::Oom, self.host("OomScoreAdj"), adjust.to_string(), what);
        }
    }

    /// `KernelMemory`, `KernelMemoryTCP`.
    pub(super) fn kernel_memory(&mut self, memory: i64, tcp: i64) {
        for (name, value) in [("KernelMemory", memory), ("KernelMemoryTCP", tcp)] {
            self.unset(Reason::KernelMemory, name, value, "limit kernel memory");
        }
    }

    /// A number that must not be set.
    fn unset(&mut self, reason: Reason, name: &str, value: i64, what: &str) {
        if value != 0 {
            self.deny(reason, self.host(name), value.to_string(), what);
        }
    }

    /// `BlkioWeightDevice`.
    pub(super) fn block_io_weights(&mut self, devices: &[WeightDevice<'_>]) {
        for (i, WeightDevice { path, weight: _, borrow: _ }) in devices.iter().enumerate() {
            let field = self.host(&format!("BlkioWeightDevice[{i}]"));
            self.deny(Reason::BlockIo, field, path.text(), "weigh block IO of a host device");
        }
    }

    /// `BlkioDevice*`.
    pub(super) fn block_io(&mut self, field: &str, devices: &[ThrottleDevice<'_>]) {
        for (i, ThrottleDevice { path, rate: _, borrow: _ }) in devices.iter().enumerate() {
            let what = "throttle block IO of a host device";
            self.deny(Reason::BlockIo, format!("{field}[{i}]"), path.text(), what);
        }
    }

    /// `Ulimits`: by name, the hard limit up to the bound; -1 is unlimited.
    pub(super) fn ulimits(&mut self, ulimits: &[Ulimit<'_>]) {
        for (i, Ulimit { name, hard, soft, borrow: _ }) in ulimits.iter().enumerate() {
            let (name, hard, soft) = (name.text(), hard.or_zero(), soft.or_zero());
            let max = self.profile.ulimits().iter().find(|of| of.name == name).map(|of| of.most);
            let within = |n: i64| max.is_some_and(|max| (0..=max).contains(&n));
            if !(within(hard) && within(soft)) {
                let field = self.host(&format!("Ulimits[{i}]"));
                let what = format!("set ulimit {name:?} to {hard}");
                self.deny(Reason::Ulimit, field, hard.to_string(), what);
                if let Some(max) = max {
                    self.allowing(format!("at most {max}"));
                }
            }
        }
    }

    /// `Sysctls`: exact names; a `/` is another spelling of `.` and so not on the list.
    pub(super) fn sysctls(&mut self, sysctls: &StringMap<'_>) {
        for (key, value) in sysctls.entries() {
            if !self.profile.sysctls().has(key) {
                let field = self.host(&format!("Sysctls.{key}"));
                let what = format!("set kernel parameter {key:?}");
                self.deny(Reason::Sysctl, field, masked(value), what);
            }
        }
    }

    /// A number of which 0 and less are unlimited. A default is filled in later for 0 alone.
    fn bounded(&mut self, reason: Reason, field: &str, asked: i64, limit: Limit, unit: Unit) {
        let asked = if asked == 0 { limit.default.unwrap_or(0) } else { asked };
        self.bounded_exactly(reason, field, asked, limit, unit);
    }

    /// The same where nothing is filled in.
    pub(super) fn bounded_exactly(
        &mut self,
        reason: Reason,
        field: &str,
        asked: i64,
        limit: Limit,
        unit: Unit,
    ) {
        let Some(max) = limit.max else { return };
        if asked <= 0 || asked > max {
            let amount = match asked {
                ..=0 => unit.unlimited(),
                asked => unit.of(&unit.amount(asked)),
            };
            self.deny(reason, field, asked.to_string(), format!("use {amount}"));
            self.allowing(format!("at most {}", unit.amount(max)));
        }
    }
}
