//! `valid` of an identity: when it may come in. Names of zones are looked up here, once, so that an
//! unknown one is a mistake in the file and never a surprise at an hour when nobody looks.

use super::super::mistake::{MistakeLedger, nearest};
use super::super::yaml::{YamlNode, YamlValue};
use super::identities::moment_in;
use crate::identity::validity::{Days, Hours};
use crate::identity::{Validity, ValidityError};
use crate::problem::Actionable;
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};

/// Days, as in `mon-fri`.
pub(in crate::config) fn days(text: &str) -> Result<Days, String> {
    text.parse().map_err(|why| step(&why))
}

/// Hours, as in `08:00-18:00`.
pub(in crate::config) fn hours(text: &str) -> Result<Hours, String> {
    text.parse().map_err(|why| step(&why))
}

/// What to do about it.
fn step(why: &ValidityError) -> String {
    why.problem().next.into_owned()
}

/// A time zone by its IANA name, in its one spelling.
pub(in crate::config) fn zone(name: &str) -> Result<TimeZone, String> {
    let found = tz::db().get(name).ok().filter(|zone| is_general(name) && !zone.is_unknown());
    match found {
        Some(zone) if zone.iana_name() == Some(name) => Ok(zone),
        Some(zone) => Err(format!("write {}", zone.iana_name().unwrap_or("UTC"))),
        None => Err(near(name)),
    }
}

/// Not one of the files beside the zones that say what a machine is set to, or that count leap seconds:
/// those mean another thing elsewhere.
fn is_general(name: &str) -> bool {
    let tree = name.starts_with("posix/") || name.starts_with("right/");
    !tree && !["localtime", "posixrules", "Factory"].contains(&name)
}

fn near(name: &str) -> String {
    let known = tz::db().available().map(|name| name.to_string());
    let known: Vec<String> = known.filter(|name| is_general(name)).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "write an IANA name such as Europe/Berlin, or UTC".to_owned(),
    }
}

/// The validity that is written, if it is one.
pub(super) fn compile(
    node: &YamlNode,
    name: &str,
    now: Timestamp,
    ledger: &mut MistakeLedger,
) -> Option<Validity> {
    if !matches!(node.value, YamlValue::Map(_)) {
        return None;
    }
    report_split_days(node, ledger);
    let zone = node.optional("zone", |node| zone(node.text()?).ok())?.unwrap_or(TimeZone::UTC);
    let days = node.optional("days", |node| written_days(node, ledger))?.unwrap_or(Days::EVERY);
    let hours = node.optional("hours", |node| hours(node.text()?).ok())?;
    let until = node.optional("until", |node| moment_in(node.text()?, &zone).ok())?;
    let validity = Validity::new(days, hours, zone, until.map(Timestamp::as_second));
    let validity = ledger.accept(node.at, validity)?;
    if let Some(end) = until.filter(|end| *end <= now) {
        let what = format!("valid until {end}: over, it is refused");
        ledger.warn(format!("identity {name}"), what, false);
    }
    Some(validity)
}

/// One text, or a list of them.
fn written_days(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<Days> {
    if matches!(&node.value, YamlValue::List(items) if items.is_empty()) {
        ledger.mistake(node.at, "no day at all", "name one at least, or remove the key");
    }
    let one = node.text().map(str::to_owned);
    let each = one.into_iter().chain(node.texts()).map(|text| days(&text).ok());
    let all: Option<Vec<Days>> = each.collect();
    all?.into_iter().reduce(Days::and)
}

/// `{ days: sat,sun }`: inside braces the comma ends the value, and `sun` is a key.
fn report_split_days(node: &YamlNode, ledger: &mut MistakeLedger) {
    if let Some(entry) = node.entries().iter().find(|entry| days(&entry.key).is_ok()) {
        ledger.mistake(entry.at, "a comma ends a value inside { }", "write days: [sat, sun]");
    }
}
