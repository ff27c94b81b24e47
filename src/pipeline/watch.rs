//! The pipeline as the front's gate, and what becomes of connections that never were a request.

use super::refuse::Asked;
use super::{Pipeline, Tally, Who, events};
use crate::audit::{EventId, Refusal, RefusalKind, Writer};
use crate::identity::{Evidence, Unidentified};
use crate::proxy::receive;
use crate::proxy::respond::{self, Body};
use crate::proxy::{Address, Connection, Gate, Peer, RefusedKind, Stranger, Watch};
use http::request::Parts;
use http::{Request, Response, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;

/// The gate that the front hands requests to.
#[derive(Debug)]
pub struct Entry(pub Arc<Pipeline>);

impl Gate for Entry {
    type Who = Who;

    fn identify(&self, evidence: &Evidence, peer: &Peer) -> Result<Who, Unidentified> {
        Who::new(&self.0.rules.load(), peer.listener.clone(), evidence).inspect_err(|why| {
            self.0.log.refusal(&Refusal {
                kind: RefusalKind::Connection,
                whence: peer.client.whence(),
                reason: why.rule(),
                text: Some(events::shown(evidence)),
            });
        })
    }

    fn arrived(&self, connection: &Arc<Connection<Who>>) {
        self.0.sessions.arrived(connection);
        self.0.tally.seen(connection.who.name(), Timestamp::now(), &connection.evidence);
    }

    fn name<'a>(&self, who: &'a Who) -> &'a str {
        who.name()
    }

    async fn turn_away(&self, stranger: Arc<Stranger>, _head: Parts) -> Response<Body> {
        respond::stranger(&stranger.why)
    }

    async fn handle(
        &self,
        connection: Arc<Connection<Who>>,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        // taken here, used only after the daemon's own 101, dropped otherwise
        let wants = request.headers().contains_key(header::UPGRADE);
        let on_upgrade = wants.then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        let mut asked = Asked {
            id: EventId::new(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            client: events::client(&connection.peer),
            policy: None,
            identity: None,
            head: None,
            body_sha256: None,
            fields: serde_json::Map::new(),
        };
        let mut body = Some(body);
        let served = self.0.serve(&connection, parts, &mut body, on_upgrade, &mut asked).await;
        let response = match served {
            Ok(response) => response,
            Err(refused) => self.0.refuse(&connection, &asked, refused).await,
        };
        match body {
            Some(unread) => receive::answer_unread(response, &headers, unread),
            None => response,
        }
    }
}

/// Connections that never became a request, folded into the log.
#[derive(Debug)]
pub struct Doorkeeper(pub Arc<Writer>, pub Arc<Tally>);

impl Watch for Doorkeeper {
    fn refused(&self, peer: &Peer, kind: RefusedKind, detail: String) {
        let handshake = matches!(
            kind,
            RefusedKind::Handshake
                | RefusedKind::NoCertificate
                | RefusedKind::HandshakeTimeout
                | RefusedKind::Untrusted(_)
        );
        if handshake {
            self.1.handshake_refused();
        }
        // with its subject, by `Entry::identify`
        if matches!(kind, RefusedKind::Unidentified { recorded: true, .. }) {
            return;
        }
        self.0.refusal(&Refusal {
            kind: if handshake { RefusalKind::Handshake } else { RefusalKind::Connection },
            whence: peer.client.whence(),
            reason: kind.rule(),
            text: Some(detail),
        });
    }

    fn accept_failed(&self, listener: &Address, error: &io::Error) {
        tracing::error!(%listener, %error, "cannot accept connections, trying again");
    }
}
