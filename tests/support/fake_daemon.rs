//! A daemon that records every byte it gets and answers by a script, on plain sockets: it must not
//! share a parser with the gate, or both would misread the same bytes in the same way.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    reason = "support for tests, which fail by panicking; each test uses a part of it"
)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// The longest body that is kept; longer ones are only counted.
const KEPT: usize = 1024 * 1024;
/// How long a condition may take to come true before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a path is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, then the connection is kept.
    Raw(Vec<u8>),
    /// These bytes, then the connection is closed.
    RawThenClose(Vec<u8>),
    /// `101 UPGRADED` with these early bytes in the same write, then stdin comes back as stdout;
    /// at its end `EOF\n`, and our half is closed.
    Hijack(Vec<u8>),
    /// As `Hijack`, but with `200` and no framing, as moby answers without an `Upgrade`.
    RawStream,
    /// `101` with these early bytes, then both halves are closed at once.
    HijackThenClose(Vec<u8>),
    /// A chunked stream: one event at once, another whenever [`FakeDaemon::tick`] is called, no end.
    Endless,
    /// Nothing: the connection is closed.
    HangUp,
    /// The reply, once the bell rings.
    Held(Arc<Notify>, Box<Reply>),
    /// That many bytes with a `Content-Length`.
    Huge(u64),
    /// Answered when the head is there, without reading the body; then as Go does: our half is
    /// closed, and soon after everything.
    Early(Vec<u8>),
    /// The head is taken, and then nothing is read or said, until the daemon ends.
    Stalled,
}

impl Reply {
    /// `200` with a JSON body.
    pub fn json(body: &str) -> Self {
        Self::Raw(response("200 OK", "Content-Type: application/json\r\n", body))
    }

    /// A status with headers (each ended by CRLF) and a body with its length.
    pub fn status(status: &str, headers: &str, body: &str) -> Self {
        Self::Raw(response(status, headers, body))
    }
}

/// A whole response as moby frames it.
pub fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nApi-Version: 1.99\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Which connection, from 0.
    pub connection: usize,
    /// The head with its final empty line, byte for byte.
    pub head: Vec<u8>,
    /// The body without its framing, up to 1 MiB of it.
    pub body: Vec<u8>,
    /// The whole length of the body.
    pub body_bytes: u64,
    /// Whether the body was whole.
    pub whole: bool,
    /// Everything after the head of a hijacked request.
    pub stdin: Vec<u8>,
    /// Whether the client closed its half of a hijacked request.
    pub stdin_closed: bool,
    /// Whether the client went away before the answer was done.
    pub client_gone: bool,
}

impl Recorded {
    pub fn line(&self) -> String {
        self.text().lines().next().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// Method and path without version and query: `POST /containers/create`.
    pub fn call(&self) -> String {
        let line = self.line();
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let path = target.split('?').next().unwrap_or("");
        let bare = path.strip_prefix("/v1.").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
        format!("{method} {}", bare.unwrap_or(path))
    }

    /// The values of a header, in order.
    pub fn header(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let fields = text.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }
}

/// All that happened.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub requests: Vec<Recorded>,
    /// Connections accepted.
    pub connections: usize,
    /// Connections closed, by either side.
    pub closed: usize,
    /// Every byte that arrived.
    pub bytes: u64,
}

impl Log {
    /// The requests of this method and path, see [`Recorded::call`].
    pub fn calls(&self, call: &str) -> Vec<Recorded> {
        self.requests.iter().filter(|request| request.call() == call).cloned().collect()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Script {
    replies: HashMap<String, Reply>,
    answers_per_connection: Option<usize>,
    hang_up_on_reuse: bool,
}

impl Script {
    /// `/_ping`, `/version` and `/info` of an engine with API 1.24 to `newest`.
    pub fn new(newest: &str) -> Self {
        let version = format!(
            r#"{{"Version":"99.0","ApiVersion":"{newest}","MinAPIVersion":"1.24","Components":[{{"Name":"Engine","Version":"99.0","Details":{{"ApiVersion":"{newest}","MinAPIVersion":"1.24"}}}}]}}"#
        );
        let script =
            Self { replies: HashMap::new(), answers_per_connection: None, hang_up_on_reuse: false };
        script
            .on("GET /_ping", Reply::status("200 OK", "", "OK"))
            .on("HEAD /_ping", Reply::Raw(b"HTTP/1.1 200 OK\r\nApi-Version: 1.99\r\n\r\n".to_vec()))
            .on("GET /version", Reply::json(&version))
            .on("GET /info", Reply::json(r#"{"ID":"fake","Runtimes":{"runc":{}}}"#))
    }

    /// Answers `METHOD /path` (without version and query).
    #[must_use]
    pub fn on(mut self, call: &str, reply: Reply) -> Self {
        self.replies.insert(call.to_owned(), reply);
        self
    }

    /// Closes each connection after so many answers, without saying so.
    #[must_use]
    pub const fn close_after(mut self, answers: usize) -> Self {
        self.answers_per_connection = Some(answers);
        self
    }

    /// Takes a second request on any connection, and hangs up without a word.
    #[must_use]
    pub const fn hang_up_on_reuse(mut self) -> Self {
        self.hang_up_on_reuse = true;
        self
    }
}

/// The daemon. Ends when dropped.
pub struct FakeDaemon {
    pub socket: PathBuf,
    shared: Arc<Shared>,
    listener: Option<AbortHandle>,
    _directory: tempfile::TempDir,
}

struct Shared {
    script: Mutex<Script>,
    log: watch::Sender<Log>,
    ticks: watch::Sender<u64>,
    open: Mutex<Vec<AbortHandle>>,
}

impl FakeDaemon {
    pub fn start(script: Script) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("docker.sock");
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            log: watch::Sender::new(Log::default()),
            ticks: watch::Sender::new(0),
            open: Mutex::default(),
        });
        let mut fake = Self { socket, shared, listener: None, _directory: directory };
        fake.listen();
        fake
    }

    /// Goes away: when this returns, the socket is gone and every connection is cut.
    pub async fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        for connection in self.shared.open.lock().unwrap().drain(..) {
            connection.abort();
        }
        std::fs::remove_file(&self.socket).unwrap();
        self.until(|log| log.closed == log.connections).await;
    }

    /// Comes back after [`Self::stop`], perhaps as another engine.
    pub fn restart(&mut self, script: Script) {
        *self.shared.script.lock().unwrap() = script;
        self.listen();
    }

    pub fn log(&self) -> Log {
        self.shared.log.borrow().clone()
    }

    /// One more event on every endless stream.
    pub fn tick(&self) {
        self.shared.ticks.send_modify(|ticks| *ticks += 1);
    }

    /// Waits until the log says so, and returns it.
    pub async fn until(&self, holds: impl Fn(&Log) -> bool) -> Log {
        let mut log = self.shared.log.subscribe();
        let waited = tokio::time::timeout(PATIENCE, log.wait_for(|log| holds(log))).await;
        match waited {
            Ok(held) => held.expect("the log lives as long as the daemon").clone(),
            Err(_) => panic!("the fake daemon waited in vain; it saw {:#?}", self.log()),
        }
    }

    fn listen(&mut self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = shared.opened();
                let mut peer =
                    Peer { shared: Arc::clone(&shared), stream, connection, ahead: vec![] };
                let task = tokio::spawn(async move {
                    let _closed = Closed(Arc::clone(&peer.shared));
                    peer.serve().await;
                });
                shared.open.lock().unwrap().push(task.abort_handle());
            }
        });
        self.listener = Some(task.abort_handle());
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

/// Counts a connection as closed, also when its task was cut.
struct Closed(Arc<Shared>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.log.send_modify(|log| log.closed += 1);
    }
}

impl Shared {
    fn opened(&self) -> usize {
        let mut connection = 0;
        self.log.send_modify(|log| {
            connection = log.connections;
            log.connections += 1;
        });
        connection
    }

    fn record(&self, recorded: Recorded) -> usize {
        let mut index = 0;
        self.log.send_modify(|log| {
            index = log.requests.len();
            log.requests.push(recorded);
        });
        index
    }

    fn note(&self, index: usize, change: impl FnOnce(&mut Recorded)) {
        self.log.send_modify(|log| change(&mut log.requests[index]));
    }

    fn reply(&self, call: &str) -> Reply {
        let missing = || Reply::status("404 Not Found", "", r#"{"message":"page not found"}"#);
        self.script.lock().unwrap().replies.get(call).cloned().unwrap_or_else(missing)
    }
}

/// One connection.
struct Peer {
    shared: Arc<Shared>,
    stream: UnixStream,
    connection: usize,
    /// Read and not yet understood.
    ahead: Vec<u8>,
}

/// Whether the connection can take another request.
type Keep = bool;

impl Peer {
    async fn serve(&mut self) {
        let mut answered = 0;
        while let Some(head) = self.head().await {
            let recorded = Recorded { connection: self.connection, head, ..Recorded::default() };
            let (call, framing) = (recorded.call(), Framing::of(&recorded));
            let index = self.shared.record(recorded);
            let script = self.shared.script.lock().unwrap().clone();
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
            Reply::RawStream => self.hijack(index, RAW_STREAM).await,
            Reply::HijackThenClose(early) => self.last(&switched(&early)).await,
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
