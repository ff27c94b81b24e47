//! An end without cut sessions: everything that serves a client holds a [`Live`], and the end waits
//! until the last one is dropped or the time is up.

use std::time::Duration;
use tokio::sync::watch;

/// The one who ends it.
#[derive(Debug, Default)]
pub struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    /// Nothing lives yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A share in being alive. Give one to each listener; connections and tunnels take theirs of it.
    #[must_use]
    pub fn live(&self) -> Live {
        Live(self.0.subscribe())
    }

    /// Asks everything to end: listeners stop accepting, idle connections close, the others after
    /// the request in hand. Waits until all of it has ended.
    ///
    /// # Errors
    /// How many are left when `within` is over.
    pub async fn drain(&self, within: Duration) -> Result<(), usize> {
        self.0.send_replace(true);
        let ended = tokio::time::timeout(within, self.0.closed()).await;
        ended.map_err(|_| self.0.receiver_count())
    }
}

/// Held by whatever must have ended before the process does.
#[derive(Clone, Debug)]
pub struct Live(watch::Receiver<bool>);

impl Live {
    /// Resolves when the end was asked for, or when whoever could ask is gone.
    pub async fn ending(&mut self) {
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}

#[cfg(test)]
mod tests {
    use super::Shutdown;
    use std::time::Duration;

    #[tokio::test]
    async fn waits_for_the_last_and_counts_who_is_left() {
        let shutdown = Shutdown::new();
        let (mut polite, stubborn) = (shutdown.live(), shutdown.live());
        let ended = tokio::spawn(async move { polite.ending().await });
        assert_eq!(shutdown.drain(Duration::from_millis(50)).await, Err(1));
        ended.await.unwrap();
        assert!(*stubborn.0.borrow());
        drop(stubborn);
        assert_eq!(shutdown.drain(Duration::from_secs(5)).await, Ok(()));
    }
}
