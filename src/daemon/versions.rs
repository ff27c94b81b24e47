//! Which API versions the daemon has. What it said stays known until it says otherwise: that it is away, or was begun
//! anew, keeps nothing from being judged, only from being granted. It is asked again before the next request
//! is granted, and what was read by an older answer is read anew by the new one. Should the daemon be exchanged after
//! that, no request comes to mean something else: each names its version, and a daemon that does not have it
//! refuses (`api/server/middleware/version.go` of moby).

use super::{Daemon, DaemonError, Lookup};
use crate::docker::{Accepted, ApiVersion};
use serde::Deserialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a request is read by before the daemon was asked.
#[derive(Clone, Copy, Debug)]
pub struct Supposed {
    /// The versions that it had when it said so last; all that we have, where it never did.
    pub accepted: Accepted,
    /// Whether nothing has happened since that could have changed them.
    pub sure: bool,
}

/// The daemon's range of API versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Versions {
    lowest: ApiVersion,
    highest: ApiVersion,
}

/// What the daemon said of its versions.
#[derive(Debug, Default)]
pub(super) struct VersionMemory {
    said: Mutex<LastSaid>,
    /// Held by whoever asks: what came of it last, for all who wait meanwhile.
    asking: tokio::sync::Mutex<Option<Outcome>>,
    /// Questions that have come to their end.
    ended: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct LastSaid {
    versions: Option<Versions>,
    sure: bool,
}

type Outcome = Result<Versions, Arc<DaemonError>>;

#[derive(Deserialize)]
struct VersionAnswer {
    #[serde(rename = "ApiVersion")]
    highest: String,
    #[serde(rename = "MinAPIVersion")]
    lowest: Option<String>,
}

impl VersionMemory {
    /// The daemon may be another one by now.
    pub(super) fn doubt(&self) {
        self.said().sure = false;
    }

    fn said(&self) -> MutexGuard<'_, LastSaid> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Daemon {
    /// By which versions a request is read before the daemon is asked for them. Never waits.
    #[must_use]
    pub fn supposed(&self, floor: ApiVersion) -> Supposed {
        let LastSaid { versions, sure } = *self.shared.versions.said();
        let accepted = versions.map_or(Accepted::any(floor), |versions| versions.within(floor));
        Supposed { accepted, sure }
    }

    /// The range of versions that is accepted now: from the configured floor (or the daemon's, if
    /// higher) up to the smaller of the daemon's newest and ours. Asked once, and again when the daemon may have
    /// become another; whoever comes while it is asked waits for the same answer. The ceiling may lie below
    /// the floor: then no version is served.
    ///
    /// # Errors
    /// As [`Self::lookup`]; `Protocol` when the daemon's versions cannot be read.
    pub async fn accepted(&self, floor: ApiVersion) -> Result<Accepted, Arc<DaemonError>> {
        let memory = &self.shared.versions;
        let known = self.supposed(floor);
        if known.sure {
            return Ok(known.accepted);
        }
        let before = memory.ended.load(Ordering::Acquire);
        let mut last = memory.asking.lock().await;
        let meanwhile = memory.ended.load(Ordering::Acquire) != before;
        let outcome = match last.clone().filter(|_| meanwhile) {
            Some(outcome) => outcome,
            None => {
                let answer = self.lookup(Lookup::Version).await.and_then(Versions::read);
                let outcome = answer.map_err(Arc::new);
                if let Ok(versions) = outcome {
                    *memory.said() = LastSaid { versions: Some(versions), sure: true };
                }
                *last = Some(outcome.clone());
                memory.ended.fetch_add(1, Ordering::Release);
                outcome
            }
        };
        outcome.map(|versions| versions.within(floor))
    }
}

impl Versions {
    fn within(self, floor: ApiVersion) -> Accepted {
        let Accepted { floor, ceiling } = Accepted::any(floor);
        Accepted { floor: floor.max(self.lowest), ceiling: self.highest.min(ceiling) }
    }

    fn read(answer: serde_json::Value) -> Result<Self, DaemonError> {
        let answer: VersionAnswer = serde_json::from_value(answer)
            .map_err(|error| DaemonError::Protocol(format!("no version in /version: {error}")))?;
        let version = |text: &str| {
            let unknown = || format!("{text:?} is no API version that we know");
            ApiVersion::parse(text).ok_or_else(|| DaemonError::Protocol(unknown()))
        };
        let lowest = answer.lowest.as_deref().unwrap_or("1.24");
        Ok(Self { lowest: version(lowest)?, highest: version(&answer.highest)? })
    }
}
