//! `dockward observe NAME`: what of an identity that is only observed would have been refused, from the log, each kind with the
//! smallest change of the policy that lets it pass: what is left of the list is what enforcing will refuse.

use super::args::ObserveArgs;
use super::out::{self, Paint};
use super::{Exit, Failure, TableFormat};
use crate::audit::{self, Logged};
use crate::config::{self, Config};
use crate::docker::ROUTES;
use crate::policy::change::{AskedFor, Change};
use crate::policy::{Reason, place};
use crate::visible::line;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// WouldKinds that are kept: of each there is one for every name that is asked for.
const MOST: usize = 1000;

/// Prints the list.
///
/// # Errors
/// The policy or the log cannot be read, or nobody is called so.
pub fn run(args: &ObserveArgs) -> Result<Exit, Failure> {
    let config = config::load(&args.config, Timestamp::now())?;
    let mut kinds = WouldKinds::default();
    audit::observed(&config.audit.directory, &args.name, |logged| kinds.add(logged))?;
    if kinds.requests == 0 && !is_known(&config, &args.name) {
        let what =
            format!("no identity of the policy is called {:?}, nor is one in the log", args.name);
        return Err(Failure::new(what, "dockward check lists them"));
    }
    let mut all: Vec<(WouldKind, Times)> = kinds.all.into_iter().collect();
    all.sort_by(|(one, a), (other, b)| b.count.cmp(&a.count).then(one.cmp(other)));
    let refused = !all.is_empty();
    match args.format {
        TableFormat::Json => {
            out::json(&all.iter().map(|(kind, times)| object(&config, kind, times)).collect())?
        }
        TableFormat::Text => {
            let mut text = head(&args.name, kinds.requests, all.len());
            for (kind, times) in &all {
                text.push_str(&shown(&config, kind, times));
            }
            if refused {
                let also = "a key that stands in the file already takes what is added; then ask: dockward check\n";
                let _ = write!(text, "\n{}", Paint::stdout().yellow(also));
            }
            out::print(&text)?;
        }
    }
    Ok(if refused { Exit::Findings } else { Exit::Done })
}

fn is_known(config: &Config, name: &str) -> bool {
    let parsed = name.parse().ok();
    parsed.is_some_and(|name| crate::identity::supposed(&config.policy.identities, &name).is_some())
}

/// What is refused in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WouldKind {
    reason: String,
    operation: String,
    /// Without the numbers of lists.
    field: String,
    value: String,
    /// The first role held, which a change is for.
    role: String,
}

/// How often, and the last of them.
#[derive(Clone, Debug, Default)]
struct Times {
    count: u64,
    last: String,
    event: String,
}

#[derive(Debug, Default)]
struct WouldKinds {
    requests: u64,
    all: BTreeMap<WouldKind, Times>,
}

impl WouldKinds {
    fn add(&mut self, logged: &Logged) {
        let Some(decision) = &logged.event.decision else { return };
        self.requests = self.requests.saturating_add(1);
        let request = logged.event.request.clone().unwrap_or_default();
        let roles = logged.event.identity.as_ref().map(|who| who.roles.clone()).unwrap_or_default();
        for reason in decision.reasons() {
            let kind = WouldKind {
                reason: reason.id.clone(),
                operation: request.operation.clone().unwrap_or_default(),
                field: without_numbers(reason.field.as_deref().unwrap_or_default()),
                value: reason.value.clone().unwrap_or_default(),
                role: roles.first().cloned().unwrap_or_default(),
            };
            if self.all.len() >= MOST && !self.all.contains_key(&kind) {
                continue;
            }
            let times = self.all.entry(kind).or_default();
            times.count = times.count.saturating_add(1);
            times.last.clone_from(&logged.frame.time);
            times.event = logged.event.id.to_string();
        }
    }
}

/// `HostConfig.Binds[3]` is `HostConfig.Binds`: the third is refused as the first is.
fn without_numbers(field: &str) -> String {
    let mut parts = field.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| match part.split_once(']') {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => all + rest,
        _ => all + "[" + part,
    })
}

fn head(name: &str, requests: u64, kinds: usize) -> String {
    let name = line(name);
    match kinds {
        0 => format!("{name}: nothing in the log would have been refused\n"),
        _ => format!("{name}: {requests} requests would have been refused, in {kinds} ways\n"),
    }
}

fn shown(config: &Config, kind: &WouldKind, times: &Times) -> String {
    let value = if kind.value.is_empty() { String::new() } else { format!(" {:?}", kind.value) };
    let mut text = format!(
        "\n{} times, last at {} ({}): {}: {}{}{}\n",
        times.count,
        times.last,
        times.event,
        line(&kind.operation),
        line(&kind.reason),
        line(&value),
        place(&kind.field, &line(&kind.field)),
    );
    let _ = match &changed(kind) {
        Change::Role(lines) => {
            writeln!(text, "  roles: {{ {}: {{ {} }} }}", line(&kind.role), line(lines))
        }
        Change::Profile(lines) => writeln!(text, "  {}", line(&to_profile(config, kind, lines))),
        Change::None(why) => writeln!(text, "  no key lets it pass: {why}"),
    };
    text
}

fn object(config: &Config, kind: &WouldKind, times: &Times) -> Value {
    let (key, change) = match changed(kind) {
        Change::Role(lines) => ("role", json!({ "of": kind.role, "add": lines })),
        Change::Profile(lines) => {
            let whole = to_profile(config, kind, &lines);
            ("admission", json!({ "of": profile(config, kind), "add": lines, "whole": whole }))
        }
        Change::None(why) => ("none", json!(why)),
    };
    json!({
        "count": times.count, "last": times.last, "event": times.event, "operation": kind.operation,
        "reason": kind.reason, "field": kind.field, "value": kind.value, "change": { key: change },
    })
}

fn changed(kind: &WouldKind) -> Change {
    let WouldKind { reason, operation, field, value, .. } = kind;
    let reason = Reason::ALL.iter().copied().find(|known| known.id() == reason);
    let route = ROUTES.iter().find(|route| route.operation == operation);
    match (reason, route) {
        (Some(reason), Some(route)) => AskedFor { reason, route, field, value }.change(),
        _ => Change::None("this version does not know it"),
    }
}

/// The profile of the role; none where it has none.
fn profile<'c>(config: &'c Config, kind: &WouldKind) -> &'c str {
    let role = config.policy.roles.get(&kind.role);
    let profile = role.and_then(|role| role.admission.profile());
    profile.map_or("", |profile| profile.name.as_str())
}

/// Keys that a profile takes up. One that is built in takes none: then the role gets a profile of its own, which extends it.
fn to_profile(config: &Config, kind: &WouldKind, keys: &str) -> String {
    match profile(config, kind) {
        built_in @ ("" | "baseline" | "restricted") => {
            let (role, extends) =
                (&kind.role, if built_in.is_empty() { "baseline" } else { built_in });
            format!(
                "admission: {{ {role}: {{ extends: {extends}, {keys} }} }}, and roles: {{ {role}: {{ admission: {role} }} }}"
            )
        }
        own => format!("admission: {{ {own}: {{ {keys} }} }}"),
    }
}

#[cfg(test)]
mod tests;
