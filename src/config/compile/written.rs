//! The rules of a profile that may write something into a body and say what may be written there: who containers run as,
//! how they are restarted, at which address they publish, labels.

use super::rules::{bounded, without_captures};
use crate::config::mistake::MistakeLedger;
use crate::config::units;
use crate::config::yaml::{YamlEntry, YamlNode};
use crate::policy::glob::Glob;
use crate::policy::profile::{Allowed, Labels, Listed, Ports, Restarts, UserRule, Users};
use crate::policy::scope::RESERVED;
use std::net::IpAddr;

pub(crate) fn user(to: &mut Users, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    let of_ids = |node: &YamlNode| {
        let ranges = |key: &str| {
            let items = node.items_of(key);
            items.iter().filter_map(|id| units::range(id.text()?).ok()).collect()
        };
        UserRule::Ids { uid: ranges("uid"), gid: ranges("gid") }
    };
    let rule = |node: &YamlNode| match node.text() {
        Some("any") => UserRule::Any,
        Some(_) => UserRule::NonRoot,
        None => of_ids(node),
    };
    let allow = node.get("allow");
    let is_once = match (node.get("uid"), node.get("gid")) {
        (Some(_), Some(_)) => allow.is_none(),
        (None, None) => allow.is_some() || node.text().is_some(),
        _ => false,
    };
    if !is_once {
        ledger.mistake(node.at, "user says not once who it may be", "write allow, or uid and gid");
    }
    let allow = rule(allow.unwrap_or(node));
    let set = node.get("set").and_then(|set| Some((set, set.text()?)));
    if let Some((set, text)) = set
        && !allow.names(text)
    {
        ledger.mistake(
            set.at,
            "the user that is set is not among those allowed",
            "write another, or allow it",
        );
    }
    *to = Users { allow, set: set.map(|(_, text)| text.to_owned()) };
}

pub(crate) fn restarts(to: &mut Restarts, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    let allow = if node.get("allow").is_some() { node.texts_of("allow") } else { node.texts() };
    let set = node.get("set").and_then(|set| Some((set, set.text()?)));
    if let Some((set, text)) = set
        && !allow.iter().any(|policy| policy == text)
    {
        ledger.mistake(
            set.at,
            "the policy that is set is not among those allowed",
            "add it to allow",
        );
    }
    *to = Restarts { allow: Listed(allow), set: set.map(|(_, text)| text.to_owned()) };
}

pub(crate) fn ports(to: &mut Ports, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let host = entry.value.texts_of("host");
    let read = |node: &YamlNode| node.text().and_then(|ip| ip.parse::<IpAddr>().ok());
    let all = |list: &YamlNode| list.items().iter().filter_map(read).collect::<Listed<_>>();
    let address = entry.value.get("address");
    let named = address.and_then(|address| address.get("default"));
    let default = named.and_then(read);
    let address = match (address, default) {
        (Some(section), Some(default)) => {
            Some(section.get("allow").map_or_else(|| Listed(vec![default]), all))
        }
        (list, _) => list.map(all),
    };
    if let (Some(node), Some(default), Some(all)) = (named, default, &address)
        && !all.contains(&default)
    {
        let what = "the default address is not among those allowed";
        ledger.mistake(node.at, what, "add it to allow");
    }
    *to = Ports {
        ephemeral: Allowed(host.iter().any(|port| port == "ephemeral")),
        host: host.iter().filter_map(|port| units::range(port).ok()).collect(),
        address,
        default,
    };
}

pub(crate) fn labels(to: &mut Labels, entry: &YamlEntry, ledger: &mut MistakeLedger) {
    let node = &entry.value;
    let require = node.get("require").map(YamlNode::entries).unwrap_or_default();
    require.iter().for_each(|entry| bounded(&entry.value, ledger));
    let mut list = |key: &str| node.get(key).map(|list| without_captures(list, ledger));
    let required = require.iter().filter_map(|e| Some((e.key.clone(), Glob::new(e.value.text()?))));
    *to = Labels {
        allow: list("allow").map(Listed),
        deny: list("deny").unwrap_or_default(),
        require: required.collect(),
        set: Vec::new(),
    };
    for entry in node.get("set").map(YamlNode::entries).unwrap_or_default() {
        let Some(value) = entry.value.text() else { continue };
        let another =
            |(key, pattern): &(String, Glob)| *key == entry.key && !pattern.matches(value);
        if entry.key.starts_with(RESERVED) {
            let next = "write another key: the gate sets these itself";
            ledger.mistake(
                entry.at,
                format!("a label under {RESERVED} is not set by a profile"),
                next,
            );
        }
        if to.require.iter().any(another) {
            let next = "write one that does";
            ledger.mistake(entry.value.at, "the value that is set is none that is required", next);
        }
        to.set.push((entry.key.clone(), value.to_owned()));
    }
}
