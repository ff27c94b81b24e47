//! Bodies of any size and any duration, both ways.

use super::super::fake_daemon::{FakeDaemon, Reply, Script, response};
use super::{read, send, start, text, write};
use crate::daemon::{Cancel, ClientBody, Daemon, DaemonError};
use crate::docker::{Life, Outbound, OutboundBody};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

const LARGE: u64 = 200 << 20;
/// What may be on its way between the ends: our buffers and the kernel's.
const ON_ITS_WAY: u64 = 2 << 20;

/// An upload that counts what was taken of it.
struct CountedUpload {
    left: u64,
    taken: Arc<AtomicU64>,
    trailers: bool,
}

impl CountedUpload {
    fn of(left: u64) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::<AtomicU64>::default();
        (Self { left, taken: Arc::clone(&taken), trailers: false }, taken)
    }
}

impl Body for CountedUpload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static CHUNK: [u8; 64 * 1024] = [b'u'; 64 * 1024];
        if self.left == 0 {
            let trailers = std::mem::take(&mut self.trailers);
            return Poll::Ready(trailers.then(|| Ok(Frame::trailers(HeaderMap::new()))));
        }
        let count = self.left.min(CHUNK.len() as u64);
        self.left -= count;
        self.taken.fetch_add(count, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(
            &CHUNK[..usize::try_from(count).unwrap()],
        )))))
    }
}

fn load(length: Option<u64>) -> Outbound {
    let body = OutboundBody::Stream { length };
    Outbound { life: Life::WriteStream, body, ..write("/images/load") }
}

fn loads() -> (FakeDaemon, Daemon) {
    start(Script::new("1.41").on("POST /images/load", Reply::json("{}")))
}

#[tokio::test]
async fn uploads_of_any_size_arrive_whole_and_reframed() {
    let (fake, daemon) = loads();
    for length in [Some(LARGE), None] {
        let (upload, _) = CountedUpload::of(LARGE);
        let body = ClientBody::stream(upload);
        let answer = daemon.send(&load(length), body, &Cancel::new()).await.unwrap();
        assert_eq!(text(answer).await, "{}");
    }
    let log = fake.log();
    assert_eq!(log.connections, 2, "an upload has a connection of its own");
    assert!(log.requests.iter().all(|r| r.whole && r.body_bytes == LARGE));
    assert_eq!(log.requests[0].header("content-length"), [LARGE.to_string()]);
    assert_eq!(log.requests[1].header("transfer-encoding"), ["chunked"]);
    assert_eq!(log.requests[1].header("content-type"), ["application/x-tar"]);
}

#[tokio::test]
async fn an_upload_is_taken_no_faster_than_the_daemon_reads() {
    let script = Script::new("1.41");
    let (fake, daemon) = start(script.on("POST /images/load", Reply::Stalled));
    let (upload, taken) = CountedUpload::of(LARGE);
    let sender = daemon.clone();
    let sending = tokio::spawn(async move {
        sender.send(&load(None), ClientBody::stream(upload), &Cancel::new()).await
    });
    fake.until(|log| log.requests.len() == 1).await;
    let mut before = u64::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
    assert!(before < ON_ITS_WAY, "{before} bytes were taken and none was read");
    sending.abort();
}

#[tokio::test]
async fn answers_of_any_size_pass_through_frame_by_frame() {
    let script = Script::new("1.41").on("GET /images/get", Reply::Huge(LARGE));
    let (_fake, daemon) = start(script);
    let mut answer = send(&daemon, &read("/images/get")).await.unwrap();
    assert_eq!(answer.headers["content-length"], LARGE.to_string());
    let (mut total, mut largest) = (0, 0);
    while let Some(frame) = answer.body.frame().await {
        let length = frame.unwrap().into_data().unwrap().len() as u64;
        total += length;
        largest = largest.max(length);
    }
    assert_eq!(total, LARGE);
    assert!(largest <= ON_ITS_WAY, "a frame of {largest} bytes");
}

#[tokio::test]
async fn an_answer_that_ends_early_is_an_error() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec();
    let (_fake, daemon) = start(Script::new("1.41").on("GET /a", Reply::RawThenClose(cut)));
    let answer = send(&daemon, &read("/a")).await.unwrap();
    let error = answer.body.read_whole(100).await.unwrap_err();
    assert!(matches!(error, DaemonError::Broken(_)), "{error}");
}

#[tokio::test]
async fn the_answer_to_an_upload_that_is_refused_midway_is_not_lost() {
    let refusal = response("400 Bad Request", "Connection: close\r\n", "no");
    let script = Script::new("1.41").on("POST /images/load", Reply::Early(refusal));
    let (_fake, daemon) = start(script);
    for _ in 0..50 {
        let (upload, _) = CountedUpload::of(LARGE);
        let body = ClientBody::stream(upload);
        let answer = daemon.send(&load(None), body, &Cancel::new()).await.unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(text(answer).await, "no");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_its_word_is_cut() {
    let (fake, daemon) = loads();
    let (short, _) = CountedUpload::of(10);
    let (long, _) = CountedUpload::of(2 << 20);
    let (mut trailing, _) = CountedUpload::of(10);
    trailing.trailers = true;
    for (length, upload) in [(Some(11), short), (Some((1 << 20) + 1), long), (None, trailing)] {
        let body = ClientBody::stream(upload);
        let error = daemon.send(&load(length), body, &Cancel::new()).await.unwrap_err();
        assert!(matches!(error, DaemonError::Upload(_)), "{error}");
    }
    let log = fake.until(|log| log.closed == 3).await;
    assert!(log.requests.iter().all(|request| !request.whole));
}

#[tokio::test]
async fn events_come_as_they_happen_and_end_with_their_reader() {
    let (fake, daemon) = start(Script::new("1.41").on("GET /events", Reply::Endless));
    let events = Outbound { life: Life::Stream, ..read("/events") };
    let mut answer = send(&daemon, &events).await.unwrap();
    for _ in 0..3 {
        let frame = answer.body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "{\"e\":1}\n");
        fake.tick();
    }
    assert!(!fake.log().requests[0].client_gone);
    drop(answer);
    fake.until(|log| log.requests[0].client_gone).await;
}

#[tokio::test]
async fn waits_do_not_serialise_other_requests() {
    let bell = Arc::<tokio::sync::Notify>::default();
    let held = Reply::Held(Arc::clone(&bell), Box::new(Reply::json("{\"StatusCode\":0}")));
    let script = Script::new("1.41")
        .on("POST /containers/a/wait", held)
        .on("POST /containers/a/start", Reply::status("204 No Content", "", ""));
    let (fake, daemon) = start(script);
    let (sender, wait) = (daemon.clone(), write("/containers/a/wait"));
    let waiting = tokio::spawn(async move { text(send(&sender, &wait).await.unwrap()).await });
    fake.until(|log| log.requests.len() == 1).await;
    let started = send(&daemon, &write("/containers/a/start")).await.unwrap();
    assert_eq!(started.status, 204);
    bell.notify_one();
    assert_eq!(waiting.await.unwrap(), "{\"StatusCode\":0}");
}
