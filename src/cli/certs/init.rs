//! `certs init`: an authority and everything the gate needs of it. From nothing to a working `docker
//! --context` is three commands; this is the first, and it prints the others.

use super::super::starter::DEVELOPER;
use super::super::words::{Reach, context, shell_path};
use super::super::{Exit, Failure, clock, out};
use super::args::InitArgs;
use super::{absolute, open, passphrase, program};
use crate::identity::IdentityName;
use crate::pki::Bundle;
use crate::pki::ca::{self, Delivery, Made, Plan, Wish, layout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

const PORT: u16 = 2376;
/// The client of the example.
const NAME: &str = "alice";

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let passphrase = passphrase(args.authority.passphrase_file.as_deref())?;
    let listen = args.listen.unwrap_or_else(|| listen(&args.hosts));
    let host = args.hosts.first().map_or("localhost", String::as_str);
    let daemon = absolute(&args.daemon)?;
    let plan = Plan {
        hosts: args.hosts.clone(),
        permit_dns: args.permit_dns.clone(),
        key: args.key,
        trust_domain: args.trust_domain.clone(),
        crl_days: args.crl_days,
        endpoint: endpoint(host, listen.port()),
        policy: Some(policy(listen, &daemon, &args.trust_domain)),
    };
    let directory = absolute(&args.authority.place.dir)?;
    let made = ca::init(&directory, &plan, passphrase.as_ref(), clock::now()?)?;
    if made.finished {
        out::note("what another run had begun was finished, the options of this one do not count");
    }
    let passphrase = match &args.authority.passphrase_file {
        Some(file) => format!(" --passphrase-file {}", shell_path(&absolute(file)?)),
        None => String::new(),
    };
    if let Some(name) = &args.client {
        first(args, name, &directory.join(layout::CLIENTS).join(name.as_str()))?;
    }
    out::print(&next(&directory, &made, &passphrase, args.client.as_ref())).map(|()| Exit::Done)
}

/// Issues the first client's certificate; one that is there from a run that broke off is kept.
fn first(args: &InitArgs, name: &IdentityName, bundle: &Path) -> Result<(), Failure> {
    if bundle.exists() {
        return Ok(());
    }
    let mut ca = open(&args.authority)?;
    ca.issue(&Wish::of(name.clone()), &Delivery::Bundle(bundle.to_owned()))?;
    Ok(())
}

/// Where to listen for these hosts: not beyond this machine if nobody comes from elsewhere.
fn listen(hosts: &[String]) -> SocketAddr {
    let ip = |host: &String| host.parse::<IpAddr>().ok();
    let local = |host: &String| host == "localhost" || ip(host).is_some_and(|ip| ip.is_loopback());
    let six = hosts.first().and_then(ip).is_some_and(|ip| ip.is_ipv6());
    let address: IpAddr = match (hosts.iter().all(local), six) {
        (true, false) => Ipv4Addr::LOCALHOST.into(),
        (true, true) => Ipv6Addr::LOCALHOST.into(),
        (false, false) => Ipv4Addr::UNSPECIFIED.into(),
        (false, true) => Ipv6Addr::UNSPECIFIED.into(),
    };
    (address, PORT).into()
}

/// Host and port as they stand in a URL.
pub(super) fn endpoint(host: &str, port: u16) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]:{port}"),
        Err(_) => format!("{host}:{port}"),
    }
}

fn policy(listen: SocketAddr, daemon: &Path, trust_domain: &str) -> String {
    let daemon = serde_json::Value::from(daemon.display().to_string());
    format!(
        r#"# Made by `dockward certs init`. It is yours to change; it is not written again.
# `dockward check --config FILE` shows every mistake, and what amounts to root on the host.
# Relative paths are relative to this file.
version: 1
listen:
  - tls: "{listen}"
    certificate: {server}
    key: {server_key}
    client_ca: {client_ca}
    crl: {crl}
daemon: {{ socket: {daemon} }}
audit: {{ directory: audit }}
control: {{ socket: {control} }}   # `dockward status --config THIS FILE`

# Whoever has a certificate of this authority is a developer, by the name it was issued for. For more
# roles, put an entry per role here and issue with `--uri spiffe://{trust_domain}/ROLE/NAME`.
identities:
  - name: "{{1}}"
    match: {{ uri: "spiffe://{trust_domain}/*" }}
    roles: [developer]

roles:
{DEVELOPER}"#,
        server = layout::SERVER,
        server_key = layout::SERVER_KEY,
        client_ca = layout::CLIENT_CA,
        crl = layout::CRL,
        control = layout::CONTROL,
    )
}

/// The commands that come next, each to be pasted as it stands.
fn next(directory: &Path, made: &Made, passphrase: &str, client: Option<&IdentityName>) -> String {
    let (program, path) = (program(), shell_path(directory));
    let name = client.map_or(NAME, IdentityName::as_str);
    let bundle = Bundle { directory: directory.join(layout::CLIENTS).join(name) };
    let (ca, certificate, key) = (bundle.ca(), bundle.certificate(), bundle.key());
    let endpoint = made.index.endpoint.as_str();
    let reach = Reach { endpoint, ca: &ca, certificate: &certificate, key: &key };
    let context = context("create", name, &reach);
    let certificate = match client {
        Some(_) => String::new(),
        None => format!(
            "A client's certificate:\n  {program} certs issue --dir {path} --name {name}{passphrase}\n\n"
        ),
    };
    let config = shell_path(&directory.join(layout::POLICY));
    let hosts = made.index.newest(ca::CertificateKind::Server).map_or_else(String::new, |server| {
        let ips = server.ips.iter().map(ToString::to_string);
        server.dns.iter().cloned().chain(ips).collect::<Vec<_>>().join(", ")
    });
    format!(
        "A certificate authority is in {path}, with a certificate for {hosts}.\n\
         Keep {root} and {issuing} as you keep root's password: they make any client.\n\n\
         {certificate}\
         Docker's context for it:\n  \
         {context}\n\n\
         The gate:\n  \
         {program} serve --config {config}\n\n\
         Then:\n  \
         docker --context {name} version\n\n\
         The lists of revoked certificates run out after {days} days, and with them every client: \
         let a timer run\n  \
         {program} certs crl --dir {path} --if-older-than {third}d{passphrase}\n",
        root = layout::ROOT_KEY,
        issuing = layout::ISSUING_KEY,
        days = made.index.crl_days,
        third = made.index.crl_days.div_ceil(3),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_listens_no_further_than_it_is_reached_from() {
        let listen = |hosts: &[&str]| {
            listen(&hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).to_string()
        };
        assert_eq!(listen(&[]), "127.0.0.1:2376");
        assert_eq!(listen(&["127.0.0.1", "localhost"]), "127.0.0.1:2376");
        assert_eq!(listen(&["::1"]), "[::1]:2376");
        assert_eq!(listen(&["localhost", "gate.example"]), "0.0.0.0:2376");
        assert_eq!(listen(&["2001:db8::1"]), "[::]:2376");
        assert_eq!(endpoint("2001:db8::1", 1), "[2001:db8::1]:1");
        assert_eq!(endpoint("gate.example", 1), "gate.example:1");
    }
}
