//! Names: of the container, of its host.

use super::Judge;
use crate::docker::CallHead;
use crate::policy::Reason;
use crate::policy::facts::Seen;
use std::str::FromStr;

/// Words that are modes where names may stand.
const MODES: [&str; 7] = ["host", "none", "default", "bridge", "container", "private", "ingress"];

/// As many letters of an id as are shown.
pub(in crate::policy) const SHORT_ID: usize = 12;

impl Judge<'_> {
    /// Query `name` of create and rename: one that reads as an id takes the place of the container
    /// with that short id.
    pub(in crate::policy) fn container_name(&mut self, head: &CallHead) {
        let Some(name) = head.query.text("name") else { return };
        let name = name.strip_prefix('/').unwrap_or(name);
        let known = self.facts.containers.get(name);
        let known = known.map(|seen| is_free(seen, |container| container.name == name));
        self.free_name(("query name", name), "name a container", known, Reason::TargetUnseen);
    }

    /// A name that is not the beginning of another's id, where one can be: `known` says whether nothing else answers to it;
    /// `None` where nobody could look.
    fn free_name(
        &mut self,
        (field, name): (&str, &str),
        what: &str,
        known: Option<bool>,
        unseen: Reason,
    ) -> bool {
        match known {
            _ if is_reserved(name) => self.refuse(Reason::Name, field, name, what),
            _ if !is_shown_id(name) => return true,
            Some(true) => return true,
            Some(false) => self.refuse(Reason::Name, field, name, what),
            None => self.refuse(unseen, field, name, what),
        }
        false
    }

    /// The name of something that is made, which must be plain and no other's; `what` is done with it.
    pub(super) fn new_name(&mut self, field: &str, name: &str, what: &str) -> bool {
        if name.is_empty() || !is_host_name(name) {
            self.refuse(Reason::NamePlain, field, name, what);
            return false;
        }
        let known = self.facts.networks.get(name);
        let known = known.map(|seen| is_free(seen, |network| network.name == name));
        self.free_name((field, name), what, known, Reason::NetworkUnseen)
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

/// Whether a name is a mode somewhere, or reads as the first digits of an id that people type: the daemon takes it for one as
/// soon as nothing is called so any more, or takes it for the name where an id was meant. Words of letters (`db`) do not.
/// Nor are longer ones than are shown looked at, by which somebody could find out the rest of an id.
pub(super) fn is_reserved(name: &str) -> bool {
    let digits = name.bytes().any(|b| b.is_ascii_digit());
    let typed = digits && name.len() < SHORT_ID || name.len() > SHORT_ID;
    MODES.contains(&name) || is_hex(name) && typed
}

/// Whether a name has the form in which ids are shown: whether it is another's is to be looked at.
pub(in crate::policy) fn is_shown_id(name: &str) -> bool {
    is_hex(name) && name.len() == SHORT_ID
}

/// Whether nothing answers to a name but what bears it.
fn is_free<T>(seen: &Seen<T>, bears: impl Fn(&T) -> bool) -> bool {
    match seen {
        Seen::Found(object) => bears(object),
        Seen::Missing => true,
        Seen::Several => false,
    }
}

fn is_hex(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_hexdigit())
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
