//! The judgement of bodies, field by field (admission). Each family looks at its own fields and
//! adds what it finds; nothing stops at the first. The bodies are taken apart here, whole, without
//! `..`, so that a field nobody judges does not compile.

mod amount;
mod build;
mod call;
mod commit;
mod container;
mod copy;
mod create;
mod defaults;
mod devices;
mod environment;
mod exec;
mod health;
mod host_paths;
mod image;
mod inside;
mod join;
mod labels;
mod logging;
mod manner;
mod mounts;
mod names;
mod namespaces;
mod network;
mod network_create;
mod omit;
mod ports;
mod privilege;
mod resources;
mod runtime;
mod secret;
mod service;
mod service_network;
mod service_resources;
mod start;
mod target;
mod terms;
mod update;
mod user;
mod volume;
mod weight;

pub(super) use call::{call, images};
pub use environment::is_read_outside;
pub(super) use host_paths::listed as listed_path;
pub(super) use image::{named as named_image, run, serve};
pub(super) use inside::deciding_paths;
pub use inside::{Mounted, is_sound_target, mount_targets};
pub(super) use join::{chained, is_sound_link};
pub(super) use manner::manner;
pub(super) use mounts::is_volume_name;
pub(super) use names::{SHORT_ID, is_plain, is_shown_id};
pub(super) use network::is_askable as is_network_askable;
pub(super) use omit::omitted;
pub(super) use start::started_image;
pub(super) use target::{asks_of_daemon, connected, profile_of, target};
pub(super) use terms::{checked, terms};

use super::decision::Finding;
use super::facts::Facts;
use super::model::Role;
use super::profile::{Demanded, Profile};
use super::reason::Reason;
use super::shortened::{KEY_MAX, cut, short, shortened};
use crate::docker::body::create::StringMap;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Texts of the body, with their place.
type Placed<'t> = (&'t str, &'t [Cow<'t, str>]);

/// What the families judge by, and what they find.
pub struct Judge<'a> {
    /// The role, for its images.
    pub role: &'a Role,
    /// The profile of what is judged.
    pub profile: &'a Profile,
    /// The profile of the role, with what holds instead for some images.
    whole: &'a Profile,
    /// What was looked up.
    pub facts: &'a Facts,
    /// Where the fields of a host configuration stand in the body that is judged.
    base: &'static str,
    /// All that speaks against the request, up to a number that nobody reads.
    pub findings: Vec<Finding>,
    /// Whether the last finding is among them.
    kept: bool,
    /// Whether one of them amounts to root on the host.
    root: bool,
    /// Whether the daemon starts the container again by itself, which is judged by nobody.
    restarts: bool,
    /// The container into which somebody reaches, while it is judged.
    reached: Option<String>,
    /// How many containers are joined to each other so far.
    chain: usize,
    /// Which were judged, by their ids, and how many were joined to each other before each.
    joins: BTreeMap<String, usize>,
    /// Whether the container that is judged is there and is not started anew: it has what it was joined to then.
    keeps: bool,
    /// Whether what is judged is made of a body into which the profile's own is written.
    fills: bool,
    /// Whether some role of whoever asks denies to run something in containers.
    pub exec_denied: bool,
}

/// Findings that are kept. A body of megabytes can be at fault in a million places, each of which
/// would be told at length.
const FINDINGS_MAX: usize = 256;

/// Bytes that are kept of each text of a finding: more than is shown or logged of it.
const TEXT_MAX: usize = 1024;

/// What is said of what no profile opens.
pub(super) const UNRESTRICTED_ALONE: &str = "only a role with admission: unrestricted may";

impl<'a> Judge<'a> {
    /// A judge who has found nothing yet, of a request that is governed by the profile of the role.
    #[must_use]
    pub const fn new(role: &'a Role, profile: &'a Profile, facts: &'a Facts) -> Self {
        Self {
            role,
            profile,
            whole: profile,
            facts,
            base: "HostConfig.",
            findings: Vec::new(),
            kept: false,
            root: false,
            restarts: false,
            reached: None,
            chain: 0,
            joins: BTreeMap::new(),
            keeps: false,
            fills: false,
            exec_denied: false,
        }
    }

    /// Whether a body must ask for it. What is there already, and a service, has nothing written in.
    const fn must_ask(&self, demand: Demanded) -> bool {
        match demand {
            Demanded::No => false,
            Demanded::Required => true,
            Demanded::Set => !self.writes(),
        }
    }

    /// Whether the profile's own is written into what is judged: into a body, never into what is there already.
    const fn writes(&self) -> bool {
        self.fills && self.reached.is_none()
    }

    /// The place of a field of the host configuration; a build has them in its query, in lower case, and
    /// two by another name.
    fn host(&self, field: &str) -> String {
        match (self.base, field) {
            ("query ", "MemorySwap") => "query memswap".to_owned(),
            ("query ", "NanoCpus") => "query cpuquota".to_owned(),
            ("query ", field) => format!("query {}", field.to_ascii_lowercase()),
            (base, field) => format!("{base}{field}"),
        }
    }

    /// Adds what was found elsewhere.
    fn add(&mut self, finding: Option<Finding>) {
        if let Some(Finding { reason, field, value, what, allowed }) = finding {
            self.deny(reason, field, value, what);
            if let Some(allowed) = allowed {
                self.allowing(allowed);
            }
        }
    }

    /// Adds a finding. Of those above the number that is kept, the first that amounts to root is:
    /// `observe` must not soften what it was not told.
    fn deny(
        &mut self,
        reason: Reason,
        field: impl Into<String>,
        value: impl Into<String>,
        what: impl Into<String>,
    ) {
        let is_root = reason.rule().root;
        self.kept = self.findings.len() < FINDINGS_MAX || (is_root && !self.root);
        if !self.kept {
            return;
        }
        self.root |= is_root;
        let what = match &self.reached {
            Some(container) => format!("use container {container:?}, which may {}", what.into()),
            None => what.into(),
        };
        let texts = [field.into(), value.into(), what];
        let [field, value, what] = texts.map(|text| cut(text, TEXT_MAX));
        self.findings.push(Finding { reason, field, value, what, allowed: None });
    }

    /// Adds a finding of a value that is at fault by itself: `use isolation "hyperv"`.
    fn refuse(&mut self, reason: Reason, field: impl Into<String>, value: &str, doing: &str) {
        let value = short(value, TEXT_MAX + 4); // whatever is cut of it is cut before it is quoted
        self.deny(reason, field, value, format!("{doing} {value:?}"));
    }

    /// Says of the last finding what would be allowed.
    fn allowing(&mut self, allowed: impl Into<String>) {
        if let Some(last) = self.findings.last_mut().filter(|_| self.kept) {
            last.allowed = Some(allowed.into());
        }
    }

    /// Says of the last finding which `things` the profile lists.
    fn allowing_listed<T: AsRef<str>>(&mut self, things: &str, list: &[T]) {
        self.allowing(format!("allowed {things}: {}", listed(list)));
    }

    /// Refuses a list that must be empty or absent.
    fn deny_items<T: AsRef<str>>(&mut self, reason: Reason, field: &str, items: &[T], what: &str) {
        for (i, item) in items.iter().enumerate() {
            self.deny(reason, format!("{field}[{i}]"), item.as_ref(), what);
        }
    }
}

/// A key of the client's as part of a place that is told of many times.
fn key(text: &str) -> &str {
    short(text, KEY_MAX)
}

/// `a, b, c`, or a word for none.
fn listed<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
