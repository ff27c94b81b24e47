//! What the decision needs to know: asked of the host and of the daemon, as data. What cannot be found
//! out stays unknown, and policy refuses what it does not know.

use super::Pipeline;
use crate::daemon::{DaemonError, Lookup};
use crate::docker::ApiCall;
use crate::facts::{self, inspected};
use crate::identity::Identity;
use crate::policy::facts::Seen;
use crate::policy::{self, Facts, Needs, Policy};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One answer may raise the next question: a container's image, an image's origin. More rounds than
/// this there are not.
const ROUNDS: usize = 3;

impl Pipeline {
    /// Looks up what every role that could carry the request wants to know.
    pub(super) async fn facts(
        &self,
        identity: &Identity,
        call: &ApiCall<'_>,
        policy: &Policy,
    ) -> Facts {
        let mut facts = Facts::default();
        let mut asked = Needs::default();
        for _ in 0..ROUNDS {
            let needs = policy::needs(identity, call, policy, &facts);
            if needs.is_empty() || needs == asked {
                break; // all is known, or what is left could not be found out
            }
            self.look_up(&needs, &mut facts).await;
            asked = needs;
        }
        facts
    }

    async fn look_up(&self, needs: &Needs, facts: &mut Facts) {
        let Needs { host_paths, exec, images, volumes, containers, networks } = needs;
        if let Some(exec) = exec {
            facts.exec_takes_input = self.daemon.exec_takes_input(exec).await;
        }
        self.objects(containers, Lookup::Container, inspected::container, &mut facts.containers)
            .await;
        self.objects(images, Lookup::Image, inspected::image, &mut facts.images).await;
        self.objects(volumes, Lookup::Volume, inspected::volume, &mut facts.volumes).await;
        self.objects(networks, Lookup::Network, inspected::network, &mut facts.networks).await;
        if !host_paths.is_empty()
            && let Some(protected) = self.protected().await
        {
            let (paths, peer) = (host_paths.clone(), self.daemon.peer_pid());
            let look = move || facts::gather::host_paths(&paths, peer, &protected);
            let seen = tokio::task::spawn_blocking(look).await.unwrap_or_default();
            facts.host_paths.extend(seen);
        }
    }

    async fn objects<T>(
        &self,
        names: &BTreeSet<String>,
        lookup: fn(String) -> Lookup,
        read: fn(&serde_json::Value) -> Option<T>,
        to: &mut BTreeMap<String, Seen<T>>,
    ) {
        for name in names.iter().take(MOST_LOOKUPS) {
            let seen = match self.daemon.look_for(lookup(name.clone())).await {
                Ok(None) => Some(Seen::Missing),
                Ok(Some(answer)) => read(&answer).map(Seen::Found),
                Err(error) => {
                    tracing::warn!(%error, "the daemon did not say what a request stands on");
                    None
                }
            };
            to.extend(seen.map(|seen| (name.clone(), seen)));
        }
    }

    /// What is never mounted; `None` while the daemon does not say where its data is.
    async fn protected(&self) -> Option<Vec<PathBuf>> {
        let places = &self.places;
        let found = places.protected.get_or_try_init(|| async {
            let info = self.daemon.lookup(Lookup::Info).await?;
            let root = info.get("DockerRootDir").and_then(|root| root.as_str()).map(PathBuf::from);
            let gate = facts::GatePaths {
                config: &places.config,
                audit: &places.audit,
                pki: &places.pki,
                control: places.control.as_deref(),
            };
            let all = facts::protected(&gate, self.daemon.socket(), root.as_deref());
            Ok::<_, DaemonError>(all)
        });
        found.await.ok().cloned()
    }
}

/// One body may name thousands of volumes; no request of anybody's needs more than these.
const MOST_LOOKUPS: usize = 64;
