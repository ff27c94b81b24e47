//! `check --client-cert`: whether a certificate that is there already will be let in, at which listener, and
//! as whom; by the very code that a handshake asks.

use super::{Failure, out};
use crate::config::{Bind, Config, Listen, TlsListen};
use crate::identity::{CertificateFacts, Identity, Unidentified, identify};
use crate::policy::glob::Glob;
use crate::proxy::{self, TlsError, Trust, Untrusted};
use crate::rule::{Rule, rules};
use crate::server::credentials;
use crate::visible::line;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

rules! {
    /// Under which id a certificate is asked about in vain.
    pub(crate) enum Unasked in "A listener that cannot be asked", "By `dockward check --client-cert` alone." {
        Listener = "listener.unusable",
            "a certificate at a listener whose authorities, revocation lists or deny-list cannot be used",
            "the gate itself would not start with them",
            "correct the file that is named", [];
    }
}

/// What one listener says of the certificate.
pub(super) struct ListenerVerdict {
    listener: String,
    /// Who it is and until when (seconds since 1970), or the reason and its words.
    answer: Result<(Box<Identity>, i64), (&'static Rule, String)>,
}

/// Asks every listener of the policy about a PEM file, the client's certificate first.
///
/// # Errors
/// The file cannot be read.
pub(super) fn ask(
    config: &Config,
    file: &Path,
    now: Timestamp,
) -> Result<Vec<ListenerVerdict>, Failure> {
    let chain = proxy::certificates(file)?;
    let listeners = config.listen.iter().filter_map(|listen| Some((listen, listen.tls()?)));
    let verdict = |(listen, tls): (&Listen, &TlsListen)| {
        let listener = match tls.address {
            Bind::Address(address) => address.to_string(),
            Bind::Systemd => "systemd".to_owned(),
        };
        ListenerVerdict { listener, answer: answer(config, listen, tls, &chain, now) }
    };
    Ok(listeners.map(verdict).collect())
}

/// Whether at least one listener lets it in.
pub(super) fn is_let_in(verdicts: &[ListenerVerdict]) -> bool {
    verdicts.iter().any(|verdict| verdict.answer.is_ok())
}

fn answer(
    config: &Config,
    listen: &Listen,
    tls: &TlsListen,
    chain: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<(Box<Identity>, i64), (&'static Rule, String)> {
    let seconds = now.as_second();
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()));
    let unread = |error: TlsError| (Unasked::Listener.rule(), error.to_string());
    let trust = Trust::read(&credentials(tls), seconds).map_err(unread)?;
    let untrusted = |why: Untrusted| (why.rule(), why.to_string());
    let until = trust.verify(chain, moment).map_err(untrusted)?;
    let unidentified = |why: Unidentified| (why.rule(), why.to_string());
    let leaf = chain.first().map_or(&[][..], |leaf| leaf.as_ref());
    let facts = CertificateFacts::read(leaf).map_err(|why| unidentified(why.into()))?;
    let identity =
        identify(&config.policy.identities, &facts.into(), None).map_err(unidentified)?;
    let named = |pattern: &Glob| pattern.matches(identity.name.as_str());
    if listen.identities.as_ref().is_some_and(|names| !names.iter().any(named)) {
        return Err(unidentified(Unidentified::WrongDoor));
    }
    let open = identity.open(seconds).map_err(unidentified)?;
    Ok((Box::new(identity), open.map_or(until, |open| open.min(until))))
}

/// For people: a line a listener.
pub(super) fn text(file: &Path, verdicts: &[ListenerVerdict], paint: out::Paint) -> String {
    let line = |verdict: &ListenerVerdict| match &verdict.answer {
        Ok((identity, until)) => format!(
            "  {}: {} as {}, roles {}, until {}\n",
            verdict.listener,
            paint.green("let in"),
            identity.name,
            identity.roles.join(", "),
            moment(*until),
        ),
        Err((Rule { id, .. }, why)) => {
            let why = line(why);
            format!("  {}: {}, {why} [{id}]\n", verdict.listener, paint.red("refused"))
        }
    };
    let lines: String = verdicts.iter().map(line).collect();
    format!("\n{}\n{lines}", paint.bold(&format!("CLIENT CERTIFICATE {}", file.display())))
}

/// For programs.
pub(super) fn object(verdicts: &[ListenerVerdict]) -> Value {
    let one = |verdict: &ListenerVerdict| match &verdict.answer {
        Ok((identity, until)) => json!({
            "listener": verdict.listener, "let_in": true, "identity": identity.name.to_string(),
            "roles": identity.roles, "until": moment(*until),
        }),
        Err((rule, why)) => {
            json!({ "listener": verdict.listener, "let_in": false, "reason": rule.id, "why": why })
        }
    };
    verdicts.iter().map(one).collect()
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "for ever".to_owned(), |at| at.to_string())
}
