//! The socket under hyper, because three things must be known that hyper does not tell: whether a
//! byte of an answer arrived, whether an idle connection is still whole, and what the daemon said
//! before it stopped listening to an upload.

use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// Whether the daemon said anything since it was last asked.
pub(super) type DaemonSpoke = Arc<AtomicBool>;

/// Our end of a connection to the daemon.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Arc<UnixStream>,
    heard: DaemonSpoke,
    manner: Manner,
}

/// What a write means that the daemon no longer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// The bytes are dropped: the daemon may have refused an upload and hung up, and its answer,
    /// which is still to be read, counts for more than the rest of the upload.
    Request,
    /// An error, as is proper for a connection that may be taken over.
    Raw,
}

impl Wire {
    pub(super) fn new(stream: UnixStream, manner: Manner) -> Self {
        Self { stream: Arc::new(stream), heard: DaemonSpoke::default(), manner }
    }

    pub(super) fn heard(&self) -> DaemonSpoke {
        Arc::clone(&self.heard)
    }

    pub(super) const fn stream(&self) -> &Arc<UnixStream> {
        &self.stream
    }

    fn settle(&self, written: io::Result<usize>, offered: usize) -> io::Result<usize> {
        match written {
            Err(error) if self.manner == Manner::Request && is_hang_up(&error) => Ok(offered),
            other => other,
        }
    }
}

/// Whether an idle connection can be used: open, and without a byte that nobody asked for. This
/// looks at the socket itself, so a daemon that restarted is seen before a request is lost to it.
pub(super) fn is_quiet(stream: &UnixStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let peeked = rustix::net::recv(stream, &mut [0_u8; 1], flags);
    matches!(peeked, Err(rustix::io::Errno::AGAIN))
}

/// Whether the far side closed the connection both ways, not only its own half (unix(7): a send is
/// then refused, even an empty one).
pub(super) fn is_closed(stream: &UnixStream) -> bool {
    rustix::net::send(stream, &[], SendFlags::NOSIGNAL | SendFlags::DONTWAIT).is_err()
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read_buf(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It closed with input of ours unread (unix(7)); all that it said was read before.
                Err(error) if self.manner == Manner::Raw && is_hang_up(&error) => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    self.heard.fetch_or(count > 0, Ordering::AcqRel);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write_vectored(bufs) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    let offered = bufs.iter().map(|buf| buf.len()).sum();
                    return Poll::Ready(self.settle(written, offered));
                }
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = rustix::net::shutdown(&*self.stream, rustix::net::Shutdown::Write);
        Poll::Ready(shut.map_err(io::Error::from))
    }
}
