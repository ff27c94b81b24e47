//! Namespaces and cgroups: a mode that is not one of the few plain ones is refused, whatever the
//! daemon of the day makes of it (`HOST` was private on one engine and an error on another).

use super::Judge;
use crate::policy::Reason;

impl Judge<'_> {
    /// An empty mode is sent on as `private`: the daemon's own default depends on version and host. So is that default
    /// where it is said.
    pub(super) fn cgroupns_mode(&mut self, mode: &str) {
        if mode != "private" && !self.is_default_cgroupns("HostConfig.CgroupnsMode", mode) {
            self.only_own(Reason::NamespaceCgroup, "CgroupnsMode", mode, "cgroup namespace");
        }
    }

    /// An empty mode is sent on as `private`: below API 1.40 it would be `shareable`.
    pub(super) fn ipc_mode(&mut self, mode: &str) {
        let field = "HostConfig.IpcMode";
        if mode.is_empty()
            || self.profile.ipc().has(mode)
            || self.shares(Reason::NamespaceIpc, field, mode)
        {
            return;
        }
        self.refuse(Reason::NamespaceIpc, field, mode, "use IPC namespace");
        self.allowing_listed("modes", self.profile.ipc());
    }

    pub(super) fn cgroup(&mut self, cgroup: &str, parent: &str) {
        self.only_own(Reason::NamespaceCgroup, "Cgroup", cgroup, "cgroup");
        if !parent.is_empty() {
            let what = "choose cgroup parent";
            self.refuse(Reason::CgroupParent, self.host("CgroupParent"), parent, what);
        }
    }

    pub(super) fn isolation(&mut self, field: &str, isolation: &str) {
        if !matches!(isolation, "" | "default") {
            self.refuse(Reason::Isolation, field, isolation, "use isolation");
        }
    }

    /// A mode of the host configuration that must be left empty, which is one of the container's own.
    pub(super) fn only_own(&mut self, reason: Reason, field: &str, mode: &str, kind: &str) {
        if !mode.is_empty() {
            self.deny(reason, format!("HostConfig.{field}"), mode, format!("use {kind} {mode:?}"));
        }
    }
}
