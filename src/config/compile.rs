//! Trees to meaning. What does not have the form of the file was reported by `shape` already and is
//! passed over here in silence; what is said here is about meaning: names that exist, numbers that
//! fit one another, identities that cannot be confused.

mod account;
mod identities;
mod owners;
mod places;
mod profiles;
mod roles;
pub(super) mod rules;
mod tokens;
mod top;
mod unix;
mod validity;
pub(super) mod written;

pub(super) use account::is_account;
pub(super) use identities::moment;
pub use places::DAEMON_PLACES;
pub use rules::clean_path;
pub(super) use tokens::header;
pub(super) use top::bind;
pub(super) use validity::{days, hours, zone};

use super::mistake::{MistakeLedger, Mistakes, SourcePlace};
use super::shape::{self, Shape};
use super::yaml::{YamlEntry, YamlNode};
use super::{Config, Listen, front, keys, risk};
use crate::digest::Sha256;
use crate::identity::IdentityRule;
use crate::policy::Policy;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Compiles the trees, or gives every mistake.
pub(super) fn compile(
    files: &[YamlNode],
    now: Timestamp,
    mut ledger: MistakeLedger,
) -> Result<Config, Mistakes> {
    files.iter().for_each(|file| shape::check(file, Shape::Section(&keys::FILE), &mut ledger));
    let front = front::compile(only(files, "front", &mut ledger), &mut ledger);
    let listen = top::listen(files, &mut ledger);
    let daemon = top::daemon(needed(files, "daemon", &mut ledger), &mut ledger);
    let audit = top::audit(needed(files, "audit", &mut ledger), &ledger);
    let control = top::control(only(files, "control", &mut ledger), &ledger);
    if let Some(first) = files.first() {
        needed(std::slice::from_ref(first), "version", &mut ledger);
    }
    let written = named(files, "admission", &mut ledger);
    let profiles = profiles::compile(&written, &mut ledger);
    let roles = roles::compile(&named(files, "roles", &mut ledger), &profiles, &mut ledger);
    let tokens = tokens::compile(only(files, "tokens", &mut ledger), &mut ledger);
    let identities = identities::compile(files, &roles, &tokens, now, &mut ledger);
    ways_in(&listen, &identities, &mut ledger);
    let tokens::Compiled { tokens, files: key_sets, .. } = tokens;
    let sources = ledger.sources().iter().filter_map(|source| source.path.parent());
    let keys = listen.iter().filter_map(|listen| listen.tls()?.key.parent());
    let own = [daemon.socket.as_path(), &audit.directory].into_iter().chain(control.as_deref());
    let kept = sources.chain(keys).chain(own).chain(DAEMON_PLACES.iter().map(Path::new));
    let kept: Vec<PathBuf> = kept.map(Path::to_owned).collect();
    places::apart(&written, &kept, &mut ledger);
    let text: String = ledger.sources().iter().map(|source| source.text.as_str()).collect();
    let adopted = owners::adoptions(files, &mut ledger);
    owners::check(&identities, &roles, &adopted, &mut ledger);
    let hash = Sha256::of(text.as_bytes());
    let limits = owners::limits(&named(files, "limits", &mut ledger));
    owners::named_limits(files, &limits, &mut ledger);
    let owned = owners::owned(&identities, &roles);
    let roles = roles.into_iter().map(|(name, role)| (name, Arc::new(role))).collect();
    let adopted = adopted.into();
    let contact =
        only(files, "contact", &mut ledger).and_then(|node| node.text().map(str::to_owned));
    let policy = Policy { hash, contact, identities, tokens, roles, adopted, limits, owned };
    risk::warn(&policy, &mut ledger);
    let paths = ledger.sources().iter().map(|source| source.path.clone()).collect();
    let mut warnings = ledger.close()?;
    warnings.sort_by_key(|warning| !warning.root);
    warnings.dedup();
    let profiles = profiles.into_iter().map(|(name, p)| (name, (*p).clone())).collect();
    Ok(Config {
        listen,
        daemon,
        audit,
        front,
        control,
        policy,
        profiles,
        files: paths,
        key_sets,
        text,
        warnings,
    })
}

/// Who is known by what no listener asks for comes in nowhere.
fn ways_in(listen: &[Listen], identities: &[IdentityRule], ledger: &mut MistakeLedger) {
    let tls = listen.iter().any(|one| one.tls().is_some());
    let unix = listen.iter().any(|one| one.tls().is_none());
    for rule in identities {
        let what = match rule.matching().peer() {
            Some(_) if !unix => "comes in by a Unix socket, and no entry of listen has one",
            None if !tls => "comes in by a certificate, and no entry of listen has tls",
            _ => continue,
        };
        ledger.warn(format!("identity {}", rule.name()), what, false);
    }
}

/// A key that stands in one file alone.
fn only<'f>(files: &'f [YamlNode], key: &str, ledger: &mut MistakeLedger) -> Option<&'f YamlNode> {
    let entry = |file: &'f YamlNode| file.entries().iter().find(|entry| entry.key == key);
    let mut found = files.iter().filter_map(entry);
    let first = found.next()?;
    for again in found {
        let next = format!("keep one; the first is at {}", ledger.name(first.at));
        ledger.mistake(again.at, format!("{key:?} is written twice"), next);
    }
    Some(&first.value)
}

/// A key that must stand in one of the files.
fn needed<'f>(
    files: &'f [YamlNode],
    key: &str,
    ledger: &mut MistakeLedger,
) -> Option<&'f YamlNode> {
    let found = only(files, key, ledger);
    if let (None, Some(first)) = (found, files.first()) {
        let what = keys::FILE.keys.iter().find(|known| known.name == key).map(|known| known.what);
        let next = format!("write {key}: {}", what.unwrap_or_default());
        ledger.mistake(SourcePlace::whole(first.at.file), format!("there is no {key:?}"), next);
    }
    found
}

/// The entries of a mapping of names, over all files; a name defined twice is a mistake.
fn named<'f>(
    files: &'f [YamlNode],
    key: &str,
    ledger: &mut MistakeLedger,
) -> BTreeMap<&'f str, &'f YamlEntry> {
    let mut all: BTreeMap<&str, &YamlEntry> = BTreeMap::new();
    for entry in files.iter().filter_map(|file| file.get(key)).flat_map(YamlNode::entries) {
        if !is_name(&entry.key) {
            let what = format!("{:?} is not a name", entry.key);
            ledger.mistake(entry.at, what, "use a-z, 0-9, `.`, `_` and `-`, a letter first");
        }
        match all.get(entry.key.as_str()) {
            Some(first) => {
                let next = format!("rename one; the first is at {}", ledger.name(first.at));
                ledger.mistake(entry.at, format!("{:?} is defined twice", entry.key), next);
            }
            None => {
                all.insert(&entry.key, entry);
            }
        }
    }
    all
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && name.len() <= 63
}

/// Parents before children. Who extends itself, at whatever remove, is a mistake and left out.
fn in_order<'f>(
    all: &BTreeMap<&'f str, &'f YamlEntry>,
    ledger: &mut MistakeLedger,
) -> Vec<(&'f str, &'f YamlEntry)> {
    let parent = |entry: &YamlEntry| entry.value.text_of("extends").map(str::to_owned);
    let mut left: Vec<(&str, &YamlEntry)> =
        all.iter().map(|(name, entry)| (*name, *entry)).collect();
    let mut ordered: Vec<(&str, &YamlEntry)> = Vec::new();
    loop {
        let waits = |entry: &YamlEntry| {
            parent(entry).is_some_and(|parent| left.iter().any(|(name, _)| **name == *parent))
        };
        let (waiting, ready): (Vec<_>, Vec<_>) = left.iter().partition(|(_, entry)| waits(entry));
        if ready.is_empty() {
            for (name, entry) in waiting {
                let what = format!("{name:?} extends itself in the end");
                ledger.mistake(entry.at, what, "break the circle");
            }
            return ordered;
        }
        ordered.extend(ready);
        left = waiting;
    }
}
