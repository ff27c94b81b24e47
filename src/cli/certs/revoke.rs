//! `certs revoke`: who is shut out, and from when on.

use super::super::asking::printable;
use super::super::words::shell_path;
use super::super::{Exit, Failure, out};
use super::args::RevokeArgs;
use super::open;
use crate::control::wire::{Ask, LeftView, LeftWanted, Said};
use crate::control::{SOCKET, client};
use crate::pki::ca::{Ca, Revoked, Selection, layout};
use std::fmt::Write as _;

pub(super) fn run(args: &RevokeArgs) -> Result<Exit, Failure> {
    let mut ca = open(&args.authority)?;
    let revoked = ca.revoke(&selection(args)?, args.reason)?;
    out::print(&said(&ca, &revoked))?;
    drop(ca); // the gate needs nothing of it, and others may go on
    left(args, &revoked)
}

/// What was left running, asked of the gate, which has read the new list by then.
fn left(args: &RevokeArgs, revoked: &Revoked) -> Result<Exit, Failure> {
    let all = revoked.now.iter().chain(&revoked.before);
    let wanted = LeftWanted {
        serials: all.map(|entry| entry.serial.to_string()).collect(),
        of_the_name: args.name.is_some(),
        stop: args.stop,
        reason: format!("certs revoke: {}", args.reason),
    };
    let socket = args.control.clone().unwrap_or_else(|| SOCKET.into());
    let expected = args.stop || args.control.is_some();
    if !expected && !socket.exists() {
        out::note("no gate was asked what was left running: name its socket with --control");
        return Ok(Exit::Done);
    }
    let why = match client::ask(&socket, Ask::Left(wanted)) {
        Ok(Said::Left(left)) => {
            out::print(&listed(&left))?;
            if let Some(why) = &left.not_loaded {
                out::complain(&format!(
                    "the gate could not load all that its files say; see `dockward sessions` whether \
                     who was revoked is out: {why}"
                ));
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

fn listed(LeftView { running: left, not_loaded }: &LeftView) -> String {
    let mut text = String::from("\n");
    if not_loaded.is_none() {
        text.push_str("The gate has taken the list. ");
    }
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
        let _ = writeln!(text, "\nThe list is {list}; a running gate takes it within a second.");
    }
    if ca.index().issuing_is_revoked() {
        text.push_str(
            "Nothing that the issuing CA signed counts any more, the gate's own certificate included: \
             make another authority with `dockward certs init`.\n",
        );
    }
    text
}
