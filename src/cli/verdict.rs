//! The first word of `status` and `healthcheck`: well, or each cause why not with what to do.

use super::certificates;
use super::out::Paint;
use crate::audit;
use crate::config::Config;
use crate::control::verdict::{SCARCE, of_end};
use crate::control::wire::{DaemonView, DegradedCause};
use crate::identity::expiry::Dated;
use crate::visible::line;
use serde_json::{Value, json};

/// `well`, or a line for each cause.
pub(super) fn text(causes: &[DegradedCause], paint: Paint) -> String {
    if causes.is_empty() {
        return format!("{}\n", paint.green("well"));
    }
    let one = |cause: &DegradedCause| {
        format!("{}: {}; {}\n", paint.red("degraded"), line(&cause.what), line(&cause.next))
    };
    causes.iter().map(one).collect()
}

/// One word for programs.
pub(super) const fn word(causes: &[DegradedCause]) -> &'static str {
    if causes.is_empty() { "well" } else { "degraded" }
}

/// The causes for programs.
pub(super) fn object(causes: &[DegradedCause]) -> Value {
    causes.iter().map(|cause| json!({ "what": cause.what, "next": cause.next })).collect()
}

/// What stands against the daemon.
pub(super) fn of_daemon(daemon: &DaemonView) -> Option<DegradedCause> {
    let error = daemon.error.as_deref()?;
    let what =
        format!("the daemon does not answer: {}", error.trim_end_matches("; nothing was sent"));
    Some(DegradedCause {
        what,
        next: "see `systemctl status docker`; the gate needs no restart".to_owned(),
    })
}

/// How the daemon is, in a few words.
pub(super) fn daemon(daemon: &DaemonView) -> String {
    let DaemonView { answers, version, api_version, since, socket, .. } = daemon;
    let version = version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let api = api_version.as_deref().map(|api| format!(", API {api}")).unwrap_or_default();
    let how =
        if *answers { format!("answers: docker{version}{api}") } else { "is away".to_owned() };
    line(&format!("{how} ({socket}; so each time it was asked since {since})")).into_owned()
}

/// What can be told of a gate that is not asked itself: by its files, and by the disk of its log.
pub(super) fn from_outside(config: &Config, now: i64) -> Vec<DegradedCause> {
    let dated: Vec<Dated> = certificates::look(config);
    let mut causes: Vec<DegradedCause> = dated.iter().filter_map(|one| of_end(one, now)).collect();
    let directory = &config.audit.directory;
    if let Some(free) = audit::room(directory).ok().filter(|free| *free < SCARCE) {
        let what = match free < 4096 {
            true => format!(
                "the log's disk is full, so nothing is let through: {}",
                directory.display()
            ),
            false => {
                format!(
                    "the log's disk is nearly full: {} MiB are free at {}",
                    free >> 20,
                    directory.display()
                )
            }
        };
        causes.push(DegradedCause { what, next: "make room".to_owned() });
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_verdict_and_each_cause_has_its_next_step() {
        assert_eq!(text(&[], Paint::none()), "well\n");
        let cause = |what: &str| DegradedCause { what: what.to_owned(), next: "do".to_owned() };
        assert_eq!(
            text(&[cause("a\nb"), cause("c")], Paint::none()),
            "degraded: a\\nb; do\ndegraded: c; do\n"
        );
    }
}
