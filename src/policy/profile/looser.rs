//! In which direction each kind of rule is looser, so that a profile can be compared with the one that it
//! extends.

use super::kinds::{
    Allowed, Capabilities, Chosen, Copying, Demanded, Groups, HardLimit, Health, HostPath, Labels,
    Limit, Listed, Logging, Ports, Restarts, Runtimes, UserRule, Users, VolumeOptions,
};
use crate::policy::glob::Glob;
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A kind of rule, compared with the parent's.
pub(super) trait Looser {
    /// Whether it allows what the parent's does not.
    fn is_looser(&self, parent: &Self) -> bool;
}

impl Looser for Allowed {
    fn is_looser(&self, parent: &Self) -> bool {
        self.0 && !parent.0
    }
}

impl Looser for Demanded {
    fn is_looser(&self, parent: &Self) -> bool {
        parent.holds() && !self.holds()
    }
}

impl Looser for Chosen {
    fn is_looser(&self, parent: &Self) -> bool {
        *self == Self::Allow && *parent != Self::Allow
    }
}

impl<T: Covers> Looser for Listed<T> {
    fn is_looser(&self, parent: &Self) -> bool {
        !self.iter().all(|item| parent.iter().any(|all| all.covers(item)))
    }
}

/// A list that may be left out, which is any.
impl<T: Covers> Looser for Option<Listed<T>> {
    fn is_looser(&self, parent: &Self) -> bool {
        let Some(parent) = parent else { return false };
        self.as_ref().is_none_or(|list| list.is_looser(parent))
    }
}

impl Looser for UserRule {
    fn is_looser(&self, parent: &Self) -> bool {
        match (self, parent) {
            (_, Self::Any) | (Self::NonRoot, Self::NonRoot) => false,
            (Self::Ids { uid, .. }, Self::NonRoot) => uid.iter().any(|ids| ids.contains(&0)),
            (child, parent) => child != parent,
        }
    }
}

impl Looser for Limit {
    fn is_looser(&self, parent: &Self) -> bool {
        match (self.max, parent.max) {
            (_, None) => parent.default.is_some() && self.default.is_none() && self.max.is_none(),
            (None, Some(_)) => true,
            (Some(child), Some(parent)) => child > parent,
        }
    }
}

/// Kinds that are looser where one of their rules is.
macro_rules! of_rules {
    ($( $kind:ident { $( $rule:ident ),* } )*) => {
        $(
            impl Looser for $kind {
                fn is_looser(&self, parent: &Self) -> bool {
                    let Self { $( $rule ),* } = self;
                    $( $rule.is_looser(&parent.$rule) )||*
                }
            }
        )*
    };
}

of_rules! {
    Capabilities { add, drop_all }
    Groups { ids, names }
    Logging { drivers, options }
    Copying { compressed, running_with_mounts }
}

impl Looser for Users {
    fn is_looser(&self, parent: &Self) -> bool {
        self.allow.is_looser(&parent.allow)
    }
}

impl Looser for Restarts {
    fn is_looser(&self, parent: &Self) -> bool {
        self.allow.is_looser(&parent.allow)
    }
}

impl Looser for Ports {
    fn is_looser(&self, parent: &Self) -> bool {
        let Self { ephemeral, host, address, default: _ } = self;
        ephemeral.is_looser(&parent.ephemeral)
            || host.is_looser(&parent.host)
            || address.is_looser(&parent.address)
    }
}

impl Looser for Runtimes {
    fn is_looser(&self, parent: &Self) -> bool {
        match parent.0.is_empty() {
            true => !self.0.is_empty(),
            false => self.0.is_empty() || self.0.iter().any(|name| !parent.0.contains(name)),
        }
    }
}

impl Looser for Labels {
    fn is_looser(&self, parent: &Self) -> bool {
        self.allow.is_looser(&parent.allow)
            || parent.deny.iter().any(|pattern| !self.deny.contains(pattern))
            || parent.require.iter().any(|label| !self.require.contains(label))
    }
}

impl Looser for Health {
    fn is_looser(&self, parent: &Self) -> bool {
        self.min_interval < parent.min_interval
    }
}

/// An item of a list of what is allowed.
pub(super) trait Covers: PartialEq {
    /// Whether it allows all that the other does.
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

impl Covers for String {}
impl Covers for HostPath {}
impl Covers for VolumeOptions {}
impl Covers for IpAddr {}

/// A pattern is covered by itself and by one that matches its text: `ci-*` by `**`.
impl Covers for Glob {
    fn covers(&self, other: &Self) -> bool {
        let text = other.as_str();
        self == other || self.as_str() == "**" || self.matches(text) && !text.contains('*')
    }
}

impl Covers for IpNet {
    fn covers(&self, other: &Self) -> bool {
        self.contains(other)
    }
}

impl<T: PartialOrd> Covers for RangeInclusive<T> {
    fn covers(&self, other: &Self) -> bool {
        self.start() <= other.start() && other.end() <= self.end()
    }
}

impl Covers for HardLimit {
    fn covers(&self, other: &Self) -> bool {
        self.name == other.name && other.most <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Profile;

    #[test]
    fn restricted_is_nowhere_looser_than_baseline_but_the_other_way_round() {
        let (baseline, restricted) = (Profile::baseline(), Profile::restricted());
        assert_eq!(restricted.looser_than(&baseline), Vec::<&str>::new());
        assert_eq!(baseline.looser_than(&baseline), Vec::<&str>::new());
        let keys = baseline.looser_than(&restricted);
        assert_eq!(keys, ["user", "capabilities", "no_new_privileges", "ipc", "pids"]);
    }

    #[test]
    fn a_wider_pattern_a_higher_limit_and_a_lifted_deny_are_looser() {
        let volumes = |pattern| Listed(vec![Glob::new(pattern)]);
        let mut parent = Profile::baseline();
        parent.volumes = volumes("ci-*");
        parent.memory.max = Some(10);
        parent.labels.deny = vec![Glob::new("traefik.*")];
        let mut child = parent.clone();
        assert_eq!(child.looser_than(&parent), Vec::<&str>::new());
        child.volumes = volumes("ci-7");
        assert_eq!(child.looser_than(&parent), Vec::<&str>::new());
        child.volumes = volumes("*");
        child.memory.max = Some(11);
        child.labels.deny.clear();
        assert_eq!(child.looser_than(&parent), ["volumes", "memory", "labels"]);
    }
}
