//! What of a policy amounts to root on the host, and what else its author may not have meant. The file
//! may say all of this; nobody should find it out from an incident.

use super::mistake::MistakeLedger;
use crate::docker::{ROUTES, Resource, Route, Verb};
use crate::identity::Mode;
use crate::policy::profile::VolumeOptions;
use crate::policy::{Admission, Policy, Profile, Role};
use std::collections::BTreeSet;

/// Directories of which a writable mount, of themselves or of anything below, gives the host away.
const KEYS_TO_THE_HOST: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/run",
    "/var/spool",
];

/// Directories of which a writable mount of themselves does, as it holds others' files.
const SHARED: &[&str] = &["/", "/home", "/mnt", "/srv", "/tmp", "/var", "/var/lib", "/var/log"];

/// Verbs that show what a container of somebody else does, or end it or take its name. Those that reach into one are
/// judged by what it was made with.
const ON_TARGETS: &[(Resource, Verb)] = &[
    (Resource::Container, Verb::Logs),
    (Resource::Container, Verb::Top),
    (Resource::Container, Verb::Changes),
    (Resource::Container, Verb::Rename),
    (Resource::Container, Verb::Kill),
    (Resource::Container, Verb::Stop),
    (Resource::Container, Verb::Pause),
    (Resource::Container, Verb::Delete),
    (Resource::Container, Verb::Prune),
];

/// Notes the warnings of a policy.
pub(super) fn warn(policy: &Policy, ledger: &mut MistakeLedger) {
    let mut seen = BTreeSet::new();
    for role in policy.roles.values() {
        warn_of_verbs(role, ledger);
        let mut others = policy.roles.values().filter(|other| other.name != role.name);
        if let Some(strong) = others.find(|other| makes_the_strongest(other))
            && role.admission.profile().is_some()
            && !role.is_narrow(Resource::Container)
        {
            warn_of_targets(role, strong, ledger);
        }
        if let Admission::Profile(profile) = &role.admission
            && seen.insert(profile.name.clone())
        {
            warn_of_profile(profile, ledger);
        }
    }
    for rule in &policy.identities {
        if let (Mode::Observe { .. }, true) = (rule.mode(), rule.danger_observe_root()) {
            let what = "danger_observe_root: what amounts to root on the host is let through";
            ledger.warn(format!("identity {}", rule.name()), what, true);
        }
    }
}

/// What of a role amounts to root on the host, for whoever is about to give it away.
#[must_use]
pub fn amounts_to_root(role: &Role) -> Vec<String> {
    let mut ledger = MistakeLedger::default();
    warn_of_verbs(role, &mut ledger);
    if let Some(profile) = role.admission.profile() {
        warn_of_profile(profile, &mut ledger);
    }
    let warnings = ledger.close().unwrap_or_default().into_iter().filter(|warning| warning.root);
    warnings.map(|warning| format!("{}: {}", warning.subject, warning.what)).collect()
}

fn warn_of_verbs(role: &Role, ledger: &mut MistakeLedger) {
    let subject = format!("role {}", role.name);
    if matches!(role.admission, Admission::Unrestricted) && role.allow.iter().next().is_some() {
        let what =
            "admission: unrestricted: bodies are judged by no rule, which is root on the host";
        ledger.warn(&subject, what, true);
    }
    let rooted = words(role, |route| route.root && !is_shut(role, route));
    if !rooted.is_empty() {
        ledger.warn(&subject, format!("amounts to root on the host: {rooted}"), true);
    }
    let refused = words(role, |route| is_shut(role, route));
    if !refused.is_empty() {
        let what = format!(
            "refused even so, as no profile can judge them; admission: unrestricted may: {refused}"
        );
        ledger.warn(&subject, what, false);
    }
    if role.allow.has(Resource::Build, Verb::Buildkit) {
        let what = "build.buildkit: it is judged by nothing inside, and shares its cache, its history \
                    and the host's network among all who build; ways round are DOCKER_BUILDKIT=0, and \
                    a rootless buildkitd of one's own (docker buildx create --driver remote)";
        ledger.warn(&subject, what, true);
    } else if role.allow.has(Resource::Build, Verb::Create) {
        let what = "build.create without build.buildkit: docker clients that build with BuildKit \
                    are refused and do not show why; set DOCKER_BUILDKIT=0, or use a rootless \
                    buildkitd of one's own (docker buildx create --driver remote)";
        ledger.warn(&subject, what, false);
        let what = "build.create: a build's steps run as root in containers that no profile judges, and \
                    ADD fetches from the host's own network";
        ledger.warn(&subject, what, false);
        if role.is_narrow(Resource::Image) {
            let what =
                "build.create: a build takes any image of the daemon as its base, whoever's it is";
            ledger.warn(&subject, what, false);
        }
    }
    let bridges = role
        .admission
        .profile()
        .is_none_or(|profile| profile.networks.iter().any(|name| name.matches("bridge")));
    let creates = role.allow.has(Resource::Container, Verb::Create);
    if role.is_narrow(Resource::Container) && creates && bridges && role.bridge.is_none() {
        let what = "containers of several owners reach each other on the daemon's default bridge: write \
                    network: own";
        ledger.warn(&subject, what, false);
    }
    let reveals = role.allow.iter().any(|(_, verb, _)| verb == Verb::Reveal);
    if reveals && !matches!(role.admission, Admission::Unrestricted) {
        ledger.warn(&subject, "reveal: environments and secrets of others are shown", false);
    }
}

/// Whether a route is open only to `admission: unrestricted`, which this role has not.
const fn is_shut(role: &Role, route: &Route) -> bool {
    matches!(role.admission, Admission::Profile(_)) && route.reserved
}

/// The grants of a role whose routes are such, as `resource.verb`.
fn words(role: &Role, is_such: impl Fn(&Route) -> bool) -> String {
    let denied = |route: &Route| role.deny.has(route.resource, route.verb);
    let granted = |route: &&Route| role.allow.grants(route).is_some() && !denied(route);
    let routes = ROUTES.iter().filter(granted).filter(|route| is_such(route));
    let words: BTreeSet<String> =
        routes.map(|route| format!("{}.{}", route.resource, route.verb)).collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether containers of this role may hold the host: it is judged by nothing, or by a profile that amounts to root.
fn makes_the_strongest(role: &Role) -> bool {
    let creates = role.allow.has(Resource::Container, Verb::Create)
        || role.allow.has(Resource::Service, Verb::Create);
    let mut ledger = MistakeLedger::default();
    if let Some(profile) = role.admission.profile() {
        warn_of_profile(profile, &mut ledger);
    }
    let rooted = ledger.close().is_ok_and(|warnings| warnings.iter().any(|warning| warning.root));
    creates && (rooted || matches!(role.admission, Admission::Unrestricted))
}

/// Objects are not told apart yet (`scope: any`).
fn warn_of_targets(role: &Role, strong: &Role, ledger: &mut MistakeLedger) {
    let subject = format!("role {}", role.name);
    if let Some(held) = held(role) {
        let what = format!("{held} on any container, also on those of role {}", strong.name);
        ledger.warn(&subject, what, false);
    }
}

/// Those of the verbs that a role holds, in words; `None` where it holds none.
fn held(role: &Role) -> Option<String> {
    let is_held = |(resource, verb): &&(Resource, Verb)| {
        role.allow.has(*resource, *verb) && !role.deny.has(*resource, *verb)
    };
    let words: Vec<&str> =
        ON_TARGETS.iter().filter(is_held).map(|(_, verb)| verb.as_str()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What of a profile amounts to root, and what an exception of it adds to that.
fn warn_of_profile(profile: &Profile, ledger: &mut MistakeLedger) {
    warn_of_rules(profile, ledger);
    if profile.images.is_empty() {
        return;
    }
    let told = |profile: &Profile| {
        let mut ledger = MistakeLedger::default();
        warn_of_rules(profile, &mut ledger);
        ledger.close().unwrap_or_default()
    };
    let known = told(profile);
    for warning in profile.images.iter().flat_map(|of| told(&of.profile)) {
        if known.iter().all(|other| other.what != warning.what) {
            ledger.warn(warning.subject, warning.what, warning.root);
        }
    }
}

fn warn_of_rules(profile: &Profile, ledger: &mut MistakeLedger) {
    let subject = format!("admission {}", profile.name);
    let baseline = Profile::baseline();
    for path in profile.host_paths.iter() {
        if path.movable {
            let what = "danger_movable: whoever of the host may write in a directory above it can have any other \
                        directory mounted, the host's root too";
            ledger.warn(&subject, format!("host_paths: {} {what}", path.path), true);
        }
        if let Some((what, root)) = path_risk(&path.path, path.read_only) {
            ledger.warn(&subject, format!("host_paths: {} {what}", path.path), root);
        }
    }
    for place in profile.volume_options.iter().flat_map(VolumeOptions::places) {
        // of a pattern, what lies above what it catches
        let fixed = place.find('*').map_or(place, |star| place.get(..star).unwrap_or_default());
        let above = fixed.rfind('/').filter(|_| fixed != place);
        let path = above.map_or(fixed, |slash| fixed.get(..slash.max(1)).unwrap_or_default());
        if let Some((what, root)) = path_risk(path, false) {
            ledger.warn(&subject, format!("volume_options: {place} {what}"), root);
        }
    }
    let beyond = |list: &[String], known: &[String]| {
        let new: Vec<&str> =
            list.iter().filter(|item| !known.contains(item)).map(String::as_str).collect();
        (!new.is_empty()).then(|| new.join(", "))
    };
    let strong = [
        ("capabilities", beyond(&profile.capabilities.add, &baseline.capabilities.add)),
        ("security_options", beyond(&profile.security_options, &[])),
        ("devices", beyond(&profile.devices, &[])),
        ("device_requests", beyond(&profile.device_requests, &[])),
        ("volume_drivers", beyond(&profile.volume_drivers, &baseline.volume_drivers)),
        ("sysctls", beyond(&profile.sysctls, &baseline.sysctls)),
    ];
    for (key, items) in strong {
        if let Some(items) = items {
            ledger.warn(&subject, format!("{key}: {items} can amount to root on the host"), true);
        }
    }
    if profile.nested_mounts.0 {
        let what = "nested_mounts: who writes in the outer mount can put the inner one over /dev or /proc by a \
                    link, which is root on the host where runc is older than 1.2.8 (CVE-2025-31133)";
        ledger.warn(&subject, what, true);
    }
    if !profile.annotations.is_empty() {
        ledger.warn(
            &subject,
            "annotations reach runtimes and their hooks, which run as root",
            true,
        );
    }
}

fn path_risk(text: &str, read_only: bool) -> Option<(&'static str, bool)> {
    let at_or_below = |of: &str| {
        text.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let holds = SHARED.contains(&text);
    let home = text.strip_prefix("/home/").is_some_and(|rest| !rest.contains('/'));
    if text.ends_with(".sock") {
        return Some(("is a socket: whoever mounts it speaks to its owner", true));
    }
    let sensitive = holds || KEYS_TO_THE_HOST.iter().any(|of| at_or_below(of));
    match (read_only, sensitive) {
        (false, true) => Some(("can be written, which is root on the host", true)),
        (false, false) if home => Some(("can be written: keys and start files of that user", true)),
        (true, true) => Some(("can be read: it may hold the host's secrets and sockets", false)),
        _ => None,
    }
}
