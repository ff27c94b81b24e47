//! What can go wrong while making keys and certificates. Every message says where and what to do, since
//! who reads it has a client that waits for its certificate.

use jiff::Timestamp;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a key or certificate could not be made, kept, renewed or revoked.
#[derive(Debug)]
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
    Signing(rcgen::Error),
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
        /// Why not, and what to do.
        why: &'static str,
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
        reason: &'static str,
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
    Random,
}

impl PkiError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl fmt::Display for PkiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => {
                write!(
                    f,
                    "{}: {source}, check the directory and who may write there",
                    path.display()
                )
            }
            Self::Unusable { path, why } => {
                write!(f, "{}: {why}, move it away and run again", path.display())
            }
            Self::Signing(error) => write!(f, "cannot make a certificate: {error}"),
            Self::Clock => f.write_str("the clock is out of range, set it"),
            Self::Random => f.write_str("the system gives no random bytes, run it elsewhere"),
            words => words.of_names(f).unwrap_or_else(|| words.of_files(f)),
        }
    }
}

impl PkiError {
    /// About what was asked for; `None` for the rest.
    fn of_names(&self, f: &mut fmt::Formatter<'_>) -> Option<fmt::Result> {
        Some(match self {
            Self::ClientName(name) => write!(
                f,
                "client name {name:?} is not usable, take a-z, 0-9, `.`, `_`, `-`, a letter or digit first"
            ),
            Self::Host(host) => write!(f, "{host:?} is neither an address nor a host name"),
            Self::Uri(uri) => write!(f, "{uri:?} is not a URI of printable ASCII"),
            Self::KeyKind(kind) => {
                write!(f, "key {kind:?} is not known, take ecdsa, ed25519 or rsa")
            }
            Self::Reason(reason) => write!(
                f,
                "reason {reason:?} is not known, take key-compromise, superseded, cessation, \
                 affiliation-changed, privilege-withdrawn or unspecified"
            ),
            Self::Lifetime(text) => {
                write!(f, "{text:?} is no lifetime, write a number and m, h or d, such as 8h")
            }
            Self::Serial(text) => write!(
                f,
                "{text:?} is no serial number, take the hexadecimal one that `dockward certs list` shows"
            ),
            Self::Email(text) => {
                write!(f, "{text:?} is no address for mail, write one such as a@b.c")
            }
            Self::TrustDomain(text) => {
                write!(f, "{text:?} is no trust domain, take a-z, 0-9, `.`, `_` and `-`")
            }
            Self::NotPermitted { name, permitted } => write!(
                f,
                "the issuing CA may not sign for {name:?}, only for {permitted} and what is below; \
                 make another authority with --permit-dns or --host"
            ),
            Self::TooLong(end) => {
                write!(f, "the issuing CA ends on {end}, ask for a time before that")
            }
            Self::Unknown(what) => write!(
                f,
                "{what:?} is not known here, see `dockward certs list --all` for what was issued"
            ),
            Self::WasRevoked { name, serial, reason } => write!(
                f,
                "the last certificate of {name:?} ({serial}) was revoked ({reason}) and is not \
                 renewed, use `dockward certs issue` if it may come back"
            ),
            Self::IssuingRevoked => f.write_str(
                "the issuing CA was revoked, make another authority with `dockward certs init`",
            ),
            Self::IssuingExpired => f.write_str(
                "the issuing CA has run out, make another authority with `dockward certs init`",
            ),
            Self::NoPassphrase => f.write_str("the passphrase is empty, write one on one line"),
            _ => return None,
        })
    }

    /// About a file.
    fn of_files(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAuthority(path) => write!(
                f,
                "{0}: no certificate authority here, make one with `dockward certs init --dir {0}`",
                path.display()
            ),
            Self::Exists(path) => write!(
                f,
                "{}: is there already and is not written over, choose another place or move it away",
                path.display()
            ),
            Self::MoreThanABundle(path) => write!(
                f,
                "{}: holds more than ca.pem, cert.pem and key.pem, choose another directory with --bundle",
                path.display()
            ),
            Self::Damaged { path, why } => write!(
                f,
                "{}: damaged ({why}), nothing was changed; put a good copy in its place",
                path.display()
            ),
            Self::Request { path, why } => write!(f, "{}: {why}", path.display()),
            Self::NotOurs(path) => write!(
                f,
                "{}: not a certificate that was issued here, see `dockward certs list --all`",
                path.display()
            ),
            Self::NotAClient(path) => write!(
                f,
                "{}: not a client's certificate, use `dockward certs renew --server` for the gate's",
                path.display()
            ),
            Self::Locked { path, why } => write!(
                f,
                "{}: {why}, give it by --passphrase-file or DOCKWARD_CA_PASSPHRASE",
                path.display()
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for PkiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Signing(error) => Some(error),
            _ => None,
        }
    }
}

impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self::Signing(error)
    }
}
