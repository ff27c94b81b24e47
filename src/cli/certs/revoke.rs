//! `certs revoke`: who is shut out, and from when on.

use super::super::asking::printable;
use super::super::words::shell_path;
use super::super::{Exit, Failure, out};
use super::args::RevokeArgs;
use super::open;
use crate::control::wire::{
    Ask, BelievedCertificate, BelievedWanted, LeftView, LeftWanted, ListenerBelief, Said,
    StillBelieved,
};
use crate::control::{SOCKET, client};
use crate::pki::ca::{Ca, CertificateKind, IndexEntry, Revoked, Selection, layout};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn run(args: &RevokeArgs) -> Result<Exit, Failure> {
    let mut ca = open(&args.authority)?;
    let revoked = ca.revoke(&selection(args)?, args.reason)?;
    out::print(&said(&ca, &revoked))?;
    let questions = questions(&ca, &revoked);
    let beside = Some(ca.path(layout::CONTROL)).filter(|socket| client::is_listening(socket));
    drop(ca); // the gate needs nothing of it, and others may go on
    let socket = args.control.clone().or(beside).unwrap_or_else(|| SOCKET.into());
    let expected = args.stop || args.control.is_some();
    if !expected && !socket.exists() {
        out::note(
            "written; no gate was asked whether the list is in force and what was left running: reload it, or name its \
             socket with --control",
        );
        return Ok(Exit::Done);
    }
    let left = left(args, &revoked, &socket)?;
    let in_force = in_force(questions?, &socket)?;
    Ok(if left == Exit::Done { in_force } else { left })
}

/// How many certificates are asked about at once: a question has room for more.
const AT_ONCE: usize = 200;

/// Whether each listener would still let in what was revoked: by who issued it.
fn questions(ca: &Ca, revoked: &Revoked) -> Result<Vec<BelievedWanted>, Failure> {
    let of = |authorities: bool, file: &str| -> Result<Vec<BelievedWanted>, Failure> {
        let all = revoked.now.iter().chain(&revoked.before);
        let is =
            move |entry: &&IndexEntry| (entry.kind == CertificateKind::Authority) == authorities;
        let named = |entry: &IndexEntry| BelievedCertificate {
            serial: entry.serial.to_string(),
            sha256: entry
                .fingerprint
                .to_string()
                .strip_prefix("sha256:")
                .and_then(|hex| hex.parse().ok()),
        };
        let all: Vec<_> = all.filter(is).map(named).collect();
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let path = ca.path(file);
        let unread = |why| Failure::new(format!("{}: {why}", path.display()), "correct the path");
        let issuer = std::fs::read_to_string(&path).map_err(unread)?;
        let question = |certificates: &[BelievedCertificate]| BelievedWanted {
            issuer: issuer.clone(),
            certificates: certificates.to_vec(),
        };
        Ok(all.chunks(AT_ONCE).map(question).collect())
    };
    Ok([of(false, layout::ISSUING)?, of(true, layout::ROOT)?].concat())
}

/// Whether it is in force at each listener, asked of the gate. Exit code 1 if not, or if that is not known.
fn in_force(questions: Vec<BelievedWanted>, socket: &Path) -> Result<Exit, Failure> {
    let (mut refused, mut believed) = (BTreeSet::new(), BTreeMap::new());
    for question in questions {
        let listeners = match client::ask(socket, Ask::Believed(question)) {
            Ok(Said::Believed(view)) => view.listeners,
            Ok(Said::Refused(why)) => return unasked(&why),
            Ok(_) => return unasked("the gate answered something else"),
            Err(why) => return unasked(&why.to_string()),
        };
        for ListenerBelief { listener, believed: still } in listeners {
            match still.into_iter().next() {
                None => drop(refused.insert(listener)),
                Some(first) => drop(believed.insert(listener, first)),
            }
        }
    }
    refused.retain(|listener| !believed.contains_key(listener));
    if !refused.is_empty() {
        let at: Vec<_> = refused.iter().map(|listener| printable(listener)).collect();
        out::print(&format!("In force: refused at {}.\n", at.join(", ")))?;
    }
    for (listener, StillBelieved { serial, what, next }) in &believed {
        out::complain(&format!(
            "not in force: listener {listener} {what}, and lets serial {serial} in; {next}"
        ));
    }
    if refused.is_empty() && believed.is_empty() {
        out::note("the gate has no listener that asks for certificates");
    }
    Ok(if believed.is_empty() { Exit::Done } else { Exit::Findings })
}

fn unasked(why: &str) -> Result<Exit, Failure> {
    out::complain(&format!("revoked, but the gate did not say whether it is in force: {why}"));
    Ok(Exit::Findings)
}

/// What was left running, asked of the gate, which has read its files anew by then.
fn left(args: &RevokeArgs, revoked: &Revoked, socket: &Path) -> Result<Exit, Failure> {
    let all = revoked.now.iter().chain(&revoked.before);
    let wanted = LeftWanted {
        serials: all.map(|entry| entry.serial.to_string()).collect(),
        of_the_name: args.name.is_some(),
        stop: args.stop,
        reason: format!("certs revoke: {}", args.reason),
    };
    let why = match client::ask(socket, Ask::Left(wanted)) {
        Ok(Said::Left(left)) => {
            out::print(&listed(&left))?;
            if let Some(why) = &left.not_loaded {
                out::complain(&format!("the gate could not load all that its files say: {why}"));
            }
            let left_over = left.running.iter().any(|one| one.error.is_some());
            let failed = left_over || left.not_loaded.is_some();
            return Ok(if failed { Exit::Findings } else { Exit::Done });
        }
        Ok(Said::Refused(why)) => why,
        Ok(_) => "the gate answered something else".to_owned(),
        Err(why) => why.to_string(),
    };
    out::complain(&format!("revoked, but the gate did not say what was left running: {why}"));
    Ok(Exit::Findings)
}

fn listed(LeftView { running: left, .. }: &LeftView) -> String {
    let mut text = String::from("\n");
    if left.is_empty() {
        text.push_str("Nothing was left running.\n");
        return text;
    }
    text.push_str("Left running:\n");
    for one in left {
        let end = match (&one.error, one.stopped) {
            (Some(why), _) => format!("not stopped: {}", printable(why)),
            (None, true) => "stopped".to_owned(),
            (None, false) => "running".to_owned(),
        };
        let id = one.id.get(..12).unwrap_or(&one.id);
        let _ =
            writeln!(text, "  {id}  {} ({}): {end}", printable(&one.name), printable(&one.image));
    }
    if left.iter().all(|one| !one.stopped && one.error.is_none()) {
        text.push_str("`--stop` stops them.\n");
    }
    text
}

fn selection(args: &RevokeArgs) -> Result<Selection, Failure> {
    let name = args.name.clone().map(Selection::Name);
    let serial = args.serial.clone().map(Selection::Serial);
    let certificate = args.cert.clone().map(Selection::Certificate);
    let issuing = args.ca.map(|_| Selection::Issuing);
    let one = name.or(serial).or(certificate).or(issuing);
    one.ok_or_else(|| Failure::new("nothing is named", "use --name, --serial, --cert or --ca"))
}

fn said(ca: &Ca, revoked: &Revoked) -> String {
    let mut text = String::new();
    for (entries, how) in [(&revoked.now, "revoked"), (&revoked.before, "was revoked before")] {
        for entry in entries {
            let when = entry.revoked.map(|r| format!("{} ({})", r.at, r.reason));
            let when = when.unwrap_or_default();
            let _ = writeln!(text, "{how}: {}, serial {}, {when}", entry.name, entry.serial);
        }
    }
    if !revoked.now.is_empty() {
        let list = shell_path(&ca.path(layout::CRL));
        let _ = writeln!(
            text,
            "\nThe list is {list}; a gate whose `crl:` it is takes it within a second."
        );
    }
    if ca.index().issuing_is_revoked() {
        text.push_str(
            "Nothing that the issuing CA signed counts any more, the gate's own certificate included: \
             make another authority with `dockward certs init`.\n",
        );
    }
    text
}
