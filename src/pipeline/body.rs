//! Bodies on their way to the client: counted, and recorded when they end, however they end.

use super::exchange::Exchange;
use crate::audit::Stage;
use crate::audit::event::Ended;
use crate::daemon::{AnswerBody, ClientBody};
use crate::proxy::receive::{self, Received};
use crate::proxy::respond::{BodyError, ResponseBody};
use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use http::StatusCode;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

/// How much of an answer is kept to read the id made, or the error, from it.
const KEPT: usize = 8192;
/// How much is read from a stream at once.
const PIECE: usize = 64 * 1024;
/// How long the answer to a call that changed state is still read for the log when nobody else wants
/// it any more.
const HEAR_OUT: Duration = Duration::from_secs(10);

type Interrupted = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// The daemon's answer, passed on frame by frame.
pub(super) struct CountedBody {
    inner: AnswerBody,
    exchange: Option<Exchange>,
    status: StatusCode,
    bytes: u64,
    kept: BytesMut,
    /// Watches the client's socket, where a silent stream would not notice, and for the end of all.
    interrupted: Option<Interrupted>,
}

impl CountedBody {
    /// The body of an answer with this status; the exchange is recorded when it ends.
    pub(super) fn over(inner: AnswerBody, exchange: Exchange, status: StatusCode) -> ResponseBody {
        let watched = exchange.head.route.life.ends_with_client() && !inner.is_end_stream();
        let interrupted = watched.then(|| -> Interrupted { Box::pin(exchange.interrupted()) });
        let kept = BytesMut::new();
        let mut counted =
            Self { inner, exchange: Some(exchange), status, bytes: 0, kept, interrupted };
        if counted.inner.is_end_stream() {
            counted.end(Ended::Done);
        }
        counted.boxed_unsync()
    }

    fn keep(&mut self, data: &Bytes) {
        let wanted = self.status == StatusCode::CREATED || self.status.as_u16() >= 400;
        if wanted && self.kept.len() < KEPT {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        }
    }

    /// The client is gone, what was done is done: reads what the daemon says of it, for the log.
    async fn hear_out(mut self) {
        let deadline = Instant::now() + HEAR_OUT;
        while let Ok(Some(Ok(frame))) = timeout_at(deadline, self.inner.frame()).await {
            if let Some(data) = frame.data_ref() {
                self.keep(data);
            }
        }
        self.end(Ended::ClientGone);
    }

    fn end(&mut self, ended: Ended) {
        let Some(exchange) = self.exchange.take() else { return };
        let said: Option<serde_json::Value> = serde_json::from_slice(&self.kept).ok();
        let text = |key: &str| {
            said.as_ref().and_then(|v| v.get(key)).and_then(|v| v.as_str()).map(str::to_owned)
        };
        let error = if self.status.as_u16() >= 400 { text("message") } else { None };
        let made = if self.status == StatusCode::CREATED { text("Id") } else { None };
        let bytes = (exchange.uploaded(), self.bytes);
        exchange.record(Stage::Complete, Some(self.status.as_u16()), error, made, bytes, ended);
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(interrupted) = self.interrupted.as_mut()
            && let Poll::Ready(ended) = interrupted.as_mut().poll(cx)
        {
            self.end(ended);
            return Poll::Ready(Some(Err("the client is gone, or all ends".into())));
        }
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let data = data.clone();
                    self.bytes += data.len() as u64;
                    self.keep(&data);
                }
                if self.inner.is_end_stream() {
                    self.end(Ended::Done);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.end(Ended::DaemonGone);
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                self.end(Ended::Done);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for CountedBody {
    fn drop(&mut self) {
        let runs_on = |exchange: &Exchange| !exchange.head.route.life.ends_with_client();
        if self.exchange.as_ref().is_some_and(runs_on)
            && let Ok(runtime) = Handle::try_current()
        {
            let rest = Self {
                inner: std::mem::replace(&mut self.inner, AnswerBody::of(Bytes::new())),
                exchange: self.exchange.take(),
                kept: std::mem::take(&mut self.kept),
                interrupted: None,
                status: self.status,
                bytes: self.bytes,
            };
            runtime.spawn(rest.hear_out());
        }
        self.end(Ended::ClientGone);
    }
}

/// The client's own bytes on their way to the daemon, counted.
pub(super) fn upload(beginning: Received, body: Incoming, uploaded: &Arc<AtomicU64>) -> ClientBody {
    let uploaded = Arc::clone(uploaded);
    ClientBody::stream(receive::opaque(beginning, body).map_frame(move |frame| {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        uploaded.fetch_add(length, Ordering::Relaxed);
        frame
    }))
}

/// The output of a session as a body.
pub(super) fn of_reader(stream: DuplexStream) -> ResponseBody {
    let pieces = try_unfold((stream, vec![0; PIECE]), |(mut stream, mut piece)| async {
        let read = stream.read(&mut piece).await?;
        let data = Bytes::copy_from_slice(piece.get(..read).unwrap_or_default());
        Ok::<_, BodyError>((read > 0).then(|| (Frame::data(data), (stream, piece))))
    });
    StreamBody::new(pieces).boxed_unsync()
}
