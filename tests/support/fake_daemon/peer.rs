//! One connection to the fake daemon: reads requests to the byte, and plays the script.

use super::script::{Witness, response};
use super::{Recorded, Reply, Shared};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// The longest body that is kept; longer ones are only counted.
const KEPT: usize = 1024 * 1024;

/// One connection.
pub(super) struct Peer {
    shared: Arc<Shared>,
    stream: UnixStream,
    connection: usize,
    /// Read and not yet understood.
    ahead: Vec<u8>,
}

/// Whether the connection can take another request.
type Keep = bool;

impl Peer {
    pub(super) const fn new(shared: Arc<Shared>, stream: UnixStream, connection: usize) -> Self {
        Self { shared, stream, connection, ahead: Vec::new() }
    }

    pub(super) async fn serve(&mut self) {
        let mut answered = 0;
        while let Some(head) = self.head().await {
            let recorded = Recorded { connection: self.connection, head, ..Recorded::default() };
            let (call, framing) = (recorded.call(), Framing::of(&recorded));
            let script = self.shared.script.lock().unwrap().clone();
            if let Some(answer) = script.told(&recorded) {
                self.shared.asked(recorded);
                if self.stream.write_all(&answer).await.is_err() {
                    return;
                }
                continue;
            }
            if recorded.line().starts_with("GET /events?") {
                let length = recorded.head.len() as u64;
                self.shared.log.send_modify(|log| log.bytes -= length);
                if self.happenings(script.happens).await {
                    continue;
                }
                return;
            }
            if let Some(Witness(see)) = &script.witness {
                see(&recorded);
            }
            let index = self.shared.record(recorded);
            if script.hang_up_on_reuse && answered > 0 {
                return;
            }
            let reply = self.shared.reply(&call);
            let unread = matches!(reply, Reply::Early(_) | Reply::Stalled);
            if !unread && !self.body(index, framing).await {
                return;
            }
            if !self.answer(index, reply).await {
                return;
            }
            answered += 1;
            if script.answers_per_connection == Some(answered) {
                return;
            }
        }
    }

    /// What happens, for the gate itself, which alone asks without a version.
    async fn happenings(&mut self, tells: bool) -> Keep {
        if !tells {
            let absent = response("404 Not Found", "", "{}");
            return self.stream.write_all(&absent).await.is_ok();
        }
        let mut happened = self.shared.happened.subscribe();
        let mut told = happened.borrow().len();
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = self.stream.write_all(head).await;
        self.shared.log.send_modify(|log| log.heard += 1);
        loop {
            tokio::select! {
                changed = happened.changed() => if changed.is_err() { return false },
                () = gone(&mut self.stream) => return false,
            }
            let lines: String =
                happened.borrow()[told..].iter().map(|line| format!("{line}\n")).collect();
            told = happened.borrow().len();
            let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
            if self.stream.write_all(chunk.as_bytes()).await.is_err() {
                return false;
            }
        }
    }

    /// More bytes; `false` at the end.
    async fn fill(&mut self) -> bool {
        let mut chunk = vec![0; 256 * 1024];
        let count = self.stream.read(&mut chunk).await.unwrap_or(0);
        self.ahead.extend_from_slice(&chunk[..count]);
        self.shared.log.send_modify(|log| log.bytes += count as u64);
        count > 0
    }

    /// Everything up to and with this pattern.
    async fn up_to(&mut self, pattern: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.ahead.windows(pattern.len()).position(|window| window == pattern);
            if let Some(at) = found {
                return Some(self.ahead.drain(..at + pattern.len()).collect());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn head(&mut self) -> Option<Vec<u8>> {
        self.up_to(b"\r\n\r\n").await
    }

    async fn body(&mut self, index: usize, framing: Framing) -> Keep {
        let whole = match framing {
            Framing::Length(length) => self.take(index, length).await,
            Framing::Chunked => self.chunks(index).await,
        };
        self.shared.note(index, |request| request.whole = whole);
        whole
    }

    async fn take(&mut self, index: usize, mut left: u64) -> bool {
        while left > 0 {
            if self.ahead.is_empty() && !self.fill().await {
                return false;
            }
            let count = self.ahead.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            left -= count as u64;
            let bytes: Vec<u8> = self.ahead.drain(..count).collect();
            self.shared.note(index, |request| {
                request.body_bytes += count as u64;
                let room = KEPT.saturating_sub(request.body.len()).min(count);
                request.body.extend_from_slice(&bytes[..room]);
            });
        }
        true
    }

    async fn chunks(&mut self, index: usize) -> bool {
        loop {
            let Some(line) = self.up_to(b"\r\n").await else { return false };
            let size = String::from_utf8(line).unwrap();
            let size = u64::from_str_radix(size.trim_end(), 16).expect("a plain chunk size");
            if !self.take(index, size).await || self.up_to(b"\r\n").await.is_none() {
                return false;
            }
            if size == 0 {
                return true;
            }
        }
    }

    async fn answer(&mut self, index: usize, mut reply: Reply) -> Keep {
        while let Reply::Held(bell, next) = reply {
            tokio::select! {
                () = bell.notified() => {}
                () = gone(&mut self.stream) => {
                    self.shared.note(index, |request| request.client_gone = true);
                    return false;
                }
            }
            reply = *next;
        }
        match reply {
            Reply::Raw(bytes) => self.stream.write_all(&bytes).await.is_ok(),
            Reply::RawThenClose(bytes) => self.last(&bytes).await,
            Reply::Huge(length) => self.huge(length).await,
            Reply::Hijack(early) => self.hijack(index, &switched(&early)).await,
            Reply::Echo(head) => self.hijack(index, &head).await,
            Reply::RawStream => self.hijack(index, RAW_STREAM).await,
            Reply::HijackThenClose(early) => self.last(&switched(&early)).await,
            Reply::HijackThenShut(early) => self.shut(index, &switched(&early)).await,
            Reply::Endless => self.endless(index).await,
            Reply::Early(bytes) => self.early(&bytes).await,
            Reply::Stalled => std::future::pending().await,
            Reply::HangUp => false,
            Reply::Held(..) => unreachable!("unwrapped above"),
        }
    }

    async fn last(&mut self, bytes: &[u8]) -> Keep {
        let _ = self.stream.write_all(bytes).await;
        false
    }

    async fn huge(&mut self, length: u64) -> Keep {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let mut sent = self.stream.write_all(head.as_bytes()).await;
        let (chunk, mut left) = (vec![b'x'; 256 * 1024], length);
        while left > 0 && sent.is_ok() {
            let count = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            sent = self.stream.write_all(&chunk[..count]).await;
            left -= count as u64;
        }
        sent.is_ok()
    }

    async fn hijack(&mut self, index: usize, head: &[u8]) -> Keep {
        let _ = self.stream.write_all(head).await;
        loop {
            let stdin = std::mem::take(&mut self.ahead);
            self.shared.note(index, |request| request.stdin.extend_from_slice(&stdin));
            if self.stream.write_all(&stdin).await.is_err() {
                self.shared.note(index, |request| request.client_gone = true);
                return false;
            }
            if !self.fill().await {
                break;
            }
        }
        self.shared.note(index, |request| request.stdin_closed = true);
        let _ = self.stream.write_all(b"EOF\n").await;
        let _ = self.stream.shutdown().await;
        false
    }

    async fn shut(&mut self, index: usize, head: &[u8]) -> Keep {
        let _ = self.stream.write_all(head).await;
        let _ = self.stream.shutdown().await;
        while self.fill().await {
            let stdin = std::mem::take(&mut self.ahead);
            self.shared.note(index, |request| request.stdin.extend_from_slice(&stdin));
        }
        false
    }

    async fn endless(&mut self, index: usize) -> Keep {
        let mut ticks = self.shared.ticks.subscribe();
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = self.stream.write_all(head).await;
        loop {
            let sent = self.stream.write_all(b"8\r\n{\"e\":1}\n\r\n").await;
            let alive = sent.is_ok()
                && tokio::select! {
                    changed = ticks.changed() => changed.is_ok(),
                    () = gone(&mut self.stream) => false,
                };
            if !alive {
                self.shared.note(index, |request| request.client_gone = true);
                return false;
            }
        }
    }

    async fn early(&mut self, bytes: &[u8]) -> Keep {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.shutdown().await;
        false
    }
}

/// `200` without any framing.
const RAW_STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

fn switched(early: &[u8]) -> Vec<u8> {
    let head = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    [head, early].concat()
}

/// Waits until the client closes; whatever it says meanwhile is not expected.
async fn gone(stream: &mut UnixStream) {
    let mut byte = [0; 1];
    while stream.read(&mut byte).await.is_ok_and(|count| count > 0) {}
}

/// How a request's body is framed.
#[derive(Clone, Copy)]
enum Framing {
    Length(u64),
    Chunked,
}

impl Framing {
    fn of(request: &Recorded) -> Self {
        if request.header("transfer-encoding").is_empty() {
            let length =
                request.header("content-length").first().map_or(Ok(0), |text| text.parse());
            return Self::Length(length.expect("a plain length"));
        }
        assert_eq!(request.header("transfer-encoding"), ["chunked"], "one plain coding");
        assert!(request.header("content-length").is_empty(), "two framings in one head");
        Self::Chunked
    }
}
