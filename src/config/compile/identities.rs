//! `identities`: who is who. Every name that two entries could produce and every certificate that
//! two entries could match is a mistake here, so that nobody can choose between two names later.

use super::super::mistake::{MistakeLedger, SourcePlace, suggest};
use super::super::yaml::{YamlEntry, YamlNode, YamlValue};
use super::{account, tokens, validity};
use crate::identity::{
    CertificateField, Conflict, IdentityRule, Match, Mode, PeerMatch, conflicts,
};
use crate::policy::Role;
use crate::problem::{Actionable, Problem};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long observing may last.
const LONGEST_OBSERVING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A date, which is its first moment in UTC, or a time with its zone (RFC 3339).
pub(in crate::config) fn moment(text: &str) -> Result<Timestamp, String> {
    moment_in(text, &TimeZone::UTC)
}

/// The same, with a date that begins when it begins in this zone.
pub(super) fn moment_in(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong = || "write 2026-12-01 or 2026-12-01T08:00:00Z".to_owned();
    if text.len() == 10 {
        let date: Date = text.parse().map_err(|_| wrong())?;
        return date.to_zoned(zone.clone()).map(|z| z.timestamp()).map_err(|_| wrong());
    }
    text.parse().map_err(|_| wrong())
}

pub(super) fn compile(
    files: &[YamlNode],
    roles: &BTreeMap<String, Role>,
    tokens: &tokens::Compiled,
    now: Timestamp,
    ledger: &mut MistakeLedger,
) -> Vec<IdentityRule> {
    let nodes: Vec<&YamlNode> =
        files.iter().filter_map(|file| file.get("identities")).flat_map(YamlNode::items).collect();
    if let (true, Some(file)) = (nodes.is_empty(), files.first()) {
        let at = SourcePlace::whole(file.at.file);
        ledger.mistake(at, "there are no identities", "write identities: with one entry at least");
    }
    nodes.iter().for_each(|node| check_roles(node, roles, ledger));
    let held: Vec<String> =
        nodes.iter().filter_map(|n| n.get("roles")).flat_map(YamlNode::texts).collect();
    for name in roles.keys().filter(|name| !held.contains(name)) {
        ledger.warn(format!("role {name}"), "nobody holds it", false);
    }
    let compiled =
        nodes.iter().filter_map(|node| Some((node.at, rule(node, tokens, now, ledger)?)));
    let (places, rules): (Vec<SourcePlace>, Vec<IdentityRule>) = compiled.collect();
    report_conflicts(&places, &rules, ledger);
    tokens::warn_of_none(tokens, &rules, ledger);
    rules
}

fn check_roles(node: &YamlNode, roles: &BTreeMap<String, Role>, ledger: &mut MistakeLedger) {
    let Some(list) = node.get("roles") else { return };
    if matches!(&list.value, YamlValue::List(items) if items.is_empty()) {
        ledger.mistake(list.at, "an identity without a role", "name one at least");
    }
    for item in list.items() {
        let Some(name) = item.text() else { continue };
        if !roles.contains_key(name) {
            let next = suggest(name, roles.keys().map(String::as_str));
            ledger.mistake(item.at, format!("there is no role {name:?}"), next);
        }
    }
}

fn rule(
    node: &YamlNode,
    tokens: &tokens::Compiled,
    now: Timestamp,
    ledger: &mut MistakeLedger,
) -> Option<IdentityRule> {
    let matching = matching(node.get("match")?, tokens, ledger);
    let mode = mode(node, now, ledger);
    let name_node = node.get("name")?;
    let name = match name_node.text()?.parse() {
        Ok(name) => name,
        Err(why) => return refuse(name_node, &why, ledger),
    };
    let roles = node.get("roles")?.texts();
    let danger = node.get("danger_observe_root").is_some_and(YamlNode::flag);
    if danger && mode == Some(Mode::Enforce) {
        let at = node.get("danger_observe_root").map_or(node.at, |flag| flag.at);
        ledger.mistake(at, "danger_observe_root without mode: observe", "remove it");
    }
    let valid = match node.get("valid") {
        Some(written) => Some(validity::compile(written, name_node.text()?, now, ledger)?),
        None => None,
    };
    match IdentityRule::new(name, matching?, roles, mode?, danger) {
        Ok(rule) => {
            tokens::warn(&rule, ledger);
            Some(match valid {
                Some(validity) => rule.valid_in(validity),
                None => rule,
            })
        }
        Err(why) => refuse(name_node, &why, ledger),
    }
}

/// Notes an error of the identity room.
pub(super) fn refuse<T>(
    node: &YamlNode,
    why: &dyn Actionable,
    ledger: &mut MistakeLedger,
) -> Option<T> {
    let Problem { what, next } = why.problem();
    ledger.mistake(node.at, what, next);
    None
}

fn matching(
    node: &YamlNode,
    tokens: &tokens::Compiled,
    ledger: &mut MistakeLedger,
) -> Option<Match> {
    if node.get("uid").or_else(|| node.get("gid")).is_some() {
        return of_peer(node, ledger);
    }
    let fields = [
        CertificateField::Uri,
        CertificateField::Dns,
        CertificateField::Email,
        CertificateField::Cn,
        CertificateField::Ou,
    ];
    let mut patterns = Vec::new();
    let mut whole = true;
    for field in fields {
        let Some(value) = node.get(&field.to_string()) else { continue };
        match value.text().map(str::parse) {
            Some(Ok(pattern)) => patterns.push((field, pattern)),
            Some(Err(why)) => {
                whole = false;
                refuse::<()>(value, &why, ledger);
            }
            None => whole = false,
        }
    }
    let fingerprint = match node.get("fingerprint").map(|n| (n, n.text().unwrap_or_default())) {
        None => None,
        Some((at, text)) => match text.parse() {
            Ok(fingerprint) => Some(fingerprint),
            Err(why) => return refuse::<Match>(at, &why, ledger),
        },
    };
    let token = node.get("token").map(|token| (token, tokens::claims(token, tokens, ledger)));
    if !whole {
        return None;
    }
    if let (Some((at, _)), true, None) = (&token, patterns.is_empty(), fingerprint) {
        ledger.mistake(at.at, "a token alone is never enough", "name a field of the certificate");
        return None;
    }
    let matching = match Match::new(patterns, fingerprint) {
        Ok(matching) => matching,
        Err(why) => return refuse(node, &why, ledger),
    };
    let Some((at, claims)) = token else { return Some(matching) };
    match matching.with_token(claims?) {
        Ok(matching) => Some(matching),
        Err(why) => refuse(at, &why, ledger),
    }
}

/// Conditions on the user at a Unix socket. Who has a certificate is never asked for a uid, nor the other
/// way round, so an entry with both would match nobody.
fn of_peer(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<Match> {
    let of_others = |entry: &&YamlEntry| !matches!(entry.key.as_str(), "uid" | "gid");
    if let Some(other) = node.entries().iter().find(of_others) {
        let what =
            format!("uid and gid are of users at a Unix socket, {} of certificates", other.key);
        ledger.mistake(other.at, what, "write an entry for each, with names of their own");
        return None;
    }
    let found = |key: &str| node.get(key);
    let uid = found("uid").map(|node| account::user(node, ledger));
    let gid = found("gid").map(|node| account::group(node, ledger));
    let (uid, gid) = match (uid, gid) {
        (Some(None), _) | (_, Some(None)) => return None,
        (uid, gid) => (uid.flatten(), gid.flatten()),
    };
    match PeerMatch::new(uid, gid) {
        Ok(peer) => Some(Match::of_peer(peer)),
        Err(why) => refuse(node, &why, ledger),
    }
}

fn mode(node: &YamlNode, now: Timestamp, ledger: &mut MistakeLedger) -> Option<Mode> {
    let observe = node.get("mode").and_then(YamlNode::text) == Some("observe");
    match (observe, node.get("until")) {
        (false, None) => Some(Mode::Enforce),
        (false, Some(until)) => {
            ledger.mistake(until.at, "until without mode: observe", "remove it");
            None
        }
        (true, None) => {
            let at = node.get("mode").map_or(node.at, |mode| mode.at);
            ledger.mistake(
                at,
                "observe without an end",
                "write until: with a date, 30 days from now at most",
            );
            None
        }
        (true, Some(until)) => observe_until(node, until, now, ledger),
    }
}

fn observe_until(
    node: &YamlNode,
    until: &YamlNode,
    now: Timestamp,
    ledger: &mut MistakeLedger,
) -> Option<Mode> {
    let end = moment(until.text()?).ok()?;
    if end.duration_since(now) > LONGEST_OBSERVING {
        ledger.mistake(until.at, "observing lasts longer than 30 days", "choose an earlier end");
        return None;
    }
    let name = node.get("name").and_then(YamlNode::text).unwrap_or_default();
    let what = match end <= now {
        true => format!("mode observe ended {end}: refusals are refusals"),
        false => format!("mode observe: what policy denies is let through until {end}"),
    };
    ledger.warn(format!("identity {name}"), what, false);
    Some(Mode::Observe { until: end.as_second() })
}

fn report_conflicts(places: &[SourcePlace], rules: &[IdentityRule], ledger: &mut MistakeLedger) {
    for conflict in conflicts(rules) {
        let (a, b, what, next) = match conflict {
            Conflict::Name(a, b) => (a, b, "could produce the same name", "rename one of them"),
            Conflict::Match(a, b) => {
                (a, b, "could match the same client", "add a condition to one of them")
            }
        };
        if let (Some(first), Some(second)) = (places.get(a), places.get(b)) {
            let what = format!("this entry and the one at {} {what}", ledger.name(*first));
            ledger.mistake(SourcePlace { width: 1, ..*second }, what, next);
        }
    }
}
