//! By what somebody is known. Each way in has its own kind, and a rule is about one kind only: nobody can
//! come in by one way as who was meant for the other.

use super::certificate::CertificateFacts;
use super::peer::PeerFacts;

/// By what somebody is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A client certificate that TLS has verified.
    Certificate(Box<CertificateFacts>),
    /// A user of this host, at a Unix socket.
    Peer(PeerFacts),
}

impl Evidence {
    /// What the certificate says, if it is one.
    #[must_use]
    pub const fn certificate(&self) -> Option<&CertificateFacts> {
        match self {
            Self::Certificate(facts) => Some(facts),
            Self::Peer(_) => None,
        }
    }
}

impl From<CertificateFacts> for Evidence {
    fn from(facts: CertificateFacts) -> Self {
        Self::Certificate(Box::new(facts))
    }
}
