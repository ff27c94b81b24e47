//! Errors become HTTP here and nowhere else: in Docker's own `{"message": ..}`, so that every client
//! shows our words. Nothing a client supplied is shown unescaped or at length, and nothing is said
//! that the identity may not know.

use super::connected::Ending;
use super::limits::TooMany;
use super::receive::Unreceived;
use super::trust::Untrusted;
use crate::docker::{Flaw, Malformed};
use crate::identity::{Unidentified, is_printable};
use crate::policy::{Denial, Finding, Reason, place};
use crate::rule::Rule;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use std::fmt::Write as _;

/// What breaks a response off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A response's body.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// The most characters shown of one piece of text.
const SHOWN: usize = 200;
/// The most reasons shown; the log says how many more there are.
const FINDINGS: usize = 16;

/// A body of these bytes.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Docker's error: a status and `{"message": ..}`.
#[must_use]
pub fn message(status: StatusCode, text: &str) -> Response<ResponseBody> {
    let json = serde_json::json!({ "message": text }).to_string();
    let mut response = Response::new(full(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A request that cannot be read in one way: 400; 413 for one that is too large, 414 for a target that is, 403 for a route that
/// nobody may use, 404 for a name that nothing can have. `event` is its record in the audit log.
#[must_use]
pub fn malformed(malformed: &Malformed, event: Option<&str>) -> Response<ResponseBody> {
    let status = match malformed.flaw {
        Flaw::RouteUnknown => StatusCode::FORBIDDEN,
        Flaw::NameAbsent => StatusCode::NOT_FOUND,
        Flaw::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Flaw::TargetTooLong => StatusCode::URI_TOO_LONG,
        _ => StatusCode::BAD_REQUEST,
    };
    let (why, at) = (shown(&malformed.why), shown(&malformed.at));
    let id = malformed.flaw.id();
    let mut text = match malformed.flaw {
        // Docker's own words first and unchanged: clients look for them.
        Flaw::VersionRange => format!(
            "{why}\n  dockward: set DOCKER_API_VERSION to a version that is accepted, or, where the client \
             pins an older one, have api_min lowered under daemon in the policy [{id}]."
        ),
        Flaw::NameAbsent => return message(status, &why),
        _ if at.is_empty() => format!("dockward: {why} [{id}]"),
        _ => format!("dockward: {why} ({at}) [{id}]"),
    };
    if let Some(event) = event {
        text.push_str(if text.ends_with('.') { " " } else { "\n  " });
        text.push_str(&record(event));
    }
    message(status, &text)
}

/// A body that did not come in.
#[must_use]
pub fn unreceived(unreceived: &Unreceived, event: Option<&str>) -> Response<ResponseBody> {
    match unreceived {
        Unreceived::Malformed(flaw) => malformed(flaw, event),
        Unreceived::Busy => busy(),
    }
}

/// What this identity may not do: 404 where what it names is not there, 409 where a name is taken; else 403, every reason on a line of its own, what would be allowed
/// below it, and the record in the audit log at the end.
#[must_use]
pub fn denied(
    name: &str,
    denial: &Denial,
    event: &str,
    contact: Option<&str>,
) -> Response<ResponseBody> {
    // the daemon's own words, which clients look for
    let is = |reason: fn(Reason) -> bool| denial.findings.iter().find(|of| reason(of.reason));
    if let Some(absent) = is(Reason::is_absent) {
        return message(StatusCode::NOT_FOUND, &shown(&absent.what));
    }
    if let Some(taken) = is(|reason| reason == Reason::OwnerTaken) {
        return message(StatusCode::CONFLICT, &shown(&taken.what));
    }
    let mut text = denial_text(name, denial, event);
    ask(&mut text, contact);
    message(StatusCode::FORBIDDEN, &text)
}

fn denial_text(name: &str, denial: &Denial, event: &str) -> String {
    let mut text = String::new();
    let mut hint = None;
    for finding in denial.findings.iter().take(FINDINGS) {
        let next = finding.allowed.as_deref().map(shown);
        if hint != next
            && let Some(hint) = hint.take()
        {
            let _ = writeln!(text, "  {hint}.");
        }
        let _ = writeln!(text, "{}", line(name, finding));
        hint = next;
    }
    let more = denial.findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more.");
    }
    text.push_str("  ");
    if let Some(hint) = hint {
        let _ = write!(text, "{hint}. ");
    }
    if denial.even_observed {
        text.push_str("Refused even while observing, as it amounts to root on the host. ");
    }
    text.push_str(&record(event));
    text
}

fn line(name: &str, finding: &Finding) -> String {
    let (name, what, field) = (shown(name), shown(&finding.what), shown(&finding.field));
    let id = finding.reason.id();
    let at = place(&finding.field, &field);
    format!("dockward: {name} may not {what}{at} [{id}]")
}

/// Whom to ask, at the end of a refusal.
fn ask(text: &mut String, contact: Option<&str>) {
    if let Some(contact) = contact {
        let _ = write!(text, "\n  Ask {}.", shown(contact));
    }
}

fn record(event: &str) -> String {
    format!("Request {} in the audit log.", shown(event))
}

/// A good certificate that is nobody's: 403, and the connection closes.
#[must_use]
pub fn stranger(why: &Unidentified) -> Response<ResponseBody> {
    turned_away(&why.to_string(), why.rule())
}

/// A certificate that is not believed any more: 403, and the connection closes.
#[must_use]
pub fn untrusted(why: &Untrusted) -> Response<ResponseBody> {
    turned_away(&why.to_string(), why.rule())
}

/// We ended what was asked before it was done: 403, and the connection closes.
#[must_use]
pub fn ended(why: &Ending) -> Response<ResponseBody> {
    closing(&format!("dockward: ended: {} [{}]", shown(&why.text), why.reason.id))
}

/// As many of what the rule is about as there may be at once: 429.
#[must_use]
pub fn too_many(rule: &Rule, most: TooMany) -> Response<ResponseBody> {
    let Rule { id, what, remedy, .. } = rule;
    retry(&format!("dockward: {what}: {} are open [{id}]\n  {remedy}.", most.most))
}

/// As much as its owner may have of what the rule is about: 429.
#[must_use]
pub fn over(
    name: &str,
    rule: &Rule,
    (has, most): (u64, u64),
    contact: Option<&str>,
) -> Response<ResponseBody> {
    let Rule { id, what, remedy, .. } = rule;
    let mut text =
        format!("dockward: {name} may not have {what}: {has} of {most} [{id}]\n  {remedy}.");
    ask(&mut text, contact);
    retry(&text)
}

/// No memory is left for a body: 429.
#[must_use]
pub fn busy() -> Response<ResponseBody> {
    retry("dockward: too many request bodies are in hand, try again")
}

/// The daemon does not answer: 502. `detail` says how, without what the identity may not know.
#[must_use]
pub fn daemon_away(detail: &str) -> Response<ResponseBody> {
    let text = format!("dockward: the Docker daemon is away: {}", shown(detail));
    message(StatusCode::BAD_GATEWAY, &text)
}

/// The gate stops, and what was open is cut: 503. Whether it was done is not known.
#[must_use]
pub fn stopping() -> Response<ResponseBody> {
    let text = "dockward: the gate stops, so this was ended before it was done; look at what became of it, and \
                try again when the gate is back";
    message(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// The decision cannot be written down, so nothing is forwarded: 503.
#[must_use]
pub fn log_unwritable() -> Response<ResponseBody> {
    let text = "dockward: the audit log cannot be written, so nothing is forwarded; tell whoever \
                runs dockward";
    message(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn retry(text: &str) -> Response<ResponseBody> {
    let mut response = message(StatusCode::TOO_MANY_REQUESTS, text);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn turned_away(why: &str, rule: &Rule) -> Response<ResponseBody> {
    closing(&format!("dockward: {} [{}]", shown(why), rule.id))
}

fn closing(text: &str) -> Response<ResponseBody> {
    let mut response = message(StatusCode::FORBIDDEN, text);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Text as it may be shown: one line, everything without one visible reading as `\u{..}`, cut after
/// [`SHOWN`] characters.
pub(super) fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(SHOWN));
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN {
            safe.push('…');
            break;
        }
        // what has one reading, and the one sign of our own sentences that is no letter
        match is_printable(c) || c == '…' {
            true => safe.push(c),
            false => safe.extend(c.escape_unicode()),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
