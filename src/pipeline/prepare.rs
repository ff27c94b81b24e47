//! What must be there before a request goes on, and is made by the gate: the bridge of an owner. It is a request of its own,
//! recorded before the daemon hears of it, with the one that it follows from.

use super::Visit;
use super::refuse::Refused;
use crate::audit::event::{Ended, OutcomeRecord, RequestRecord};
use crate::audit::{Case, Event, EventId, Stage};
use crate::daemon::{AnswerShare, Cancel, ClientBody, DaemonError, Lookup};
use crate::docker::CallHead;
use crate::policy::own;
use crate::policy::scope::OwnBridge;
use std::sync::Arc;
use std::time::Instant;

impl Visit {
    /// Makes the bridge, unless it is there by now.
    pub(super) async fn prepare(&self, bridge: &OwnBridge, head: &CallHead) -> Result<(), Refused> {
        let preparing = Arc::clone(&self.pipeline.shared.preparing);
        let _one = preparing.lock().await;
        let daemon = &self.pipeline.daemon;
        let share = AnswerShare::default();
        if daemon.look_for(Lookup::Network(bridge.name()), &share).await?.is_some() {
            return Ok(());
        }
        let permit = own::bridge(bridge, head.version);
        let case = Case {
            id: EventId::new(),
            parent: Some(self.id),
            identity: None,
            client: None,
            request: RequestRecord {
                method: permit.outbound().method.as_str().to_owned(),
                path: permit.outbound().target.clone(),
                operation: Some("NetworkCreate".to_owned()),
                target: Some(bridge.name()),
                ..RequestRecord::default()
            },
            actor: None,
        };
        let (decided, began) = (case.id, Instant::now());
        let log = &self.pipeline.shared.log;
        let permitted = log.permit(case, permit).await.map_err(Refused::Unrecorded)?;
        let answer = daemon.forward(permitted, ClientBody::Empty, Cancel::new()).await;
        let said = answer.as_ref().map(|answer| answer.status.as_u16());
        let mut end = Event::new(Stage::Complete);
        end.parent = Some(decided);
        end.outcome = Some(OutcomeRecord {
            status: said.as_ref().ok().copied(),
            error: said.as_ref().err().map(ToString::to_string),
            bytes_in: 0,
            bytes_out: 0,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            id: None,
            name: Some(bridge.name()),
            ended: if said.is_ok() { Ended::Done } else { Ended::DaemonGone },
        });
        log.note(end);
        match said {
            // somebody beside the gate was faster
            Ok(201 | 409) => Ok(()),
            Ok(status) => {
                let what = format!("{status} to our own network {:?}", bridge.name());
                Err(DaemonError::Protocol(what).into())
            }
            Err(_) => Err(answer.err().unwrap_or(DaemonError::Cancelled).into()),
        }
    }
}
