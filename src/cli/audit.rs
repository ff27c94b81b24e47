//! `dockward audit`: whether the log is as it was written, and the hash to keep elsewhere, by which it is known later that
//! nothing was cut off.

use super::args::{AuditCommand, LogArgs};
use super::out::{self, Paint};
use super::{Exit, Failure, TableFormat};
use crate::audit::{self, Summary, VerifyError};
use crate::config;
use crate::digest::Sha256;
use crate::problem::Actionable as _;
use crate::visible::line;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Verifies the log, or prints its newest hash.
///
/// # Errors
/// The log cannot be read, or has nothing in it.
pub fn run(command: &AuditCommand) -> Result<Exit, Failure> {
    match command {
        AuditCommand::Verify { log, expect_head, format } => {
            verify(log, expect_head.as_deref(), *format)
        }
        AuditCommand::Head { log } => head(log),
    }
}

fn directory(log: &LogArgs) -> Result<PathBuf, Failure> {
    match (&log.directory, &log.config) {
        (Some(directory), _) => Ok(directory.clone()),
        (None, Some(file)) => Ok(config::load(file, Timestamp::now())?.audit.directory),
        (None, None) => Err(Failure::new(
            "nobody says where the log is",
            "add --config FILE, the policy of its gate, or --directory DIR",
        )),
    }
}

fn verify(log: &LogArgs, expected: Option<&str>, format: TableFormat) -> Result<Exit, Failure> {
    let expected = expected.map(wanted).transpose()?;
    let directory = directory(log)?;
    let summary = match audit::verify(&directory) {
        Ok(summary) => summary,
        Err(VerifyError::Read(error)) => return Err(error.into()),
        Err(broken) => return broke(&broken, format),
    };
    let found = expected.map(|hash| audit::line_of(&directory, hash)).transpose()?;
    let lost = found.as_ref().is_some_and(Option::is_none);
    match format {
        TableFormat::Json => out::json(&object(&summary, found.as_ref().map(Option::as_ref)))?,
        TableFormat::Text => out::print(&told(&summary, found.as_ref().map(Option::as_ref)))?,
    }
    Ok(if lost { Exit::Findings } else { Exit::Done })
}

fn wanted(text: &str) -> Result<Sha256, Failure> {
    text.parse().map_err(|_| {
        let what = format!("{text:?} is no hash of a line");
        Failure::new(what, "give what `dockward audit head` printed: 64 hex digits")
    })
}

fn broke(broken: &VerifyError, format: TableFormat) -> Result<Exit, Failure> {
    let problem = broken.problem();
    match format {
        TableFormat::Json => {
            out::json(&json!({ "ok": false, "what": problem.what, "next": problem.next }))?;
        }
        TableFormat::Text => {
            let word = Paint::stdout().red("CHANGED");
            out::print(&format!("{word}: {}\n  {}\n", line(&problem.what), line(&problem.next)))?;
        }
    }
    Ok(Exit::Findings)
}

/// What was shown, and what was not.
fn told(summary: &Summary, found: Option<Option<&(String, u64)>>) -> String {
    let paint = Paint::stdout();
    let mut text = match found {
        Some(None) => format!(
            "{}: the line with the hash that was kept is not in this log, which was cut off or written anew\n",
            paint.red("CHANGED")
        ),
        _ => format!(
            "{}: each of {} lines is as it was written\n",
            paint.green("OK"),
            summary.events
        ),
    };
    for file in &summary.files {
        let end = match (file.stopped, file.torn) {
            (_, torn) if torn > 0 => {
                format!("ends in {torn} bytes of a line that was not finished")
            }
            (true, _) => "ended in order".to_owned(),
            (false, _) => "is being written, or its gate did not end in order".to_owned(),
        };
        let _ = writeln!(text, "  {}: {} lines, {end}", line(&file.name), file.events);
    }
    if let Some(before) = &summary.begins_after {
        let _ = writeln!(text, "  what came before, {}, is not here", line(before));
    }
    match found {
        Some(Some((file, at))) => {
            let _ = writeln!(text, "the hash that was kept is that of {}, line {at}: nothing up to it is missing", line(file));
        }
        Some(None) => {}
        None => text.push_str(
            "that nothing was cut off at the end is shown only by a hash kept elsewhere: dockward audit head, then \
             --expect-head HASH\n",
        ),
    }
    text
}

fn object(summary: &Summary, found: Option<Option<&(String, u64)>>) -> Value {
    let file = |file: &audit::FileSummary| {
        json!({
            "name": file.name, "events": file.events, "tip": file.tip.map(|tip| tip.to_string()),
            "stopped": file.stopped, "torn": file.torn,
        })
    };
    json!({
        "ok": !matches!(found, Some(None)), "events": summary.events, "begins_after": summary.begins_after,
        "files": summary.files.iter().map(file).collect::<Vec<_>>(),
        "kept_head": found.map(|found| found.map(|(file, line)| json!({ "file": file, "line": line }))),
    })
}

fn head(log: &LogArgs) -> Result<Exit, Failure> {
    let summary = match audit::verify(&directory(log)?) {
        Ok(summary) => summary,
        Err(VerifyError::Read(error)) => return Err(error.into()),
        Err(broken) => return broke(&broken, TableFormat::Text),
    };
    let tip = summary.files.last().and_then(|file| file.tip).ok_or_else(|| {
        Failure::new("the log has no line yet", "ask when the gate has been started")
    })?;
    out::print(&format!("{tip}\n"))?;
    Ok(Exit::Done)
}
