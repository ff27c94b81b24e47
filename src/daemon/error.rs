//! What can go wrong between us and the daemon, in words for people.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no (whole) answer of the daemon.
#[derive(Debug)]
pub enum DaemonError {
    /// The socket could not be connected to: nothing was sent.
    Away {
        /// The socket.
        socket: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The daemon answered in a way that we do not pass on (a redirect, an upgrade nobody asked
    /// for), or the request was not fit to be written. The connection is closed.
    Protocol(String),
    /// The answer did not come or ended early: what the request did is not known.
    Broken(String),
    /// The client's upload ended early, was malformed, or carried trailers: the daemon saw it cut.
    Upload(String),
    /// The exchange was cancelled on our side.
    Cancelled,
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away { socket, source } => write!(
                f,
                "the docker daemon cannot be reached at {}: {source}; nothing was sent, see `systemctl status docker`",
                socket.display()
            ),
            Self::Protocol(what) => write!(f, "the docker daemon's answer was refused: {what}"),
            Self::Broken(what) => write!(
                f,
                "the docker daemon's answer was lost: {what}; look at the object's state before trying again"
            ),
            Self::Upload(what) => {
                write!(f, "the upload to the docker daemon was cut: {what}; send it again, whole")
            }
            Self::Cancelled => f.write_str("the request was cancelled because its client is gone"),
        }
    }
}

impl std::error::Error for DaemonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Away { source, .. } => Some(source),
            _ => None,
        }
    }
}
