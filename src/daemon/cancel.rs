//! The word that ends an exchange whose client is gone, passed from whoever sees the client's socket
//! to whoever holds the daemon's.

use std::sync::Arc;
use tokio::sync::watch;

/// A switch that goes one way; clones share it.
#[derive(Clone, Debug)]
pub struct Cancel {
    switch: Arc<watch::Sender<bool>>,
}

impl Cancel {
    /// A switch that is not thrown.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made on purpose, never by default")]
    pub fn new() -> Self {
        Self { switch: Arc::new(watch::Sender::new(false)) }
    }

    /// Throws it, for ever.
    pub fn cancel(&self) {
        self.switch.send_replace(true);
    }

    /// Whether it was thrown.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.switch.borrow()
    }

    /// Waits until it is thrown; at once if it was.
    pub async fn cancelled(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.switch.subscribe().wait_for(|thrown| *thrown).await;
    }
}
