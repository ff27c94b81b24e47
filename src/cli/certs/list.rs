//! `certs list`: what was issued, how it stands, and who still uses it.

use super::super::out::{self, Paint};
use super::super::{Exit, Failure, TableFormat, clock};
use super::args::ListArgs;
use crate::audit;
use crate::pki::ca::{self, CertificateKind, CertificateState, Index, IndexEntry};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let index = ca::read(&args.directory.dir)?;
    let seen = args.log.as_deref().map(audit::last_seen).transpose()?;
    let now = clock::now()?;
    let entries = chosen(&index, now, args.all);
    match args.format {
        TableFormat::Text => out::print(&table(&entries, now, seen.as_ref(), Paint::stdout()))?,
        TableFormat::Json => {
            let all = entries.iter().map(|entry| object(entry, now, seen.as_ref()));
            out::json(&all.collect())?;
        }
    }
    Ok(Exit::Done)
}

fn chosen(index: &Index, now: Timestamp, all: bool) -> Vec<&IndexEntry> {
    let counts =
        |entry: &&IndexEntry| all || (entry.kind == CertificateKind::Client && entry.until >= now);
    index.certificates.iter().filter(counts).collect()
}

type LastSeen = BTreeMap<String, String>;

fn table(entries: &[&IndexEntry], now: Timestamp, seen: Option<&LastSeen>, paint: Paint) -> String {
    let mut heading = vec!["NAME", "SERIAL", "UNTIL", "STATE"];
    heading.extend(seen.map(|_| "LAST SEEN"));
    let rows = entries.iter().map(|entry| {
        let (serial, until) = (entry.serial.to_string(), entry.until.to_string());
        let mut row = vec![entry.name.clone(), serial, until, state(entry, now)];
        row.extend(seen.map(|seen| last(entry, seen).unwrap_or("never").to_owned()));
        row
    });
    out::table(&heading, &rows.collect::<Vec<_>>(), paint)
}

fn state(entry: &IndexEntry, now: Timestamp) -> String {
    let word = word(entry.state(now));
    match entry.revoked {
        Some(revocation) => format!("{word} {} ({})", revocation.at, revocation.reason),
        None => word.to_owned(),
    }
}

const fn word(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Valid => "valid",
        CertificateState::Expiring => "expiring soon",
        CertificateState::Expired => "expired",
        CertificateState::Revoked => "revoked",
    }
}

fn last<'s>(entry: &IndexEntry, seen: &'s LastSeen) -> Option<&'s str> {
    seen.get(entry.serial.as_str()).map(String::as_str)
}

fn object(entry: &IndexEntry, now: Timestamp, seen: Option<&LastSeen>) -> Value {
    let mut object = json!({
        "name": entry.name, "serial": entry.serial, "kind": entry.kind, "uris": entry.uris,
        "dns": entry.dns, "emails": entry.emails, "ips": entry.ips, "issued": entry.issued,
        "until": entry.until, "state": word(entry.state(now)), "revoked": entry.revoked,
        "fingerprint": entry.fingerprint.to_string(),
    });
    if let (Some(seen), Some(object)) = (seen, object.as_object_mut()) {
        object.insert("last_seen".to_owned(), json!(last(entry, seen)));
    }
    object
}
