//! `admission`: profiles, each compiled to be complete. A key that is written replaces the parent's
//! whole key; what is not written is the parent's.

use super::super::keys;
use super::super::mistake::{MistakeLedger, suggest};
use super::super::yaml::{YamlEntry, YamlNode};
use super::rules;
use crate::docker::image::ImagePattern;
use crate::policy::profile::ImageException;
use crate::policy::{Profile, placeholder};
use std::collections::BTreeMap;
use std::sync::Arc;

const BUILT_IN: &[&str] = &["baseline", "restricted", "unrestricted"];

pub(super) fn compile(
    all: &BTreeMap<&str, &YamlEntry>,
    ledger: &mut MistakeLedger,
) -> BTreeMap<String, Arc<Profile>> {
    let built_in = [Profile::baseline(), Profile::restricted()];
    let mut profiles: BTreeMap<String, Arc<Profile>> =
        built_in.into_iter().map(|profile| (profile.name.clone(), Arc::new(profile))).collect();
    // a list of exceptions is one key: written anew it is the child's, else the nearest parent's
    let mut exceptions: BTreeMap<&str, &YamlNode> = BTreeMap::new();
    for (name, entry) in super::in_order(all, ledger) {
        if BUILT_IN.contains(&name) {
            let what = format!("{name:?} is built in");
            ledger.mistake(entry.at, what, "give the profile another name");
            continue;
        }
        let parent = parent(entry, &profiles, all, ledger);
        let images = Vec::new();
        let mut profile = Profile { name: name.to_owned(), images, ..(*parent).clone() };
        keys::fill(&mut profile, &entry.value, ledger);
        for key in profile.looser_than(&parent) {
            let what = format!("{key} is looser than in {}, which it extends", parent.name);
            ledger.warn(format!("admission {name}"), what, false);
        }
        let inherited = exceptions.get(parent.name.as_str()).copied();
        if let Some(list) = entry.value.get("images").or(inherited) {
            exceptions.insert(name, list);
            profile.images =
                list.items().iter().map(|of| exception(&profile, of, ledger)).collect();
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

/// What holds instead for some images: the profile, but for what is written here.
fn exception(profile: &Profile, node: &YamlNode, ledger: &mut MistakeLedger) -> ImageException {
    let mut matching = Vec::new();
    for pattern in node.items_of("match") {
        let Some(text) = pattern.text() else { continue };
        if placeholder::has_any(text) {
            let what = "braces have no meaning here: a profile is judged by whoever asks";
            ledger.mistake(pattern.at, what, "write the name out, or *");
            continue;
        }
        matching.extend(ledger.accept(pattern.at, ImagePattern::parse_run(text)));
    }
    if let Some(list) = node.get("match") {
        rules::bounded_list(list, ledger);
    }
    if let Some(local) = matching.iter().find(|pattern| pattern.is_local()) {
        let what = rules::trusts("images", local);
        ledger.warn(format!("admission {}", profile.name), what, false);
    }
    let shown = node.texts_of("match").join(", ");
    let name = format!("{} for images {shown}", profile.name);
    let mut instead = Profile { name: name.clone(), images: Vec::new(), ..profile.clone() };
    keys::fill(&mut instead, node, ledger);
    for key in instead.looser_than(profile) {
        let what = format!("{key} is looser than in {}, in which it stands", profile.name);
        ledger.warn(format!("admission {name}"), what, false);
    }
    ImageException { matching, profile: Arc::new(instead) }
}

/// The profile that this one begins as. Where the file is wrong, any will do: nothing will start.
fn parent(
    entry: &YamlEntry,
    profiles: &BTreeMap<String, Arc<Profile>>,
    all: &BTreeMap<&str, &YamlEntry>,
    ledger: &mut MistakeLedger,
) -> Arc<Profile> {
    let node = entry.value.get("extends");
    let name = node.and_then(YamlNode::text).unwrap_or("restricted");
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
