//! The client's socket, shared between the parser and whoever must know that the client is gone.
//! hyper does not see a gone client while a pipelined byte waits in its buffer; the socket does.

use super::hall::CrowdedOut;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use std::any::Any;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 4;
/// How long, and for how many bytes, a closed connection is still read, so that the client finds our
/// last words instead of a reset: what it sends to a socket that nobody reads takes back what is still on
/// its way to it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 << 10;

/// A client's connection, by TCP or by a Unix socket.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

macro_rules! each {
    ($self:expr, $stream:ident => $what:expr) => {
        match $self {
            Stream::Tcp($stream) => $what,
            Stream::Unix($stream) => $what,
        }
    };
}

impl Stream {
    fn try_read(&self, to: &mut [u8]) -> io::Result<usize> {
        each!(self, stream => stream.try_read(to))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        each!(self, stream => stream.as_fd())
    }
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct ClientLine {
    pub(super) stream: Stream,
    /// True once the parser, or the tunnel after it, has let go.
    hung_up: watch::Sender<bool>,
    out: CrowdedOut,
}

impl ClientLine {
    /// `unread` is how long what was sent may go unacknowledged, or what waits find no room at all; `out` is the
    /// word that it must go before its client is known.
    pub(super) fn new(stream: Stream, unread: Duration, out: CrowdedOut) -> Arc<Self> {
        if let Stream::Tcp(stream) = &stream {
            // A socket that refuses an option still works; a dead peer is then found by the next write.
            let _ = stream.set_nodelay(true);
            let _ = sockopt::set_socket_keepalive(stream, true);
            let _ = sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE);
            let _ = sockopt::set_tcp_keepintvl(stream, KEEPALIVE_INTERVAL);
            let _ = sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES);
            // Keepalive is silent while something is in flight. Without this the kernel sends it again for a
            // quarter of an hour to a client that is gone without a word.
            let unread = u32::try_from(unread.as_millis()).unwrap_or(u32::MAX);
            let _ = sockopt::set_tcp_user_timeout(stream, unread);
        }
        Arc::new(Self { stream, hung_up: watch::Sender::new(false), out })
    }

    /// Whether the first thing that comes is a request in plain HTTP, where TLS belongs: by its first bytes, which stay
    /// to be read (`tlsRecordHeaderLooksLikeHTTP` in Go's `net/http`).
    pub(super) async fn begins_with_http(&self) -> bool {
        let Stream::Tcp(stream) = &self.stream else { return false };
        let mut first = [0; 5];
        let begun = stream.peek(&mut first).await.is_ok_and(|count| count == first.len());
        begun && [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"DELET", b"OPTIO"].contains(&&first)
    }

    /// Resolves when it must go because its client is not known and others have come.
    pub(super) async fn crowded_out(&self) {
        self.out.word().await;
    }

    /// Resolves when the connection is broken, so that nothing can be said to the client any more. One that has
    /// closed its own side alone still listens, for all that TCP can tell.
    pub(super) async fn broken(&self) {
        let closed = async {
            each!(&self.stream, stream => stream.ready(Interest::PRIORITY).await)?;
            // both ends of a Unix socket close at once, and no error tells of it
            let hung_up = self.is_hung_up();
            if hung_up { Ok(()) } else { std::future::pending::<io::Result<()>>().await }
        };
        tokio::select! {
            _ = async { each!(&self.stream, stream => stream.ready(Interest::ERROR).await) } => {}
            _ = closed => {}
        }
    }

    fn is_hung_up(&self) -> bool {
        let mut asked = [PollFd::new(&self.stream, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let broken = PollFlags::HUP | PollFlags::ERR;
        let [found] = &mut asked;
        poll(std::slice::from_mut(found), Some(&now)).is_ok() && found.revents().intersects(broken)
    }

    /// Resolves when the client has closed its side or the connection is broken, however many bytes
    /// wait unread, or when we have let go of it.
    ///
    /// Readiness for priority data is the one that is not ready for ordinary bytes but is for a
    /// closed read side, so this neither takes bytes nor spins on them.
    pub(super) async fn gone(&self) {
        let mut hung_up = self.hung_up.subscribe();
        tokio::select! {
            _ = async { each!(&self.stream, stream => stream.ready(Interest::PRIORITY).await) } => {}
            _ = hung_up.wait_for(|hung_up| *hung_up) => {}
        }
    }

    /// Reads what the client still sends after we have closed, for a moment.
    async fn linger(&self) {
        tokio::select! {
            _ = tokio::time::timeout(LINGER, self.discard()) => {}
            () = self.crowded_out() => {}
        }
    }

    async fn discard(&self) -> io::Result<()> {
        let (mut scrap, mut left) = ([0; 4096], LINGER_BYTES);
        while left > 0 {
            each!(&self.stream, stream => stream.readable().await)?;
            match self.stream.try_read(&mut scrap) {
                Ok(0) => break,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn close_write(&self) -> io::Result<()> {
        match rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Write) {
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The end of a [`ClientLine`] that reads and writes. There is one, and when it is dropped the client sees
/// the end, whoever else holds the line; a tunnel's client too.
#[derive(Debug)]
pub(super) struct ClientSocket {
    line: Arc<ClientLine>,
    seat: Arc<dyn Any + Send + Sync>,
}

impl ClientSocket {
    /// The seat is what the connection takes of others: it is given back when the file is.
    pub(super) fn new(line: Arc<ClientLine>, seat: Arc<dyn Any + Send + Sync>) -> Self {
        Self { line, seat }
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        let _ = self.line.close_write();
        self.line.hung_up.send_replace(true);
        if let Ok(runtime) = Handle::try_current() {
            let (line, seat) = (Arc::clone(&self.line), Arc::clone(&self.seat));
            runtime.spawn(async move {
                line.linger().await;
                drop((line, seat));
            });
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.line.stream;
        let count = ready!(when_ready(
            || each!(stream, stream => stream.poll_read_ready(cx)),
            || stream.try_read(buf.initialize_unfilled()),
        ))?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(cx, |stream| each!(stream, stream => stream.try_write(bytes)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(cx, |stream| each!(stream, stream => stream.try_write_vectored(parts)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.line.close_write())
    }
}

impl ClientSocket {
    fn write_with(
        &self,
        cx: &mut Context<'_>,
        attempt: impl Fn(&Stream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = &self.line.stream;
        when_ready(|| each!(stream, stream => stream.poll_write_ready(cx)), || attempt(stream))
    }
}

/// Attempts it as soon as the socket says that it is ready, and again where it was not after all.
fn when_ready(
    mut ready: impl FnMut() -> Poll<io::Result<()>>,
    mut attempt: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(ready())?;
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

#[cfg(test)]
mod tests;
