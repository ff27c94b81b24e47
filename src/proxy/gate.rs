//! What the front asks and tells, so that it decides and records nothing itself: the [`Gate`] knows
//! identities and answers requests, the [`Watch`] hears of connections that never became a request.

use super::address::{Address, ClientOrigin};
use super::connected::Connection;
use super::respond::ResponseBody;
use super::turned_away::TurnedAway;
use crate::audit::event::Client;
use crate::identity::{Evidence, Unidentified};
use crate::rule::Rule;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

/// Who decides: the pipeline, or a test.
pub trait Gate: Send + Sync + 'static {
    /// What is known of an identified client, for all requests of its connection.
    type Who: Send + Sync + 'static;

    /// Who the client is by what it has shown, or the kernel of it. Asked once, after the handshake.
    ///
    /// # Errors
    /// Why it is nobody, which is on record then; its first request is answered by [`Gate::turn_away`].
    fn identify(&self, evidence: &Evidence, peer: &Peer) -> Result<Self::Who, Unidentified>;

    /// An identified client has a place: it is one that can be ended from now on.
    fn arrived(&self, connection: &Arc<Connection<Self::Who>>) {
        let _ = connection;
    }

    /// The name that places are counted by.
    fn name<'a>(&self, who: &'a Self::Who) -> &'a str;

    /// How many connections whoever owns as this client may have at once, where that is fewer than others may.
    fn allotment(&self, who: &Self::Who) -> Option<Allotment> {
        let _ = who;
        None
    }

    /// Answers the one request of somebody who is nobody. The connection closes after it.
    fn turn_away(
        &self,
        stranger: Arc<Stranger>,
        head: Parts,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// Answers a request. Dropped when the client is gone, so what must run to its end runs in a
    /// task of its own.
    fn handle(
        &self,
        connection: Arc<Connection<Self::Who>>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;
}

/// Places of an owner.
#[derive(Clone, Debug)]
pub struct Allotment {
    /// Whose they are.
    pub owner: String,
    /// How many.
    pub most: usize,
    /// What refuses one more.
    pub rule: &'static Rule,
}

/// Who is told of connections that never became a request.
pub trait Watch: fmt::Debug + Send + Sync + 'static {
    /// A connection was refused or given up; `who` is its identity, where it has one. `detail` is one line, escaped
    /// and bounded.
    fn refused(&self, peer: &Peer, who: Option<&str>, kind: RefusedKind, detail: String);

    /// A listener cannot accept, out of descriptors for example; it goes on after a pause.
    fn accept_failed(&self, listener: &Address, error: &io::Error);
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusedKind {
    /// As many connections of those who are known as there may be.
    TooMany,
    /// Others came before it was known whose it is.
    CrowdedOut,
    /// As many of this address, or of this user at a Unix socket, as there may be.
    TooManyFromAddress,
    /// As many of this identity as there may be.
    TooManyOfIdentity,
    /// As many of its owner as its limits say; which.
    TooManyOfOwner(&'static Rule),
    /// The client showed no certificate.
    NoCertificate,
    /// The handshake failed.
    Handshake,
    /// The client's certificate is not to be believed; why.
    Untrusted(&'static Rule),
    /// The handshake took too long.
    HandshakeTimeout,
    /// The certificate is good and is nobody's, or the user is nobody who is known.
    Unidentified {
        /// Why.
        rule: &'static Rule,
        /// Whether there was evidence by which the gate was asked, which puts it on record itself.
        recorded: bool,
    },
    /// hyper cannot parse the head, or it is too large.
    Head,
    /// The head took too long.
    HeadTimeout,
}

impl RefusedKind {
    /// What is documented about it.
    #[must_use]
    pub const fn rule(self) -> &'static Rule {
        match self {
            Self::TooMany => TurnedAway::TooMany.rule(),
            Self::CrowdedOut => TurnedAway::CrowdedOut.rule(),
            Self::TooManyFromAddress => TurnedAway::TooManyFromAddress.rule(),
            Self::TooManyOfIdentity => TurnedAway::TooManyOfIdentity.rule(),
            Self::NoCertificate => TurnedAway::NoCertificate.rule(),
            Self::Handshake => TurnedAway::Failed.rule(),
            Self::HandshakeTimeout => TurnedAway::HandshakeTimeout.rule(),
            Self::Untrusted(rule)
            | Self::TooManyOfOwner(rule)
            | Self::Unidentified { rule, .. } => rule,
            Self::Head => TurnedAway::Head.rule(),
            Self::HeadTimeout => TurnedAway::HeadTimeout.rule(),
        }
    }
}

/// The number of a connection, unique within the process; shared by its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The connection's number.
    pub connection: ConnectionId,
    /// Where it comes from.
    pub client: ClientOrigin,
    /// By which listener it came in.
    pub listener: Address,
    /// `1.3` or `1.2`; empty before the handshake, and at a Unix socket.
    pub tls: &'static str,
}

impl Peer {
    /// Where it comes from, for the log.
    #[must_use]
    pub fn told(&self) -> Client {
        Client {
            address: self.client.to_string(),
            listener: Some(self.listener.to_string()),
            connection: Some(self.connection.to_string()),
            tls: (!self.tls.is_empty()).then(|| self.tls.to_owned()),
        }
    }
}

/// A client that TLS or the kernel knows, and no rule.
#[derive(Clone, Debug)]
pub struct Stranger {
    /// Where it comes from.
    pub peer: Peer,
    /// By what it would be known, if that can be read.
    pub evidence: Option<Evidence>,
    /// Why it is nobody.
    pub why: Unidentified,
}
