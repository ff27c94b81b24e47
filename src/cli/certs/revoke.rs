//! `certs revoke`: who is shut out, and from when on.

use std::fmt::Write as _;

use super::super::words::shell_path;
use super::super::{Failure, Outcome, out};
use super::args::RevokeArgs;
use super::open;
use crate::pki::ca::{Ca, Revoked, Selection, layout};

pub(super) fn run(args: &RevokeArgs) -> Result<Outcome, Failure> {
    let mut ca = open(&args.directory, &args.passphrase)?;
    let revoked = ca.revoke(&selection(args)?, args.reason)?;
    out::print(&said(&ca, &revoked)).map(|()| Outcome::Done)
}

fn selection(args: &RevokeArgs) -> Result<Selection, Failure> {
    let name = args.name.clone().map(Selection::Name);
    let serial = args.serial.clone().map(Selection::Serial);
    let certificate = args.cert.clone().map(Selection::Certificate);
    let issuing = args.ca.map(|_| Selection::Issuing);
    let one = name.or(serial).or(certificate).or(issuing);
    one.ok_or_else(|| Failure("nothing is named, use --name, --serial, --cert or --ca".to_owned()))
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
