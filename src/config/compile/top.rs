//! The keys about the gate itself: listeners, daemon, log, limits.

use super::super::mistake::MistakeLedger;
use super::super::yaml::YamlNode;
use super::super::{
    AuditConfig, Bind, DaemonConfig, Listen, ListenWay, TlsListen, TlsMin, UnixBind,
};
use super::unix;
use crate::docker::ApiVersion;
use crate::policy::glob::Glob;
use std::path::PathBuf;

/// Where to listen: an address with its port, or `systemd`.
pub(in crate::config) fn bind(text: &str) -> Result<Bind, String> {
    if text == "systemd" {
        return Ok(Bind::Systemd);
    }
    text.parse()
        .map(Bind::Address)
        .map_err(|_| "write an IP address with a port, such as 0.0.0.0:2376, or systemd".into())
}

pub(super) fn listen(files: &[YamlNode], ledger: &mut MistakeLedger) -> Vec<Listen> {
    let nodes: Vec<_> = files.iter().flat_map(|file| file.items_of("listen")).collect();
    if let (true, Some(file)) = (nodes.is_empty(), files.first()) {
        let at = super::SourcePlace::whole(file.at.file);
        ledger.mistake(at, "nobody can come in", "write listen: with one entry at least");
    }
    let mut listeners: Vec<Listen> = Vec::new();
    for node in nodes {
        let Some(listener) = listener(node, ledger) else { continue };
        if listeners.iter().any(|other| is_same_place(&other.way, &listener.way)) {
            ledger.mistake(node.at, "this address is listened on twice", "remove one");
        }
        listeners.push(listener);
    }
    listeners
}

fn is_same_place(one: &ListenWay, other: &ListenWay) -> bool {
    match (one, other) {
        (ListenWay::Tls(a), ListenWay::Tls(b)) => {
            a.address == b.address && a.address != Bind::Systemd
        }
        (ListenWay::Unix(a), ListenWay::Unix(b)) => a.bind == b.bind && a.bind != UnixBind::Systemd,
        _ => false,
    }
}

fn listener(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<Listen> {
    let identities = node.get("identities").map(|names| identities(names, ledger));
    let way = match (node.get("tls"), node.get("unix")) {
        (Some(_), None) => ListenWay::Tls(tls(node, ledger)?),
        (None, Some(_)) => ListenWay::Unix(unix::listener(node, ledger)?),
        (Some(_), Some(unix)) => {
            let next = "write an entry for each";
            return ledger.refuse(unix.at, "tls and unix in one entry", next);
        }
        (None, None) => {
            let at = super::SourcePlace { width: 1, ..node.at };
            let next = "write tls: with an address such as 0.0.0.0:2376, or unix: with a path";
            return ledger.refuse(at, "an entry of listen has neither tls nor unix", next);
        }
    };
    Some(Listen { way, identities })
}

fn tls(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<TlsListen> {
    unix::not_of_tls(node, ledger);
    needed_by_tls(node, ledger);
    let old = node.text_of("tls_min") == Some("1.2");
    Some(TlsListen {
        address: bind(node.get("tls")?.text()?).ok()?,
        certificate: path(node, "certificate", ledger)?,
        key: path(node, "key", ledger)?,
        client_ca: path(node, "client_ca", ledger)?,
        crl: path(node, "crl", ledger),
        danger_accept_expired_crl: accepts_expired(node, ledger),
        deny: path(node, "deny", ledger),
        tls_min: if old { TlsMin::Tls12 } else { TlsMin::Tls13 },
    })
}

/// There is no TLS listener without client certificates.
fn needed_by_tls(node: &YamlNode, ledger: &mut MistakeLedger) {
    let keys = [
        ("certificate", "the server's certificate chain, PEM"),
        ("key", "its private key, PEM"),
        ("client_ca", "the authority that signs client certificates, PEM"),
    ];
    for (key, what) in keys.into_iter().filter(|(key, _)| node.get(key).is_none()) {
        let at = super::SourcePlace { width: 1, ..node.at };
        let next = format!("write {key}: {what}");
        ledger.mistake(at, format!("an entry of listen with tls has no {key:?}"), next);
    }
}

fn accepts_expired(node: &YamlNode, ledger: &mut MistakeLedger) -> bool {
    let Some(flag) = node.get("danger_accept_expired_crl").filter(|flag| flag.flag()) else {
        return false;
    };
    match node.get("crl") {
        Some(_) => {
            let what = "an expired revocation list still counts: what was revoked since stays open";
            ledger.warn(format!("listener {}", said(node)), what.to_owned(), false);
        }
        None => ledger.mistake(flag.at, "danger_accept_expired_crl without crl", "remove it"),
    }
    true
}

fn said(node: &YamlNode) -> &str {
    node.text_of("tls").unwrap_or_default()
}

fn identities(names: &YamlNode, ledger: &mut MistakeLedger) -> Vec<Glob> {
    let of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-*".contains(&b);
    if names.items().is_empty() {
        ledger.mistake(names.at, "nobody may come in here", "name identities, or remove the key");
    }
    for node in names.items() {
        if node.text().is_some_and(|text| !text.bytes().all(of_a_name)) {
            let next = "use the characters of names, and * for any run of them";
            ledger.mistake(node.at, "no identity can have such a name", next);
        }
    }
    super::rules::bounded_list(names, ledger);
    names.texts().into_iter().map(Glob::new).collect()
}

pub(super) fn daemon(node: Option<&YamlNode>, ledger: &mut MistakeLedger) -> DaemonConfig {
    let socket = node.and_then(|node| path(node, "socket", ledger));
    let api_min = node.and_then(|node| node.get("api_min"));
    let api_min = api_min.map_or(ApiVersion::FLOOR, |node| api_version(node, ledger));
    DaemonConfig { socket: socket.unwrap_or_default(), api_min }
}

fn api_version(node: &YamlNode, ledger: &mut MistakeLedger) -> ApiVersion {
    let Some(text) = node.text() else { return ApiVersion::FLOOR };
    let known = ApiVersion::LOWEST..=ApiVersion::NEWEST;
    match ApiVersion::parse(text).filter(|version| known.contains(version)) {
        Some(version) => version,
        None => {
            let next = format!("write \"{}\" to \"{}\"", known.start(), known.end());
            ledger.mistake(node.at, format!("{text:?} is no API version that is known"), next);
            ApiVersion::FLOOR
        }
    }
}

pub(super) fn audit(node: Option<&YamlNode>, ledger: &MistakeLedger) -> AuditConfig {
    let directory = node.and_then(|node| path(node, "directory", ledger));
    AuditConfig { directory: directory.unwrap_or_default() }
}

pub(super) fn control(node: Option<&YamlNode>, ledger: &MistakeLedger) -> Option<PathBuf> {
    path(node?, "socket", ledger)
}

/// The path under a key.
fn path(node: &YamlNode, key: &str, ledger: &MistakeLedger) -> Option<PathBuf> {
    let node = node.get(key)?;
    Some(ledger.resolve(node.at, node.text()?))
}
