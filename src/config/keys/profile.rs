//! The keys of an admission profile: the forms in which they are written, and with each how it is read. Which
//! key has which form is said by the rows of `policy/profile.rs`.

use super::{COUNT, DURATION, FLAG, SIZE, TEXT, TEXTS, notations};
use crate::config::compile::{clean_path, rules, written};
use crate::config::mistake::MistakeLedger;
use crate::config::shape::{Form, Notation, Section, Shape, key, required};
use crate::config::units;
use crate::config::yaml::{YamlEntry, YamlNode};
use crate::policy::glob::Glob;
use crate::policy::profile::{
    Allowed, Capabilities, Chosen, Copying, Demanded, Groups, HardLimit, Health, HostPath, Labels,
    Limit, Listed, Logging, Ports, Profile, Restarts, Runtimes, Users, VolumeOptions, profile_keys,
};
use ipnet::IpNet;
use std::net::IpAddr;

macro_rules! profile_section {
    ($( #[doc = $what:literal] $key:ident: $kind:ty as $form:ident, )*) => {
        pub(super) const PROFILE: Section = Section {
            what: "an admission profile",
            keys: &[
                required("extends", TEXT, "baseline, restricted or another profile"),
                key(
                    "images",
                    Shape::List(&Shape::Section(&EXCEPTION)),
                    "what holds instead for containers of some images: the first entry that has the image",
                ),
                $( key(stringify!($key), $form.shape, $what.trim_ascii_start()), )*
            ],
        };

        const EXCEPTION: Section = Section {
            what: "an entry of images",
            keys: &[
                required("match", TEXTS, "patterns of images, by where they came from, as in a role's run"),
                $( key(stringify!($key), $form.shape, $what.trim_ascii_start()), )*
            ],
        };

        /// Takes over what is written: a key replaces the parent's whole key.
        pub(in crate::config) fn fill(profile: &mut Profile, node: &YamlNode, ledger: &mut MistakeLedger) {
            for entry in node.entries() {
                match entry.key.as_str() {
                    $( stringify!($key) => ($form.fill)(&mut profile.$key, entry, ledger), )*
                    _ => {}
                }
            }
        }
    };
}

profile_keys!(profile_section);

notations! {
    CPUS = "a number of CPUs", units::cpus, r"^(0|[1-9][0-9]*)(\.[0-9]{1,9})?$";
    PORT = "a host port", host_port, "^(ephemeral|[0-9]+(-[0-9]+)?)$";
    ID = "a range of ids", units::range::<u32>, "^[0-9]+(-[0-9]+)?$";
    GROUP = "a group", group, "^([0-9]+(-[0-9]+)?|[A-Za-z_][A-Za-z0-9_.-]*)$";
    ADDRESS = "an IP address", address, "^[0-9a-fA-F.:]+$";
    SUBNET = "a range of addresses", subnet, "^[0-9a-fA-F.:]+/[0-9]+$";
    DEMAND = "a demand", demand, "^(true|false|require|set)$";
    CHOICE = "a choice", choice, "^(true|false|omit)$";
    USER_ID = "a user", user_id, "^[0-9]+(:[0-9]+)?$";
    CLEAN_PATH = "an absolute path in its shortest form", clean_path, "^/";
}

const IDS: Shape = Shape::List(&ID);

fn host_port(text: &str) -> Result<(), String> {
    match text == "ephemeral" || units::range::<u16>(text).is_ok() {
        true => Ok(()),
        false => Err("write a port, a range such as 20000-29999, or ephemeral".into()),
    }
}

fn demand(text: &str) -> Result<(), String> {
    match text {
        "true" | "false" | "require" | "set" => Ok(()),
        _ => Err("write require (or true), set or false".into()),
    }
}

fn choice(text: &str) -> Result<(), String> {
    match text {
        "true" | "false" | "omit" => Ok(()),
        _ => Err("write true, false or omit".into()),
    }
}

fn user_id(text: &str) -> Result<(), String> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
    match uid.parse::<u32>().and(gid.parse::<u32>()) {
        Ok(_) => Ok(()),
        Err(_) => Err("write numbers such as \"1000:1000\"".into()),
    }
}

fn group(text: &str) -> Result<(), String> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let name = starts && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    match name || units::range::<u32>(text).is_ok() {
        true => Ok(()),
        false => Err("write a number, a range such as 1000-1999, or a name".into()),
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "write one such as 127.0.0.1 or \"::1\"".into())
}

fn subnet(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| "write one such as 10.20.0.0/16".into())
}

const fn names(shape: Shape) -> Form<Listed<String>> {
    Form::new(shape, |to, entry, _| to.0 = entry.value.texts())
}

/// Two bounds in one notation.
macro_rules! limit {
    ($notation:ident, $number:path) => {
        Form::new(
            Shape::Section(&Section {
                what: "a limit",
                keys: &[
                    key("default", $notation, "written into a body that sets none"),
                    key("max", $notation, "the most that may be asked for"),
                ],
            }),
            |to, entry, ledger| rules::limit(to, entry, $number, ledger),
        )
    };
}

const ALLOWED: Form<Allowed> = Form::new(FLAG, |to, entry, _| to.0 = entry.value.flag());

const DEMANDED: Form<Demanded> =
    Form::new(DEMAND, |to, entry, _| *to = rules::demanded(&entry.value));

const NAMES: Form<Listed<String>> = names(TEXTS);

const PATHS: Form<Listed<String>> = names(Shape::List(&CLEAN_PATH));

const IPC: Form<Listed<String>> =
    names(Shape::List(&Shape::Word(&["private", "none", "shareable"])));

const POLICY: Shape = Shape::Word(&["no", "on-failure", "always", "unless-stopped"]);

const RESTART: Form<Restarts> = Form::new(
    Shape::Either(
        &Shape::List(&POLICY),
        &Shape::Section(&Section {
            what: "restart",
            keys: &[
                required("allow", Shape::List(&POLICY), "policies that may be asked for"),
                key("set", POLICY, "written into a body that asks for none"),
            ],
        }),
    ),
    written::restarts,
);

const RUNTIMES: Form<Runtimes> = Form::new(TEXTS, |to, entry, _| to.0 = entry.value.texts());

const PATTERNS: Form<Listed<Glob>> = Form::new(TEXTS, rules::patterns);

/// Patterns of names, which may be each identity's own.
const OWN_NAMES: Form<Listed<Glob>> = Form::new(TEXTS, rules::own_names);
const NETWORKS: Form<Listed<Glob>> = Form::new(TEXTS, rules::networks);

const SUBNETS: Form<Listed<IpNet>> = Form::new(Shape::List(&SUBNET), rules::subnets);

const ULIMITS: Form<Listed<HardLimit>> = Form::new(Shape::Named(&COUNT), rules::ulimits);

const SIZE_LIMIT: Form<Limit> = limit!(SIZE, units::size);

const CPU_LIMIT: Form<Limit> = limit!(CPUS, units::cpus);

const COUNT_LIMIT: Form<Limit> = limit!(COUNT, units::count);

const IDS_OF: &Section = &Section {
    what: "the ids of a user",
    keys: &[
        required("uid", IDS, "user ids or ranges of them"),
        required("gid", IDS, "group ids or ranges of them"),
    ],
};

const USER: Form<Users> = Form::new(
    Shape::Either(
        &Shape::Word(&["any", "non-root"]),
        &Shape::Section(&Section {
            what: "user",
            keys: &[
                key("uid", IDS, "user ids or ranges of them"),
                key("gid", IDS, "group ids or ranges of them"),
                key(
                    "allow",
                    Shape::Either(&Shape::Word(&["any", "non-root"]), &Shape::Section(IDS_OF)),
                    "any, non-root, or uid and gid",
                ),
                key(
                    "set",
                    USER_ID,
                    "written into a body that names nobody, where the image's user may not be",
                ),
            ],
        }),
    ),
    written::user,
);

const GROUPS: Form<Groups> = Form::new(
    Shape::Section(&Section {
        what: "groups",
        keys: &[required("allow", Shape::List(&GROUP), "numbers, ranges of them, names exactly")],
    }),
    rules::groups,
);

const CAPABILITIES: Form<Capabilities> = Form::new(
    Shape::Section(&Section {
        what: "capabilities",
        keys: &[
            key("add", TEXTS, "names without CAP_ that may be added"),
            key("drop_all", DEMAND, "whether ALL must be dropped: require, set or false"),
        ],
    }),
    rules::capabilities,
);

const HOST_PATHS: Form<Listed<HostPath>> = Form::new(
    Shape::List(&Shape::Section(&Section {
        what: "an entry of host_paths",
        keys: &[
            required("path", CLEAN_PATH, "an absolute path"),
            key("read_only", FLAG, "whether only read-only mounts are allowed"),
            key("below", FLAG, "whether also what lies under it; read-only paths alone"),
            key(
                "danger_movable",
                FLAG,
                "also where others than root may write in a directory above it: whoever does can have any other mounted",
            ),
        ],
    })),
    rules::host_paths,
);

const VOLUME_OPTIONS: Form<Listed<VolumeOptions>> = Form::new(
    Shape::List(&Shape::Section(&Section {
        what: "an entry of volume_options",
        keys: &[
            required("type", TEXT, "the type of file system, exactly"),
            required("device", TEXT, "a pattern of the device or address"),
            required("o", TEXT, "a pattern of the options"),
        ],
    })),
    rules::volume_options,
);

const SOCKET: Form<Chosen> = Form::new(Shape::Word(&["refuse", "omit"]), chosen);

const CHOSEN: Form<Chosen> = Form::new(CHOICE, chosen);

fn chosen(to: &mut Chosen, entry: &YamlEntry, _: &mut MistakeLedger) {
    *to = match entry.value.text() {
        Some("omit") => Chosen::Omit,
        Some("true") => Chosen::Allow,
        _ => Chosen::Refuse,
    };
}

const PORTS: Form<Ports> = Form::new(
    Shape::Section(&Section {
        what: "ports",
        keys: &[
            key("host", Shape::List(&PORT), "ephemeral, ports, ranges of ports"),
            key(
                "address",
                Shape::Either(
                    &Shape::List(&ADDRESS),
                    &Shape::Section(&Section {
                        what: "address",
                        keys: &[
                            required("default", ADDRESS, "written into a binding that names none"),
                            key(
                                "allow",
                                Shape::List(&ADDRESS),
                                "addresses that may be bound; left out: the default alone",
                            ),
                        ],
                    }),
                ),
                "addresses that may be bound; left out: any",
            ),
        ],
    }),
    written::ports,
);

const LOGGING: Form<Logging> = Form::new(
    Shape::Section(&Section {
        what: "logging",
        keys: &[
            key("drivers", TEXTS, "log drivers that may be named"),
            key(
                "options",
                TEXTS,
                "log options that may be set: KEY, with a value within bounds, or KEY=VALUE exactly",
            ),
        ],
    }),
    rules::logging,
);

const LABELS: Form<Labels> = Form::new(
    Shape::Section(&Section {
        what: "labels",
        keys: &[
            key("allow", TEXTS, "patterns of keys; left out: any"),
            key("deny", TEXTS, "patterns of keys that may not be set"),
            key(
                "require",
                Shape::Named(&TEXT),
                "keys that must be set, with a pattern of the value",
            ),
            key("set", Shape::Named(&TEXT), "written into a body that has not the key"),
        ],
    }),
    written::labels,
);

const HEALTH: Form<Health> = Form::new(
    Shape::Section(&Section {
        what: "health",
        keys: &[key("min_interval", DURATION, "the least time between two checks")],
    }),
    rules::health,
);

const COPYING: Form<Copying> = Form::new(
    Shape::Section(&Section {
        what: "copy",
        keys: &[
            key("compressed", FLAG, "whether archives may be compressed"),
            key(
                "running_with_mounts",
                FLAG,
                "whether the container may run and have mounts meanwhile",
            ),
        ],
    }),
    rules::copying,
);
