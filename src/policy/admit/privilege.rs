//! Privilege: privileged, capabilities, security options, masked paths.

use super::{Judge, Placed, defaults, listed};
use crate::docker::body::field::Field;
use crate::policy::Reason;
use std::borrow::Cow;

/// The spellings of "no new privileges" that are always allowed. The daemon splits at the first
/// `=`, else at the first `:`, and the last option wins, so a list with `false` is never allowed.
const NO_NEW_PRIVILEGES: [&str; 3] =
    ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"];

type PathTexts<'a> = Field<Vec<Cow<'a, str>>>;

impl Judge<'_> {
    /// `Privileged` of a container or an exec.
    pub(super) fn privileged(&mut self, field: &str, privileged: bool) {
        if privileged {
            self.deny(Reason::Privileged, field, "true", "be privileged");
        }
    }

    /// The old exact set of capabilities.
    pub(super) fn capability_set(&mut self, set: &[Cow<'_, str>]) {
        let what = "set exact capabilities";
        self.deny_items(Reason::CapSet, "HostConfig.Capabilities", set, what);
    }

    /// `CapAdd`, `CapDrop`, each with its place, in every spelling the daemon takes
    /// (`oci/caps/utils.go`: letter case and `CAP_` are free).
    pub(super) fn capabilities(&mut self, (add_at, add): Placed<'_>, (drop_at, drop): Placed<'_>) {
        for (i, name) in add.iter().enumerate() {
            let canonical = canonical_capability(name);
            let rules = self.profile.capabilities();
            let default = !rules.drop_all.holds() && defaults::has_capability(&canonical);
            if !default && !rules.add.contains(&canonical) {
                let what = format!("add capability {canonical:?}");
                self.deny(Reason::CapAdd, format!("{add_at}[{i}]"), name.as_ref(), what);
                self.allowing_listed("capabilities", &self.profile.capabilities().add);
            }
        }
        if self.must_ask(self.profile.capabilities().drop_all) && !drops_all(drop) {
            let what = "keep capabilities: all must be dropped";
            self.deny(Reason::CapDrop, drop_at, listed(drop), what);
        }
    }

    /// `SecurityOpt`: each option exactly as listed.
    pub(super) fn security_options(&mut self, options: &[Cow<'_, str>]) {
        for (i, option) in options.iter().enumerate() {
            let listed_exactly = NO_NEW_PRIVILEGES.contains(&option.as_ref())
                || self.profile.security_options().has(option);
            let field = format!("HostConfig.SecurityOpt[{i}]");
            if !listed_exactly && !self.is_default_seccomp(&field, option) {
                self.refuse(Reason::SecurityOpt, field, option, "use security option");
                let more = listed(self.profile.security_options());
                self.allowing(format!("allowed besides no-new-privileges: {more}"));
            }
        }
        let asked = asks_for_no_new(options);
        if self.must_ask(*self.profile.no_new_privileges()) && !asked {
            let what = "gain new privileges: no-new-privileges must be asked for";
            self.deny(Reason::NoNewPrivileges, "HostConfig.SecurityOpt", listed(options), what);
        }
    }

    /// `MaskedPaths` and `ReadonlyPaths`: null and absent are the daemon's own lists, as is a list that any engine has by
    /// itself.
    pub(super) fn masked_paths(&mut self, masked: &PathTexts<'_>, readonly: &PathTexts<'_>) {
        let masks = (masked, defaults::is_masked_as_usual as fn(&[Cow<'_, str>]) -> bool);
        let reads = (readonly, defaults::is_read_only_as_usual as fn(&[Cow<'_, str>]) -> bool);
        let fields = [("HostConfig.MaskedPaths", masks), ("HostConfig.ReadonlyPaths", reads)];
        for (field, (list, enough)) in fields {
            if let Some(paths) = list.value().filter(|paths| !enough(paths)) {
                let what = "choose which paths of /proc and /sys are hidden";
                self.deny(Reason::MaskedPaths, field, listed(paths), what);
            }
        }
    }
}

/// Whether no new privileges are asked for.
pub(super) fn asks_for_no_new(options: &[Cow<'_, str>]) -> bool {
    options.iter().any(|option| NO_NEW_PRIVILEGES.contains(&option.as_ref()))
}

/// Whether all capabilities are dropped.
pub(super) fn drops_all(drop: &[Cow<'_, str>]) -> bool {
    drop.iter().any(|name| canonical_capability(name) == "ALL")
}

fn canonical_capability(name: &str) -> String {
    let upper = name.trim().to_uppercase();
    upper.strip_prefix("CAP_").map_or(upper.clone(), str::to_owned)
}
