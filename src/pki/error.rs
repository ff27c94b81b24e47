//! What can go wrong while making keys and certificates. Every message says where and what to do, since
//! who reads it has a client that waits for its certificate.

use super::ca::RevocationReason;
use crate::problem::{Actionable, Problem};
use aws_lc_rs::error::Unspecified;
use jiff::Timestamp;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a key or certificate could not be made, kept, renewed or revoked.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum PkiError {
    /// A file or directory could not be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is there is not what we wrote: a half bundle, or a key that is not the certificate's.
    Unusable {
        /// The bundle's directory.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A client's name cannot be a directory and an identity.
    ClientName(String),
    /// A host is neither an address nor a DNS name.
    Host(String),
    /// A client's URI is not printable ASCII.
    Uri(String),
    /// A key or certificate could not be made.
    Signing(#[from] rcgen::Error),
    /// The system's clock stands before 1970 or out of reach of a certificate.
    Clock,
    /// No authority in the directory.
    NoAuthority(PathBuf),
    /// Something is there that would have to be written over.
    Exists(PathBuf),
    /// A directory to be replaced holds other files than a bundle's.
    MoreThanABundle(PathBuf),
    /// A file of the authority does not read whole.
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No such kind of key.
    KeyKind(String),
    /// No such reason for a revocation.
    Reason(String),
    /// Not a lifetime.
    Lifetime(String),
    /// Not a serial number.
    Serial(String),
    /// Not an address for mail.
    Email(String),
    /// Not a trust domain.
    TrustDomain(String),
    /// The issuing CA may not sign for this host.
    NotPermitted {
        /// The host.
        name: String,
        /// What it may sign for.
        permitted: String,
    },
    /// A lifetime beyond that of the issuing CA, which ends then.
    TooLong(Timestamp),
    /// A signing request that is not served.
    Request {
        /// Its file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
        /// What to do about it.
        next: &'static str,
    },
    /// Nothing was issued by this name or number.
    Unknown(String),
    /// A certificate of somebody else.
    NotOurs(PathBuf),
    /// A certificate that is no client's.
    NotAClient(PathBuf),
    /// What was revoked is not renewed.
    WasRevoked {
        /// Whose.
        name: String,
        /// Its serial number.
        serial: String,
        /// Why it was revoked.
        reason: RevocationReason,
    },
    /// The issuing CA was revoked.
    IssuingRevoked,
    /// The issuing CA has run out.
    IssuingExpired,
    /// An empty passphrase.
    NoPassphrase,
    /// An encrypted key that does not open.
    Locked {
        /// Its file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The system has no random bytes.
    Random(#[from] Unspecified),
}

impl PkiError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// What is wrong with a file.
fn file(path: &Path, what: impl fmt::Display) -> String {
    format!("{}: {what}", path.display())
}

impl Actionable for PkiError {
    fn problem(&self) -> Problem {
        const LIST: &str = "see `dockward certs list --all`";
        const INIT: &str = "make another authority with `dockward certs init`";
        match self {
            Self::Io { path, source } => {
                Problem::new(file(path, source), "check the directory and who may write there")
            }
            Self::Unusable { path, why } => {
                Problem::new(file(path, why), "move it away and run again")
            }
            Self::ClientName(name) => Problem::new(
                format!("client name {name:?} is not usable"),
                "take a-z, 0-9, `.`, `_`, `-`, a letter or digit first",
            ),
            Self::Host(host) => Problem::new(
                format!("{host:?} is neither an address nor a host name"),
                "write one such as 192.0.2.1 or gate.example",
            ),
            Self::Uri(uri) => Problem::new(
                format!("{uri:?} is not a URI of printable ASCII"),
                "write one such as spiffe://dockward.internal/alice",
            ),
            Self::Signing(error) => Problem::new(
                format!("cannot make a certificate: {error}"),
                "take other names or another kind of key",
            ),
            Self::Clock => Problem::new("the clock is out of range", "set it"),
            Self::NoAuthority(path) => Problem::new(
                file(path, "no certificate authority here"),
                format!("make one with `dockward certs init --dir {}`", path.display()),
            ),
            Self::Exists(path) => Problem::new(
                file(path, "is there already and is not written over"),
                "choose another place or move it away",
            ),
            Self::MoreThanABundle(path) => Problem::new(
                file(path, "holds more than ca.pem, cert.pem and key.pem"),
                "choose another directory with --bundle",
            ),
            Self::Damaged { path, why } => Problem::new(
                file(path, format_args!("damaged ({why})")),
                "nothing was changed; put a good copy in its place",
            ),
            Self::KeyKind(kind) => {
                Problem::new(format!("key {kind:?} is not known"), "take ecdsa, ed25519 or rsa")
            }
            Self::Reason(reason) => Problem::new(
                format!("reason {reason:?} is not known"),
                "take key-compromise, superseded, cessation, affiliation-changed, privilege-withdrawn \
                 or unspecified",
            ),
            Self::Lifetime(text) => Problem::new(
                format!("{text:?} is no lifetime"),
                "write a number and m, h or d, such as 8h",
            ),
            Self::Serial(text) => Problem::new(
                format!("{text:?} is no serial number"),
                "take the hexadecimal one that `dockward certs list` shows",
            ),
            Self::Email(text) => {
                Problem::new(format!("{text:?} is no address for mail"), "write one such as a@b.c")
            }
            Self::TrustDomain(text) => Problem::new(
                format!("{text:?} is no trust domain"),
                "take a-z, 0-9, `.`, `_` and `-`",
            ),
            Self::NotPermitted { name, permitted } => Problem::new(
                format!("the issuing CA may not sign for {name:?}"),
                format!(
                    "only for {permitted} and what is below; make another authority with \
                     --permit-dns or --host"
                ),
            ),
            Self::TooLong(end) => {
                Problem::new(format!("the issuing CA ends on {end}"), "ask for a time before that")
            }
            Self::Request { path, why, next } => Problem::new(file(path, why), *next),
            Self::Unknown(what) => Problem::new(
                format!("{what:?} is not known here"),
                format!("{LIST} for what was issued"),
            ),
            Self::NotOurs(path) => {
                Problem::new(file(path, "not a certificate that was issued here"), LIST)
            }
            Self::NotAClient(path) => Problem::new(
                file(path, "not a client's certificate"),
                "use `dockward certs renew --server` for the gate's",
            ),
            Self::WasRevoked { name, serial, reason } => Problem::new(
                format!(
                    "the last certificate of {name:?} ({serial}) was revoked ({reason}) and is not \
                     renewed"
                ),
                "use `dockward certs issue` if it may come back",
            ),
            Self::IssuingRevoked => Problem::new("the issuing CA was revoked", INIT),
            Self::IssuingExpired => Problem::new("the issuing CA has run out", INIT),
            Self::NoPassphrase => Problem::new("the passphrase is empty", "write one on one line"),
            Self::Locked { path, why } => Problem::new(
                file(path, why),
                "give it by --passphrase-file or DOCKWARD_CA_PASSPHRASE",
            ),
            Self::Random(Unspecified) => {
                Problem::new("the system gives no random bytes", "run it elsewhere")
            }
        }
    }
}
