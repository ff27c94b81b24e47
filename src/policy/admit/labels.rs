//! Labels, annotations, restart policies: what steers other programs.

use super::{Judge, StringMap};
use crate::docker::body::create::{HostConfig, RestartPolicy};
use crate::policy::Reason;
use crate::policy::glob::Glob;
use crate::policy::profile::Profile;
use std::collections::BTreeMap;

/// The longest that a container may take between its signal and SIGKILL, in seconds.
const LONGEST_STOP: i64 = 3600;

/// Whether a label is denied, in any letter case: who reads it (Traefik for one) may read it so.
fn is_denied(deny: &[Glob], key: &str) -> bool {
    deny.iter().any(|pattern| pattern.matches_in_any_case(key))
}

/// The restart policy that is written into a body that asks for none, and not to be removed at its end.
pub(super) fn set_restart<'p>(profile: &'p Profile, host: &HostConfig<'_>) -> Option<&'p str> {
    let asked = host.restart_policy.value().map_or("", |policy| policy.name.text());
    let restarts = !matches!(asked, "" | "no") || host.auto_remove.0.or_zero();
    profile.restart().set.as_deref().filter(|_| !restarts)
}

impl Judge<'_> {
    /// `Labels`: allow, deny, require.
    pub(super) fn labels(&mut self, labels: &StringMap<'_>) {
        let rules = &self.profile.labels();
        self.label_keys("Labels", labels);
        for (key, pattern) in &rules.require {
            let value = labels.entries().find(|(k, _)| k == key).map(|(_, v)| v.as_ref());
            let set = value.is_none() && self.writes() && rules.set.iter().any(|(k, _)| k == key);
            if !set && !value.is_some_and(|v| pattern.matches(v)) {
                let what = format!("leave label {key:?} out or set it otherwise");
                let field = format!("Labels.{key}");
                self.deny(Reason::LabelRequired, field, masked(value.unwrap_or_default()), what);
                self.allowing(format!("required: {key}={pattern}"));
            }
        }
    }

    /// Labels of the container, or of a volume that is made with it: allow, deny.
    pub(super) fn label_keys(&mut self, field: &str, labels: &StringMap<'_>) {
        self.weigh(field, labels.entries().flat_map(|(key, value)| [key, value.as_ref()]));
        for (key, value) in labels.entries() {
            self.label(field, key, value);
        }
    }

    /// One label: allow, deny.
    pub(super) fn label(&mut self, field: &str, key: &str, value: &str) {
        let rules = &self.profile.labels();
        let hit = |patterns: &[Glob]| patterns.iter().any(|p| p.matches(key));
        if is_denied(&rules.deny, key) || rules.allow.as_deref().is_some_and(|allow| !hit(allow)) {
            let what = format!("set label {key:?}");
            self.deny(Reason::Label, format!("{field}.{key}"), masked(value), what);
        }
    }

    /// Labels of what is there already: those that are denied.
    pub(super) fn denied_labels(
        &mut self,
        field: &str,
        labels: &BTreeMap<String, String>,
        what: &str,
    ) {
        let deny = &self.profile.labels().deny;
        for (key, value) in labels.iter().filter(|(key, _)| is_denied(deny, key)) {
            let what = format!("{what} {key:?}");
            self.deny(Reason::Label, format!("{field}.{key}"), masked(value), what);
        }
    }

    /// `HostConfig.Annotations`.
    pub(super) fn annotations(&mut self, annotations: &StringMap<'_>) {
        for (key, value) in annotations.entries() {
            if !self.profile.annotations().fits(key) {
                let field = self.host(&format!("Annotations.{key}"));
                let what = format!("set annotation {key:?}");
                self.deny(Reason::Annotation, field, masked(value), what);
            }
        }
    }

    /// `StopTimeout` in seconds: a negative one is for ever, and stopping the daemon waits for it.
    pub(super) fn stop_timeout(&mut self, field: &str, seconds: i64) {
        if !(0..=LONGEST_STOP).contains(&seconds) {
            let what = format!("take {seconds} s to stop");
            self.deny(Reason::StopTimeout, field, seconds.to_string(), what);
            self.allowing(format!("0 to {LONGEST_STOP}"));
        }
    }

    /// `HostConfig.RestartPolicy`: empty is `no`.
    pub(super) fn restart(&mut self, policy: Option<&RestartPolicy<'_>>) {
        // how often a failing container is started again is the policy's own business
        let Some(RestartPolicy { name, maximum_retry_count: _, borrow: _ }) = policy else {
            return;
        };
        let name = if name.text().is_empty() { "no" } else { name.text() };
        if name != "no" && !self.profile.restart().allow.has(name) {
            let what = "use restart policy";
            self.refuse(Reason::Restart, self.host("RestartPolicy.Name"), name, what);
            self.allowing_listed("policies", &self.profile.restart().allow);
        }
    }
}

/// The value of a label, annotation, option or the like as it may be told: a refusal is logged, people keep tokens
/// in all of them, and which rule refuses depends on the name alone.
pub(super) const fn masked(value: &str) -> &'static str {
    if value.is_empty() { "" } else { "***" }
}
