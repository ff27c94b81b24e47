//! What the gate does by itself for a request: makes the bridge of an owner before it goes on, and takes a container away
//! whose start it has refused. Each is a request of its own, recorded before the daemon hears of it, with the one that it
//! follows from.

use super::refuse::Refused;
use super::{Pipeline, Visit};
use crate::audit::event::{Ended, OutcomeRecord, RequestRecord};
use crate::audit::{AuditError, Case, Event, EventId, Stage};
use crate::daemon::{AnswerShare, Cancel, ClientBody, DaemonError, Lookup};
use crate::docker::CallHead;
use crate::policy::scope::OwnBridge;
use crate::policy::{Permit, own};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OwnedMutexGuard;

/// What is done, as the log tells it.
struct OwnAct {
    permit: Permit,
    operation: &'static str,
    target: String,
}

impl Visit {
    /// Makes the bridge, unless it is there by now.
    pub(super) async fn prepare(&self, bridge: &OwnBridge, head: &CallHead) -> Result<(), Refused> {
        let preparing = Arc::clone(&self.pipeline.shared.preparing);
        let one = preparing.lock_owned().await;
        let daemon = &self.pipeline.daemon;
        let share = AnswerShare::default();
        if daemon.look_for(Lookup::Network(bridge.name()), &share).await?.is_some() {
            return Ok(());
        }
        let permit = own::bridge(bridge, head.version);
        let act = OwnAct { permit, operation: "NetworkCreate", target: bridge.name() };
        match self.act(act, Some(one)).await.map_err(Refused::Unrecorded)?? {
            // somebody beside the gate was faster
            201 | 409 => Ok(()),
            status => {
                let what = format!("{status} to our own network {:?}", bridge.name());
                Err(DaemonError::Protocol(what).into())
            }
        }
    }

    /// Whether somebody was refused the start of a container that he has just made, and that is to go when it ends
    /// (`AutoRemove`).
    pub(super) fn leaves_unstarted(&self, refused: &Refused) -> bool {
        let (Some(head), Some(identity)) = (&self.head, &self.identity) else { return false };
        let refused =
            matches!(refused, Refused::Denied(_) | Refused::Over(..) | Refused::TooMany(_));
        let id = head.target().filter(|_| refused && head.route.operation == "ContainerStart");
        let gatherer = &self.pipeline.gatherer;
        id.is_some_and(|id| gatherer.is_unstarted(identity.name.as_str(), id))
    }

    /// Takes such a container away: the daemon does so with one that cannot start (`containerStart` in moby's
    /// `daemon/start.go`), and `docker run --rm` waits for that.
    pub(super) async fn clear(&self) {
        let (Some(head), Some(identity)) = (&self.head, &self.identity) else { return };
        let id = head.target().unwrap_or_default();
        if !self.pipeline.gatherer.take_unstarted(identity.name.as_str(), id) {
            return; // another one does
        }
        let Some(permit) = own::remove(id, head.version) else { return };
        let act = OwnAct { permit, operation: "ContainerDelete", target: id.to_owned() };
        match self.act(act, None).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.pipeline.daemon.complain(&error),
            Err(error) => tracing::error!(%error, "a removal could not be recorded: not done"),
        }
    }

    /// Does it in a task of its own, which the client cannot take along, and holds this meanwhile.
    async fn act(
        &self,
        act: OwnAct,
        held: Option<OwnedMutexGuard<()>>,
    ) -> Result<Result<u16, DaemonError>, AuditError> {
        let (pipeline, parent) = (Arc::clone(&self.pipeline), self.id);
        // the gate does not end before
        let connection = Arc::clone(&self.connection);
        let done = tokio::spawn(async move {
            let done = act.run(&pipeline, parent).await;
            drop((held, connection));
            done
        });
        done.await.unwrap_or(Ok(Err(DaemonError::Cancelled))) // nothing ends it before
    }
}

impl OwnAct {
    /// Records it, does it, and records what came of it: the daemon's status, or why it has said none.
    async fn run(
        self,
        pipeline: &Pipeline,
        parent: EventId,
    ) -> Result<Result<u16, DaemonError>, AuditError> {
        let Self { permit, operation, target } = self;
        let case = Case {
            id: EventId::new(),
            parent: Some(parent),
            identity: None,
            client: None,
            request: RequestRecord {
                method: permit.outbound().method.as_str().to_owned(),
                path: permit.outbound().target.clone(),
                operation: Some(operation.to_owned()),
                target: Some(target.clone()),
                ..RequestRecord::default()
            },
            actor: None,
        };
        let (decided, began) = (case.id, Instant::now());
        let log = &pipeline.shared.log;
        let permitted = log.permit(case, permit).await?;
        let answer = pipeline.daemon.forward(permitted, ClientBody::Empty, Cancel::new()).await;
        let said = answer.map(|answer| answer.status.as_u16());
        let mut end = Event::new(Stage::Complete);
        end.parent = Some(decided);
        end.outcome = Some(OutcomeRecord {
            status: said.as_ref().ok().copied(),
            error: said.as_ref().err().map(ToString::to_string),
            bytes_in: 0,
            bytes_out: 0,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            id: None,
            name: Some(target),
            ended: if said.is_ok() { Ended::Done } else { Ended::DaemonGone },
        });
        log.note(end);
        Ok(said)
    }
}
