//! The end of a connection whose client asked to upgrade and did not get it.

use http::StatusCode;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

/// How long a client may take to be told of the end of its connection.
const FAREWELL: Duration = Duration::from_secs(1);

/// The upgrade that a request asked for last and did not get. When such a connection ends, hyper hands
/// it over all the same instead of closing it, and dropped it would end without a word of TLS.
#[derive(Debug, Default)]
pub(super) struct Untaken(Mutex<Option<OnUpgrade>>);

impl Untaken {
    pub(super) fn note(&self, asked: Option<OnUpgrade>, status: StatusCode) {
        if asked.is_some() {
            *self.lock() = asked.filter(|_| status != StatusCode::SWITCHING_PROTOCOLS);
        }
    }

    /// Closes what hyper has let go of, if it has: to be called when it holds nothing any more.
    pub(super) async fn close(&self) {
        let Some(upgrade) = self.lock().take() else { return };
        if let Ok(upgraded) = upgrade.await {
            let _ = timeout(FAREWELL, TokioIo::new(upgraded).shutdown()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<OnUpgrade>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
