//! What an owner has by now, counted from the daemon's own state, and what is about to be added: a reservation is taken
//! before a request goes on, and settled by what came of it. While nothing is on its way all is counted anew, so that
//! what ended by itself, was removed beside the gate, or came of a request whose end nobody saw, is counted as it is.

use super::inspected;
use crate::daemon::{AnswerShare, Daemon, DaemonError, Lookup};
use crate::docker::Resource;
use crate::policy::quota::{Amounts, Limits, OverLimit, taken, taken_by_service};
use crate::policy::scope::OWNER;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long a request waits for others of its owner that are on their way, where it fits in only if some of them fail.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all owners have. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Usages(Arc<Mutex<HashMap<String, Arc<OwnerUsage>>>>);

/// What one has.
#[derive(Debug, Default)]
struct OwnerUsage {
    /// Held while it is counted: one counts for all who wait.
    counting: tokio::sync::Mutex<()>,
    counted: Mutex<Counted>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Counted {
    /// What there was when it was counted last, and what was added since.
    has: Amounts,
    /// What is on its way.
    reserved: Amounts,
    /// How many requests are.
    on_their_way: usize,
    /// What containers take while they run, by id.
    takes: HashMap<String, Amounts>,
}

/// Why a request is not let through.
#[derive(Debug)]
pub enum Unreserved {
    /// There would be too much of something: how much there is, and may be.
    Over(OverLimit, u64, u64),
    /// The daemon does not say how much there is.
    Away(DaemonError),
}

/// Some of what an owner may have, for a request on its way. Dropped without an end, it counts as if it had come about, until
/// all is counted anew.
#[derive(Debug)]
pub struct Reservation {
    of: Arc<OwnerUsage>,
    amounts: Amounts,
    settled: bool,
}

impl Usages {
    /// Takes so much for a request of this owner; if that is nothing, what there is stays counted until it ends.
    ///
    /// # Errors
    /// See [`Unreserved`].
    pub async fn reserve(
        &self,
        daemon: &Daemon,
        owner: &str,
        limits: &Limits,
        wants: &Amounts,
    ) -> Result<Option<Reservation>, Unreserved> {
        let limited = limits.limited(wants);
        if limited.is_empty() && !wants.is_empty() {
            return Ok(None);
        }
        // nothing more than it has: that is kept for it, should it be away for a moment
        let wants = limited;
        let of = Arc::clone(self.all().entry(owner.to_owned()).or_default());
        let end = Instant::now() + PATIENCE;
        loop {
            let settled = of.settled.notified();
            let counting = of.counting.lock().await;
            if of.counted().on_their_way == 0 {
                let counted = count(daemon, owner, limits, &of).await.map_err(Unreserved::Away)?;
                of.counted().has = counted;
            }
            let over = {
                let mut counted = of.counted();
                let mut all = counted.has.clone();
                all.add(&counted.reserved);
                match limits.exceeded(&all, &wants) {
                    None => {
                        counted.reserved.add(&wants);
                        counted.on_their_way += 1;
                        let of = Arc::clone(&of);
                        return Ok(Some(Reservation { of, amounts: wants, settled: false }));
                    }
                    Some(over) if counted.on_their_way == 0 => Err(over),
                    Some(over) => Ok(over),
                }
            };
            drop(counting);
            let (quantity, has, most) = match over {
                Err((quantity, has, most)) => return Err(Unreserved::Over(quantity, has, most)),
                Ok(over) => over,
            };
            // others are on their way, of which some may fail
            if timeout_at(end, settled).await.is_err() {
                return Err(Unreserved::Over(quantity, has, most));
            }
        }
    }

    /// A container was changed: what containers take is looked up again.
    pub fn forget(&self) {
        self.all().values().for_each(|of| of.counted().takes.clear());
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<OwnerUsage>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OwnerUsage {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// What came of it: whether what was asked for is there now.
    pub fn settle(mut self, done: bool) {
        self.end(done);
    }

    fn end(&mut self, done: bool) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let mut counted = self.of.counted();
        counted.reserved.take(&self.amounts);
        counted.on_their_way = counted.on_their_way.saturating_sub(1);
        if done {
            counted.has.add(&self.amounts);
        }
        drop(counted);
        self.of.settled.notify_waiters();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // nobody saw its end: it may have come about, until all is counted anew
        self.end(true);
    }
}

/// Counts what an owner has of what is limited.
async fn count(
    daemon: &Daemon,
    owner: &str,
    limits: &Limits,
    of: &OwnerUsage,
) -> Result<Amounts, DaemonError> {
    let mut has = Amounts::default();
    let is_limited = |quantity: OverLimit| limits.0.contains_key(&quantity);
    let label = format!("{OWNER}={owner}");
    if is_limited(OverLimit::Volumes) {
        let volumes: ListedVolumes = daemon.labelled(Resource::Volume, label.clone()).await?;
        has.put(OverLimit::Volumes, len(volumes.volumes.as_deref().unwrap_or_default()));
    }
    if is_limited(OverLimit::Networks) {
        let networks: Vec<IgnoredAny> = daemon.labelled(Resource::Network, label.clone()).await?;
        has.put(OverLimit::Networks, len(&networks));
    }
    let of_containers =
        |quantity: &OverLimit| *quantity == OverLimit::Containers || quantity.is_of_running();
    if !limits.0.keys().any(of_containers) {
        return Ok(has);
    }
    // what services are to have is counted, whether or not it is there yet, and not their tasks besides
    let services: Vec<ListedService> = daemon.labelled(Resource::Service, label.clone()).await?;
    for service in &services {
        has.add(&taken_by_service(&service.spec.to_string()));
    }
    let mut containers: Vec<ListedContainer> = daemon.labelled(Resource::Container, label).await?;
    // a swarm that has no leader tells of none
    if !services.is_empty() {
        containers.retain(|container| !container.is_of_a_service());
    }
    has.put(OverLimit::Containers, len(&containers));
    let running = containers.iter().filter(|container| {
        matches!(container.state.as_str(), "running" | "paused" | "restarting")
    });
    let running: Vec<&str> = running.map(|container| container.id.as_str()).collect();
    has.put(OverLimit::Running, len(&running));
    let by_what_they_take =
        limits.0.keys().any(|of| of.is_of_running() && *of != OverLimit::Running);
    if by_what_they_take {
        of.counted().takes.retain(|id, _| running.contains(&id.as_str()));
        for id in running {
            let known = of.counted().takes.get(id).cloned();
            let takes = match known {
                Some(takes) => takes,
                None => takes_of(daemon, id).await?,
            };
            has.add(&takes);
            of.counted().takes.insert(id.to_owned(), takes);
        }
    }
    Ok(has)
}

/// What a container takes; nothing, if it has gone meanwhile.
async fn takes_of(daemon: &Daemon, id: &str) -> Result<Amounts, DaemonError> {
    let share = AnswerShare::default();
    let Some(answer) = daemon.look_for(Lookup::Container(id.to_owned()), &share).await? else {
        return Ok(Amounts::default());
    };
    // one that is not understood takes all
    Ok(taken(inspected::container(&answer).as_ref()))
}

fn len<T>(list: &[T]) -> u64 {
    list.len() as u64
}

/// One of `GET /containers/json`.
#[derive(Deserialize)]
struct ListedContainer {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "State")]
    state: String,
    #[serde(rename = "Labels")]
    labels: Option<HashMap<String, IgnoredAny>>,
}

impl ListedContainer {
    /// Whether it is a task of a service (`daemon/cluster/executor/container/container.go` of moby).
    fn is_of_a_service(&self) -> bool {
        let labels = self.labels.as_ref();
        labels.is_some_and(|labels| labels.contains_key("com.docker.swarm.service.id"))
    }
}

/// One of `GET /services`.
#[derive(Deserialize)]
struct ListedService {
    #[serde(rename = "Spec")]
    spec: serde_json::Value,
}

/// `GET /volumes`.
#[derive(Deserialize)]
struct ListedVolumes {
    #[serde(rename = "Volumes")]
    volumes: Option<Vec<IgnoredAny>>,
}
