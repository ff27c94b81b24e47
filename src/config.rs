//! File to meaning (L2). The policy file is what people write, review and live with, so it is read
//! strictly and as a whole: either everything in it is understood, or every mistake is named with its
//! place and the next step, and nothing starts.
//!
//! [`load`] reads the files into trees that know their places (`yaml`), compares them with the one
//! description of the format (`shape`, `keys`), and compiles what fits (`compile`). Nothing here
//! knows of a listener or of a client.

mod compile;
mod files;
mod front;
mod keys;
pub mod mistake;
mod risk;
pub mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod units;
mod verbs;
mod yaml;

pub use compile::{DAEMON_PLACES, clean_path};
pub use front::FrontLimits;
pub use mistake::{Mistake, Mistakes, Warning};
pub use risk::amounts_to_root;
pub use schema::schema;
pub use units::duration;

use crate::digest::Sha256;
use crate::docker::ApiVersion;
use crate::policy::glob::Glob;
use crate::policy::{Policy, Profile};
use jiff::Timestamp;
use mistake::MistakeLedger;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients come in; at least one.
    pub listen: Vec<Listen>,
    /// The daemon behind.
    pub daemon: DaemonConfig,
    /// The log of decisions.
    pub audit: AuditConfig,
    /// Limits before and after authentication.
    pub front: FrontLimits,
    /// The gate's own socket; `None`: there is none.
    pub control: Option<PathBuf>,
    /// Who may do what.
    pub policy: Policy,
    /// The profiles of the file by name, each complete.
    pub profiles: BTreeMap<String, Profile>,
    /// Every policy file that was read, in order.
    pub files: Vec<PathBuf>,
    /// The files of issuers' keys that were read beside them.
    pub key_sets: Vec<KeySetFile>,
    /// Their text, one after the other: what the policy's hash is of.
    pub text: String,
    /// What loads and deserves a look, root on the host first.
    pub warnings: Vec<Warning>,
}

/// A file of an issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetFile {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of what was read.
    pub sha256: Sha256,
}

/// One door for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// By which way they come.
    pub way: ListenWay,
    /// Names of identities that may come in here; `None` is all.
    pub identities: Option<Vec<Glob>>,
}

impl Listen {
    /// What TLS needs, if clients come by it.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsListen> {
        match &self.way {
            ListenWay::Tls(tls) => Some(tls),
            ListenWay::Unix(_) => None,
        }
    }
}

/// By which way clients come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenWay {
    /// TCP with TLS: they are known by their certificates.
    Tls(TlsListen),
    /// A Unix socket: they are users of this host.
    Unix(UnixListen),
}

/// A Unix socket for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixListen {
    /// Where it comes from.
    pub bind: UnixBind,
    /// The file's mode, if we make it; nothing for others.
    pub mode: u32,
    /// The file's group, if it is not the gate's own.
    pub group: Option<u32>,
}

/// Where a Unix socket comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixBind {
    /// Made by us, at this path.
    Path(PathBuf),
    /// Handed over by the service manager: the listeners written so take them in order.
    Systemd,
}

/// TLS for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsListen {
    /// Where it stands.
    pub address: Bind,
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authority that signs client certificates, PEM.
    pub client_ca: PathBuf,
    /// What it has revoked, PEM.
    pub crl: Option<PathBuf>,
    /// Whether a revocation list still counts when it has ended.
    pub danger_accept_expired_crl: bool,
    /// Serials, certificates and keys that are refused whatever the authority says.
    pub deny: Option<PathBuf>,
    /// The oldest TLS version.
    pub tls_min: TlsMin,
}

/// Where a listener comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Bound by us.
    Address(SocketAddr),
    /// Handed over by the service manager: the listeners written so take them in order.
    Systemd,
}

/// The oldest TLS version of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMin {
    /// TLS 1.2, for old clients.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// The daemon behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonConfig {
    /// Its socket.
    pub socket: PathBuf,
    /// The oldest API version that clients may use.
    pub api_min: ApiVersion,
}

/// The log of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// Where it is written.
    pub directory: PathBuf,
}

/// Reads a configuration and all that it includes. `now` bounds `until`.
///
/// # Errors
/// Every mistake in it, files that cannot be read included.
pub fn load(path: &Path, now: Timestamp) -> Result<Config, Mistakes> {
    let mut ledger = MistakeLedger::default();
    let files = files::read(path, &mut ledger);
    compile::compile(&files, now, ledger)
}

/// Reads a configuration from text, with relative paths taken from `base`.
///
/// # Errors
/// Every mistake in it, included files that cannot be read among them.
pub fn parse(text: &str, base: &Path, now: Timestamp) -> Result<Config, Mistakes> {
    let mut ledger = MistakeLedger::default();
    let files = files::from_text(text, base, &mut ledger);
    compile::compile(&files, now, ledger)
}
