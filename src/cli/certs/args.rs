//! The arguments of `dockward certs`.

use super::super::TableFormat;
use crate::identity::IdentityName;
use crate::pki::ca::{KeyKind, Lifetime, RevocationReason, Serial};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
pub enum CertsCommand {
    /// Make a certificate authority, the gate's certificate and a policy to start with.
    Init(InitArgs),
    /// Issue a client's certificate, or the gate's for other hosts.
    Issue(IssueArgs),
    /// Issue again what a certificate says, with a new key.
    Renew(RenewArgs),
    /// Revoke certificates and write the list of revoked ones.
    Revoke(RevokeArgs),
    /// List what was issued.
    List(ListArgs),
    /// Write the lists of revoked certificates anew, before they run out.
    Crl(CrlArgs),
}

/// Where the authority is.
#[derive(Clone, Debug, Args)]
pub struct DirectoryArgs {
    /// The authority's directory.
    #[arg(long, value_name = "DIR", default_value = "pki")]
    pub dir: PathBuf,
}

/// Which authority, and how its keys are opened.
#[derive(Clone, Debug, Args)]
pub struct AuthorityArgs {
    /// Where.
    #[command(flatten)]
    pub place: DirectoryArgs,
    /// A file whose one line encrypts the authority's keys; or set DOCKWARD_CA_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `certs init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Which authority.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// A name or address by which clients reach the gate; can be repeated, localhost is always one.
    #[arg(long = "host", value_name = "NAME|IP")]
    pub hosts: Vec<String>,
    /// Also issue the first client's certificate, by this name.
    #[arg(long, value_name = "NAME")]
    pub client: Option<IdentityName>,
    /// One more DNS name, with all below it, that the issuing CA may sign for; can be repeated.
    #[arg(long, value_name = "NAME")]
    pub permit_dns: Vec<String>,
    /// Kind of keys: ecdsa (P-256), ed25519 or rsa (3072 bits).
    #[arg(long, value_name = "KIND", default_value_t = KeyKind::Ecdsa)]
    pub key: KeyKind,
    /// What stands behind spiffe:// in the URI of a client.
    #[arg(long, value_name = "DOMAIN", default_value = "dockward.internal")]
    pub trust_domain: String,
    /// Days that a list of revoked certificates is good.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = days())]
    pub crl_days: u32,
    /// Where the gate listens; left out: port 2376, on this machine alone if no other host is given.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The daemon's socket.
    #[arg(long, value_name = "SOCKET", default_value = "/run/docker.sock")]
    pub daemon: PathBuf,
}

/// How a client gets its certificate.
#[derive(Clone, Debug, Args)]
pub struct DeliveryArgs {
    /// The directory for ca.pem, cert.pem and key.pem; left out: clients/NAME below --dir.
    #[arg(long, value_name = "DIR", conflicts_with = "csr")]
    pub bundle: Option<PathBuf>,
    /// A signing request: the key stays where it was made, and only it is taken from the request.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub csr: Option<PathBuf>,
    /// Where the certificate for the request goes.
    #[arg(long, value_name = "FILE", requires = "csr")]
    pub out: Option<PathBuf>,
}

/// `certs issue`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["name", "server"]))]
pub struct IssueArgs {
    /// Which authority.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// The client's name: its common name and the end of its URI.
    #[arg(long, value_name = "NAME")]
    pub name: Option<IdentityName>,
    /// The gate's own certificate, in place of the one that is there.
    #[arg(long, requires = "hosts", conflicts_with_all = ["uri", "dns", "emails", "bundle", "csr"])]
    pub server: bool,
    /// A name or address of the gate; can be repeated.
    #[arg(long = "host", value_name = "NAME|IP", requires = "server")]
    pub hosts: Vec<String>,
    /// How long it is good, such as 90m, 8h, 30d; left out: 30d, 365d with --server.
    #[arg(long, value_name = "TIME")]
    pub ttl: Option<Lifetime>,
    /// The URI; left out: spiffe://TRUST_DOMAIN/NAME.
    #[arg(long, value_name = "URI")]
    pub uri: Option<String>,
    /// A DNS name; can be repeated.
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// An address for mail; can be repeated.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub emails: Vec<String>,
    /// To where.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
}

/// `certs renew`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["name", "cert", "server"]))]
pub struct RenewArgs {
    /// Which authority.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// The last certificate of this client.
    #[arg(long, value_name = "NAME")]
    pub name: Option<IdentityName>,
    /// The certificate in this file; a cert.pem is replaced with the bundle around it.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The gate's own certificate.
    #[arg(long, conflicts_with_all = ["bundle", "csr"])]
    pub server: bool,
    /// How long it is good; left out: as long as the last one was.
    #[arg(long, value_name = "TIME")]
    pub ttl: Option<Lifetime>,
    /// To where.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
}

/// `certs revoke`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["name", "serial", "cert", "ca"]))]
pub struct RevokeArgs {
    /// Which authority.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// All certificates of this client that have not run out.
    #[arg(long, value_name = "NAME")]
    pub name: Option<IdentityName>,
    /// The certificate of this serial number.
    #[arg(long, value_name = "HEX")]
    pub serial: Option<Serial>,
    /// The certificate in this file.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The issuing CA, with everything it has signed.
    #[arg(long, value_name = "CA", value_enum)]
    pub ca: Option<RevocableCa>,
    /// Why: key-compromise, superseded, cessation, affiliation-changed, privilege-withdrawn.
    #[arg(long, value_name = "REASON", default_value_t = RevocationReason::Unspecified)]
    pub reason: RevocationReason,
    /// Also stop the containers that were made with it and still run; without this they are listed.
    #[arg(long)]
    pub stop: bool,
    /// The gate's own socket; left out: the one of the policy that `certs init` made, or /run/dockward/control.sock.
    #[arg(long, value_name = "SOCKET")]
    pub control: Option<PathBuf>,
}

/// An authority that can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RevocableCa {
    /// The issuing CA.
    Issuing,
}

/// `certs list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Where.
    #[command(flatten)]
    pub directory: DirectoryArgs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
    /// Also what has run out, the gate's certificates and the issuing CA.
    #[arg(long)]
    pub all: bool,
    /// The gate's audit directory, to say when each was last used.
    #[arg(long, value_name = "AUDIT_DIR")]
    pub log: Option<PathBuf>,
}

/// `certs crl`.
#[derive(Clone, Debug, Args)]
pub struct CrlArgs {
    /// Which authority.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// Days that they are good, these and those after them; left out: as before.
    #[arg(long, value_name = "DAYS", value_parser = days())]
    pub days: Option<u32>,
    /// Write only if one was written longer ago than this, such as 30d: for a timer.
    #[arg(long, value_name = "TIME")]
    pub if_older_than: Option<Lifetime>,
    /// The list of one authority alone; left out: both.
    #[arg(long, value_name = "CA", value_enum)]
    pub ca: Option<ListingCa>,
}

/// An authority with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListingCa {
    /// The root, which lists a revoked issuing CA.
    Root,
    /// The issuing CA, which lists everything else.
    Issuing,
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=3_650)
}
