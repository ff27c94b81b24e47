//! Labels, annotations, health checks, restart policies, logging: what steers other programs.

use super::{Judge, StringMap};
use crate::docker::body::create::{Healthcheck, LogConfig, RestartPolicy};
use crate::policy::Reason;
use crate::policy::glob::Glob;
use std::collections::BTreeMap;

/// The longest that a container may take between its signal and SIGKILL, in seconds.
const LONGEST_STOP: i64 = 3600;

/// Whether a label is denied, in any letter case: who reads it (Traefik for one) may read it so.
fn is_denied(deny: &[Glob], key: &str) -> bool {
    deny.iter().any(|pattern| pattern.matches_in_any_case(key))
}

impl Judge<'_> {
    /// `Labels`: allow, deny, require.
    pub(super) fn labels(&mut self, labels: &StringMap<'_>) {
        let rules = &self.profile.labels();
        self.label_keys("Labels", labels);
        for (key, pattern) in &rules.require {
            let value = labels.entries().find(|(k, _)| k == key).map(|(_, v)| v.as_ref());
            if !value.is_some_and(|v| pattern.matches(v)) {
                let what = format!("leave label {key:?} out or set it otherwise");
                let field = format!("Labels.{key}");
                self.deny(Reason::LabelRequired, field, masked(value.unwrap_or_default()), what);
                self.allowing(format!("required: {key}={pattern}"));
            }
        }
    }

    /// Labels of the container, or of a volume that is made with it: allow, deny.
    pub(super) fn label_keys(&mut self, field: &str, labels: &StringMap<'_>) {
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

    /// `Healthcheck`: durations in nanoseconds, 0 is the daemon's default (30 s, start interval 5 s).
    pub(super) fn healthcheck(&mut self, at: &str, check: Option<&Healthcheck<'_>>) {
        let Some(Healthcheck {
            test: _,
            interval,
            timeout,
            retries: _,
            start_period: _,
            start_interval,
            borrow: _,
        }) = check
        else {
            return;
        };
        let least = self.profile.health().min_interval;
        for (name, field) in [("Interval", interval), ("StartInterval", start_interval)] {
            let nanos = field.or_zero();
            if nanos != 0 && nanos < least {
                let what = format!("check health every {nanos} ns");
                self.deny(Reason::HealthInterval, format!("{at}.{name}"), nanos.to_string(), what);
                self.allowing(format!("at least {least} ns"));
            }
        }
        let timeout = timeout.or_zero();
        if timeout < 0 {
            let (what, field) = ("check health with a negative timeout", format!("{at}.Timeout"));
            self.deny(Reason::HealthInterval, field, timeout.to_string(), what);
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
        if name != "no" && !self.profile.restart().has(name) {
            let what = "use restart policy";
            self.refuse(Reason::Restart, self.host("RestartPolicy.Name"), name, what);
            self.allowing_listed("policies", self.profile.restart());
        }
    }

    /// `HostConfig.LogConfig`.
    pub(super) fn logging(&mut self, log: Option<&LogConfig<'_>>) {
        let Some(LogConfig { driver, config, borrow: _ }) = log else { return };
        let (at, options) = (self.host("LogConfig.Type"), self.host("LogConfig.Config"));
        self.log_driver((&at, driver.text()), (&options, config));
    }

    /// A driver of logs and its options, each with its place. An empty driver is the daemon's own, whose
    /// options could then be anything, so they are judged by key.
    pub(super) fn log_driver(
        &mut self,
        (at, driver): (&str, &str),
        (options_at, options): (&str, &StringMap<'_>),
    ) {
        if !driver.is_empty() && !self.profile.logging().drivers.has(driver) {
            self.refuse(Reason::LogDriver, at, driver, "use log driver");
            self.allowing_listed("drivers", &self.profile.logging().drivers);
        }
        for (key, value) in options.entries() {
            if !self.profile.logging().options.has(key) {
                let what = format!("set log option {key:?}");
                let at = format!("{options_at}.{key}");
                self.deny(Reason::LogOption, at, masked(value), what);
                self.allowing_listed("options", &self.profile.logging().options);
            }
        }
    }
}

/// The value of a label, annotation, option or the like as it may be told: a refusal is logged, people keep tokens
/// in all of them, and which rule refuses depends on the name alone.
pub(super) const fn masked(value: &str) -> &'static str {
    if value.is_empty() { "" } else { "***" }
}
