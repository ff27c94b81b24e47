//! The daemon's answer: its head at once, its body frame by frame, its connection kept only when the
//! body was read to the end.

use super::link::{Link, described};
use super::pool::Pool;
use super::{DaemonError, Tunnel};
use crate::docker::{Method, Outbound};
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What the daemon answered.
#[derive(Debug)]
pub struct Answer {
    /// The status; 101 only together with a tunnel.
    pub status: StatusCode,
    /// The headers that concern the client: nothing of how the daemon's connection is framed.
    /// `Content-Length` only where it is exact, or where it answers a HEAD.
    pub headers: HeaderMap,
    /// The body. Dropping it before its end closes the daemon's connection.
    pub body: AnswerBody,
    /// The daemon's end of a connection that was taken over, after its 101.
    pub tunnel: Option<Tunnel>,
}

/// The body of an answer, passed on as it comes; trailers are dropped.
#[derive(Debug)]
pub struct AnswerBody {
    source: AnswerSource,
}

#[derive(Debug)]
enum AnswerSource {
    Done,
    Ours(Bytes),
    Daemon { incoming: Incoming, lease: Box<Lease> },
}

/// A connection in use, and where it goes afterwards.
#[derive(Debug)]
pub(super) struct Lease {
    link: Link,
    home: Option<Arc<Pool>>,
}

impl Lease {
    pub(super) const fn new(link: Link, home: Option<Arc<Pool>>) -> Self {
        Self { link, home }
    }

    fn settle(self) {
        if let Some(home) = self.home {
            home.put(self.link);
        }
    }
}

/// Makes an [`Answer`] of a response, or refuses it.
pub(super) async fn receive(
    response: Response<Incoming>,
    lease: Lease,
    outbound: &Outbound,
) -> Result<Answer, DaemonError> {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return take_over(response, lease, outbound).await;
    }
    if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Err(refused(format!("a redirect ({status}), which the API does not know")));
    }
    let (head, incoming) = response.into_parts();
    let mut headers = head.headers;
    if headers.get(TRANSFER_ENCODING).is_some_and(|coding| coding != "chunked") {
        return Err(refused("a transfer coding other than chunked".to_owned()));
    }
    let exact = (outbound.method != Method::Head).then(|| incoming.size_hint().exact());
    strip_framing(&mut headers, exact);
    let body = AnswerBody { source: AnswerSource::from_daemon(incoming, lease) };
    Ok(Answer { status, headers, body, tunnel: None })
}

/// A connection goes raw only when we asked for exactly that.
async fn take_over(
    mut response: Response<Incoming>,
    lease: Lease,
    outbound: &Outbound,
) -> Result<Answer, DaemonError> {
    let asked = outbound.hijack.protocol();
    let given = response.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
    if !asked.zip(given).is_some_and(|(asked, given)| asked.eq_ignore_ascii_case(given)) {
        return Err(refused(format!("an upgrade to {given:?} where {asked:?} was asked for")));
    }
    let upgraded = hyper::upgrade::on(&mut response).await;
    let upgraded = upgraded.map_err(|error| DaemonError::Broken(described(&error)))?;
    // The driver is done: it handed the socket over.
    drop(lease);
    let mut headers = std::mem::take(response.headers_mut());
    strip_framing(&mut headers, Some(None));
    Ok(Answer {
        status: StatusCode::SWITCHING_PROTOCOLS,
        headers,
        body: AnswerBody::of(Bytes::new()),
        tunnel: Some(Tunnel::new(upgraded)?),
    })
}

const fn refused(what: String) -> DaemonError {
    DaemonError::Protocol(what)
}

/// Drops the headers that are about this connection (RFC 9110, 7.6.1), and a `Content-Length` that
/// is not the body's. `exact` is `None` for an answer to HEAD, where the length is information.
fn strip_framing(headers: &mut HeaderMap, exact: Option<Option<u64>>) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    let fixed = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let proxied = headers.keys().filter(|name| name.as_str().starts_with("proxy-")).cloned();
    let doomed: Vec<HeaderName> = named.into_iter().chain(proxied.collect::<Vec<_>>()).collect();
    for name in fixed {
        headers.remove(name);
    }
    for name in doomed.iter().filter(|name| **name != CONTENT_LENGTH) {
        headers.remove(name);
    }
    if let Some(exact) = exact {
        headers.remove(CONTENT_LENGTH);
        if let Some(length) = exact.filter(|_| !chunked) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
}

impl AnswerSource {
    fn from_daemon(incoming: Incoming, lease: Lease) -> Self {
        if incoming.is_end_stream() {
            lease.settle();
            return Self::Done;
        }
        Self::Daemon { incoming, lease: Box::new(lease) }
    }
}

impl AnswerBody {
    /// A body of our own.
    #[must_use]
    pub const fn of(bytes: Bytes) -> Self {
        Self { source: AnswerSource::Ours(bytes) }
    }

    /// Reads the whole body, up to `cap` bytes.
    ///
    /// # Errors
    /// [`DaemonError::Broken`] when it ends early, [`DaemonError::Protocol`] when it is longer.
    pub async fn read_whole(mut self, cap: usize) -> Result<Bytes, DaemonError> {
        let mut whole = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let data = frame?.into_data().unwrap_or_default();
            if whole.len() + data.len() > cap {
                return Err(refused(format!("a body above {cap} bytes where a short one is due")));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    /// The daemon's connection goes back to the pool, or is closed.
    fn finish(&mut self) {
        if let AnswerSource::Daemon { lease, .. } =
            std::mem::replace(&mut self.source, AnswerSource::Done)
        {
            lease.settle();
        }
    }

    fn fail(&mut self, error: &hyper::Error) -> DaemonError {
        self.source = AnswerSource::Done;
        DaemonError::Broken(described(error))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = DaemonError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DaemonError>>> {
        let this = self.get_mut();
        loop {
            let incoming = match &mut this.source {
                AnswerSource::Done => return Poll::Ready(None),
                AnswerSource::Ours(bytes) => {
                    let bytes = std::mem::take(bytes);
                    this.source = AnswerSource::Done;
                    return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
                }
                AnswerSource::Daemon { incoming, .. } => incoming,
            };
            match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
                None => this.finish(),
                Some(Err(error)) => return Poll::Ready(Some(Err(this.fail(&error)))),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if incoming.is_end_stream() {
                        this.finish();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            AnswerSource::Done => true,
            AnswerSource::Ours(bytes) => bytes.is_empty(),
            AnswerSource::Daemon { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            AnswerSource::Done => SizeHint::with_exact(0),
            AnswerSource::Ours(bytes) => SizeHint::with_exact(bytes.len() as u64),
            AnswerSource::Daemon { incoming, .. } => incoming.size_hint(),
        }
    }
}
