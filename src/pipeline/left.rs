//! What somebody left running. Whoever loses a key loses what is open at once, but not the containers made
//! with it: those are looked up in the log, and stopped if an operator says so. Stopping is a request of our
//! own, recorded like any other before the daemon hears of it.

use super::Pipeline;
use crate::audit::event::{Actor, Decision, Ended, Forwarded, Outcome, Request};
use crate::audit::{self, Event, EventId, Stage};
use crate::daemon::{Cancel, ClientBody, Lookup};
use crate::docker::{Hijack, Life, Method, Outbound, OutboundBody};
use crate::policy::Permit;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// The grant under which we stop what was left.
const GRANT: &str = "revoke --stop";

/// A container that is still running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image, as it was asked for.
    pub image: String,
    /// Whether it was stopped; `None` if nobody asked for that, otherwise why not if not.
    pub stopped: Option<Result<(), String>>,
}

impl Pipeline {
    /// Containers that were made under these certificates (by serial number; with `of_the_name` also those
    /// made by the same name under others) and that run now.
    ///
    /// # Errors
    /// The log cannot be read, or the daemon cannot be asked; in words.
    pub async fn left_running(
        &self,
        serials: BTreeSet<String>,
        of_the_name: bool,
    ) -> Result<Vec<Left>, String> {
        let directory = self.places.audit.clone();
        let look = move || audit::containers_made(&directory, &serials, of_the_name);
        let made = tokio::task::spawn_blocking(look).await.map_err(|error| error.to_string())?;
        let mut left = Vec::new();
        for id in made.map_err(|error| error.to_string())?.into_iter().filter(|id| is_id(id)) {
            let found = self.daemon.look_for(Lookup::Container(id.clone())).await;
            if let Some(container) = found.map_err(|error| error.to_string())? {
                left.extend(running(id, &container));
            }
        }
        Ok(left)
    }

    /// Stops them, each by a request that is recorded first. `parent` is the event of who asked for it.
    /// All at once, as each may take its time to stop, and each in a task of its own: whoever asked may go,
    /// and what was recorded has its end recorded.
    pub async fn stop_left(self: &Arc<Self>, left: &mut [Left], parent: EventId, actor: &Actor) {
        let stop = |one: &Left| {
            let (pipeline, id, actor) = (Arc::clone(self), one.id.clone(), actor.clone());
            tokio::spawn(async move { pipeline.stop(&id, parent, &actor).await })
        };
        let stops: Vec<_> = left.iter().map(stop).collect();
        for (one, stop) in left.iter_mut().zip(stops) {
            one.stopped = Some(stop.await.unwrap_or_else(|error| Err(error.to_string())));
        }
    }

    async fn stop(&self, id: &str, parent: EventId, actor: &Actor) -> Result<(), String> {
        let accepted = self.daemon.accepted(self.floor).await.map_err(|error| error.to_string())?;
        let version = accepted.ceiling;
        let target = format!("/v{version}/containers/{id}/stop");
        let outbound = Outbound {
            method: Method::Post,
            target: target.clone(),
            version,
            headers: Vec::new(),
            body: OutboundBody::Empty,
            hijack: Hijack::No,
            life: Life::Write,
        };
        let mut event = Event::new(Stage::Decision);
        event.parent = Some(parent);
        event.actor = Some(actor.clone());
        event.request = Some(Request {
            method: "POST".to_owned(),
            path: target.clone(),
            operation: Some("ContainerStop".to_owned()),
            target: Some(id.to_owned()),
            ..Request::default()
        });
        let mut decision = Decision::allow();
        decision.grant = Some(GRANT.to_owned());
        event.decision = Some(decision);
        event.forwarded =
            Some(Forwarded { method: "POST".to_owned(), target, ..Forwarded::default() });
        let permit = Permit {
            role: String::new(),
            grant: GRANT.to_owned(),
            would: Vec::new(),
            terms: Vec::new(),
            outbound,
        };
        let (decided, began) = (event.id, Instant::now());
        let permitted = self.log.permit(event, permit).await.map_err(|error| error.to_string())?;
        let answer = self.daemon.forward(permitted, ClientBody::Empty, Cancel::new()).await;
        let (status, error) = match answer {
            Ok(answer) => (Some(answer.status.as_u16()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut end = Event::new(Stage::Complete);
        end.parent = Some(decided);
        end.outcome = Some(Outcome {
            status,
            error: error.clone(),
            bytes_in: 0,
            bytes_out: 0,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            id: None,
            name: None,
            ended: if error.is_none() { Ended::Done } else { Ended::DaemonGone },
        });
        self.log.note(end);
        match (status, error) {
            // 304: it had stopped meanwhile
            (Some(200..=299 | 304), _) => Ok(()),
            (Some(status), _) => Err(format!("the daemon answered {status}")),
            (None, error) => Err(error.unwrap_or_default()),
        }
    }
}

/// Whether the daemon's word for what it made can stand in a path as the name of just that.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn running(id: String, container: &Value) -> Option<Left> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let runs = container.get("State")?.get("Running")?.as_bool()?;
    let name = text(container.get("Name")).trim_start_matches('/').to_owned();
    let image = text(container.get("Config").and_then(|config| config.get("Image")));
    runs.then_some(Left { id, name, image, stopped: None })
}
