//! Whose turn a container is. The daemon answers what is in a container by mounting all of its volumes on the host;
//! old ones can be led out of it by a program inside that turns directories into links meanwhile. A container
//! that was seen to stand still is therefore not brought up through us while it is looked into.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// One queue for each container that somebody looks into or brings up just now, by its name or id.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<Queue<()>>>>);

/// Held while a container is looked into or brought up: nobody else does either.
#[derive(Debug)]
pub struct ContainerTurn(#[expect(dead_code, reason = "held, never read")] OwnedMutexGuard<()>);

impl Turns {
    /// Waits until it is our turn.
    pub(super) async fn take(&self, container: &str) -> ContainerTurn {
        let queue = self.queue(container);
        ContainerTurn(queue.lock_owned().await)
    }

    fn queue(&self, container: &str) -> Arc<Queue<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, queue| queue.strong_count() > 0);
        if let Some(queue) = all.get(container).and_then(Weak::upgrade) {
            return queue;
        }
        let queue = Arc::default();
        all.insert(container.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn one_at_a_time_for_each_container_and_nothing_is_left() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        assert!(turns.take("a").now_or_never().is_none());
        let other = turns.take("b").now_or_never();
        assert!(other.is_some());
        drop((first, other));
        assert!(turns.take("a").now_or_never().is_some());
        let _last = turns.take("c").await;
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
