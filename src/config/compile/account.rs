//! Users and groups of this host, by name or number. Names are looked up once, when the file is loaded:
//! in all that the host knows (nsswitch.conf(5), so directories of an organisation as well as files).

use super::super::mistake::MistakeLedger;
use super::super::yaml::YamlNode;
use nix::unistd::{Group, User};
use std::fmt::Display;

/// What the kernel shows instead of a user that has no number here.
const NOBODY: u32 = 65534;
/// What stands for no user at all (`chown(2)`: leave it as it is).
const NONE: u32 = u32::MAX;

/// The number of a user.
pub(super) fn user(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<u32> {
    let uid = number(node, "user", ledger, |name| {
        User::from_name(name).map(|u| u.map(|u| u.uid.as_raw()))
    })?;
    if uid == NOBODY {
        let what = "nobody is what the kernel shows for users that it cannot name, of containers for example";
        return ledger.refuse(node.at, what, "choose another user");
    }
    Some(uid)
}

/// The number of a group.
pub(super) fn group(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<u32> {
    number(node, "group", ledger, |name| Group::from_name(name).map(|g| g.map(|g| g.gid.as_raw())))
}

/// Whether this can be a name or a number at all.
pub(in crate::config) fn is_account(text: &str) -> Result<(), String> {
    let strange =
        text.is_empty() || text.trim() != text || text.chars().any(|c| c.is_control() || c == ':');
    match strange {
        false => Ok(()),
        true => Err("write a name of this host or a number".into()),
    }
}

fn number<E: Display>(
    node: &YamlNode,
    what: &str,
    ledger: &mut MistakeLedger,
    by_name: impl Fn(&str) -> Result<Option<u32>, E>,
) -> Option<u32> {
    let text = node.text()?;
    is_account(text).ok()?;
    let (mistake, next) = if text.bytes().all(|b| b.is_ascii_digit()) {
        match text.parse().ok().filter(|number| *number != NONE) {
            Some(number) => return Some(number),
            None => (format!("{text} is no number of a {what}"), "write one below 4294967295"),
        }
    } else {
        match by_name(text) {
            Ok(Some(number)) => return Some(number),
            Ok(None) => (
                format!("there is no {what} {text:?} on this host"),
                "create it, or correct the name; a number is taken as it is",
            ),
            Err(why) => (
                format!("the {what} {text:?} cannot be looked up ({why})"),
                "see what nsswitch.conf names, or write the number",
            ),
        }
    };
    ledger.refuse(node.at, mistake, next)
}
