//! What can go wrong while making keys and certificates. Every message names the path, since the one
//! remedy is at hand: these are demo keys, and the directory can be made anew.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a demo PKI could not be made or kept.
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
            Self::ClientName(name) => write!(
                f,
                "client name {name:?} is not usable, take a-z, 0-9, `.`, `_`, `-`, a letter or digit first"
            ),
            Self::Host(host) => write!(f, "{host:?} is neither an address nor a host name"),
            Self::Uri(uri) => write!(f, "{uri:?} is not a URI of printable ASCII"),
            Self::Signing(error) => write!(f, "cannot make a certificate: {error}"),
            Self::Clock => f.write_str("the clock is out of range, set it"),
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
