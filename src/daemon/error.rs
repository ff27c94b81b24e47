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
    /// The answer did not come or ended early: what the request did is not known.
    Broken(String),
    /// The client's upload ended early, was malformed, or carried trailers: the daemon saw it cut.
    Upload(String),
    /// The exchange was cancelled on our side.
    Cancelled,
}

impl Actionable for DaemonError {
    fn problem(&self) -> Problem {
        match self {
            Self::Away { socket, source } => Problem::new(
                format!(
                    "the docker daemon cannot be reached at {}: {source}; nothing was sent",
                    socket.display()
                ),
                "see `systemctl status docker`",
            ),
            Self::Protocol(what) => Problem::new(
                format!("the docker daemon's answer was refused: {what}"),
                "see the daemon's log",
            ),
            Self::Broken(what) => Problem::new(
                format!("the docker daemon's answer was lost: {what}"),
                "look at the object's state before trying again",
            ),
            Self::Upload(what) => Problem::new(
                format!("the upload to the docker daemon was cut: {what}"),
                "send it again, whole",
            ),
            Self::Cancelled => Problem::new(
                "the request was cancelled because its client is gone",
                "look at the object's state before trying again",
            ),
        }
    }
}
