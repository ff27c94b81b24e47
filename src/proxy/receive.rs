//! How a request's body comes in: whole, for one that is judged; as a stream, for one that a role was
//! granted unseen; or to the bin, so that a client in the middle of its upload reads our refusal.

use super::memory::SMALL_BODY;
use super::respond::ResponseBody;
use super::turns::JudgingTurns;
use crate::config::FrontLimits;
use crate::docker::{Flaw, Malformed};
use crate::problem::{Actionable, Problem};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

const KIB: usize = 1024;
/// How much, and how long, is read of a body that was refused.
const DRAIN_BYTES: usize = 8 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// The memory for all inspected bodies in hand, in KiB. The first piece of each body, which is the whole of nearly
/// every one, is its connection's own. Once more than that has really come, so that announcing much and sending
/// nothing takes nothing from others, the body takes all that it can need, at once and in the order of coming: who
/// has a place waits for nobody else's, so that each of any number ends. One identity has a share of it all, so
/// that who fills that with bodies that do not end keeps nobody else from starting a container.
#[derive(Clone, Debug)]
pub struct Budget {
    free: Arc<Semaphore>,
    shares: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
    /// Of one identity, in KiB.
    share: usize,
    body_max: usize,
    time: Duration,
    turns: JudgingTurns,
}

/// Memory that is taken, given back on drop.
#[derive(Debug)]
pub struct BodyMemory {
    _of_all: OwnedSemaphorePermit,
    _of_share: OwnedSemaphorePermit,
}

impl Budget {
    /// The budget of a process.
    #[must_use]
    pub fn new(limits: &FrontLimits) -> Self {
        let places = |bytes: usize| (bytes / KIB).min(Semaphore::MAX_PERMITS);
        let all = places(limits.bodies_total);
        Self {
            free: Arc::new(Semaphore::new(all)),
            shares: Arc::default(),
            share: places(limits.bodies_per_identity).min(all),
            body_max: limits.body_max,
            time: limits.body_timeout,
            turns: JudgingTurns::default(),
        }
    }

    /// Turns to judge what was received.
    #[must_use]
    pub const fn turns(&self) -> &JudgingTurns {
        &self.turns
    }

    /// Reads a body of this identity that must be judged whole, or not at all.
    ///
    /// # Errors
    /// [`Unreceived`]: too large (a Content-Length above the bound before a byte is read), ended
    /// early or late, trailers, or no memory in time. The rest of the body is then still in `body`:
    /// answer with [`answer_unread`].
    pub async fn inspected(
        &self,
        whose: &str,
        body: &mut Incoming,
    ) -> Result<Received, Unreceived> {
        let announced = body.size_hint().exact().map(|size| usize::try_from(size).ok());
        let most = match announced {
            Some(Some(size)) if size <= self.body_max => size,
            Some(_) => return Err(self.too_large()),
            None => self.body_max,
        };
        let mut coming = Coming::begins(self);
        while let Some(data) = coming.next(body).await? {
            let length = coming.bytes.len().saturating_add(data.len());
            if length > most {
                return Err(self.too_large());
            }
            let size = if length > SMALL_BODY { most } else { most.min(SMALL_BODY) };
            coming.take(whose, &data, size).await?;
        }
        Ok(coming.received())
    }

    /// Reads the beginning of a stream: at least so many bytes, or all there is. The rest is still in
    /// `body`, behind what was read.
    ///
    /// # Errors
    /// [`Unreceived`]: ended early or late, trailers, or no memory in time.
    pub async fn beginning(
        &self,
        whose: &str,
        body: &mut Incoming,
        bytes: usize,
    ) -> Result<Received, Unreceived> {
        let mut coming = Coming::begins(self);
        while coming.bytes.len() < bytes {
            let Some(data) = coming.next(body).await? else { break };
            let length = coming.bytes.len().saturating_add(data.len());
            coming.take(whose, &data, length.max(SMALL_BODY)).await?;
        }
        Ok(coming.received())
    }

    /// Waits for as much as a body of this size takes beyond its first piece; of its own identity's share first.
    async fn memory(&self, whose: &str, size: usize) -> Result<BodyMemory, Unreceived> {
        let places = size.saturating_sub(SMALL_BODY).div_ceil(KIB).min(self.share);
        let places = u32::try_from(places).map_err(|_| Unreceived::Busy)?;
        let share = self.share_of(whose);
        let both = async {
            let of_share = share.acquire_many_owned(places).await?;
            let of_all = Arc::clone(&self.free).acquire_many_owned(places).await?;
            Ok::<_, AcquireError>(BodyMemory { _of_all: of_all, _of_share: of_share })
        };
        let both = timeout(self.time, both).await.map_err(|_| Unreceived::Busy)?;
        both.map_err(|_| Unreceived::Busy)
    }

    /// The share of an identity; it is forgotten when nobody holds or awaits any of it.
    fn share_of(&self, whose: &str) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(whose).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(whose.to_owned(), Arc::downgrade(&share));
        share
    }

    fn too_large(&self) -> Unreceived {
        let why = format!("the body is larger than the {} bytes that are inspected", self.body_max);
        Malformed::new(Flaw::BodyTooLarge, "", why).into()
    }
}

/// A body in hand, or its beginning. Its memory is given back to the [`Budget`] on drop.
#[derive(Debug, Default)]
pub struct Received {
    /// All of it that was read.
    pub bytes: Bytes,
    memory: Option<BodyMemory>,
}

impl Received {
    /// Lets the bytes go and keeps their memory taken, for what is sent on in their place.
    #[must_use]
    pub fn into_memory(self) -> Option<BodyMemory> {
        self.memory
    }
}

/// Why a body is not in hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum Unreceived {
    /// It cannot be read in one way, or not at all.
    Malformed(#[from] Malformed),
    /// Other bodies hold all the memory: 429, [`super::respond::busy`].
    Busy,
}

impl Actionable for Unreceived {
    fn problem(&self) -> Problem {
        match self {
            Self::Malformed(malformed) => malformed.problem(),
            Self::Busy => Problem::new("too many request bodies are in hand", "try again"),
        }
    }
}

/// A body that is coming in.
struct Coming<'a> {
    budget: &'a Budget,
    bytes: Vec<u8>,
    memory: Option<BodyMemory>,
    deadline: Instant,
}

impl<'a> Coming<'a> {
    fn begins(budget: &'a Budget) -> Self {
        let deadline = Instant::now() + budget.time;
        Self { budget, bytes: Vec::new(), memory: None, deadline }
    }

    async fn next(&self, body: &mut Incoming) -> Result<Option<Bytes>, Unreceived> {
        match next(body, self.deadline).await?.map(Frame::into_data) {
            None => Ok(None),
            Some(Ok(data)) => Ok(Some(data)),
            Some(Err(_)) => Err(trailers().into()),
        }
    }

    /// Adds what has come to a body that may grow to this size. What it waits for memory is our time and not the
    /// client's.
    async fn take(&mut self, whose: &str, data: &[u8], size: usize) -> Result<(), Unreceived> {
        if size > SMALL_BODY && self.memory.is_none() {
            self.memory = Some(self.budget.memory(whose, size).await?);
            self.deadline = Instant::now() + self.budget.time;
        }
        if size > self.bytes.capacity() {
            self.bytes.reserve_exact(size.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn received(self) -> Received {
        Received { bytes: self.bytes.into(), memory: self.memory }
    }
}

async fn next(body: &mut Incoming, deadline: Instant) -> Result<Option<Frame<Bytes>>, Unreceived> {
    let incomplete = |why| Malformed::new(Flaw::BodyIncomplete, "", why);
    let frame = timeout_at(deadline, body.frame()).await;
    let frame = frame.map_err(|_| incomplete("the body did not arrive in time"))?;
    let broken = |_| incomplete("the body ended early or its chunks cannot be read").into();
    frame.transpose().map_err(broken)
}

fn trailers() -> Malformed {
    Malformed::new(Flaw::BodyTrailers, "", "trailer fields after the body are not accepted")
}

/// The client's own bytes, passed on as they come. Trailers end it with an error. Where nobody
/// wants the rest, because the daemon has answered already, it is read and forgotten within the
/// bounds of a refusal, so that the client shows that answer and not a broken pipe.
#[derive(Debug)]
pub struct Opaque {
    /// What was looked at and comes first.
    beginning: Option<Received>,
    rest: Option<Incoming>,
}

/// The stream of a body that a role was granted, behind what was read of it already.
#[must_use]
pub fn opaque(beginning: Received, body: Incoming) -> Opaque {
    let beginning = Some(beginning).filter(|received| !received.bytes.is_empty());
    Opaque { beginning, rest: Some(body) }
}

impl Drop for Opaque {
    fn drop(&mut self) {
        let rest = self.rest.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(drain(body));
        }
    }
}

/// Why a stream broke off. It is told of within the fault of an upload, which has the next step.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem().what)]
pub enum StreamError {
    /// The client sent trailer fields.
    Trailers(Malformed),
    /// The client is gone, or its chunks cannot be read.
    Client(hyper::Error),
}

impl Actionable for StreamError {
    fn problem(&self) -> Problem {
        match self {
            Self::Trailers(malformed) => malformed.problem(),
            Self::Client(error) => Problem::new(error.to_string(), "send it again, whole"),
        }
    }
}

impl http_body::Body for Opaque {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        if let Some(received) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(received.bytes))));
        }
        let Some(body) = self.rest.as_mut() else { return Poll::Ready(None) };
        Poll::Ready(match ready!(Pin::new(body).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_trailers() => Some(Err(StreamError::Trailers(trailers()))),
            Some(frame) => Some(frame.map_err(StreamError::Client)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.beginning.is_none() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.beginning.as_ref().map_or(0, |received| received.bytes.len()) as u64;
        let rest = self.rest.as_ref().map_or_else(SizeHint::default, http_body::Body::size_hint);
        let mut whole = SizeHint::new();
        whole.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            whole.set_upper(upper.saturating_add(read));
        }
        whole
    }
}

/// A response to a request whose body, or the rest of it, nobody wants. The connection closes after
/// it, and meanwhile the body is read and forgotten, 8 MiB or 2 s at most: a client that cannot send
/// any further reports a broken pipe and never shows our words.
///
/// A client that waits for `100 Continue` is not told to go on. To be called within the runtime.
#[must_use]
pub fn answer_unread(
    mut response: Response<ResponseBody>,
    headers: &HeaderMap,
    body: Incoming,
) -> Response<ResponseBody> {
    if body.is_end_stream() {
        return response;
    }
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if !headers.contains_key(header::EXPECT) {
        tokio::spawn(drain(body));
    }
    response
}

async fn drain(mut body: Incoming) {
    let (mut left, deadline) = (DRAIN_BYTES, Instant::now() + DRAIN_TIME);
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            break;
        }
    }
}
