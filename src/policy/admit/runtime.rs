//! What runs it and on what: runtime, root filesystem, storage options.

use super::{Judge, StringMap, listed};
use crate::policy::Reason;

impl Judge<'_> {
    /// `Runtime`: where the profile lists some, an empty one is sent on as the first of them.
    pub(super) fn runtime(&mut self, runtime: &str) {
        let (field, listed) = ("HostConfig.Runtime", &self.profile.runtime().0);
        if runtime.is_empty() || listed.iter().any(|allowed| allowed == runtime) {
            return;
        }
        if listed.is_empty() && self.is_default_runtime(field, runtime) {
            return;
        }
        self.refuse(Reason::Runtime, field, runtime, "use runtime");
        match self.profile.runtime().0.as_slice() {
            [] => self.allowing("allowed: the daemon's own default, without --runtime"),
            named => self.allowing_listed("runtimes", named),
        }
    }

    /// The tasks of a service run in each node's default runtime: it has no field for another
    /// (`hostConfig` in `daemon/cluster/executor/container/container.go`).
    pub(super) fn service_runtime(&mut self) {
        if !self.profile.runtime().0.is_empty() {
            let what = "run a service, whose tasks have each node's default runtime";
            self.deny(Reason::Runtime, "TaskTemplate.Runtime", "", what);
            let allowed = listed(&self.profile.runtime().0);
            self.allowing(format!("containers, by runtime {allowed}"));
        }
    }

    /// `ReadonlyRootfs`.
    pub(super) fn read_only_root(&mut self, field: &str, read_only: bool) {
        if self.must_ask(*self.profile.read_only_root()) && !read_only {
            let what = "write to the container's root filesystem";
            self.deny(Reason::ReadOnlyRoot, field, "false", what);
        }
    }

    /// `Init`.
    pub(super) fn init(&mut self, field: &str, init: bool) {
        if self.must_ask(*self.profile.init()) && !init {
            let what = "run without an init process";
            self.deny(Reason::Init, field, "false", what);
        }
    }

    /// `StorageOpt`.
    pub(super) fn storage_options(&mut self, options: &StringMap<'_>) {
        for (key, value) in options.entries() {
            if !self.profile.storage_options().has(key) {
                let field = format!("HostConfig.StorageOpt.{key}");
                let what = format!("set storage option {key:?}");
                self.deny(Reason::StorageOption, field, value.as_ref(), what);
            }
        }
    }
}
