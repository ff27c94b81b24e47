//! The daemon's answer: its head at once, its body frame by frame, its connection kept only when the
//! body was read to the end.

use super::filter::SeenLines;
use super::link::{Link, described};
use super::pool::Pool;
use super::{DaemonError, Tunnel};
use crate::docker::{Method, Outbound};
use crate::policy::sight::Sight;
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
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

/// What is still to be said; once all was said, nothing of ours.
#[derive(Debug)]
enum AnswerSource {
    /// The daemon's, of which only some lines are passed on.
    Lines {
        body: Box<AnswerBody>,
        lines: Box<SeenLines>,
    },
    Ours(Full<Bytes>),
    Daemon {
        incoming: Incoming,
        lease: Box<Lease>,
    },
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
    let body = AnswerBody::from_daemon(incoming, lease);
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
    let fixed = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let lists = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named = lists.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok());
    let is_ours =
        |name: &&HeaderName| fixed.contains(&name.as_str()) || name.as_str().starts_with("proxy-");
    let doomed: Vec<HeaderName> = named.chain(headers.keys().filter(is_ours).cloned()).collect();
    let chunked = headers.contains_key(TRANSFER_ENCODING);
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

impl AnswerBody {
    fn from_daemon(incoming: Incoming, lease: Lease) -> Self {
        if incoming.is_end_stream() {
            lease.settle();
            return Self::of(Bytes::new());
        }
        Self { source: AnswerSource::Daemon { incoming, lease: Box::new(lease) } }
    }

    /// A body of our own.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        Self { source: AnswerSource::Ours(Full::new(bytes)) }
    }

    /// The same body, of which only the lines are passed on that may be seen.
    pub(super) fn by_lines(self, sight: Sight) -> Self {
        let (body, lines) = (Box::new(self), Box::new(SeenLines::new(sight)));
        Self { source: AnswerSource::Lines { body, lines } }
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
        let done = AnswerSource::Ours(Full::default());
        if let AnswerSource::Daemon { lease, .. } = std::mem::replace(&mut self.source, done) {
            lease.settle();
        }
    }

    fn fail(&mut self, error: &hyper::Error) -> DaemonError {
        self.source = AnswerSource::Ours(Full::default());
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
                AnswerSource::Lines { body, lines } => {
                    let frame = ready!(Pin::new(body.as_mut()).poll_frame(cx));
                    let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
                    let seen = frame.into_data().map(|data| lines.pass(&data)).unwrap_or_default();
                    if seen.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(seen))));
                }
                AnswerSource::Ours(body) => {
                    return Pin::new(body).poll_frame(cx).map_err(|never| match never {});
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
            AnswerSource::Ours(body) => body.is_end_stream(),
            AnswerSource::Lines { body, .. } => body.is_end_stream(),
            AnswerSource::Daemon { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            AnswerSource::Ours(body) => body.size_hint(),
            AnswerSource::Lines { .. } => SizeHint::default(),
            AnswerSource::Daemon { incoming, .. } => incoming.size_hint(),
        }
    }
}
