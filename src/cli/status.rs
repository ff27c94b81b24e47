//! `dockward status`: how the gate is, on one page.

use super::asking::{self, printable};
use super::out::{self, Paint};
use super::{ControlArgs, Exit, Failure, TableFormat, verdict};
use crate::control::client;
use crate::control::wire::{Ask, DaemonView, End, Log, Said, Status};
use std::path::Path;
use std::time::Duration;

/// From here on an end is worth a colour, in days.
const SOON: i64 = 30;

/// How long the gate may take to answer; the daemon behind it may hang.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks and prints. Exit code 1 if the gate is not well.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &ControlArgs) -> Result<Exit, Failure> {
    let (mut status, daemon) = ask(&asking::socket(args)?)?;
    status.causes.extend(verdict::of_daemon(&daemon));
    match args.format {
        TableFormat::Text => out::print(&page(&status, &daemon, Paint::stdout()))?,
        TableFormat::Json => {
            let unprintable =
                |why: serde_json::Error| Failure::new(why.to_string(), "ask with --format text");
            let mut json = serde_json::to_value(&status).map_err(unprintable)?;
            if let Some(object) = json.as_object_mut() {
                object.insert("verdict".to_owned(), verdict::word(&status.causes).into());
                object.insert(
                    "daemon".to_owned(),
                    serde_json::to_value(&daemon).map_err(unprintable)?,
                );
            }
            out::json(&json)?;
        }
    }
    Ok(if status.causes.is_empty() { Exit::Done } else { Exit::Findings })
}

/// How the gate at this socket is, and the daemon behind it.
///
/// # Errors
/// It cannot be asked.
pub(super) fn ask(socket: &Path) -> Result<(Status, DaemonView), Failure> {
    let said = |question| client::ask_within(socket, question, PATIENCE);
    let other = |said| match said {
        Said::Refused(why) => Failure::new(why, "ask again in a moment"),
        _ => Failure::new("the gate answered something else", "use the `dockward` that serves"),
    };
    let status = match said(Ask::Status)? {
        Said::Status(status) => *status,
        otherwise => return Err(other(otherwise)),
    };
    match said(Ask::Daemon)? {
        Said::Daemon(daemon) => Ok((status, daemon)),
        otherwise => Err(other(otherwise)),
    }
}

fn page(status: &Status, daemon: &DaemonView, paint: Paint) -> String {
    let mut text = verdict::text(&status.causes, paint);
    text.push_str(&format!("\n{}", out::table(&[], &gate(status, daemon, paint), Paint::none())));
    let mut part = |name: &str, heading: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let table = out::table(heading, &rows, paint);
            text.push_str(&format!("\n{}\n{table}", paint.bold(name)));
        }
    };
    let grants = status.grants.iter().map(|g| {
        let kept = if g.persist { "yes" } else { "no" }.to_owned();
        let [id, who, role, until] = [&g.id, &g.identity, &g.role, &g.until].map(String::clone);
        vec![id, who, role, until, kept, printable(&g.reason)]
    });
    let heading = ["ID", "IDENTITY", "ROLE", "UNTIL", "PERSIST", "REASON"];
    part("Grants", &heading, grants.collect());
    let observing = status.observing.iter().map(|o| vec![o.identity.clone(), o.until.clone()]);
    part("Observed, not enforced", &["IDENTITY", "UNTIL"], observing.collect());
    let would = status
        .would
        .iter()
        .map(|would| vec![would.identity.clone(), would.reason.clone(), would.count.to_string()]);
    part("Would have been refused", &["IDENTITY", "REASON", "TIMES"], would.collect());
    let open = |name: &str| status.open.get(name).copied().unwrap_or_default().to_string();
    let seen = status.identities.iter().map(|seen| {
        let until = seen.certificate_until.clone().unwrap_or_else(|| "-".to_owned());
        vec![seen.name.clone(), open(&seen.name), seen.last.clone(), until]
    });
    part("Identities", &["NAME", "OPEN", "LAST SEEN", "CERTIFICATE ENDS"], seen.collect());
    let ends = status.ends.iter().map(|end| vec![end.at.clone(), days(end), what(end, paint)]);
    part("What ends", &["WHEN", "DAYS", "WHAT"], ends.collect());
    for warning in &status.warnings {
        text.push_str(&format!("{} {}\n", paint.yellow("warning:"), printable(warning)));
    }
    text
}

fn days(end: &End) -> String {
    if end.days < 0 { "ended".to_owned() } else { end.days.to_string() }
}

/// Coloured in the last column alone, which nothing is aligned to.
fn what(end: &End, paint: Paint) -> String {
    let text = printable(&end.what);
    match end.days {
        gone if gone < 0 => paint.red(&text),
        soon if soon < SOON => paint.yellow(&text),
        _ => text,
    }
}

fn gate(status: &Status, daemon: &DaemonView, paint: Paint) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let Status { policy, reloads, counters, log, connections, .. } = status;
    let open: u64 = status.open.values().sum();
    let mut rows = vec![
        row("gate", format!("dockward {} on {}", status.version, printable(&status.host))),
        row("instance", status.instance.clone()),
        row("since", status.since.clone()),
        row("policy", policy.hash.to_string()),
        row("in force since", policy.since.clone()),
        row("reloads", format!("{} done, {} refused", reloads.done, reloads.failed)),
        row("listeners", status.listeners.join(", ")),
        row("connections", format!("{connections}, with {open} requests and sessions open")),
        row("decisions", format!("{} allowed, {} denied", counters.allowed, counters.denied)),
        row("handshakes refused", counters.handshakes_refused.to_string()),
        row("audit log", of_log(log, paint)),
        row("daemon", verdict::daemon(daemon)),
    ];
    if let Some(error) = &reloads.last_error {
        let first = printable(error.lines().next().unwrap_or_default());
        rows.push(row("not loaded", paint.red(&first)));
    }
    rows
}

fn of_log(log: &Log, paint: Paint) -> String {
    let health = if log.failing || log.error.is_some() {
        paint.red("cannot be written: nothing is let through")
    } else {
        paint.green("written")
    };
    let free = log.free.map_or_else(|| "?".to_owned(), |free| (free >> 20).to_string());
    let Log { directory, events, failures, .. } = log;
    format!("{health} ({directory}; {events} lines, {failures} failures; {free} MiB free)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_has_what_matters_and_leaves_out_what_is_empty() {
        let status: Status = serde_json::from_value(json!({
            "version": "0.1.0", "instance": "ab", "host": "web-1", "since": "2026-11-21T12:00:00Z",
            "policy": { "hash": "ff".repeat(32), "since": "2026-11-21T12:00:00Z" },
            "reloads": {
                "done": 1, "failed": 2, "last_error": "x.yaml:1:1: wrong\n  | more",
                "refused_since": "2026-11-21T12:00:00Z",
            },
            "causes": [{ "what": "the log is full", "next": "make room" }],
            "listeners": ["127.0.0.1:2376"], "connections": 3, "open": { "dev": 2 },
            "identities": [{
                "name": "dev", "last": "2026-11-21T12:00:00Z",
                "certificate_until": "2026-12-21T12:00:00Z",
            }],
            "would": [{ "identity": "old", "reason": "user.root", "count": 12 }],
            "grants": [], "observing": [], "warnings": ["the server certificate ends"],
            "ends": [{ "what": "server certificate", "at": "2026-11-23T12:00:00Z", "days": 2 }],
            "counters": { "allowed": 5, "denied": 6, "handshakes_refused": 7 },
            "log": {
                "directory": "/log", "events": 8, "syncs": 9, "failures": 1, "failing": true,
                "free": 4194304, "error": null,
            },
        }))
        .unwrap();
        let daemon: DaemonView = serde_json::from_value(json!({
            "socket": "/run/docker.sock", "answers": true, "version": "26.1.5", "api_version": "1.45",
            "since": "2026-11-21T12:00:00Z", "error": null,
        }))
        .unwrap();
        let page = page(&status, &daemon, Paint::none());
        assert!(page.starts_with("degraded: the log is full; make room\n\n"), "{page}");
        for line in [
            "not loaded          x.yaml:1:1: wrong\n",
            "cannot be written: nothing is let through (/log; 8 lines, 1 failures; 4 MiB free)\n",
            "answers: docker 26.1.5, API 1.45 (/run/docker.sock; so each time",
            "dev   2     2026-11-21T12:00:00Z  2026-12-21T12:00:00Z\n",
            "2026-11-23T12:00:00Z  2     server certificate\n",
            "old       user.root  12\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("Grants"), "{page}");
    }
}
