//! Two byte streams after both sides switched protocols. The ends are the point: a half that is
//! closed must stay half closed, or `docker run -i` hangs or loses its output.

use super::wire::{self, Wire};
use super::{Cancel, DaemonError};
use bytes::{Buf, Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most that is held of one direction, in bytes, and only while it moves.
const BUFFER: usize = 64 * 1024;
/// How long a client may stay after the daemon has said its last: moby closes only its own half
/// (`CloseStreams` in `api/server/httputils`) and leaves the rest to the client.
const LINGER: Duration = Duration::from_secs(10);
/// How long the client may take to receive the end of a tunnel that broke.
const FAREWELL: Duration = Duration::from_secs(1);

/// The daemon's end of a connection that was taken over.
#[derive(Debug)]
pub struct Tunnel {
    wire: Wire,
    early: Bytes,
    /// How long a silent client may stay after the daemon's last byte.
    pub(super) linger: Duration,
}

/// How a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelOutcome {
    /// Bytes from the client to the daemon.
    pub bytes_in: u64,
    /// Bytes from the daemon to the client.
    pub bytes_out: u64,
    /// What ended it.
    pub ended: TunnelEnd,
}

/// What ended a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelEnd {
    /// The daemon said all it had, and the client received it.
    Done,
    /// The client's connection broke.
    ClientGone,
    /// The daemon's connection broke.
    DaemonGone,
    /// We ended it: cancelled, a limit, a shutdown.
    Limit,
}

impl Tunnel {
    pub(super) fn new(upgraded: Upgraded) -> Result<Self, DaemonError> {
        let parts = upgraded
            .downcast::<TokioIo<Wire>>()
            .map_err(|_| DaemonError::Protocol("an upgrade of a foreign connection".to_owned()))?;
        Ok(Self { wire: parts.io.into_inner(), early: parts.read_buf, linger: LINGER })
    }

    /// Carries bytes both ways until the daemon has said its last, a side breaks, or `cancel`.
    ///
    /// The client's end of stream closes the daemon's reading half and nothing else; a TLS stream
    /// cut without close_notify counts as one, as it does for the daemon (Python's `shutdown` sends
    /// none). The daemon's end of stream is passed on, then the client has ten seconds to leave.
    pub async fn run(
        self,
        mut client: impl AsyncRead + AsyncWrite + Unpin,
        cancel: &Cancel,
    ) -> TunnelOutcome {
        let mut daemon = self.wire;
        let mut inward = Half::default();
        let mut outward = Half { held: self.early, ..Half::default() };
        let carried = carry((&mut client, &mut inward), (&mut daemon, &mut outward), self.linger);
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => TunnelEnd::Limit,
            ended = carried => ended,
        };
        if matches!(ended, TunnelEnd::DaemonGone | TunnelEnd::Limit) {
            // Whatever the client still gets of it is a courtesy.
            let _ = tokio::time::timeout(FAREWELL, client.shutdown()).await;
        }
        TunnelOutcome { bytes_in: inward.carried, bytes_out: outward.carried, ended }
    }
}

async fn carry(
    (client, inward): (&mut (impl AsyncRead + AsyncWrite + Unpin), &mut Half),
    (daemon, outward): (&mut Wire, &mut Half),
    linger: Duration,
) -> TunnelEnd {
    let mut last_word = None;
    poll_fn(|cx| {
        match outward.poll(cx, daemon, client) {
            Poll::Ready(Err(TunnelFault::Read)) => return Poll::Ready(TunnelEnd::DaemonGone),
            Poll::Ready(Err(TunnelFault::Write)) => return Poll::Ready(TunnelEnd::ClientGone),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        match inward.poll(cx, client, daemon) {
            Poll::Ready(Err(TunnelFault::Read)) => return Poll::Ready(TunnelEnd::ClientGone),
            // The daemon listens no longer, but may have spoken: what it said is still read.
            Poll::Ready(Err(TunnelFault::Write)) => inward.stop(),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if !outward.is_done() {
            return Poll::Pending;
        }
        if inward.is_done() || wire::is_closed(daemon.stream()) {
            return Poll::Ready(TunnelEnd::Done);
        }
        let leave = last_word.get_or_insert_with(|| Box::pin(tokio::time::sleep(linger)));
        leave.as_mut().poll(cx).map(|()| TunnelEnd::Done)
    })
    .await
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    /// Read and not yet written.
    held: Bytes,
    unflushed: bool,
    state: TunnelState,
    carried: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum TunnelState {
    #[default]
    Open,
    Closing,
    Done,
}

/// Which side of a direction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TunnelFault {
    Read,
    Write,
}

impl Half {
    fn stop(&mut self) {
        self.held = Bytes::new();
        self.state = TunnelState::Done;
    }

    fn is_done(&self) -> bool {
        self.state == TunnelState::Done
    }

    /// Moves what can be moved; ready when this direction was closed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<(), TunnelFault>> {
        loop {
            if !self.held.is_empty() {
                ready!(self.poll_write(cx, to)).map_err(|_| TunnelFault::Write)?;
                continue;
            }
            match self.state {
                TunnelState::Done => return Poll::Ready(Ok(())),
                TunnelState::Closing => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(|_| TunnelFault::Write)?;
                    self.state = TunnelState::Done;
                }
                TunnelState::Open => match poll_chunk(cx, from) {
                    Poll::Pending => {
                        ready!(self.poll_flush(cx, to)).map_err(|_| TunnelFault::Write)?;
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(TunnelFault::Read)),
                    Poll::Ready(Ok(chunk)) if chunk.is_empty() => self.state = TunnelState::Closing,
                    Poll::Ready(Ok(chunk)) => self.held = chunk,
                },
            }
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        let written = ready!(Pin::new(to).poll_write(cx, &self.held))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.held.advance(written);
        self.carried += written as u64;
        self.unflushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(to).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

/// What can be read now; empty at the end of the stream. The buffer lives only as long as there is
/// something in it: thousands of idle sessions hold none.
fn poll_chunk(
    cx: &mut Context<'_>,
    from: &mut (impl AsyncRead + Unpin),
) -> Poll<io::Result<Bytes>> {
    let mut buffer = BytesMut::with_capacity(BUFFER);
    let read = ready!(pin!(from.read_buf(&mut buffer)).poll(cx));
    Poll::Ready(match read {
        Ok(_) => Ok(buffer.freeze()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Bytes::new()),
        Err(error) => Err(error),
    })
}
