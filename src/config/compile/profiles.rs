//! `admission`: profiles, each compiled to be complete. A key that is written replaces the parent's
//! whole key; what is not written is the parent's.

use super::super::mistake::{Ledger, nearest, suggest};
use super::super::yaml::{Entry, Node};
use super::super::{looser, units};
use crate::policy::Profile;
use crate::policy::pattern::Pattern;
use crate::policy::profile::{
    Copying, HostPath, Labels, Limit, Logging, Ports, UserRule, VolumeOptions,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Linux 6's capabilities (`include/uapi/linux/capability.h`), without `CAP_`; and ALL.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Names that `--ulimit` takes (`github.com/docker/go-units`, ulimit.go).
const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

const BUILT_IN: &[&str] = &["baseline", "restricted", "unrestricted"];

pub(super) fn compile(
    all: &BTreeMap<&str, &Entry>,
    ledger: &mut Ledger,
) -> BTreeMap<String, Arc<Profile>> {
    let built_in = [Profile::baseline(), Profile::restricted()];
    let mut profiles: BTreeMap<String, Arc<Profile>> =
        built_in.into_iter().map(|profile| (profile.name.clone(), Arc::new(profile))).collect();
    for (name, entry) in super::in_order(all, ledger) {
        if BUILT_IN.contains(&name) {
            let what = format!("{name:?} is built in");
            ledger.mistake(entry.at, what, "give the profile another name");
            continue;
        }
        let parent = parent(entry, &profiles, all, ledger);
        let mut profile = Profile { name: name.to_owned(), ..(*parent).clone() };
        fill(&mut profile, &entry.value, ledger);
        for key in looser::than(&profile, &parent) {
            let what = format!("{key} is looser than in {}, which it extends", parent.name);
            ledger.warn(format!("admission {name}"), what, false);
        }
        profiles.insert(name.to_owned(), Arc::new(profile));
    }
    // one in a circle is reported there; its name exists all the same
    for name in all.keys().filter(|name| !BUILT_IN.contains(name)) {
        let strict = || Arc::new(Profile { name: (*name).to_owned(), ..Profile::restricted() });
        profiles.entry((*name).to_owned()).or_insert_with(strict);
    }
    profiles
}

/// The profile that this one begins as. Where the file is wrong, any will do: nothing will start.
fn parent(
    entry: &Entry,
    profiles: &BTreeMap<String, Arc<Profile>>,
    all: &BTreeMap<&str, &Entry>,
    ledger: &mut Ledger,
) -> Arc<Profile> {
    let node = entry.value.get("extends");
    let name = node.and_then(Node::text).unwrap_or("restricted");
    if let Some(profile) = profiles.get(name) {
        return profile.clone();
    }
    if let Some(node) = node.filter(|_| name == "unrestricted") {
        let next = "extend baseline, or name unrestricted in the role";
        ledger.mistake(node.at, "unrestricted has no rules to extend", next);
    } else if let Some(node) = node.filter(|_| !all.contains_key(name)) {
        let next = suggest(name, profiles.keys().map(String::as_str));
        ledger.mistake(node.at, format!("there is no admission profile {name:?}"), next);
    }
    Arc::new(Profile::restricted())
}

fn fill(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    fill_process(profile, node, ledger);
    fill_mounts(profile, node, ledger);
    fill_network(profile, node, ledger);
    fill_resources(profile, node, ledger);
    fill_rest(profile, node, ledger);
}

fn fill_process(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    if let Some(user) = node.get("user") {
        profile.user = user_rule(user);
    }
    if let Some(capabilities) = node.get("capabilities") {
        let add = capabilities.get("add");
        profile.capabilities_add =
            add.map(|list| known_capabilities(list, ledger)).unwrap_or_default();
        profile.drop_all = capabilities.get("drop_all").is_some_and(Node::flag);
    }
    texts(node, "security_options", &mut profile.security_options);
    flag(node, "no_new_privileges", &mut profile.no_new_privileges);
    texts(node, "ipc", &mut profile.ipc);
    texts(node, "runtime", &mut profile.runtime);
}

fn user_rule(node: &Node) -> UserRule {
    let ranges = |key: &str| {
        let items = node.get(key).map(Node::items).unwrap_or_default();
        items.iter().filter_map(|id| units::range(id.text()?).ok()).collect()
    };
    match node.text() {
        Some("any") => UserRule::Any,
        Some(_) => UserRule::NonRoot,
        None => UserRule::Ids { uid: ranges("uid"), gid: ranges("gid") },
    }
}

fn known_capabilities(list: &Node, ledger: &mut Ledger) -> Vec<String> {
    for node in list.items() {
        let Some(name) = node.text().filter(|name| !CAPABILITIES.contains(name)) else { continue };
        let upper = name.to_ascii_uppercase();
        let plain = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let next = match nearest(plain, CAPABILITIES.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => "write its name in upper case without CAP_".to_owned(),
        };
        ledger.mistake(node.at, format!("{name:?} is no capability"), next);
    }
    list.texts()
}

fn fill_mounts(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    if let Some(paths) = node.get("host_paths") {
        profile.host_paths = paths.items().iter().filter_map(|n| host_path(n, ledger)).collect();
    }
    patterns(node, "volumes", &mut profile.volumes, ledger);
    texts(node, "volume_drivers", &mut profile.volume_drivers);
    if let Some(list) = node.get("volume_options") {
        profile.volume_options =
            list.items().iter().filter_map(|n| volume_options(n, ledger)).collect();
    }
    texts(node, "devices", &mut profile.devices);
    texts(node, "device_requests", &mut profile.device_requests);
}

/// Options that bind a directory of the host must not leave open what lies above it.
fn volume_options(node: &Node, ledger: &mut Ledger) -> Option<VolumeOptions> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let (kind, device, options) = (text("type")?, text("device")?, text("o")?);
    let open = device
        .rsplit_once('/')
        .is_some_and(|(above, last)| above.contains('*') || last.contains("**"));
    if open && device.starts_with('/') {
        let at = node.get("device").map_or(node.at, |device| device.at);
        let what =
            "a directory of the host with a * above it: whoever writes there can plant a link";
        ledger.mistake(at, what, "write * in the last name alone, or list each directory");
    }
    let (device, options) = (Pattern::new(device), Pattern::new(options));
    Some(VolumeOptions { kind: kind.to_owned(), device, options })
}

fn host_path(node: &Node, ledger: &mut Ledger) -> Option<HostPath> {
    let set = |key: &str| node.get(key).is_some_and(Node::flag);
    let path = node.get("path")?.text()?.to_owned();
    let (read_only, below) = (set("read_only"), set("below"));
    if below && !read_only {
        let at = node.get("below").map_or(node.at, |below| below.at);
        let what = "below on a writable path: whoever writes there can plant a link";
        ledger.mistake(at, what, "write read_only: true, or list each path");
    }
    Some(HostPath { path, read_only, below })
}

/// Absolute, with no `.`, `..`, `//` and no slash at its end.
pub(in crate::config) fn clean_path(text: &str) -> Result<(), String> {
    let clean = |part: &str| !matches!(part, "" | "." | "..");
    let rest = text.strip_prefix('/').ok_or("begin it with /")?;
    if rest.is_empty() || rest.split('/').all(clean) {
        return Ok(());
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| clean(part)).collect();
    match rest.split('/').any(|part| part == "..") {
        true => Err("write it without `..`".into()),
        false => Err(format!("write /{}", parts.join("/"))),
    }
}

fn fill_network(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    patterns(node, "networks", &mut profile.networks, ledger);
    if let Some(networks) = node.get("networks") {
        let joins =
            |n: &&Node| n.text().is_some_and(|t| t == "host" || t.starts_with("container:"));
        for network in networks.items().iter().filter(joins) {
            let what = "host and container: are never granted by a profile";
            ledger.mistake(network.at, what, "remove it; a role with admission: unrestricted may");
        }
    }
    texts(node, "network_drivers", &mut profile.network_drivers);
    texts(node, "network_options", &mut profile.network_options);
    if let Some(subnets) = node.get("subnets") {
        profile.subnets = subnets.texts().iter().filter_map(|text| text.parse().ok()).collect();
    }
    if let Some(ports) = node.get("ports") {
        profile.ports = compile_ports(ports);
    }
    patterns(node, "extra_hosts", &mut profile.extra_hosts, ledger);
    patterns(node, "dns", &mut profile.dns, ledger);
    flag(node, "mac_address", &mut profile.mac_address);
}

fn compile_ports(node: &Node) -> Ports {
    let host = node.get("host").map(Node::texts).unwrap_or_default();
    let addresses = node.get("address").map(Node::texts);
    Ports {
        ephemeral: host.iter().any(|port| port == "ephemeral"),
        host: host.iter().filter_map(|port| units::range(port).ok()).collect(),
        address: addresses.map(|all| all.iter().filter_map(|ip| ip.parse().ok()).collect()),
    }
}

fn fill_resources(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    limit(node, "memory", units::size, &mut profile.memory, ledger);
    limit(node, "cpus", units::cpus, &mut profile.cpus, ledger);
    limit(node, "pids", units::count, &mut profile.pids, ledger);
    limit(node, "shm", units::size, &mut profile.shm, ledger);
    if let Some(ulimits) = node.get("ulimits") {
        for entry in ulimits.entries().iter().filter(|e| !ULIMITS.contains(&e.key.as_str())) {
            let next = suggest(&entry.key, ULIMITS.iter().copied());
            ledger.mistake(entry.at, format!("there is no ulimit {:?}", entry.key), next);
        }
        let hard = |node: &Node| units::count(node.text()?).ok();
        let pairs = ulimits.entries().iter().filter_map(|e| Some((e.key.clone(), hard(&e.value)?)));
        profile.ulimits = pairs.collect();
    }
    texts(node, "sysctls", &mut profile.sysctls);
}

fn limit(
    node: &Node,
    key: &str,
    read: fn(&str) -> Result<i64, String>,
    to: &mut Limit,
    ledger: &mut Ledger,
) {
    let Some(node) = node.get(key) else { return };
    let mut bound = |part: &str| {
        let node = node.get(part)?;
        let number = read(node.text()?).ok()?;
        if number == 0 {
            ledger.mistake(node.at, "0 means unlimited to the daemon", "write a number above 0");
        }
        Some(number)
    };
    *to = Limit { default: bound("default"), max: bound("max") };
    if let (Some(default), Some(max)) = (to.default, to.max)
        && default > max
    {
        ledger.mistake(node.at, format!("the default of {key} is above its max"), "lower it");
    }
}

fn fill_rest(profile: &mut Profile, node: &Node, ledger: &mut Ledger) {
    flag(node, "read_only_root", &mut profile.read_only_root);
    texts(node, "storage_options", &mut profile.storage_options);
    if let Some(logging) = node.get("logging") {
        let list = |key: &str| logging.get(key).map(Node::texts).unwrap_or_default();
        profile.logging = Logging { drivers: list("drivers"), options: list("options") };
    }
    texts(node, "restart", &mut profile.restart);
    patterns(node, "annotations", &mut profile.annotations, ledger);
    if let Some(labels) = node.get("labels") {
        profile.labels = compile_labels(labels, ledger);
    }
    if let Some(copy) = node.get("copy") {
        profile.copy = copying(copy);
    }
    let interval = node.get("health").and_then(|health| health.get("min_interval"));
    if let Some(interval) = interval.and_then(|n| units::duration(n.text()?).ok()) {
        profile.health_min_interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
    }
}

fn copying(node: &Node) -> Copying {
    let set = |key: &str| node.get(key).is_some_and(Node::flag);
    Copying { compressed: set("compressed"), running_with_mounts: set("running_with_mounts") }
}

fn compile_labels(node: &Node, ledger: &mut Ledger) -> Labels {
    let mut allow = Vec::new();
    let mut deny = Vec::new();
    patterns(node, "allow", &mut allow, ledger);
    patterns(node, "deny", &mut deny, ledger);
    let require = node.get("require").map(Node::entries).unwrap_or_default();
    let required =
        require.iter().filter_map(|e| Some((e.key.clone(), Pattern::new(e.value.text()?))));
    Labels { allow: node.get("allow").map(|_| allow), deny, require: required.collect() }
}

fn texts(node: &Node, key: &str, to: &mut Vec<String>) {
    if let Some(list) = node.get(key) {
        *to = list.texts();
    }
}

fn flag(node: &Node, key: &str, to: &mut bool) {
    if let Some(node) = node.get(key) {
        *to = node.flag();
    }
}

fn patterns(node: &Node, key: &str, to: &mut Vec<Pattern>, ledger: &mut Ledger) {
    let Some(list) = node.get(key) else { return };
    for item in list.items().iter().filter(|n| n.text().is_some_and(|t| t.contains(['{', '}']))) {
        ledger.mistake(item.at, "captures are not known here", "write the names out, or *");
    }
    *to = list.texts().into_iter().map(Pattern::new).collect();
}
