//! `certs crl`: the lists written anew, by hand or by a timer.

use super::super::words::shell_path;
use super::super::{Exit, Failure, out};
use super::args::{CrlArgs, ListingCa};
use super::open;
use crate::pki::ca::{Which, layout};
use std::fmt::Write as _;

pub(super) fn run(args: &CrlArgs) -> Result<Exit, Failure> {
    let mut ca = open(&args.authority)?;
    let which: &[Which] = match args.ca {
        Some(ListingCa::Root) => &[Which::Root],
        Some(ListingCa::Issuing) => &[Which::Issuing],
        None => &[Which::Root, Which::Issuing],
    };
    let written = ca.write_lists(which, args.days, args.if_older_than)?;
    let mut text = String::new();
    for list in &written {
        let (which, number, until) = (list.which, list.number, list.until);
        let _ = writeln!(text, "list of the {which}: number {number}, until {until}");
    }
    let _ = match written.is_empty() {
        true => writeln!(text, "nothing written: the lists are younger than that"),
        false => writeln!(text, "  {}", shell_path(&ca.path(layout::CRL))),
    };
    out::print(&text).map(|()| Exit::Done)
}
