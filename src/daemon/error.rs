//! What can go wrong between us and the daemon, in words for people.

use crate::problem::{Actionable, Problem};
use std::io;
use std::path::PathBuf;

/// Why there is no (whole) answer of the daemon.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
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
    /// To a lookup of ours: several objects are meant by this name, or have an id that begins so.
    Several(String),
    /// The answer did not come or ended early: what the request did is not known.
    Broken(String),
    /// The client's upload ended early, was malformed, or carried trailers: the daemon saw it cut.
    Upload(String),
    /// The exchange was cancelled on our side.
    Cancelled,
}

impl Actionable for DaemonError {
    fn problem(&self) -> Problem {
        let what = match self {
            Self::Away { socket, source } => {
                let at = socket.display();
                format!("the docker daemon cannot be reached at {at}: {source}; nothing was sent")
            }
            Self::Protocol(what) => format!("the docker daemon's answer was refused: {what}"),
            Self::Several(name) => format!("several objects are meant by {name:?}"),
            Self::Broken(what) => format!("the docker daemon's answer was lost: {what}"),
            Self::Upload(what) => format!("the upload to the docker daemon was cut: {what}"),
            Self::Cancelled => "the request was cancelled because its client is gone".to_owned(),
        };
        let then = match self {
            Self::Away { .. } => "see `systemctl status docker`",
            Self::Protocol(_) => "see the daemon's log",
            Self::Several(_) => "use the full id",
            Self::Broken(_) | Self::Cancelled => "look at the object's state before trying again",
            Self::Upload(_) => "send it again, whole",
        };
        Problem::new(what, then)
    }
}
