//! What a body says that the daemon does by itself: tools that make a container anew copy what `inspect` shows of the old
//! one. To say the default is not to ask for more.

use super::Judge;
use crate::docker::body::create::HostConfig;
use crate::docker::body::field::Field;
use crate::policy::Reason;
use crate::policy::facts::{DaemonDefaults, Facts};
use crate::policy::profile::{Capabilities, Profile};
use std::borrow::Cow;

/// What every engine hides of /proc and /sys by itself (`DefaultLinuxSpec` in moby's `oci/defaults.go`).
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// What newer ones hide as well, beside the counters of each processor, where the machine has them.
const MASKED_LATER: [&str; 2] = ["/proc/interrupts", "/sys/devices/virtual/powercap"];

/// What every engine makes read-only in the same way.
const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The filter of system calls that is built into the daemon, by its name (`seccompProfileBuiltin` in `daemon/seccomp_linux.go`).
const BUILTIN: [&str; 2] = ["seccomp=builtin", "seccomp:builtin"];

fn has_all(list: &[Cow<'_, str>], all: &[&str]) -> bool {
    all.iter().all(|path| list.iter().any(|listed| listed == path))
}

/// Whether a list of what is hidden is one that an engine has by itself. A longer one hides more, and has the runtime mount
/// over paths of the client's choice, where it has had holes (CVE-2025-31133, CVE-2025-52565).
pub(super) fn is_masked_as_usual(list: &[Cow<'_, str>]) -> bool {
    let of_a_processor = |path: &str| {
        path.starts_with("/sys/devices/system/cpu/cpu") && path.ends_with("/thermal_throttle")
    };
    let known =
        |path: &str| MASKED.contains(&path) || MASKED_LATER.contains(&path) || of_a_processor(path);
    has_all(list, &MASKED) && list.iter().all(|path| known(path))
}

/// Whether a list of what is hidden is that of the daemon, which may be newer than the list: then its own is meant.
pub(super) fn means_own_masks(host: &HostConfig<'_>) -> bool {
    host.masked_paths.value().is_some_and(|list| is_masked_as_usual(list))
}

/// The same of a list of what is read-only.
pub(super) fn is_read_only_as_usual(list: &[Cow<'_, str>]) -> bool {
    has_all(list, &READ_ONLY) && list.iter().all(|path| READ_ONLY.contains(&path.as_ref()))
}

/// Leaves the lists out of what a container was made with that hide at least what every engine hides.
pub(super) fn drop_own_paths(host: &mut HostConfig<'_>) {
    for (field, all) in
        [(&mut host.masked_paths, &MASKED[..]), (&mut host.readonly_paths, &READ_ONLY)]
    {
        if has_all(field.items(), all) {
            *field = Field::Absent;
        }
    }
}

/// Whether every container has a capability that is not told to drop it.
pub(super) fn has_capability(name: &str) -> bool {
    Capabilities::DEFAULT.contains(&name)
}

/// What of a body depends on what the daemon does by itself.
pub(in crate::policy) fn asks_for_defaults(profile: &Profile, host: &HostConfig<'_>) -> bool {
    let runtime = !host.runtime.text().is_empty() && profile.runtime().0.is_empty();
    let cgroup = host.cgroupns_mode.text() == "host";
    let options = host.security_opt.items();
    runtime || cgroup || options.iter().any(|option| BUILTIN.contains(&option.as_ref()))
}

/// Whether containers are in the host's cgroup namespace where nothing is said of it: on cgroup v1.
pub(super) fn shares_cgroupns(facts: &Facts) -> bool {
    facts.defaults.as_ref().is_some_and(|defaults| !defaults.own_cgroupns)
}

impl Judge<'_> {
    /// Whether it is what the daemon does by itself; where that is not known, it is refused for that alone.
    fn is_default(
        &mut self,
        field: &str,
        value: &str,
        holds: fn(&DaemonDefaults, &str) -> bool,
    ) -> bool {
        let Some(defaults) = &self.facts.defaults else {
            let what = format!(
                "have {value:?}, which may be what the daemon does by itself: it does not tell"
            );
            self.deny(Reason::TargetUnseen, field, value, what);
            return true;
        };
        holds(defaults, value)
    }

    /// Whether it is the runtime that containers have where none is named.
    pub(super) fn is_default_runtime(&mut self, field: &str, runtime: &str) -> bool {
        let same =
            |defaults: &DaemonDefaults, runtime: &str| defaults.runtime.as_deref() == Some(runtime);
        self.is_default(field, runtime, same)
    }

    /// Whether it is the mode of a cgroup namespace that containers have where none is named.
    pub(super) fn is_default_cgroupns(&mut self, field: &str, mode: &str) -> bool {
        mode == "host" && self.is_default(field, mode, |defaults, _| !defaults.own_cgroupns)
    }

    /// Whether a security option names the filter of system calls that containers have where none is named.
    pub(super) fn is_default_seccomp(&mut self, field: &str, option: &str) -> bool {
        BUILTIN.contains(&option)
            && self.is_default(field, option, |defaults, _| defaults.builtin_seccomp)
    }
}
