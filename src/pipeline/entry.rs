//! The pipeline as the front's gate, and what becomes of connections that never were a request.

use super::{Pipeline, SharedState, Visit};
use crate::audit::describe::shown;
use crate::audit::{Refusal, RefusalKind, Writer};
use crate::identity::{Evidence, Unidentified};
use crate::proxy::receive;
use crate::proxy::respond::{self, ResponseBody};
use crate::proxy::{Address, Allotment, Connection, Gate, Peer, RefusedKind, Stranger, Watch};
use crate::telemetry::Tally;
use crate::who::Who;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;

/// The gate that the front hands requests to.
#[derive(Debug)]
pub struct PipelineGate(pub Arc<Pipeline>);

impl Gate for PipelineGate {
    type Who = Who;

    fn identify(&self, evidence: &Evidence, peer: &Peer) -> Result<Who, Unidentified> {
        let SharedState { in_force, log, .. } = &self.0.shared;
        Who::new(&in_force.rules(), peer.listener.clone(), evidence).inspect_err(|why| {
            log.refusal(&Refusal {
                kind: RefusalKind::Connection,
                whence: peer.client.whence(),
                who: None,
                reason: why.rule(),
                text: Some(shown(evidence)),
            });
        })
    }

    fn arrived(&self, connection: &Arc<Connection<Who>>) {
        self.0.shared.sessions.arrived(connection);
        self.0.shared.tally.seen(connection.who.name(), Timestamp::now(), &connection.evidence);
    }

    fn name<'a>(&self, who: &'a Who) -> &'a str {
        who.name()
    }

    fn allotment(&self, who: &Who) -> Option<Allotment> {
        who.allotment()
    }

    async fn turn_away(&self, stranger: Arc<Stranger>, _head: Parts) -> Response<ResponseBody> {
        respond::stranger(&stranger.why)
    }

    async fn handle(
        &self,
        connection: Arc<Connection<Who>>,
        request: Request<Incoming>,
    ) -> Response<ResponseBody> {
        let mut visit = Visit::new(&self.0, connection, request);
        let response = match visit.serve().await {
            Ok(response) => response,
            Err(refused) => visit.refuse(refused).await,
        };
        match visit.body.take() {
            Some(unread) => receive::answer_unread(response, &visit.parts.headers, unread),
            None => response,
        }
    }
}

/// Connections that never became a request, folded into the log.
#[derive(Debug)]
pub struct Doorkeeper(pub Arc<Writer>, pub Arc<Tally>);

impl Watch for Doorkeeper {
    fn refused(&self, peer: &Peer, who: Option<&str>, kind: RefusedKind, detail: String) {
        let handshake = matches!(
            kind,
            RefusedKind::Handshake
                | RefusedKind::CrowdedOut
                | RefusedKind::NoCertificate
                | RefusedKind::HandshakeTimeout
                | RefusedKind::Untrusted(_)
        );
        if handshake {
            self.1.handshake_refused();
        }
        // with its subject, by `PipelineGate::identify`
        if matches!(kind, RefusedKind::Unidentified { recorded: true, .. }) {
            return;
        }
        self.0.refusal(&Refusal {
            kind: if handshake { RefusalKind::Handshake } else { RefusalKind::Connection },
            whence: peer.client.whence(),
            who: who.map(str::to_owned),
            reason: kind.rule(),
            text: Some(detail),
        });
    }

    fn accept_failed(&self, listener: &Address, error: &io::Error) {
        self.1.cannot_accept(format!("{listener} cannot accept: {error}"), Timestamp::now());
        tracing::error!(%listener, %error, "cannot accept connections, trying again");
    }
}
