//! What somebody left running. Whoever loses a key loses what is open at once, but not the containers made
//! with it: those are looked up in the log, and stopped if an operator says so. Stopping is a request of our
//! own, recorded like any other before the daemon hears of it.

use super::Operator;
use crate::audit::event::{Actor, Ended, OutcomeRecord, RequestRecord};
use crate::audit::{self, Case, Event, EventId, Stage};
use crate::daemon::{AnswerShare, Cancel, ClientBody, Lookup};
use crate::policy::own::{self, Cause};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// A container that is still running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRunning {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image, as it was asked for.
    pub image: String,
    /// Whether it was stopped; `None` if nobody asked for that, otherwise why not if not.
    pub stopped: Option<Result<(), String>>,
}

impl Operator {
    /// Containers that were made under these certificates (by serial number; with `of_the_name` also those
    /// made by the same name under others) and that run now.
    ///
    /// # Errors
    /// The log cannot be read, or the daemon cannot be asked; in words.
    pub async fn left_running(
        &self,
        serials: BTreeSet<String>,
        of_the_name: bool,
    ) -> Result<Vec<LeftRunning>, String> {
        let directory = self.directory.clone();
        let look = move || audit::containers_made(&directory, &serials, of_the_name);
        let made = tokio::task::spawn_blocking(look).await.map_err(|error| error.to_string())?;
        let mut left = Vec::new();
        for id in made.map_err(|error| error.to_string())?.into_iter().filter(|id| own::is_id(id)) {
            let found =
                self.daemon.look_for(Lookup::Container(id.clone()), &AnswerShare::default()).await;
            if let Some(container) = found.map_err(|error| error.to_string())? {
                left.extend(running(id, &container));
            }
        }
        Ok(left)
    }

    /// Stops them, each by a request that is recorded first. `parent` is the event of who asked for it.
    /// All at once, as each may take its time to stop, and each in a task of its own: whoever asked may go,
    /// and what was recorded has its end recorded.
    pub async fn stop_left(
        self: &Arc<Self>,
        left: &mut [LeftRunning],
        parent: EventId,
        actor: &Actor,
    ) {
        let stop = |one: &LeftRunning| {
            let (operator, id, actor) = (Arc::clone(self), one.id.clone(), actor.clone());
            tokio::spawn(async move { operator.stop(&id, parent, &actor).await })
        };
        let stops: Vec<_> = left.iter().map(stop).collect();
        for (one, stop) in left.iter_mut().zip(stops) {
            one.stopped = Some(stop.await.unwrap_or_else(|error| Err(error.to_string())));
        }
    }

    async fn stop(&self, id: &str, parent: EventId, actor: &Actor) -> Result<(), String> {
        let accepted = self.daemon.accepted(self.floor).await.map_err(|error| error.to_string())?;
        let permit = own::stop(Cause::Revoked, id, accepted.ceiling);
        let permit = permit.ok_or_else(|| format!("{id:?} is no id of a container"))?;
        let case = Case {
            id: EventId::new(),
            parent: Some(parent),
            identity: None,
            client: None,
            request: RequestRecord {
                method: permit.outbound().method.as_str().to_owned(),
                path: permit.outbound().target.clone(),
                operation: Some("ContainerStop".to_owned()),
                target: Some(id.to_owned()),
                ..RequestRecord::default()
            },
            actor: Some(actor.clone()),
        };
        let (decided, began) = (case.id, Instant::now());
        let permitted = self.revalidator.log.permit(case, permit).await;
        let permitted = permitted.map_err(|error| error.to_string())?;
        let answer = self.daemon.forward(permitted, ClientBody::Empty, Cancel::new()).await;
        let said = answer.map(|answer| answer.status.as_u16()).map_err(|error| error.to_string());
        let mut end = Event::new(Stage::Complete);
        end.parent = Some(decided);
        end.outcome = Some(OutcomeRecord {
            status: said.as_ref().ok().copied(),
            error: said.as_ref().err().cloned(),
            bytes_in: 0,
            bytes_out: 0,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            id: None,
            name: None,
            ended: if said.is_ok() { Ended::Done } else { Ended::DaemonGone },
        });
        self.revalidator.log.note(end);
        match said? {
            200..=299 | 304 => Ok(()), // 304: it had stopped meanwhile
            status => Err(format!("the daemon answered {status}")),
        }
    }
}

fn running(id: String, container: &Value) -> Option<LeftRunning> {
    let text = |at: &str| container.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let runs = container.pointer("/State/Running")?.as_bool()?;
    let (name, image) =
        (text("/Name").trim_start_matches('/').to_owned(), text("/Config/Image").to_owned());
    runs.then_some(LeftRunning { id, name, image, stopped: None })
}
