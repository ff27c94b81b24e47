//! The rules of a profile, as they are read from what stands under a key.

use crate::config::mistake::{MistakeLedger, nearest, suggest};
use crate::config::units;
use crate::config::yaml::{YamlEntry, YamlNode};
use crate::docker::image::ImagePattern;
use crate::policy::glob::{Glob, MAX_PATTERNS, MAX_STARS};
use crate::policy::placeholder;
use crate::policy::profile::{
    Allowed, Capabilities, Copying, Demanded, Groups, HardLimit, Health, HostPath, Limit, Listed,
    Logging, VolumeOptions,
};
use ipnet::IpNet;

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

/// What is said of a pattern that believes a name.
pub(crate) fn trusts(key: &str, local: &ImagePattern) -> String {
    format!(
        "{key}: {} trusts a name on this host, which whoever may tag, build, load or import can give to any image",
        local.as_str()
    )
}

pub(crate) fn groups(to: &mut Groups, entry: &YamlEntry, _: &mut MistakeLedger) {
    let all = entry.value.texts_of("allow");
    let ids = all.iter().filter_map(|group| units::range(group).ok()).collect();
    let names = all.iter().filter(|group| units::range::<u32>(group).is_err()).cloned();
    *to = Groups { ids, names: names.collect() };
}

pub(crate) fn demanded(node: &YamlNode) -> Demanded {
    match node.text() {
        Some("true" | "require") => Demanded::Required,
        Some("set") => Demanded::Set,
        _ => Demanded::No,
    }
}

pub(crate) fn capabilities(to: &mut Capabilities, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    let known = node.get("add").map(|list| known_capabilities(list, ledger));
    *to = Capabilities {
        add: Listed(known.unwrap_or_default()),
        drop_all: node.get("drop_all").map_or(Demanded::No, demanded),
    };
}

fn known_capabilities(list: &YamlNode, ledger: &mut MistakeLedger) -> Vec<String> {
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

pub(crate) fn host_paths(to: &mut Listed<HostPath>, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    *to = entry.value.items().iter().filter_map(|node| host_path(node, ledger)).collect();
}

fn host_path(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<HostPath> {
    let path = node.get("path")?.text()?.to_owned();
    let (read_only, below) = (node.has_flag("read_only"), node.has_flag("below"));
    let movable = node.has_flag("danger_movable");
    if below && !read_only {
        let at = node.get("below").map_or(node.at, |below| below.at);
        let what = "below on a writable path: whoever writes there can plant a link";
        ledger.mistake(at, what, "write read_only: true, or list each path");
    }
    Some(HostPath { path, read_only, below, movable })
}

pub(crate) fn volume_options(
    to: &mut Listed<VolumeOptions>,
    entry: &YamlEntry,
    ledger: &mut MistakeLedger,
) {
    *to = entry.value.items().iter().filter_map(|node| mounted(node, ledger)).collect();
}

/// Options that bind a directory of the host must not leave open what lies above it.
fn mounted(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<VolumeOptions> {
    let text = |key: &str| node.text_of(key);
    let (kind, device, options) = (text("type")?, text("device")?, text("o")?);
    let is_open = |place: &str| {
        let names = place.rsplit_once('/');
        place.starts_with('/')
            && names.is_some_and(|(above, last)| above.contains('*') || last.contains("**"))
    };
    let mut places = options.split([',', '=', ':']).map(|word| ("o", word));
    if let Some((key, _)) = places.by_ref().chain([("device", device)]).find(|(_, p)| is_open(p)) {
        let at = node.get(key).map_or(node.at, |node| node.at);
        let what =
            "a directory of the host with a * above it: whoever writes there can plant a link";
        ledger.mistake(at, what, "write * in the last name alone, or list each directory");
    }
    for key in ["device", "o"] {
        node.get(key).inspect(|node| bounded(node, ledger));
    }
    let (device, options) = (Glob::new(device), Glob::new(options));
    let listed = VolumeOptions { kind: kind.to_owned(), device, options };
    for place in listed.places() {
        if let Err(next) = clean_path(place) {
            ledger.mistake(node.at, format!("{place} is no plain path of the host"), next);
        }
    }
    Some(listed)
}

/// A path as it must be written: absolute, with no `.`, `..`, `//` and no slash at its end.
///
/// # Errors
/// It is not; the next step for its writer.
pub fn clean_path(text: &str) -> Result<(), String> {
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

pub(crate) fn patterns(to: &mut Listed<Glob>, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    *to = Listed(without_captures(&entry.value, ledger));
}

/// Patterns of names in which `{identity}` and `{1}` stand for what they are of whoever asks.
pub(crate) fn own_names(to: &mut Listed<Glob>, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let list = &entry.value;
    let unknown = |node: &&YamlNode| node.text().is_some_and(|text| !placeholder::are_known(text));
    for node in list.items().iter().filter(unknown) {
        let what = "braces are for {identity} and {1} to {9} alone";
        ledger.mistake(node.at, what, "write one of these, the name out, or *");
    }
    bounded_list(list, ledger);
    *to = Listed(list.texts().into_iter().map(Glob::new).collect());
}

pub(super) fn without_captures(list: &YamlNode, ledger: &mut MistakeLedger) -> Vec<Glob> {
    for item in list.items().iter().filter(|n| n.text().is_some_and(|t| t.contains(['{', '}']))) {
        ledger.mistake(item.at, "captures are not known here", "write the names out, or *");
    }
    bounded_list(list, ledger);
    list.texts().into_iter().map(Glob::new).collect()
}

/// A text of a request is gone through once for each pattern of a list, ...
pub(super) fn bounded_list(list: &YamlNode, ledger: &mut MistakeLedger) {
    if list.items().len() > MAX_PATTERNS {
        let what = format!("more than {MAX_PATTERNS} patterns in one list");
        ledger.mistake(list.at, what, "say the same with fewer, by *");
    }
    list.items().iter().for_each(|node| bounded(node, ledger));
}

/// ... and once more for each star.
pub(super) fn bounded(node: &YamlNode, ledger: &mut MistakeLedger) {
    let stars = node.text().map_or(0, |text| text.matches('*').count());
    if stars > MAX_STARS {
        let what = format!("more than {MAX_STARS} * in one pattern");
        ledger.mistake(node.at, what, "use fewer, or list several patterns");
    }
}

pub(crate) fn networks(to: &mut Listed<Glob>, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    own_names(to, entry, ledger);
    let joins =
        |n: &&YamlNode| n.text().is_some_and(|t| t == "host" || t.starts_with("container:"));
    for network in entry.value.items().iter().filter(joins) {
        let what = "host and container: are never granted by a profile";
        ledger.mistake(network.at, what, "remove it; a role with admission: unrestricted may");
    }
}

pub(crate) fn subnets(to: &mut Listed<IpNet>, entry: &YamlEntry, _: &mut MistakeLedger) {
    *to = entry.value.texts().iter().filter_map(|text| text.parse().ok()).collect();
}

/// A bound is read as a `number` of its unit.
pub(crate) fn limit(
    to: &mut Limit,
    entry: &YamlEntry,
    number: fn(&str) -> Result<i64, String>,
    ledger: &mut MistakeLedger,
) {
    let node = &entry.value;
    let mut bound = |part: &str| {
        let node = node.get(part)?;
        let number = number(node.text()?).ok()?;
        if number == 0 {
            ledger.mistake(node.at, "0 means unlimited to the daemon", "write a number above 0");
        }
        Some(number)
    };
    *to = Limit { default: bound("default"), max: bound("max") };
    if let (Some(default), Some(max)) = (to.default, to.max)
        && default > max
    {
        ledger.mistake(
            node.at,
            format!("the default of {} is above its max", entry.key),
            "lower it",
        );
    }
}

pub(crate) fn ulimits(to: &mut Listed<HardLimit>, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    for entry in node.entries().iter().filter(|entry| !ULIMITS.contains(&entry.key.as_str())) {
        let next = suggest(&entry.key, ULIMITS.iter().copied());
        ledger.mistake(entry.at, format!("there is no ulimit {:?}", entry.key), next);
    }
    let most = |node: &YamlNode| units::count(node.text()?).ok();
    let limits = node.entries().iter();
    *to = limits
        .filter_map(|e| Some(HardLimit { name: e.key.clone(), most: most(&e.value)? }))
        .collect();
}

pub(crate) fn logging(to: &mut Logging, entry: &YamlEntry, _: &mut MistakeLedger) {
    let node = &entry.value;
    let list = |key: &str| Listed(node.texts_of(key));
    *to = Logging { drivers: list("drivers"), options: list("options") };
}

/// Without an interval the parent's stays.
pub(crate) fn health(to: &mut Health, entry: &YamlEntry, _: &mut MistakeLedger) {
    let node = &entry.value;
    let interval = node.get("min_interval").and_then(|n| units::duration(n.text()?).ok());
    if let Some(interval) = interval {
        to.min_interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
    }
}

pub(crate) fn copying(to: &mut Copying, entry: &YamlEntry, _: &mut MistakeLedger) {
    let node = &entry.value;
    *to = Copying {
        compressed: Allowed(node.has_flag("compressed")),
        running_with_mounts: Allowed(node.has_flag("running_with_mounts")),
    };
}
