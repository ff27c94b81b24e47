//! Names: of the container, of its host.

use super::Judge;
use crate::docker::CallHead;
use crate::policy::Reason;
use std::str::FromStr;

/// Words that are modes where names may stand.
const MODES: [&str; 7] = ["host", "none", "default", "bridge", "container", "private", "ingress"];

impl Judge<'_> {
    /// Query `name` of create and rename: one that reads as an id takes the place of the container
    /// with that short id.
    pub(in crate::policy) fn container_name(&mut self, head: &CallHead) {
        let Some(name) = head.query.text("name") else { return };
        let name = name.strip_prefix('/').unwrap_or(name);
        let hex = name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if MODES.contains(&name) || (hex && (12..=64).contains(&name.len())) {
            self.refuse(Reason::Name, "query name", name, "name a container");
        }
    }

    /// `Hostname`, `Domainname`.
    pub(super) fn hostnames(&mut self, host: &str, domain: &str) {
        for (field, name) in [("Hostname", host), ("Domainname", domain)] {
            if !is_host_name(name) {
                self.refuse(Reason::Hostname, field, name, "use host name");
            }
        }
    }
}

/// Letters, digits, `.`, `-` and `_`, at most 253 characters; empty is none given.
pub(super) fn is_host_name(name: &str) -> bool {
    name.len() <= 253 && is_plain(name)
}

/// A number in its one decimal spelling: `+1` and `01` are none, nor is what is too large.
pub(super) fn decimal<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let plain = digits && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Letters, digits, `.`, `-` and `_` alone.
pub(super) fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
