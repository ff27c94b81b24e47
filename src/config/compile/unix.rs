//! An entry of `listen` for a Unix socket. Nobody has to show anything there, so who may open the file
//! is the first half of the answer, and it is never everybody.

use super::super::mistake::MistakeLedger;
use super::super::yaml::YamlNode;
use super::super::{UnixBind, UnixListen};
use super::account;
use std::path::Path;

/// Read and write for the owner and the group.
const USUAL: u32 = 0o660;
/// What fits into an address of a Unix socket, in bytes (unix(7)).
const LONGEST: usize = 107;

/// What only has a meaning for TLS.
const OF_TLS: [&str; 7] =
    ["certificate", "key", "client_ca", "crl", "danger_accept_expired_crl", "deny", "tls_min"];
/// What only has a meaning for a file that we make.
const OF_FILES: [&str; 2] = ["mode", "group"];

/// Notes the keys that mean nothing for a TLS listener.
pub(super) fn not_of_tls(node: &YamlNode, ledger: &mut MistakeLedger) {
    strangers(node, &OF_FILES, "a TLS listener has no file", ledger);
}

pub(super) fn listener(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<UnixListen> {
    let place = node.get("unix")?;
    strangers(node, &OF_TLS, "there is no TLS on a Unix socket", ledger);
    let text = place.text()?;
    let bind = match text {
        "systemd" => {
            let what = "systemd makes the socket, with SocketMode= and SocketGroup= of its unit";
            strangers(node, &OF_FILES, what, ledger);
            UnixBind::Systemd
        }
        _ => UnixBind::Path(ledger.resolve(place.at, text)),
    };
    if let UnixBind::Path(path) = &bind {
        check_path(place, path, ledger);
    }
    let mode = node.get("mode").map_or(Some(USUAL), |node| mode(node, ledger))?;
    let group = node.optional("group", |node| account::group(node, ledger))?;
    Some(UnixListen { bind, mode, group })
}

fn check_path(at: &YamlNode, path: &Path, ledger: &mut MistakeLedger) {
    if path.as_os_str().len() > LONGEST {
        ledger.mistake(at.at, format!("a socket's path has {LONGEST} bytes at most"), "shorten it");
    }
    if path.file_name().is_none() {
        ledger.mistake(at.at, "this names no file", "write such as /run/dockward/docker.sock");
    }
}

fn mode(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<u32> {
    let text = node.text()?;
    let digits = text.strip_prefix('0').filter(|d| d.len() == 3);
    let Some(mode) = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok()) else {
        let next = "write \"0660\" or \"0600\"";
        return ledger.refuse(node.at, format!("{text:?} is no mode"), next);
    };
    if mode & 0o007 != 0 {
        let what = "everybody on this host, and every container with this directory, could connect";
        return ledger.refuse(node.at, what, "write \"0660\" and group: with those who may");
    }
    if mode & 0o111 != 0 || mode & 0o600 != 0o600 {
        let what = format!("{text:?} is no mode of a socket");
        return ledger.refuse(node.at, what, "write \"0660\" or \"0600\"");
    }
    Some(mode)
}

fn strangers(node: &YamlNode, keys: &[&str], what: &str, ledger: &mut MistakeLedger) {
    for key in keys {
        if let Some(value) = node.get(key) {
            let what = format!("{what}, so {key} means nothing");
            ledger.mistake(value.at, what, format!("remove {key}"));
        }
    }
}
