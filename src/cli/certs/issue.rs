//! `certs issue` and `certs renew`: a certificate in somebody's hands, and the command that uses it.

use super::super::words::{Reach, context, shell_path};
use super::super::{Exit, Failure, out};
use super::args::{DeliveryArgs, IssueArgs, RenewArgs};
use super::init::endpoint;
use super::{absolute, open};
use crate::identity::IdentityName;
use crate::pki::ca::{Ca, Delivery, Former, Issued, Wish, layout, with_local};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(super) fn issue(args: &IssueArgs) -> Result<Exit, Failure> {
    let mut ca = open(&args.authority)?;
    let Some(name) = &args.name else {
        let port = ca.index().endpoint.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let reached = args.hosts.first().zip(port).map(|(host, port)| endpoint(host, port));
        let issued = ca.issue_server(&with_local(&args.hosts), args.ttl, reached)?;
        return told_of_server(&issued);
    };
    let wish = Wish {
        name: name.clone(),
        uri: args.uri.clone(),
        dns: args.dns.clone(),
        emails: args.emails.clone(),
        lifetime: args.ttl,
    };
    let delivery = delivery(&args.delivery, &args.authority.place.dir, name, None)?;
    let issued = ca.issue(&wish, &delivery)?;
    told_of_client(&ca, &issued, "create")
}

pub(super) fn renew(args: &RenewArgs) -> Result<Exit, Failure> {
    let mut ca = open(&args.authority)?;
    let (former, name, around) = match (&args.name, &args.cert) {
        (Some(name), _) => (Former::Name(name.clone()), name.clone(), None),
        (None, Some(path)) => {
            let name = ca.client_of(path)?;
            (Former::Certificate(path.clone()), name, bundle_around(path))
        }
        (None, None) => return told_of_server(&ca.renew_server(args.ttl)?),
    };
    let delivery = delivery(&args.delivery, &args.authority.place.dir, &name, around)?;
    let issued = ca.renew(&former, args.ttl, &delivery)?;
    told_of_client(&ca, &issued, "update")
}

/// The directory of a `cert.pem`.
fn bundle_around(certificate: &Path) -> Option<PathBuf> {
    let in_a_bundle = certificate.file_name().is_some_and(|name| name == "cert.pem");
    let directory = certificate.parent().filter(|_| in_a_bundle)?;
    Some(if directory.as_os_str().is_empty() { ".".into() } else { directory.to_owned() })
}

fn delivery(
    args: &DeliveryArgs,
    directory: &Path,
    name: &IdentityName,
    around: Option<PathBuf>,
) -> Result<Delivery, Failure> {
    if let (Some(csr), Some(out)) = (&args.csr, &args.out) {
        return Ok(Delivery::Request { csr: csr.clone(), out: absolute(out)? });
    }
    let usual = || directory.join(layout::CLIENTS).join(name.as_str());
    let bundle = args.bundle.clone().or(around).unwrap_or_else(usual);
    Ok(Delivery::Bundle(absolute(&bundle)?))
}

fn told_of_client(ca: &Ca, issued: &Issued, verb: &str) -> Result<Exit, Failure> {
    if !issued.not_given.is_empty() {
        out::note(&format!(
            "the request also asks for {}: not taken over, ask for it on the command line",
            issued.not_given.join(", ")
        ));
    }
    let entry = &issued.entry;
    let mut text = said(issued);
    let root = absolute(&issued.ca)?;
    let key = issued.key.clone().unwrap_or_else(|| "/path/to/the/key.pem".into());
    let endpoint = ca.index().endpoint.as_str();
    let reach = Reach { endpoint, ca: &root, certificate: &issued.certificate, key: &key };
    let context = context(verb, &entry.name, &reach);
    let _ = match issued.key {
        Some(_) => writeln!(text, "\nDocker's context for it:\n  {context}"),
        None => writeln!(
            text,
            "\nThe key is where the request was made. There, with {} beside it:\n  {context}",
            shell_path(&root)
        ),
    };
    out::print(&text).map(|()| Exit::Done)
}

fn told_of_server(issued: &Issued) -> Result<Exit, Failure> {
    let text = said(issued) + "\nA running gate takes it by itself.\n";
    out::print(&text).map(|()| Exit::Done)
}

fn said(issued: &Issued) -> String {
    let entry = &issued.entry;
    let ips = entry.ips.iter().map(ToString::to_string);
    let names = entry.uris.iter().chain(&entry.dns).chain(&entry.emails).cloned().chain(ips);
    format!(
        "{} ({}), serial {}, until {}\n  {}\n",
        entry.name,
        names.collect::<Vec<_>>().join(", "),
        entry.serial,
        entry.until,
        shell_path(&issued.certificate),
    )
}
