//! What a judgement asks for: looked up on the host and at the daemon, as data. What cannot be found out stays
//! unknown, and policy refuses what it does not know.

use super::inspected;
use super::look;
use super::protected::{GatePaths, protected};
use crate::daemon::{Daemon, DaemonError, Lookup};
use crate::docker::Malformed;
use crate::policy::{Asking, Facts, Needs, Next, PathFact, Seen, Settled};
use futures_util::future::ready;
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// One body may name thousands of volumes; no request of anybody's needs more than these, of each kind.
const MOST_LOOKUPS: usize = 64;
/// So many of a kind are looked up at once: the daemon has other callers.
const AT_ONCE: usize = 8;

/// Brings answers to a judgement. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gatherer {
    daemon: Daemon,
    gate: Arc<GatePaths>,
    /// All that is protected, known once the daemon has said where its data is.
    protected: Arc<OnceCell<Vec<PathBuf>>>,
}

impl Gatherer {
    /// Asks this daemon, and this host, on which the gate itself has these places.
    #[must_use]
    pub fn new(daemon: Daemon, gate: GatePaths) -> Self {
        Self { daemon, gate: Arc::new(gate), protected: Arc::default() }
    }

    /// Goes on with a judgement until it asks for nothing more.
    ///
    /// # Errors
    /// As [`Asking::next`].
    pub async fn settle<'a>(&self, mut asking: Asking<'a>) -> Result<Settled<'a>, Malformed> {
        loop {
            asking = match asking.next()? {
                Next::Settled(settled) => return Ok(settled),
                Next::Look(question) => {
                    let found = self.look_up(question.needs()).await;
                    question.answer(found)
                }
            };
        }
    }

    /// Looks all of it up at once.
    async fn look_up(&self, needs: &Needs) -> Facts {
        let Needs { host_paths, exec, images, volumes, containers, networks } = needs;
        let exec = async {
            match exec {
                Some(exec) => self.daemon.exec_takes_input(exec).await,
                None => None,
            }
        };
        let (exec_takes_input, host_paths, images, volumes, containers, networks) = tokio::join!(
            exec,
            self.host_paths(host_paths),
            self.objects(images, Lookup::Image, inspected::image),
            self.objects(volumes, Lookup::Volume, inspected::volume),
            self.objects(containers, Lookup::Container, inspected::container),
            self.objects(networks, Lookup::Network, inspected::network),
        );
        Facts { host_paths, exec_takes_input, images, volumes, containers, networks }
    }

    async fn objects<T>(
        &self,
        names: &BTreeSet<String>,
        lookup: fn(String) -> Lookup,
        read: fn(&serde_json::Value) -> Option<T>,
    ) -> BTreeMap<String, Seen<T>> {
        let look = async |name: &String| {
            let seen = match self.daemon.look_for(lookup(name.clone())).await {
                Ok(None) => Seen::Missing,
                Ok(Some(answer)) => Seen::Found(read(&answer)?),
                Err(error) => {
                    tracing::warn!(%error, "the daemon did not say what a request stands on");
                    return None;
                }
            };
            Some((name.clone(), seen))
        };
        let looks =
            stream::iter(names.iter().take(MOST_LOOKUPS)).map(look).buffer_unordered(AT_ONCE);
        looks.filter_map(ready).collect().await
    }

    async fn host_paths(&self, paths: &BTreeSet<String>) -> BTreeMap<String, PathFact> {
        if paths.is_empty() {
            return BTreeMap::new();
        }
        let Some(protected) = self.protected().await else { return BTreeMap::new() };
        let (paths, peer) = (paths.clone(), self.daemon.peer_pid());
        let look = move || look::host_paths(&paths, peer, &protected);
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// What is never mounted; `None` while the daemon does not say where its data is.
    async fn protected(&self) -> Option<Vec<PathBuf>> {
        let found = self.protected.get_or_try_init(|| async {
            let info = self.daemon.lookup(Lookup::Info).await?;
            let root = info.get("DockerRootDir").and_then(|root| root.as_str()).map(PathBuf::from);
            Ok::<_, DaemonError>(protected(&self.gate, self.daemon.socket(), root.as_deref()))
        });
        found.await.ok().cloned()
    }
}
