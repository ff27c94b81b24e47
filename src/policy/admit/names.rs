//! Names: of the container, of its host.

use super::Judge;
use crate::docker::CallHead;
use crate::policy::Reason;
use std::str::FromStr;

/// Words that are modes where names may stand.
const MODES: [&str; 7] = ["host", "none", "default", "bridge", "container", "private", "ingress"];

/// As many letters of an id as are shown.
const SHORT_ID: usize = 12;

impl Judge<'_> {
    /// Query `name` of create and rename: one that reads as an id takes the place of the container
    /// with that short id.
    pub(in crate::policy) fn container_name(&mut self, head: &CallHead) {
        let Some(name) = head.query.text("name") else { return };
        let name = name.strip_prefix('/').unwrap_or(name);
        if is_reserved(name) {
            self.refuse(Reason::Name, "query name", name, "name a container");
        }
    }

    /// The name of something that is made, which must be plain and no other's; `what` is done with it.
    pub(super) fn new_name(&mut self, field: &str, name: &str, what: &str) -> bool {
        let reason = match name {
            "" => Reason::NamePlain,
            name if !is_host_name(name) => Reason::NamePlain,
            name if is_reserved(name) => Reason::Name,
            _ => return true,
        };
        self.refuse(reason, field, name, what);
        false
    }

    /// The name of what a swarm keeps, whose ids are 25 lower-case letters and digits, shown as twelve: the daemon
    /// looks for a name before it looks for the beginning of an id (`daemon/cluster/helpers.go`).
    pub(super) fn kept_name(&mut self, name: &str, what: &str) {
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let digits = name.bytes().any(|b| b.is_ascii_digit());
        if letters && digits && name.len() >= SHORT_ID {
            self.refuse(Reason::Name, "Name", name, what);
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

/// Whether a name is a mode somewhere, or could be the beginning of an id: the daemon takes it for one as soon as
/// nothing is called so any more, or takes it for the name where an id was meant.
pub(super) fn is_reserved(name: &str) -> bool {
    MODES.contains(&name) || !name.is_empty() && name.bytes().all(|b| b.is_ascii_hexdigit())
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
pub(in crate::policy) fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
