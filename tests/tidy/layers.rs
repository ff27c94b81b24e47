//! Lower layers know nothing of upper ones, and each keeps to what its layer may touch.

use super::source::{code, sources};

/// Room, layer, what of our own it may use besides itself, words it may not have.
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
    never: &'static [&'static [&'static str]],
}

const IO: &[&str] = &[
    "tokio",
    "hyper",
    "rustls",
    "tracing",
    "std::fs",
    "std::env",
    "std::process",
    "std::io",
    "std::thread",
    "TcpStream",
    "UnixStream",
    "TcpListener",
    "SystemTime",
    "Instant",
];
const TIME: &[&str] = &["jiff", "Timestamp"];
/// Calendars and zones are arithmetic; what reads a clock or a file of zones is not.
const CLOCK: &[&str] = &["now()", "Timestamp::now", "Zoned::now", "TimeZone::get", "system", "db"];
const NETWORK: &[&str] =
    &["hyper", "rustls", "tokio::net", "TcpStream", "UnixStream", "TcpListener", "std::net::Udp"];
/// The ground, which every room stands on: ids with what is documented of them, the halves of an error, digests, text
/// before people's eyes.
const GROUND: &[&str] = &["rule", "problem", "digest", "visible"];
const BELOW_L3: &[&str] = &["identity", "docker", "policy", "audit", "config"];

const ROOMS: &[Room] = &[
    // the ground
    Room { name: "rule", uses: &[], never: &[IO, TIME] },
    Room { name: "problem", uses: &[], never: &[IO, TIME] },
    Room { name: "digest", uses: &[], never: &[IO, TIME] },
    Room { name: "visible", uses: &[], never: &[IO, TIME] },
    // L0; tokens are read by the strict JSON reader of bodies
    Room { name: "identity", uses: &["docker"], never: &[IO, CLOCK] },
    Room { name: "docker", uses: &[], never: &[IO, TIME] },
    // L1
    Room { name: "policy", uses: &["identity", "docker"], never: &[IO, TIME] },
    // L2
    Room { name: "audit", uses: &["identity", "docker", "policy"], never: &[NETWORK] },
    Room { name: "config", uses: &["identity", "docker", "policy"], never: &[NETWORK] },
    Room { name: "telemetry", uses: &["identity", "docker"], never: &[NETWORK] },
    // L3
    Room { name: "proxy", uses: BELOW_L3, never: &[] },
    Room { name: "daemon", uses: BELOW_L3, never: &[] },
    Room { name: "pki", uses: BELOW_L3, never: &[] },
    Room { name: "facts", uses: &["docker", "policy", "config", "daemon"], never: &[&["hyper"]] },
    // L4
    Room {
        name: "who",
        uses: &["identity", "policy", "audit", "proxy"],
        never: &[&["hyper", "tokio::net"]],
    },
    Room {
        name: "sessions",
        uses: &["identity", "docker", "policy", "audit", "facts", "proxy", "daemon", "who"],
        never: &[&["hyper"]],
    },
    Room {
        name: "operator",
        uses: &["identity", "docker", "policy", "audit", "proxy", "daemon", "who", "sessions"],
        never: &[&["hyper"]],
    },
    Room {
        name: "pipeline",
        uses: &[
            "identity",
            "docker",
            "policy",
            "audit",
            "facts",
            "proxy",
            "daemon",
            "telemetry",
            "who",
            "sessions",
        ],
        never: &[],
    },
    Room {
        name: "control",
        uses: &[
            "identity",
            "docker",
            "policy",
            "audit",
            "config",
            "proxy",
            "daemon",
            "telemetry",
            "who",
            "sessions",
            "operator",
            "pipeline",
        ],
        never: &[&["hyper"]],
    },
    Room {
        name: "server",
        uses: &[
            "identity",
            "docker",
            "policy",
            "audit",
            "config",
            "facts",
            "proxy",
            "daemon",
            "pki",
            "telemetry",
            "who",
            "sessions",
            "operator",
            "pipeline",
            "control",
        ],
        never: &[],
    },
    // L5
    Room {
        name: "cli",
        uses: &[
            "identity", "docker", "policy", "audit", "config", "facts", "proxy", "daemon", "pki",
            "sessions", "operator", "control", "server",
        ],
        never: &[&["hyper"]],
    },
];

fn room_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Whether the word stands by itself in the line.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[test]
fn every_room_uses_only_what_is_below_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let name = room_of(&file);
        if matches!(name, "lib" | "main" | "facade") {
            continue;
        }
        let room = ROOMS.iter().find(|room| room.name == name);
        let room = room
            .unwrap_or_else(|| panic!("{file}: give this room a layer in tests/tidy/layers.rs"));
        for line in code(&text) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let known = ROOMS.iter().any(|room| room.name == used);
                let below = room.uses.contains(&used) || GROUND.contains(&used);
                if known && used != name && !below {
                    wrong.push(format!("{file}: {name} may not use {used}"));
                }
            }
            wrong.extend(
                room.never
                    .iter()
                    .copied()
                    .flatten()
                    .filter(|word| has_word(line, word))
                    .map(|word| format!("{file}: {word}: {}", line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What only admission asks of a body. The log writes some of it down, and judges nothing by it.
const JUDGED: [&str; 6] =
    [".privileged", ".cap_add", ".security_opt", ".binds", ".pid_mode", ".userns_mode"];

#[test]
fn nothing_but_policy_judges_a_body() {
    for (file, text) in sources() {
        if matches!(room_of(&file), "docker" | "policy") || file == "src/audit/describe.rs" {
            continue;
        }
        for line in code(&text) {
            let judged = JUDGED.iter().find(|field| {
                let after = |at: usize| line[at + field.len()..].chars().next();
                let mut found = line.match_indices(*field).map(|(at, _)| after(at));
                found.any(|next| !next.is_some_and(|c| c.is_alphanumeric() || c == '_'))
            });
            assert!(judged.is_none(), "{file}: {}: decisions are policy's", line.trim());
        }
    }
}
