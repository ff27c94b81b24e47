//! Where a profile allows what its parent does not. `extends: restricted` reads as if the child were
//! restricted too; `check` says where that is no longer so.

use crate::policy::Profile;
use crate::policy::pattern::Pattern;
use crate::policy::profile::{Copying, Limit, UserRule};

/// The keys of the file in which the child is looser than its parent.
pub(super) fn than(child: &Profile, parent: &Profile) -> Vec<&'static str> {
    let more = |a: &[String], b: &[String]| a.iter().any(|item| !b.contains(item));
    let capabilities = more(&child.capabilities_add, &parent.capabilities_add)
        || (parent.drop_all && !child.drop_all);
    let ulimit =
        |name: &str| parent.ulimits.iter().find(|(of, _)| of == name).map(|(_, hard)| *hard);
    let ulimits = child.ulimits.iter().any(|(n, hard)| ulimit(n).is_none_or(|bound| *hard > bound));
    let logging = more(&child.logging.drivers, &parent.logging.drivers)
        || more(&child.logging.options, &parent.logging.options);
    let paths = child.host_paths.iter().any(|path| !parent.host_paths.contains(path));
    // a list of runtimes is what must be used; an empty one is the daemon's default
    let runtime = match parent.runtime.is_empty() {
        true => !child.runtime.is_empty(),
        false => child.runtime.is_empty() || more(&child.runtime, &parent.runtime),
    };
    let keys = [
        ("user", looser_user(&child.user, &parent.user)),
        ("capabilities", capabilities),
        ("security_options", more(&child.security_options, &parent.security_options)),
        ("no_new_privileges", parent.no_new_privileges && !child.no_new_privileges),
        ("ipc", more(&child.ipc, &parent.ipc)),
        ("host_paths", paths),
        ("volumes", wider(&child.volumes, &parent.volumes)),
        ("volume_drivers", more(&child.volume_drivers, &parent.volume_drivers)),
        ("volume_options", more_options(child, parent)),
        ("devices", more(&child.devices, &parent.devices)),
        ("device_requests", more(&child.device_requests, &parent.device_requests)),
        ("networks", wider(&child.networks, &parent.networks)),
        ("network_drivers", more(&child.network_drivers, &parent.network_drivers)),
        ("network_options", more(&child.network_options, &parent.network_options)),
        ("subnets", looser_subnets(child, parent)),
        ("ports", looser_ports(child, parent)),
        ("extra_hosts", wider(&child.extra_hosts, &parent.extra_hosts)),
        ("dns", wider(&child.dns, &parent.dns)),
        ("mac_address", child.mac_address && !parent.mac_address),
        ("memory", looser_limit(child.memory, parent.memory)),
        ("cpus", looser_limit(child.cpus, parent.cpus)),
        ("pids", looser_limit(child.pids, parent.pids)),
        ("shm", looser_limit(child.shm, parent.shm)),
        ("ulimits", ulimits),
        ("sysctls", more(&child.sysctls, &parent.sysctls)),
        ("runtime", runtime),
        ("read_only_root", parent.read_only_root && !child.read_only_root),
        ("storage_options", more(&child.storage_options, &parent.storage_options)),
        ("logging", logging),
        ("restart", more(&child.restart, &parent.restart)),
        ("annotations", wider(&child.annotations, &parent.annotations)),
        ("labels", looser_labels(child, parent)),
        ("health", child.health_min_interval < parent.health_min_interval),
        ("copy", looser_copying(child.copy, parent.copy)),
    ];
    keys.into_iter().filter(|(_, looser)| *looser).map(|(key, _)| key).collect()
}

fn more_options(child: &Profile, parent: &Profile) -> bool {
    child.volume_options.iter().any(|options| !parent.volume_options.contains(options))
}

fn looser_subnets(child: &Profile, parent: &Profile) -> bool {
    child.subnets.iter().any(|range| !parent.subnets.iter().any(|all| all.contains(range)))
}

const fn looser_copying(child: Copying, parent: Copying) -> bool {
    (child.compressed && !parent.compressed)
        || (child.running_with_mounts && !parent.running_with_mounts)
}

fn looser_user(child: &UserRule, parent: &UserRule) -> bool {
    match (child, parent) {
        (_, UserRule::Any) | (UserRule::NonRoot, UserRule::NonRoot) => false,
        (UserRule::Ids { uid, .. }, UserRule::NonRoot) => uid.iter().any(|ids| ids.contains(&0)),
        (child, parent) => child != parent,
    }
}

fn looser_limit(child: Limit, parent: Limit) -> bool {
    match (child.max, parent.max) {
        (_, None) => parent.default.is_some() && child.default.is_none() && child.max.is_none(),
        (None, Some(_)) => true,
        (Some(child), Some(parent)) => child > parent,
    }
}

fn looser_ports(child: &Profile, parent: &Profile) -> bool {
    let (child, parent) = (&child.ports, &parent.ports);
    let within = |ports: &std::ops::RangeInclusive<u16>| {
        parent.host.iter().any(|all| all.start() <= ports.start() && ports.end() <= all.end())
    };
    let address = match (&child.address, &parent.address) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(child), Some(parent)) => child.iter().any(|address| !parent.contains(address)),
    };
    address || (child.ephemeral && !parent.ephemeral) || !child.host.iter().all(within)
}

fn looser_labels(child: &Profile, parent: &Profile) -> bool {
    let (child, parent) = (&child.labels, &parent.labels);
    let allow = match (&child.allow, &parent.allow) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(child), Some(parent)) => wider(child, parent),
    };
    let lifted = parent.deny.iter().any(|pattern| !child.deny.contains(pattern));
    allow || lifted || parent.require.iter().any(|label| !child.require.contains(label))
}

/// Whether a pattern is there that none of the parent's covers. A pattern is covered by itself and
/// by one that matches its text: `ci-*` by `**`.
fn wider(child: &[Pattern], parent: &[Pattern]) -> bool {
    let covered = |text: &Pattern| {
        parent.iter().any(|all| {
            all == text
                || (all.as_str() == "**")
                || all.matches(text.as_str()) && !text.as_str().contains('*')
        })
    };
    !child.iter().all(covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restricted_is_nowhere_looser_than_baseline_but_the_other_way_round() {
        let (baseline, restricted) = (Profile::baseline(), Profile::restricted());
        assert_eq!(than(&restricted, &baseline), Vec::<&str>::new());
        assert_eq!(than(&baseline, &baseline), Vec::<&str>::new());
        let keys = than(&baseline, &restricted);
        assert_eq!(keys, ["user", "capabilities", "no_new_privileges", "ipc", "pids"]);
    }

    #[test]
    fn a_wider_pattern_a_higher_limit_and_a_lifted_deny_are_looser() {
        let mut parent = Profile::baseline();
        parent.volumes = vec![Pattern::new("ci-*")];
        parent.memory.max = Some(10);
        parent.labels.deny = vec![Pattern::new("traefik.*")];
        let mut child = parent.clone();
        assert_eq!(than(&child, &parent), Vec::<&str>::new());
        child.volumes = vec![Pattern::new("ci-7")];
        assert_eq!(than(&child, &parent), Vec::<&str>::new());
        child.volumes = vec![Pattern::new("*")];
        child.memory.max = Some(11);
        child.labels.deny.clear();
        assert_eq!(than(&child, &parent), ["volumes", "memory", "labels"]);
    }
}
