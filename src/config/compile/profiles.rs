//! `admission`: profiles, each compiled to be complete. A key that is written replaces the parent's
//! whole key; what is not written is the parent's.

use super::super::keys;
use super::super::mistake::{MistakeLedger, suggest};
use super::super::yaml::{YamlEntry, YamlNode};
use crate::policy::Profile;
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
    for (name, entry) in super::in_order(all, ledger) {
        if BUILT_IN.contains(&name) {
            let what = format!("{name:?} is built in");
            ledger.mistake(entry.at, what, "give the profile another name");
            continue;
        }
        let parent = parent(entry, &profiles, all, ledger);
        let mut profile = Profile { name: name.to_owned(), ..(*parent).clone() };
        keys::fill(&mut profile, &entry.value, ledger);
        for key in profile.looser_than(&parent) {
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
