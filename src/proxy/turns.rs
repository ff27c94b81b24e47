//! Where a body is read and judged, by its size: a short one, as nearly all are, where it came in, in well under a
//! millisecond; a long one away from the workers that serve everybody else, and only so many at once, so that what
//! they take in time and memory is bounded however many come.

use super::memory::{LONG, LONG_AT_ONCE, LONGEST_AT_ONCE, SMALL_BODY};
use std::sync::Arc;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::block_in_place;

/// The turns of a process.
#[derive(Clone, Debug)]
pub struct JudgingTurns {
    long: Arc<Semaphore>,
    longest: Arc<Semaphore>,
}

/// A turn to judge: until it is dropped, no more than so many others do.
#[must_use = "the turn ends as soon as this is dropped"]
#[derive(Debug)]
pub struct JudgingTurn(Option<OwnedSemaphorePermit>);

impl Default for JudgingTurns {
    fn default() -> Self {
        let turns = |count| Arc::new(Semaphore::new(count));
        Self { long: turns(LONG_AT_ONCE), longest: turns(LONGEST_AT_ONCE) }
    }
}

impl JudgingTurns {
    /// Waits for a turn to judge a body of so many bytes, in the order of asking.
    pub async fn turn(&self, bytes: usize) -> JudgingTurn {
        if bytes <= SMALL_BODY {
            return JudgingTurn(None);
        }
        let of_its_size = if bytes <= LONG { &self.long } else { &self.longest };
        JudgingTurn(Arc::clone(of_its_size).acquire_owned().await.ok()) // they are never closed
    }
}

impl JudgingTurn {
    /// Does what may take long. The worker's other tasks go to another thread meanwhile; a runtime that has one
    /// thread alone, as in a test, has none to give them to.
    pub fn take<T>(&self, judge: impl FnOnce() -> T) -> T {
        let several = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        if self.0.is_some() && several() { block_in_place(judge) } else { judge() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn waits(turns: &JudgingTurns, bytes: usize) -> bool {
        timeout(Duration::from_millis(20), turns.turn(bytes)).await.is_err()
    }

    #[tokio::test]
    async fn long_bodies_take_turns_and_short_ones_none() {
        let turns = JudgingTurns::default();
        let longest = turns.turn(LONG + 1).await;
        let (_long, _other) = (turns.turn(LONG).await, turns.turn(SMALL_BODY + 1).await);
        assert!(waits(&turns, LONG + 1).await && waits(&turns, SMALL_BODY + 1).await);
        assert!(!waits(&turns, SMALL_BODY).await);
        drop(longest);
        assert!(!waits(&turns, LONG + 1).await);
        assert!(waits(&turns, LONG).await);
    }

    /// Another task of the same worker goes on while one judges.
    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn who_judges_long_holds_no_worker() {
        let (tell, told) = std::sync::mpsc::channel();
        let judging = tokio::spawn(async move {
            let turn = JudgingTurns::default().turn(LONG + 1).await;
            turn.take(|| told.recv_timeout(Duration::from_secs(20)))
        });
        tokio::spawn(async move { tell.send("another") }).await.unwrap().unwrap();
        assert_eq!(judging.await.unwrap(), Ok("another"));
    }
}
