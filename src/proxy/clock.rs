//! How long a connection may keep us waiting. hyper's own head timeout also ends idle connections,
//! which docker-py pools, so this clock tells a head that has begun from a connection at rest.

use super::respond::{BodyError, ResponseBody};
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::Instant;

/// How much is read at once while a head is awaited, in bytes: hyper looks at how long a head has become
/// only after each read, and offers room for twice what a head may have.
const HEAD_PIECE: usize = 4096;

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first head is awaited, or a later one has begun.
    Head(Instant),
    /// Between two requests.
    Idle(Instant),
    /// A request is in hand, or a tunnel; how long that takes is not this clock's business.
    Busy,
}

/// The clock of one connection.
#[derive(Clone, Debug)]
pub(super) struct ProgressClock {
    phase: Arc<watch::Sender<Phase>>,
    head: Duration,
    idle: Duration,
}

impl ProgressClock {
    /// Starts with the first head awaited.
    pub(super) fn start(head: Duration, idle: Duration) -> Self {
        let first = Phase::Head(Instant::now() + head);
        Self { phase: Arc::new(watch::Sender::new(first)), head, idle }
    }

    /// A head must come now, or this is the end.
    pub(super) fn expect_head(&self) {
        self.phase.send_replace(Phase::Head(Instant::now() + self.head));
    }

    /// A request has come; it is in hand until the guard is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.phase.send_replace(Phase::Busy);
        Busy(self.clone())
    }

    /// The connection was taken over, or has ended: no head is awaited any more.
    pub(super) fn hand_over(&self) {
        self.phase.send_replace(Phase::Busy);
    }

    /// Bytes came: at rest, they begin a head.
    fn heard(&self) {
        if matches!(*self.phase.borrow(), Phase::Idle(_)) {
            self.expect_head();
        }
    }

    /// Resolves with the phase that took too long.
    pub(super) async fn expired(&self) -> Phase {
        let mut phases = self.phase.subscribe();
        loop {
            let phase = *phases.borrow_and_update();
            match phase {
                Phase::Busy => drop(phases.changed().await),
                Phase::Head(deadline) | Phase::Idle(deadline) => {
                    if tokio::time::timeout_at(deadline, phases.changed()).await.is_err() {
                        return phase;
                    }
                }
            }
        }
    }
}

/// A request in hand.
#[derive(Debug)]
pub(super) struct Busy(ProgressClock);

impl Busy {
    /// The request is in hand until the last of this body was taken.
    pub(super) fn until_taken(
        self,
        body: ResponseBody,
    ) -> impl Body<Data = Bytes, Error = BodyError> + Send {
        body.map_err(move |error| {
            let _held = &self;
            error
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.phase.send_replace(Phase::Idle(Instant::now() + self.0.idle));
    }
}

/// The decrypted side of a connection, which tells the clock of what it hears.
pub(super) struct TimedStream<T> {
    pub(super) inner: T,
    pub(super) clock: ProgressClock,
}

impl<T: AsyncRead + Unpin> AsyncRead for TimedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(*self.clock.phase.borrow(), Phase::Busy) {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let room = buf.remaining().min(HEAD_PIECE);
        let mut piece = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut piece))?;
        let count = piece.filled().len();
        buf.advance(count);
        if count > 0 {
            self.clock.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimedStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
