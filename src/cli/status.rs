//! `dockward status`: how the gate is, on one page.

use super::asking::{self, only, printable};
use super::out::{self, Paint};
use super::{ControlArgs, Exit, Failure};
use crate::control::wire::{Ask, End, Status};

/// From here on an end is worth a colour, in days.
const SOON: i64 = 30;

/// Asks and prints.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &ControlArgs) -> Result<Exit, Failure> {
    asking::show(args, Ask::Status, only!(Status), |status, paint| page(status, paint))
}

fn page(status: &Status, paint: Paint) -> String {
    let mut text = out::table(&[], &gate(status, paint), Paint::none());
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

fn gate(status: &Status, paint: Paint) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let Status { policy, reloads, counters, log, connections, .. } = status;
    let open: u64 = status.open.values().sum();
    let health = if log.failing {
        paint.red("cannot be written: nothing is let through")
    } else {
        paint.green("written")
    };
    let written = format!("{} lines, {} failures", log.events, log.failures);
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
        row("audit log", format!("{health} ({}; {written})", log.directory)),
    ];
    if let Some(error) = &reloads.last_error {
        let first = printable(error.lines().next().unwrap_or_default());
        rows.push(row("not loaded", paint.red(&first)));
    }
    rows
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
            "reloads": { "done": 1, "failed": 2, "last_error": "x.yaml:1:1: wrong\n  | more" },
            "listeners": ["127.0.0.1:2376"], "connections": 3, "open": { "dev": 2 },
            "identities": [{
                "name": "dev", "last": "2026-11-21T12:00:00Z",
                "certificate_until": "2026-12-21T12:00:00Z",
            }],
            "grants": [], "observing": [], "warnings": ["the server certificate ends"],
            "ends": [{ "what": "server certificate", "at": "2026-11-23T12:00:00Z", "days": 2 }],
            "counters": { "allowed": 5, "denied": 6, "handshakes_refused": 7 },
            "log": {
                "directory": "/log", "events": 8, "syncs": 9, "failures": 1, "failing": true,
            },
        }))
        .unwrap();
        let page = page(&status, Paint::none());
        for line in [
            "not loaded          x.yaml:1:1: wrong\n",
            "cannot be written: nothing is let through (/log; 8 lines, 1 failures)\n",
            "dev   2     2026-11-21T12:00:00Z  2026-12-21T12:00:00Z\n",
            "2026-11-23T12:00:00Z  2     server certificate\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("Grants"), "{page}");
    }
}
