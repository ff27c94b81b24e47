//! `roles`: named bundles of grants, each compiled to be judged by without looking at its parent.

use super::super::mistake::{MistakeLedger, suggest};
use super::super::verbs;
use super::super::yaml::{YamlEntry, YamlNode};
use super::{owners, rules};
use crate::docker::image::{ImagePattern, NotAPattern, Reference};
use crate::docker::{Resource, Verb};
use crate::policy::glob::Glob;
use crate::policy::grants::Grants;
use crate::policy::manner::{CommandTemplate, Deletes, Execs, MAX_LISTED};
use crate::policy::placeholder;
use crate::policy::scope::Scopes;
use crate::policy::{Admission, Profile, Role};
use std::collections::BTreeMap;
use std::sync::Arc;

type Profiles = BTreeMap<String, Arc<Profile>>;

/// What a child begins with.
#[derive(Clone)]
struct Draft {
    role: Role,
    has_scope: bool,
}

pub(super) fn compile(
    all: &BTreeMap<&str, &YamlEntry>,
    profiles: &Profiles,
    ledger: &mut MistakeLedger,
) -> BTreeMap<String, Role> {
    let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
    let names: Vec<&str> = all.keys().copied().collect();
    for (name, entry) in super::in_order(all, ledger) {
        let mut draft = begin(entry, &drafts, &names, ledger);
        name.clone_into(&mut draft.role.name);
        fill(&mut draft, entry, profiles, ledger);
        check(&draft, entry, ledger);
        draft.role.placeholders = draft.role.has_placeholders();
        drafts.insert(name.to_owned(), draft);
    }
    // one in a circle is reported there; its name exists all the same
    let empty = || Draft { role: empty(), has_scope: true };
    names.iter().for_each(|name| {
        drafts.entry((*name).to_owned()).or_insert_with(empty);
    });
    drafts.into_iter().map(|(name, draft)| (name, draft.role)).collect()
}

/// A role that allows nothing, and judges by the strictest profile.
fn empty() -> Role {
    Role {
        name: String::new(),
        allow: Grants::default(),
        deny: Grants::default(),
        scopes: Scopes::default(),
        shared: Grants::default(),
        only: Vec::new(),
        keeps_owner: false,
        refuses_unknown: false,
        bridge: None,
        placeholders: false,
        admission: Admission::Profile(Arc::new(Profile::restricted())),
        deletes: Deletes::default(),
        execs: Execs::default(),
        run: Vec::new(),
        pull: Vec::new(),
        push: Vec::new(),
        write: Vec::new(),
    }
}

fn begin(
    entry: &YamlEntry,
    drafts: &BTreeMap<String, Draft>,
    names: &[&str],
    ledger: &mut MistakeLedger,
) -> Draft {
    let fresh = Draft { role: empty(), has_scope: false };
    let Some(node) = entry.value.get("extends") else { return fresh };
    let Some(parent) = node.text() else { return fresh };
    if let Some(draft) = drafts.get(parent) {
        return draft.clone();
    }
    if !names.contains(&parent) {
        let next = suggest(parent, names.iter().copied().filter(|name| *name != entry.key));
        ledger.mistake(node.at, format!("there is no role {parent:?}"), next);
    }
    Draft { has_scope: true, ..fresh }
}

fn fill(draft: &mut Draft, entry: &YamlEntry, profiles: &Profiles, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    draft.has_scope |= node.get("scope").is_some();
    let role = &mut draft.role;
    if let Some(scope) = node.get("scope") {
        role.scopes = owners::scopes(scope);
    }
    if let Some(shared) = node.get("shared") {
        role.shared = verbs::grants(shared, false, ledger);
    }
    if let Some(only) = node.get("only") {
        role.only = owners::labels(only, ledger);
    }
    if let Some(network) = node.get("network") {
        let internal = network.get("external").is_some_and(|external| !external.flag());
        role.bridge = (network.text() != Some("daemon")).then_some(internal);
    }
    if let Some(word) = node.text_of("unknown") {
        role.refuses_unknown = word == "refuse";
    }
    role.keeps_owner |= node.text_of("own_as") == Some("keep");
    if let Some(allow) = node.get("allow") {
        role.allow.extend(&verbs::grants(allow, false, ledger));
    }
    if let Some(deny) = node.get("deny") {
        role.deny.extend(&verbs::grants(deny, true, ledger));
    }
    if let Some(name) = node.get("admission")
        && let Some(admission) = admission(name, profiles, ledger)
    {
        role.admission = admission;
    }
    if let Some(node) = node.get("delete") {
        let is = |key| node.has_flag(key);
        role.deletes = Deletes { force: is("force"), volumes: is("volumes"), link: is("link") };
    }
    if let Some(node) = node.get("exec") {
        let parents = std::mem::replace(&mut role.execs, execs(node, ledger));
        if parents.commands.is_some() && role.execs.commands.is_none() {
            let what = "exec takes the place of all of the parent's exec, and lists no commands: any may be run";
            ledger.warn(format!("role {}", role.name), what, false);
        }
    }
    let Some(images) = node.get("images") else { return };
    let lists: [(&str, Parse, &mut Vec<ImagePattern>); 4] = [
        ("run", ImagePattern::parse_run, &mut role.run),
        ("pull", ImagePattern::parse, &mut role.pull),
        ("push", ImagePattern::parse, &mut role.push),
        ("write", ImagePattern::parse_local, &mut role.write),
    ];
    for (key, parse, list) in lists {
        if let Some(node) = images.get(key) {
            *list = patterns(node, parse, ledger);
        }
    }
}

/// What of an exec is granted. Where commands are listed, what is not named is not granted.
fn execs(node: &YamlNode, ledger: &mut MistakeLedger) -> Execs {
    let commands = node.get("commands").map(|list| commands(list, ledger));
    let whole = commands.is_some();
    let patterns = |key: &str, ledger: &mut MistakeLedger| match node.get(key) {
        Some(list) => {
            few(list, ledger);
            Some(rules::without_captures(list, ledger))
        }
        None => whole.then(Vec::new),
    };
    let users =
        node.get("users").map(YamlNode::texts).or_else(|| whole.then(|| vec!["image".to_owned()]));
    let own = |user: String| if user == "image" { String::new() } else { user };
    Execs {
        users: users.map(|users| users.into_iter().map(own).collect()),
        env: patterns("env", ledger),
        working_dir: patterns("working_dir", ledger),
        stdin: node.get("stdin").map_or(!whole, YamlNode::flag),
        tty: node.get("tty").map_or(!whole, YamlNode::flag),
        privileged: node.has_flag("privileged"),
        commands,
    }
}

/// Each word of an exec is compared with each of a list.
fn few(list: &YamlNode, ledger: &mut MistakeLedger) {
    if list.items().len() > MAX_LISTED {
        let what = format!("more than {MAX_LISTED} in one list of an exec");
        ledger.mistake(list.at, what, "say the same with fewer, by *");
    }
}

fn commands(list: &YamlNode, ledger: &mut MistakeLedger) -> Vec<CommandTemplate> {
    let mut commands = Vec::new();
    few(list, ledger);
    for node in list.items() {
        match CommandTemplate::parse(node.text().unwrap_or_default()) {
            Ok(command) => commands.push(command),
            Err(next) => {
                let what = format!("{:?} is no command", node.text().unwrap_or_default());
                ledger.mistake(node.at, what, next);
            }
        }
    }
    commands
}

fn admission(
    node: &YamlNode,
    profiles: &Profiles,
    ledger: &mut MistakeLedger,
) -> Option<Admission> {
    let name = node.text()?;
    if name == "unrestricted" {
        return Some(Admission::Unrestricted);
    }
    let found = profiles.get(name).cloned().map(Admission::Profile);
    if found.is_none() {
        let names = profiles.keys().map(String::as_str).chain(["unrestricted"]);
        let next = suggest(name, names);
        ledger.mistake(node.at, format!("there is no admission profile {name:?}"), next);
    }
    found
}

/// How a pattern of a list is read.
type Parse = fn(&str) -> Result<ImagePattern, NotAPattern>;

fn patterns(list: &YamlNode, parse: Parse, ledger: &mut MistakeLedger) -> Vec<ImagePattern> {
    let mut patterns = Vec::new();
    rules::bounded_list(list, ledger);
    for node in list.items() {
        let Some(text) = node.text() else { continue };
        if !placeholder::are_known(text) {
            let what = "braces are for {identity} and {1} to {9} alone";
            ledger.mistake(node.at, what, "write one of these, the name out, or *");
            continue;
        }
        patterns.extend(ledger.accept(node.at, parse(text)));
    }
    patterns
}

fn check(draft: &Draft, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let (role, node) = (&draft.role, &entry.value);
    if !draft.has_scope {
        let what = format!("role {:?} does not say whose objects it means", role.name);
        let next = "write scope: own for what the identity makes itself, team for what its owner owns, any for all";
        ledger.mistake(entry.at, what, next);
    }
    owners::unsaid(role, node, entry, ledger);
    unreachable(node, ledger);
    let subject = format!("role {}", role.name);
    let grants = |resource, verb| role.allow.has(resource, verb);
    if role.run.is_empty() && grants(Resource::Container, Verb::Create) {
        ledger.warn(&subject, "grants container.create, but images.run lists no image", false);
    }
    if role.pull.is_empty() && grants(Resource::Image, Verb::Pull) {
        ledger.warn(&subject, "grants image.pull, but images.pull lists no image", false);
    }
    if role.push.is_empty() && grants(Resource::Image, Verb::Push) {
        ledger.warn(&subject, "grants image.push, but images.push lists no image", false);
    }
    let names = grants(Resource::Image, Verb::Tag) || grants(Resource::Image, Verb::Commit);
    if role.write.is_empty() && names {
        let what = "grants image.tag or image.commit, but images.write lists no name";
        ledger.warn(&subject, what, false);
    }
    let open = |command: &&CommandTemplate| command.is_open_shell();
    if let Some(shell) = role.execs.commands.iter().flatten().find(open) {
        let what = format!(
            "exec.commands: {shell} is a shell that runs anything, so that the list bounds nothing"
        );
        ledger.warn(&subject, what, false);
    }
    let official = Reference::parse("docker.io/library/x:x").ok();
    let covers = |pattern: &&ImagePattern| {
        official
            .as_ref()
            .is_some_and(|of| pattern.matches(of, |glob, text| Glob::new(glob).matches(text)))
    };
    if let Some(pattern) = role.write.iter().find(covers) {
        let what = format!(
            "images.write: {} gives any name that no image has here, such as postgres: whoever runs it by name gets that image",
            pattern.as_str()
        );
        ledger.warn(&subject, what, false);
    }
    if let Some(local) = role.run.iter().find(|pattern| pattern.is_local()) {
        ledger.warn(&subject, rules::trusts("images.run", local), false);
    }
}

/// A verb that one role spells out twice, allowed and denied, can never be used: somebody meant
/// something else.
fn unreachable(node: &YamlNode, ledger: &mut MistakeLedger) {
    let (Some(allow), Some(deny)) = (node.get("allow"), node.get("deny")) else { return };
    let denied = verbs::grants(deny, true, &mut MistakeLedger::default());
    for entry in allow.entries() {
        let Some((resource, verbs)) = verbs::known(&entry.key) else { continue };
        for word in entry.value.items() {
            let verb = word.text().and_then(Verb::parse);
            let verb = verb.filter(|verb| verbs.iter().any(|of| of.verb == *verb));
            if verb.is_some_and(|verb| denied.iter().any(|(r, v, _)| (r, v) == (resource, verb))) {
                let text = word.text().unwrap_or_default();
                let what = format!("{resource}.{text} is denied by the same role");
                ledger.mistake(word.at, what, "remove it here or under deny");
            }
        }
    }
}
