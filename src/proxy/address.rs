//! The two ends of a connection by name: where the client comes from, and by which listener it came in.

use super::limits::address_key;
use crate::audit::Whence;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientOrigin {
    /// From this address and port.
    Tcp(SocketAddr),
    /// From a Unix socket, as the user of this number.
    User(u32),
}

impl ClientOrigin {
    /// What refusals are counted by.
    #[must_use]
    pub const fn whence(self) -> Whence {
        match self {
            Self::Tcp(address) => Whence::Address(address.ip()),
            Self::User(uid) => Whence::User(uid),
        }
    }

    /// What places are counted by: one address, however it is spelled, or one user.
    pub(super) fn key(self) -> Whence {
        match self {
            Self::Tcp(address) => Whence::Address(address_key(address.ip())),
            Self::User(uid) => Whence::User(uid),
        }
    }
}

impl fmt::Display for ClientOrigin {
    /// `10.0.0.1:40000` or `uid:1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::User(_) => self.whence().fmt(f),
        }
    }
}

/// A listener by where clients find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(Arc<PathBuf>),
}

impl Address {
    /// The address and port, if it has one.
    #[must_use]
    pub const fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    /// `127.0.0.1:2376` or `unix:/run/dockward/docker.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
