//! `dockward preset`: the roles that come with the gate, each fitted to a program and tried with the requests that it
//! sends. They are text to start from: written into a file, changed, reviewed, and included by a policy.

use super::args::PresetCommand;
use super::check::warnings;
use super::out::{self, Paint};
use super::{Exit, Failure, TableFormat};
use crate::config::{self, Config, Warning};
use crate::docker::{Resource, Verb};
use crate::policy::Role;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

macro_rules! presets {
    ($( $name:literal, )*) => {
        /// Every preset with its text, in the order of the alphabet.
        pub const PRESETS: &[(&str, &str)] = &[
            $( ($name, include_str!(concat!("../../config/presets/", $name, ".yaml"))), )*
        ];
    };
}

presets! {
    "act",
    "administrator",
    "agent-sandbox",
    "builder",
    "ci-runner",
    "compose-deployer",
    "dashboard",
    "devcontainer",
    "developer",
    "dozzle",
    "github-runner",
    "github-runner-containers",
    "gitlab-runner",
    "jenkins",
    "portainer",
    "read-only",
    "registry-reader",
    "testcontainers",
    "traefik",
    "watchtower",
    "woodpecker",
}

/// What a policy needs besides to be judged by: nothing of it is shown.
const AROUND: &str = "version: 1
listen: [{ tls: systemd, certificate: c, key: k, client_ca: a }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
";

/// Lists, prints or explains presets.
///
/// # Errors
/// None is called so.
pub fn run(command: &PresetCommand) -> Result<Exit, Failure> {
    match command {
        PresetCommand::List { format } => list(*format)?,
        PresetCommand::Show { name } => out::print(text_of(name)?)?,
        PresetCommand::Explain { name, format } => explain(name, *format)?,
    }
    Ok(Exit::Done)
}

fn list(format: TableFormat) -> Result<(), Failure> {
    let all = || PRESETS.iter().map(|(name, text)| (*name, purpose(text)));
    if format == TableFormat::Json {
        let one = |(name, purpose)| json!({ "name": name, "purpose": purpose });
        return out::json(&all().map(one).collect::<Value>());
    }
    let rows: Vec<_> = all().map(|(name, purpose)| vec![name.to_owned(), purpose]).collect();
    out::print(&out::table(&["PRESET", "FOR"], &rows, Paint::stdout()))
}

/// What it is for: its first sentence, behind the name.
fn purpose(text: &str) -> String {
    let about = about(text).join(" ");
    let sentence = about.split_once(": ").map_or(about.as_str(), |(_, rest)| rest);
    let end = sentence.find(". ").map_or(sentence.len(), |dot| dot + 1);
    sentence.get(..end).unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The lines of its first paragraph, without the marks of a comment.
fn about(text: &str) -> Vec<&str> {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(str::trim).take_while(|line| !line.is_empty()).collect()
}

fn text_of(name: &str) -> Result<&'static str, Failure> {
    let found = PRESETS.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let known: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        Failure::new(
            format!("no preset is called {name:?}"),
            format!("there are: {}", known.join(", ")),
        )
    })
}

fn explain(name: &str, format: TableFormat) -> Result<(), Failure> {
    let text = text_of(name)?;
    let config = policy_with(name, text)?;
    let told: Vec<Warning> =
        config.warnings.iter().filter(|of| is_about_roles(of)).cloned().collect();
    let role = config.policy.roles.get(name);
    match format {
        TableFormat::Json => {
            let granted: BTreeMap<_, _> =
                role.map(|role| granted(role).into_iter().collect()).unwrap_or_default();
            let warning =
                |of: &Warning| json!({ "subject": of.subject, "what": of.what, "root": of.root });
            out::json(&json!({
                "name": name, "about": comment(text), "grants": granted,
                "warnings": told.iter().map(warning).collect::<Vec<_>>(),
            }))
        }
        TableFormat::Text => {
            let paint = Paint::stdout();
            let mut shown = format!("{}\n", comment(text));
            if let Some(role) = role {
                let rows: Vec<_> =
                    granted(role).into_iter().map(|(of, verbs)| vec![of, verbs]).collect();
                shown.push_str(&out::table(&["GRANTS", ""], &rows, paint));
            }
            shown.push_str(&warnings(&told, paint));
            if told.iter().all(|warning| !warning.root) {
                shown.push_str("\nnothing of it amounts to root on the host\n");
            }
            let _ = writeln!(
                shown,
                "\ndockward preset show {name} prints it, to be included by a policy"
            );
            out::print(&shown)
        }
    }
}

/// All that it says of itself, without the marks of a comment.
fn comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

/// The policy of one who holds the role of a preset.
pub(super) fn policy_with(name: &str, text: &str) -> Result<Config, Failure> {
    let whole = format!(
        "{AROUND}identities: [{{ name: somebody, match: {{ cn: somebody }}, roles: [{name}] }}]\n{text}"
    );
    Ok(config::parse(&whole, Path::new("/etc/dockward"), Timestamp::now())?)
}

fn is_about_roles(warning: &Warning) -> bool {
    ["role ", "admission "].iter().any(|about| warning.subject.starts_with(about))
}

/// What a role grants, by resource; and the images that it may run, pull, push and name.
fn granted(role: &Role) -> Vec<(String, String)> {
    let mut verbs: BTreeMap<Resource, Vec<Verb>> = BTreeMap::new();
    for (resource, verb, _) in role.allow.iter() {
        if !role.deny.has(resource, verb) {
            verbs.entry(resource).or_default().push(verb);
        }
    }
    let words =
        |verbs: Vec<Verb>| verbs.into_iter().map(Verb::as_str).collect::<Vec<_>>().join(", ");
    let mut granted: Vec<_> =
        verbs.into_iter().map(|(resource, verbs)| (resource.to_string(), words(verbs))).collect();
    for (what, images) in
        [("run", &role.run), ("pull", &role.pull), ("push", &role.push), ("write", &role.write)]
    {
        let patterns: Vec<&str> = images.iter().map(|pattern| pattern.as_str()).collect();
        if !patterns.is_empty() {
            granted.push((format!("images to {what}"), patterns.join(", ")));
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_table_in_order_and_says_what_it_is_for() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/presets");
        let mut files: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, files);
        for (name, text) in PRESETS {
            assert!(text.starts_with(&format!("# {name}: ")), "{name}");
            assert!(purpose(text).len() > 10 && purpose(text).len() < 140, "{}", purpose(text));
            for said in ["It stops: ", "It does not stop: "] {
                assert!(comment(text).contains(said), "{name} does not say: {said}");
            }
        }
    }

    #[test]
    fn each_is_explained() {
        for (name, text) in PRESETS {
            let config = policy_with(name, text).unwrap();
            let role = &config.policy.roles[*name];
            assert!(!granted(role).is_empty(), "{name}");
            // what it grants can be used, and tenants do not meet on one bridge
            let vain = ["lists no", "makes nothing anew", "write network: own"];
            let said = config.warnings.iter().map(|warning| warning.what.as_str());
            let said: Vec<_> =
                said.filter(|what| vain.iter().any(|of| what.contains(of))).collect();
            assert!(said.is_empty(), "{name}: {said:?}");
        }
        assert!(text_of("watchman").unwrap_err().0.next.contains("traefik"));
    }
}
