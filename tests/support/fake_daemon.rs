//! A daemon that records every byte it gets and answers by a script, on plain sockets: it must not
//! share a parser with the gate, or both would misread the same bytes in the same way.
#![allow(
    dead_code,
    unused_imports,
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

#[path = "fake_daemon/peer.rs"]
mod peer;
#[path = "fake_daemon/script.rs"]
mod script;

pub use script::{Reply, Script, response};

use peer::Peer;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How long a condition may take to come true before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

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
    /// Every byte that arrived, but for what the gate looks up by itself.
    pub bytes: u64,
    /// What the gate looked up by itself, method and path.
    pub asked: Vec<String>,
    /// How often it began to hear what happens.
    pub heard: usize,
}

impl Log {
    /// The requests of this method and path, see [`Recorded::call`].
    pub fn calls(&self, call: &str) -> Vec<Recorded> {
        self.requests.iter().filter(|request| request.call() == call).cloned().collect()
    }
}

/// The daemon. Ends when dropped.
pub struct FakeDaemon {
    pub socket: PathBuf,
    shared: Arc<Shared>,
    listener: Option<AbortHandle>,
    directory: tempfile::TempDir,
}

struct Shared {
    script: Mutex<Script>,
    log: watch::Sender<Log>,
    ticks: watch::Sender<u64>,
    happened: watch::Sender<Vec<String>>,
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
            happened: watch::Sender::default(),
            open: Mutex::default(),
        });
        let mut fake = Self { socket, shared, listener: None, directory };
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

    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub fn log(&self) -> Log {
        self.shared.log.borrow().clone()
    }

    /// One more event on every endless stream.
    pub fn tick(&self) {
        self.shared.ticks.send_modify(|ticks| *ticks += 1);
    }

    /// Something happens, of which the gate is told.
    pub fn happen(&self, event: &str) {
        self.shared.happened.send_modify(|happened| happened.push(event.to_owned()));
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
                let mut peer = Peer::new(Arc::clone(&shared), stream, connection);
                let closed = Closed(Arc::clone(&shared));
                let task = tokio::spawn(async move {
                    let _closed = closed;
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

    fn asked(&self, question: Recorded) {
        self.log.send_modify(|log| {
            log.bytes -= question.head.len() as u64;
            log.asked.push(question.call());
        });
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
