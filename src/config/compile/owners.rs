//! Whose objects a role means, who owns what was there before, and whether all owners that are named can be somebody.

use super::super::mistake::{MistakeLedger, suggest};
use super::super::units;
use super::super::yaml::{YamlEntry, YamlNode};
use super::rules;
use crate::docker::{Resource, Verb};
use crate::identity::IdentityRule;
use crate::identity::pattern::{NameTemplate, overlap};
use crate::policy::Role;
use crate::policy::glob::Glob;
use crate::policy::quota::{Limits, OverLimit};
use crate::policy::scope::{Adoption, Scope, Scopes, kind_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Kinds whose names an entry of `adopt` can have, by their keys.
const ADOPTED: [(&str, Resource); 4] = [
    ("containers", Resource::Container),
    ("volumes", Resource::Volume),
    ("networks", Resource::Network),
    ("services", Resource::Service),
];

fn scope(word: &str) -> Scope {
    match word {
        "own" => Scope::Own,
        "team" => Scope::Team,
        _ => Scope::Any,
    }
}

/// `scope` of a role: one word for all kinds, or one for each.
pub(super) fn scopes(node: &YamlNode) -> Scopes {
    if let Some(word) = node.text() {
        return Scopes::all(scope(word));
    }
    let of = |kind: Resource| Some((kind, scope(node.text_of(kind.as_str())?)));
    Scopes(Scopes::KINDS.into_iter().filter_map(of).collect())
}

/// Kinds of which a verb uses objects beside those of its own resource.
const fn used_by(resource: Resource, verb: Verb) -> &'static [Resource] {
    use Resource::{Config, Container, Image, Network, Secret, Volume};
    match (resource, verb) {
        (Container, Verb::Create) => &[Container, Image, Volume, Network],
        (Container, Verb::Start | Verb::Restart) | (Network, _) => &[Container, Network],
        (Image, Verb::Commit) => &[Container, Image],
        (Resource::Build, _) => &[Container, Image, Network],
        (Resource::Service, Verb::Create | Verb::Update) => {
            &[Image, Volume, Network, Secret, Config]
        }
        (Resource::System, Verb::Df) => &[Container, Image, Volume],
        (Resource::System, Verb::Events) => &Scopes::KINDS,
        _ => &[],
    }
}

/// A kind of which a role grants something and does not say whose: left out it would be everybody's.
pub(super) fn unsaid(role: &Role, node: &YamlNode, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let at = node.get("scope").map_or(entry.at, |scope| scope.at);
    if node.get("scope").is_some_and(|scope| scope.text().is_none() && scope.entries().is_empty()) {
        ledger.mistake(
            at,
            "scope says nothing",
            "write scope: own, team or any, or one for each kind",
        );
    }
    // the bridges of others could be joined by their names
    if role.bridge.is_some() && !role.is_narrow(Resource::Network) {
        let what =
            format!("role {:?} has a bridge of its own, and means everybody's networks", entry.key);
        ledger.mistake(at, what, "write scope: own or team for network, or network: daemon");
    }
    // one word is for all of them
    if role.scopes.0.is_empty() || role.scopes.0.len() == Scopes::KINDS.len() {
        return;
    }
    let granted = |kind: &Resource| {
        let uses = |(resource, verb, _): (Resource, Verb, _)| {
            kind_of(resource) == Some(*kind) || used_by(resource, verb).contains(kind)
        };
        role.allow.iter().any(uses) && !role.scopes.0.contains_key(kind)
    };
    for kind in Scopes::KINDS.into_iter().filter(granted) {
        let what =
            format!("role {:?} does not say whose objects of kind {kind} it means", entry.key);
        ledger.mistake(at, what, format!("write {kind}: own, team or any"));
    }
}

/// `labels` under a key: each with a pattern of its value.
pub(super) fn labels(node: &YamlNode, ledger: &mut MistakeLedger) -> Vec<(String, Glob)> {
    let Some(labels) = node.get("labels") else { return Vec::new() };
    let label = |entry: &YamlEntry| {
        rules::bounded(&entry.value, ledger);
        Some((entry.key.clone(), Glob::new(entry.value.text()?)))
    };
    labels.entries().iter().filter_map(label).collect()
}

/// `adopt`: who owns what bears no label of ours.
pub(super) fn adoptions(files: &[YamlNode], ledger: &mut MistakeLedger) -> Vec<Adoption> {
    let nodes: Vec<_> = files.iter().flat_map(|file| file.items_of("adopt")).collect();
    nodes.into_iter().filter_map(|node| adoption(node, ledger)).collect()
}

fn adoption(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<Adoption> {
    let owner = node.get("owner")?;
    let owner = ledger.accept(owner.at, owner.text()?.parse())?;
    let labels = labels(node, ledger);
    let mut names = BTreeMap::new();
    for (key, kind) in ADOPTED {
        if let Some(list) = node.get(key) {
            rules::bounded_list(list, ledger);
            names.insert(kind, rules::without_captures(list, ledger));
        }
    }
    if labels.is_empty() && names.is_empty() {
        return ledger.refuse(
            node.at,
            "adopts everything",
            "name labels, containers, volumes, networks or services",
        );
    }
    Some(Adoption { owner, labels, names })
}

/// Owners that are named and can be nobody; roles that share with nobody.
pub(super) fn check(
    rules: &[IdentityRule],
    roles: &BTreeMap<String, Role>,
    adopted: &[Adoption],
    ledger: &mut MistakeLedger,
) {
    let owns = |owner: &NameTemplate| rules.iter().any(|rule| overlap(rule.owner(), owner));
    for rule in rules {
        for seen in rule.sees().iter().filter(|seen| !owns(seen)) {
            let what = format!("sees {seen}, as whom nobody owns");
            ledger.warn(format!("identity {}", rule.name()), what, false);
        }
    }
    for adoption in adopted {
        let named = adoption.owner.as_str().parse();
        if named.is_ok_and(|owner: NameTemplate| !owns(&owner)) {
            let what =
                "as whom nobody owns: what it adopts is there for roles with scope: any alone";
            ledger.warn(format!("adopt {}", adoption.owner), what, false);
        }
    }
    for (i, rule) in rules.iter().enumerate() {
        let theirs = |other: &&IdentityRule| {
            overlap(rule.owner(), other.owner()) && rule.limits() != other.limits()
        };
        let owns_as_another =
            |rule: &IdentityRule| rule.owner().to_string() != rule.name().to_string();
        let others = rules.iter().skip(i + 1).filter(theirs);
        for other in others.filter(|other| owns_as_another(rule) || owns_as_another(other)) {
            let what = format!(
                "owns as identity {} does, under other limits: each is held to its own alone",
                other.name()
            );
            ledger.warn(format!("identity {}", rule.name()), what, false);
        }
    }
    let sees = |role: &Role| {
        rules.iter().any(|rule| !rule.sees().is_empty() && rule.roles().contains(&role.name))
    };
    for role in roles.values() {
        let subject = format!("role {}", role.name);
        if role.shared.iter().next().is_some() && !sees(role) {
            ledger.warn(&subject, "shared, but nobody who holds it sees anybody", false);
        }
        if role.keeps_owner {
            let what = "own_as: keep: whoever holds it says whose the things are that it makes";
            ledger.warn(&subject, what, false);
            if !role.allow.has(Resource::Container, Verb::Reveal) {
                let what = "own_as: keep without container.reveal: it is not told environments, and makes nothing anew that has one";
                ledger.warn(&subject, what, false);
            }
        }
    }
}

/// Kinds of which some role that somebody holds means its own alone.
pub(super) fn owned(rules: &[IdentityRule], roles: &BTreeMap<String, Role>) -> BTreeSet<Resource> {
    let held = |role: &&Role| rules.iter().any(|rule| rule.roles().contains(&role.name));
    let held: Vec<&Role> = roles.values().filter(held).collect();
    let narrow = |kind: &Resource| held.iter().any(|role| role.scopes.of(*kind) != Scope::Any);
    let mut owned: BTreeSet<_> = Scopes::KINDS.into_iter().filter(narrow).collect();
    if rules.iter().any(|rule| rule.limits().is_some()) {
        // what is limited is counted by its owner
        owned.extend([Resource::Container, Resource::Volume, Resource::Network]);
    }
    owned
}

/// `limits`: what identities may have at once.
pub(super) fn limits(all: &BTreeMap<&str, &YamlEntry>) -> BTreeMap<String, Arc<Limits>> {
    let read = |key: &str, text: &str| match key {
        "memory" => units::size(text),
        "cpus" => units::cpus(text),
        "requests" => units::rate(text),
        _ => units::count(text),
    };
    let of = |entry: &YamlEntry| {
        let limit = |quantity: OverLimit| {
            let text = entry.value.text_of(quantity.key())?;
            Some((quantity, u64::try_from(read(quantity.key(), text).ok()?).ok()?))
        };
        Arc::new(Limits(OverLimit::ALL.iter().copied().filter_map(limit).collect()))
    };
    all.iter().map(|(name, entry)| ((*name).to_owned(), of(entry))).collect()
}

/// Limits that entries of identities name.
pub(super) fn named_limits(
    files: &[YamlNode],
    limits: &BTreeMap<String, Arc<Limits>>,
    ledger: &mut MistakeLedger,
) {
    let nodes = files.iter().flat_map(|file| file.items_of("identities"));
    for node in nodes.filter_map(|node| node.get("limits")) {
        let name = node.text().unwrap_or_default();
        if !limits.contains_key(name) {
            let next = suggest(name, limits.keys().map(String::as_str));
            ledger.mistake(node.at, format!("there are no limits {name:?}"), next);
        }
    }
}
