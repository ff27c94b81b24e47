//! The policy of the corpus, read from `tests/corpus/policy.yaml`.

use dockward::docker::image::ImagePattern;
use dockward::docker::{ROUTES, Resource, Verb};
use dockward::identity::{Field, Match, Mode, Rule};
use dockward::policy::grants::{Grants, Spelling};
use dockward::policy::pattern::Pattern;
use dockward::policy::profile::{HostPath, Labels, Limit, Logging, Ports, UserRule};
use dockward::policy::{Admission, Policy, Profile, Role};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The policy.
pub(crate) fn policy() -> Policy {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/policy.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let file: Value = serde_saphyr::from_str(&text).unwrap();
    let profiles: BTreeMap<_, _> =
        map(&file["admission"]).map(|(n, v)| (n.clone(), profile(n, v))).collect();
    Policy {
        hash: String::new(),
        identities: list(&file["identities"]).map(rule).collect(),
        roles: map(&file["roles"]).map(|(n, v)| (n.clone(), role(n, v, &profiles))).collect(),
    }
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn rule(entry: &Value) -> Rule {
    let cn = (Field::Cn, entry["match"]["cn"].as_str().unwrap().parse().unwrap());
    let observes = entry.get("mode").is_some();
    Rule::new(
        entry["name"].as_str().unwrap().parse().unwrap(),
        Match::new([cn], None).unwrap(),
        texts(&entry["roles"]),
        if observes { Mode::Observe { until: 1 } } else { Mode::Enforce },
        entry.get("danger_observe_root").is_some(),
    )
    .unwrap()
}

fn role(name: &str, entry: &Value, profiles: &BTreeMap<String, Profile>) -> Role {
    let images = |key: &str| {
        texts(&entry["images"][key]).iter().map(|p| ImagePattern::parse(p).unwrap()).collect()
    };
    let admission = match entry["admission"].as_str().unwrap() {
        "unrestricted" => Admission::Unrestricted,
        "baseline" => Admission::Profile(Arc::new(Profile::baseline())),
        "restricted" => Admission::Profile(Arc::new(Profile::restricted())),
        other => Admission::Profile(Arc::new(profiles[other].clone())),
    };
    Role {
        name: name.to_owned(),
        allow: grants(&entry["allow"]),
        deny: grants(&entry["deny"]),
        admission,
        run: images("run"),
        pull: images("pull"),
    }
}

fn grants(value: &Value) -> Grants {
    const RUN: [&str; 9] =
        ["create", "start", "attach", "wait", "resize", "logs", "stop", "kill", "delete"];
    const READ: [Verb; 8] = [
        Verb::List,
        Verb::Inspect,
        Verb::Top,
        Verb::Stats,
        Verb::Changes,
        Verb::Version,
        Verb::Info,
        Verb::Df,
    ];
    let mut grants = Grants::default();
    for (resource, verbs) in map(value) {
        for verb in texts(verbs) {
            for route in
                ROUTES.iter().filter(|r| resource == "*" || r.resource.as_str() == resource)
            {
                let read = READ.contains(&route.verb)
                    || (route.resource, route.verb) == (Resource::System, Verb::Events);
                let (holds, spelling) = match verb.as_str() {
                    "*" => (route.verb != Verb::Never, Spelling::Wild),
                    "read" if route.resource != Resource::Debug => {
                        (read && !route.dagger, Spelling::Wild)
                    }
                    "run" => (RUN.contains(&route.verb.as_str()), Spelling::Named),
                    word => (route.verb.as_str() == word, Spelling::Named),
                };
                if holds {
                    grants.add(route.resource, route.verb, spelling);
                }
            }
        }
    }
    grants
}

fn profile(name: &str, entry: &Value) -> Profile {
    assert_eq!(entry["extends"], "baseline");
    let mut profile = Profile { name: name.to_owned(), ..Profile::baseline() };
    let patterns = |v: &Value| texts(v).into_iter().map(Pattern::new).collect::<Vec<_>>();
    for (key, value) in map(entry) {
        match key.as_str() {
            "extends" => {}
            "host_paths" => profile.host_paths = list(value).map(host_path).collect(),
            "ports" => profile.ports = ports(value),
            "volumes" => profile.volumes = patterns(value),
            "volume_drivers" => profile.volume_drivers = texts(value),
            "networks" => profile.networks = patterns(value),
            "extra_hosts" => profile.extra_hosts = patterns(value),
            "dns" => profile.dns = patterns(value),
            "restart" => profile.restart = texts(value),
            "labels" => {
                profile.labels = Labels {
                    allow: Some(patterns(&value["allow"])),
                    deny: patterns(&value["deny"]),
                    require: map(&value["require"])
                        .map(|(k, v)| (k.clone(), Pattern::new(v.as_str().unwrap())))
                        .collect(),
                }
            }
            "memory" => profile.memory = limit(value),
            "cpus" => {
                profile.cpus = Limit { default: Some(1_000_000_000), max: Some(2_000_000_000) }
            }
            "pids" => profile.pids = limit(value),
            "shm" => profile.shm = limit(value),
            "user" => {
                profile.user =
                    UserRule::Ids { uid: vec![1000..=1999], gid: vec![1000..=1999, 27..=27] }
            }
            "capabilities" => profile.capabilities_add = texts(&value["add"]),
            "security_options" => profile.security_options = texts(value),
            "ipc" => profile.ipc = texts(value),
            "devices" => profile.devices = texts(value),
            "device_requests" => profile.device_requests = texts(value),
            "mac_address" => profile.mac_address = true,
            "sysctls" => profile.sysctls = texts(value),
            "storage_options" => profile.storage_options = texts(value),
            "annotations" => profile.annotations = patterns(value),
            "ulimits" => {
                profile.ulimits =
                    map(value).map(|(k, v)| (k.clone(), v.as_i64().unwrap())).collect()
            }
            "runtime" => profile.runtime = texts(value),
            "read_only_root" => profile.read_only_root = true,
            "health" => profile.health_min_interval = 10_000_000_000,
            "logging" => profile.logging = Logging { drivers: vec![], options: vec![] },
            other => panic!("policy.yaml: {other}"),
        }
    }
    profile
}

fn host_path(entry: &Value) -> HostPath {
    let flag = |key: &str| entry[key].as_bool().unwrap_or_default();
    HostPath {
        path: entry["path"].as_str().unwrap().to_owned(),
        read_only: flag("read_only"),
        below: flag("below"),
    }
}

fn ports(entry: &Value) -> Ports {
    let range = |v: &Value| {
        let text = v.as_str().map_or(v.to_string(), str::to_owned);
        let (from, to) = text.split_once('-').unwrap_or((&text, &text));
        from.parse().unwrap()..=to.parse().unwrap()
    };
    let address =
        entry.get("address").map(|a| texts(a).iter().map(|ip| ip.parse().unwrap()).collect());
    Ports { ephemeral: false, host: list(&entry["host"]).map(range).collect(), address }
}

fn limit(entry: &Value) -> Limit {
    let size = |key: &str| {
        let value = entry.get(key)?;
        let text = value.as_str().map_or(value.to_string(), str::to_owned);
        let number =
            text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<i64>().unwrap();
        Some(
            number
                << if text.ends_with("GiB") {
                    30
                } else if text.ends_with("MiB") {
                    20
                } else {
                    0
                },
        )
    };
    Limit { default: size("default"), max: size("max") }
}
