//! Whose turn a container, or a name of something else, is. The daemon answers what is in a container by mounting all of its volumes on the host;
//! old ones can be led out of it by a program inside that turns directories into links meanwhile. A container
//! that was seen to stand still is therefore not brought up through us while it is looked into. And a volume is meant by its
//! name alone, also by what makes one by the way: whose that is holds from when it was looked at until the daemon has
//! answered, since nobody else makes or removes one of this name through us meanwhile. Old engines make two networks of one
//! name if they are asked for both at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// One queue for each container that somebody looks into or brings up just now, by its name or id, and for each name of a
/// volume or network that somebody uses, behind a word with a space, which no container's name has.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<Queue<()>>>>);

/// Held while a container is looked into or brought up, or something is made or used by its name: nobody else does either.
#[derive(Debug)]
pub struct ContainerTurn(#[expect(dead_code, reason = "held, never read")] OwnedMutexGuard<()>);

impl Turns {
    /// Waits until it is our turn.
    pub(super) async fn take(&self, container: &str) -> ContainerTurn {
        let queue = self.queue(container);
        ContainerTurn(queue.lock_owned().await)
    }

    /// The same for each of these, in an order that is everybody's.
    pub(super) async fn take_all(&self, names: BTreeSet<String>) -> Vec<ContainerTurn> {
        let mut turns = Vec::with_capacity(names.len());
        for name in names {
            turns.push(self.take(&name).await);
        }
        turns
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
    async fn names_are_taken_together_or_waited_for() {
        let turns = Turns::default();
        let names = |all: &[&str]| all.iter().map(|name| format!("volume {name}")).collect();
        let first = turns.take_all(names(&["b", "a"])).await;
        assert!(turns.take_all(names(&["b", "c"])).now_or_never().is_none());
        assert!(turns.take_all(names(&["c"])).now_or_never().is_some());
        assert!(turns.take("a").now_or_never().is_some(), "a container of that name is another");
        drop(first);
        assert!(turns.take_all(names(&["b", "c"])).now_or_never().is_some());
    }

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
