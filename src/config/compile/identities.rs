//! `identities`: who is who. Every name that two entries could produce and every certificate that
//! two entries could match is a mistake here, so that nobody can choose between two names later.

use super::super::mistake::{MistakeLedger, SourcePlace, suggest};
use super::super::yaml::{YamlEntry, YamlNode, YamlValue};
use super::{account, tokens, validity};
use crate::identity::{
    CertificateField, Conflict, IdentityRule, Match, Mode, PeerMatch, conflicts,
};
use crate::policy::Role;
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
    let nodes: Vec<_> = files.iter().flat_map(|file| file.items_of("identities")).collect();
    if let (true, Some(file)) = (nodes.is_empty(), files.first()) {
        let at = SourcePlace::whole(file.at.file);
        ledger.mistake(at, "there are no identities", "write identities: with one entry at least");
    }
    nodes.iter().for_each(|node| check_roles(node, roles, ledger));
    let held: Vec<String> = nodes.iter().flat_map(|node| node.texts_of("roles")).collect();
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
    let name = ledger.accept(name_node.at, name_node.text()?.parse())?;
    let roles = node.get("roles")?.texts();
    let danger = node.has_flag("danger_observe_root");
    if danger && mode == Some(Mode::Enforce) {
        let at = node.get("danger_observe_root").map_or(node.at, |flag| flag.at);
        ledger.mistake(at, "danger_observe_root without mode: observe", "remove it");
    }
    let shown = name_node.text()?;
    let valid = node.optional("valid", |valid| validity::compile(valid, shown, now, ledger))?;
    let rule = IdentityRule::new(name, matching?, roles, mode?, danger);
    let rule = ledger.accept(name_node.at, rule)?;
    let template = |node: &YamlNode, ledger: &mut MistakeLedger| {
        ledger.accept(node.at, node.text().unwrap_or_default().parse())
    };
    let owner = node.optional("owner", |owner| template(owner, ledger));
    let sees =
        node.items_of("sees").iter().map(|one| template(one, ledger)).collect::<Option<Vec<_>>>();
    let rule = ledger.accept(name_node.at, rule.owning(owner?, sees?))?;
    let rule = rule.within(node.text_of("limits").map(str::to_owned));
    tokens::warn(&rule, ledger);
    Some(match valid {
        Some(validity) => rule.valid_in(validity),
        None => rule,
    })
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
        match value.text().and_then(|text| ledger.accept(value.at, text.parse())) {
            Some(pattern) => patterns.push((field, pattern)),
            None => whole = false,
        }
    }
    let fingerprint = node.optional("fingerprint", |node| {
        ledger.accept(node.at, node.text().unwrap_or_default().parse())
    })?;
    let token = node.get("token").map(|token| (token, tokens::claims(token, tokens, ledger)));
    if !whole {
        return None;
    }
    if let (Some((at, _)), true, None) = (&token, patterns.is_empty(), fingerprint) {
        let next = "name a field of the certificate";
        return ledger.refuse(at.at, "a token alone is never enough", next);
    }
    let matching = ledger.accept(node.at, Match::new(patterns, fingerprint))?;
    let Some((at, claims)) = token else { return Some(matching) };
    ledger.accept(at.at, matching.with_token(claims?))
}

/// Conditions on the user at a Unix socket. Who has a certificate is never asked for a uid, nor the other
/// way round, so an entry with both would match nobody.
fn of_peer(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<Match> {
    let of_others = |entry: &&YamlEntry| !matches!(entry.key.as_str(), "uid" | "gid");
    if let Some(other) = node.entries().iter().find(of_others) {
        let what =
            format!("uid and gid are of users at a Unix socket, {} of certificates", other.key);
        return ledger.refuse(other.at, what, "write an entry for each, with names of their own");
    }
    let uid = node.optional("uid", |node| account::user(node, ledger));
    let gid = node.optional("gid", |node| account::group(node, ledger));
    ledger.accept(node.at, PeerMatch::new(uid?, gid?)).map(Match::of_peer)
}

fn mode(node: &YamlNode, now: Timestamp, ledger: &mut MistakeLedger) -> Option<Mode> {
    let observe = node.text_of("mode") == Some("observe");
    match (observe, node.get("until")) {
        (false, None) => Some(Mode::Enforce),
        (false, Some(until)) => ledger.refuse(until.at, "until without mode: observe", "remove it"),
        (true, None) => {
            let at = node.get("mode").map_or(node.at, |mode| mode.at);
            let next = "write until: with a date, 30 days from now at most";
            ledger.refuse(at, "observe without an end", next)
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
        let what = "observing lasts longer than 30 days";
        return ledger.refuse(until.at, what, "choose an earlier end");
    }
    let name = node.text_of("name").unwrap_or_default();
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
            Conflict::Owner(a, b) => (
                a,
                b,
                "could own as one and the same, by names that are written otherwise",
                "write the same owner: in both, or rename one",
            ),
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
