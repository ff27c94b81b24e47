//! One HTTP/1.1 connection to the daemon, and what became of a request on it.

use super::DaemonError;
use super::request::{Upload, UploadFault};
use super::wire::{self, DaemonSpoke, Manner, Wire};
use crate::docker::Hijack;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::path::Path;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

/// The most that is read ahead of, or written behind, an exchange, in bytes; a longer response head
/// is refused.
const BUFFER: usize = 64 * 1024;
/// How long an idle connection may take to finish the exchange before.
const SETTLE: Duration = Duration::from_millis(50);

/// A connection to the daemon. Dropping it closes the socket at once, whatever was on its way.
#[derive(Debug)]
pub(super) struct Link {
    sender: SendRequest<Upload>,
    driver: AbortHandle,
    heard: DaemonSpoke,
    stream: Weak<UnixStream>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum LinkFailed {
    /// Not one byte left our process.
    Unsent(Box<Request<Upload>>),
    /// It may have been taken, and not one byte was answered.
    Silent(String),
    /// Something was answered, or the upload was at fault.
    Lost(DaemonError),
}

impl Link {
    /// Connects; also says the process id of the listener (0 if the kernel did not).
    pub(super) async fn connect(socket: &Path, hijack: Hijack) -> Result<(Self, i32), DaemonError> {
        let away = |source| DaemonError::Away { socket: socket.to_owned(), source };
        let stream = UnixStream::connect(socket).await.map_err(away)?;
        let pid = stream.peer_cred().ok().and_then(|cred| cred.pid()).unwrap_or(0);
        let manner = if hijack == Hijack::No { Manner::Request } else { Manner::Raw };
        let wire = Wire::new(stream, manner);
        let heard = wire.heard();
        let stream = std::sync::Arc::downgrade(wire.stream());
        let (sender, connection) = Builder::new()
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| DaemonError::Broken(error.to_string()))?;
        // Its end is seen by whoever waits on the exchange.
        let driver = tokio::spawn(async move { connection.with_upgrades().await.is_ok() });
        Ok((Self { sender, driver: driver.abort_handle(), heard, stream }, pid))
    }

    /// Whether an idle connection is done with the exchange before and still open.
    pub(super) async fn is_usable(&mut self) -> bool {
        let ready = tokio::time::timeout(SETTLE, self.sender.ready()).await;
        matches!(ready, Ok(Ok(()))) && self.stream.upgrade().is_some_and(|s| wire::is_quiet(&s))
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, LinkFailed> {
        self.heard.store(false, Ordering::Release);
        let mut failure = match self.sender.try_send_request(request).await {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        if let Some(unsent) = failure.take_message() {
            return Err(LinkFailed::Unsent(Box::new(unsent)));
        }
        let error = failure.into_error();
        if let Some(fault) = upload_fault(&error) {
            return Err(LinkFailed::Lost(DaemonError::Upload(fault)));
        }
        if !self.heard.load(Ordering::Acquire) {
            return Err(LinkFailed::Silent(described(&error)));
        }
        let how = match error.is_incomplete_message() {
            true => DaemonError::Broken,
            false => DaemonError::Protocol,
        };
        Err(LinkFailed::Lost(how(described(&error))))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl From<LinkFailed> for DaemonError {
    fn from(failed: LinkFailed) -> Self {
        match failed {
            LinkFailed::Unsent(_) => Self::Broken("it closed the connection unasked".to_owned()),
            LinkFailed::Silent(told) => Self::Broken(told),
            LinkFailed::Lost(error) => error,
        }
    }
}

fn upload_fault(error: &hyper::Error) -> Option<String> {
    error.source()?.downcast_ref::<UploadFault>().map(ToString::to_string)
}

/// An error of hyper with its cause.
pub(super) fn described(error: &hyper::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
