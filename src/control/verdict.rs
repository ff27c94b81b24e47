//! Whether the gate is well: everything that keeps it from serving, or will soon, each with what to do. What is only
//! worth a look is a warning and stands elsewhere.

use super::status::House;
use super::wire::{DaemonView, DegradedCause, Log, Reloads};
use crate::daemon::{Daemon, DaemonError, Lookup};
use crate::identity::expiry::{Dated, ExpiryStage, What};
use crate::problem::Actionable as _;
use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;
use std::time::Duration;

/// Free bytes below which the log is about to be full; noise is kept out of it from here on.
pub(crate) const SCARCE: u64 = 64 << 20;
/// How long the daemon may take to answer whoever asks how it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long a listener that could not accept is spoken of: while it lasts it tries ten times a second.
const UNACCEPTED: SignedDuration = SignedDuration::from_secs(10);

pub(super) fn causes(
    house: &House,
    loads: &Reloads,
    dated: &[Dated],
    log: &Log,
    now: Timestamp,
) -> Vec<DegradedCause> {
    let mut causes: Vec<DegradedCause> = of_log(log).into_iter().collect();
    causes.extend(dated.iter().filter_map(|one| of_end(one, now.as_second())));
    causes.extend(of_loads(loads));
    causes.extend(of_front(house, now));
    causes
}

fn cause(what: impl Into<String>, next: impl Into<String>) -> DegradedCause {
    DegradedCause { what: what.into(), next: next.into() }
}

fn of_log(log: &Log) -> Option<DegradedCause> {
    let directory = &log.directory;
    if let Some(error) = &log.error {
        let what =
            format!("the log cannot be written, so nothing is let through: {directory}: {error}");
        return Some(cause(what, "make room, or see to its disk"));
    }
    if log.failing {
        let what = format!("the log could not be written the last time: {directory}");
        return Some(cause(what, "see the operational log; it is tried again with each request"));
    }
    let free = log.free.filter(|free| *free < SCARCE)?;
    let what = format!("the log's disk is nearly full: {} MiB are free at {directory}", free >> 20);
    Some(cause(what, "make room before nothing is let through any more"))
}

/// What has ended, or has not begun, of the gate itself.
pub(crate) fn of_end(one: &Dated, now: i64) -> Option<DegradedCause> {
    let over = matches!(one.span.stage(now), ExpiryStage::Expired | ExpiryStage::NotYet);
    if !over || matches!(one.what, What::Client(_)) {
        return None;
    }
    let text = one.notice(now)?.text;
    let ends = [" ago), ", " from now), "];
    let halves = ends.iter().find_map(|end| {
        let (what, next) = text.split_once(end)?;
        Some(cause(format!("{what}{}", end.trim_end_matches(", ")), next))
    });
    halves.or_else(|| Some(cause(text, "see its file")))
}

fn of_loads(loads: &Reloads) -> Option<DegradedCause> {
    let error = loads.last_error.as_ref()?;
    let since = loads.refused_since.as_deref().unwrap_or("the last reload");
    let first = error.lines().next().unwrap_or_default();
    let what = format!("what the files say is not in force since {since}: {first}");
    Some(cause(what, "`dockward check` shows all of it; correct it"))
}

fn of_front(house: &House, now: Timestamp) -> Vec<DegradedCause> {
    let mut causes = Vec::new();
    let lately = house.tally.unaccepted().filter(|(at, _)| now.duration_since(*at) < UNACCEPTED);
    if let Some((_, said)) = lately {
        causes.push(cause(said, "raise the limit of open files (LimitNOFILE=)"));
    } else if let Some((open, most)) = descriptors().filter(|(open, most)| open * 10 >= most * 9) {
        let what = format!("{open} of {most} files that the process may open are open");
        causes.push(cause(what, "raise the limit of open files (LimitNOFILE=)"));
    }
    if house.front.seated() >= house.seats {
        let what = format!("all {} places for connections are taken", house.seats);
        causes.push(cause(what, "see `dockward sessions`, or raise front.connections"));
    }
    causes
}

/// How many files are open, and how many may be.
fn descriptors() -> Option<(u64, u64)> {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some((u64::try_from(open).ok()?, most))
}

impl House {
    /// Asks the daemon, for a few seconds at most.
    pub(super) async fn daemon(&self, daemon: &Daemon, now: Timestamp) -> DaemonView {
        let asked = tokio::time::timeout(PATIENCE, daemon.lookup(Lookup::Version)).await;
        let answer = asked.map_err(|_| "no answer within three seconds".to_owned());
        let answer = answer.and_then(|answer| answer.map_err(|error| said(&error)));
        let found = answer.is_ok();
        let mut reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, since) = reach.filter(|(before, _)| *before == found).unwrap_or((found, now));
        *reach = Some((found, since));
        drop(reach);
        let text = |key: &str| {
            answer.as_ref().ok()?.get(key)?.as_str().map(|text| text.chars().take(64).collect())
        };
        DaemonView {
            socket: daemon.socket().display().to_string(),
            answers: found,
            version: text("Version"),
            api_version: text("ApiVersion"),
            since: super::status::shown(since),
            error: answer.as_ref().err().cloned(),
        }
    }
}

fn said(error: &DaemonError) -> String {
    error.problem().what.into_owned()
}
