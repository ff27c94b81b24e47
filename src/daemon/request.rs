//! The head that the daemon reads, and the body after it: every byte of the head is written here,
//! so that no header of a client can frame, steer or upgrade anything.

use super::DaemonError;
use crate::docker::{Method, Outbound, OutboundBody};
use crate::problem::{Actionable, Problem};
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Characters that are told of a target.
const SHOWN: usize = 200;

type ClientBodyError = Box<dyn Error + Send + Sync>;

/// The client's own bytes, for routes whose body is an opaque stream; ignored on all others.
#[derive(Debug)]
pub enum ClientBody {
    /// None.
    Empty,
    /// An upload; made by [`ClientBody::stream`].
    Stream(UnsyncBoxBody<Bytes, ClientBodyError>),
}

impl ClientBody {
    /// An upload that is passed on as it comes.
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<ClientBodyError>,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync())
    }
}

/// The request as hyper sends it.
pub(super) fn build(outbound: &Outbound, body: ClientBody) -> Result<Request<Upload>, DaemonError> {
    let mut request = Request::new(Upload::new(&outbound.body, body));
    *request.method_mut() = method(outbound.method)?;
    *request.uri_mut() = target(&outbound.target)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("docker"));
    for (name, value) in outbound.headers.iter().filter(|(name, _)| !is_ours(name)) {
        headers.append(name, value.clone());
    }
    frame(headers, outbound);
    if let Some(protocol) = outbound.hijack.protocol() {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(protocol));
    }
    Ok(request)
}

/// Headers that only we write, whatever a route's allow-list says.
fn is_ours(name: &HeaderName) -> bool {
    let framing = [HOST, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, TE, TRAILER];
    let steering = [CONNECTION, UPGRADE, EXPECT];
    let legacy = ["keep-alive", "http2-settings", "x-http-method-override"];
    framing.contains(name)
        || steering.contains(name)
        || legacy.contains(&name.as_str())
        || name.as_str().starts_with("proxy-")
}

fn frame(headers: &mut HeaderMap, outbound: &Outbound) {
    let may_have_one = matches!(outbound.method, Method::Post | Method::Put);
    let (length, kind) = match &outbound.body {
        OutboundBody::Empty if may_have_one => (Some(0), None),
        OutboundBody::Empty => return,
        OutboundBody::Json(bytes) => (Some(bytes.len() as u64), Some("application/json")),
        OutboundBody::Stream { length } => (*length, Some("application/x-tar")),
    };
    match length {
        Some(length) => headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked")),
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
}

fn method(method: Method) -> Result<http::Method, DaemonError> {
    match method {
        Method::Get => Ok(http::Method::GET),
        Method::Head => Ok(http::Method::HEAD),
        Method::Post => Ok(http::Method::POST),
        Method::Put => Ok(http::Method::PUT),
        Method::Delete => Ok(http::Method::DELETE),
        Method::Options => Ok(http::Method::OPTIONS),
        Method::Any => Err(DaemonError::Protocol("a request without a method".to_owned())),
    }
}

/// The target, which must survive the parser unchanged: nobody may read another one than was judged.
fn target(text: &str) -> Result<Uri, DaemonError> {
    let uri = Uri::try_from(text).ok().filter(|uri| uri.authority().is_none());
    let plain = text.starts_with('/') && !text.starts_with("//");
    let kept = |uri: &Uri| uri.path_and_query().is_some_and(|whole| whole.as_str() == text);
    uri.filter(|uri| plain && kept(uri)).ok_or_else(|| {
        let shown: String = text.chars().take(SHOWN).collect();
        DaemonError::Protocol(format!("a target that is not canonical: {shown:?}"))
    })
}

/// The body of a request to the daemon.
#[derive(Debug)]
pub(super) enum Upload {
    /// Nothing, or JSON.
    Ours(Full<Bytes>),
    Stream {
        body: UnsyncBoxBody<Bytes, ClientBodyError>,
        /// What is still to come of an announced length, in bytes.
        left: Option<u64>,
    },
}

impl Upload {
    fn new(kind: &OutboundBody, body: ClientBody) -> Self {
        let left = match kind {
            OutboundBody::Empty => return Self::Ours(Full::default()),
            OutboundBody::Json(bytes) => return Self::Ours(Full::new(bytes.clone())),
            OutboundBody::Stream { length } => *length,
        };
        let body = match body {
            ClientBody::Stream(body) => body,
            ClientBody::Empty => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        };
        Self::Stream { body, left }
    }
}

/// What was wrong with the client's upload. It is told of within [`DaemonError::Upload`], which has the next
/// step.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadFault {
    #[error("the client's body could not be read: {0}")]
    Broken(ClientBodyError),
    #[error("the client's body carried trailers")]
    Trailers,
    #[error("the client's body ended {0} bytes early")]
    Short(u64),
    #[error("the client's body is longer than announced")]
    Long,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadFault>>> {
        let (body, left) = match self.get_mut() {
            Self::Ours(body) => {
                return Pin::new(body).poll_frame(cx).map_err(|never| match never {});
            }
            Self::Stream { body, left } => (body, left),
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        Poll::Ready(match frame {
            None => left.filter(|left| *left > 0).map(|left| Err(UploadFault::Short(left))),
            Some(Err(error)) => Some(Err(UploadFault::Broken(error))),
            Some(Ok(frame)) => Some(counted(frame, left)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Ours(body) => body.is_end_stream(),
            Self::Stream { left, .. } => *left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Ours(body) => body.size_hint(),
            Self::Stream { left, .. } => left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

fn counted(frame: Frame<Bytes>, left: &mut Option<u64>) -> Result<Frame<Bytes>, UploadFault> {
    let data = frame.into_data().map_err(|_| UploadFault::Trailers)?;
    if let Some(left) = left {
        *left = left.checked_sub(data.len() as u64).ok_or(UploadFault::Long)?;
    }
    Ok(Frame::data(data))
}

impl Actionable for UploadFault {
    fn problem(&self) -> Problem {
        Problem::new(self.to_string(), "send it again, whole")
    }
}
