//! What the fake daemon answers.

use super::Recorded;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Called when a head has arrived, before its body is read or anything is answered.
#[derive(Clone)]
pub(super) struct Witness(pub(super) Arc<dyn Fn(&Recorded) + Send + Sync>);

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) replies: HashMap<String, Reply>,
    pub(super) witness: Option<Witness>,
    pub(super) answers_per_connection: Option<usize>,
    pub(super) hang_up_on_reuse: bool,
    pub(super) known: HashMap<String, Option<String>>,
    pub(super) happens: bool,
}

impl Script {
    /// `/_ping`, `/version` and `/info` of an engine with API 1.24 to `newest`.
    pub fn new(newest: &str) -> Self {
        let version = format!(
            r#"{{"Version":"99.0","ApiVersion":"{newest}","MinAPIVersion":"1.24","Components":[{{"Name":"Engine","Version":"99.0","Details":{{"ApiVersion":"{newest}","MinAPIVersion":"1.24"}}}}]}}"#
        );
        let script = Self {
            replies: HashMap::new(),
            witness: None,
            answers_per_connection: None,
            hang_up_on_reuse: false,
            known: HashMap::new(),
            happens: false,
        };
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

    /// What the gate is told when it looks an object up by itself (`/containers/web/json`): a JSON text, or
    /// that there is none.
    #[must_use]
    pub fn knows(mut self, path: &str, object: Option<&str>) -> Self {
        self.known.insert(path.to_owned(), object.map(str::to_owned));
        self
    }

    /// Tells the gate what happens, when [`super::FakeDaemon::happen`] is called; else it is not told of that.
    #[must_use]
    pub const fn happens(mut self) -> Self {
        self.happens = true;
        self
    }

    /// The answer to a question of the gate's own, which are the only ones without a version: every
    /// container is an ordinary one with its name for an id, every image was pulled.
    pub(super) fn told(&self, asked: &Recorded) -> Option<Vec<u8>> {
        let line = asked.line();
        let path = line.strip_prefix("GET ")?.split(' ').next()?;
        let ordinary = |kind: &str, name: &str| {
            let image = format!("sha256:{}", "5".repeat(64));
            let manifest = format!("sha256:{}", "6".repeat(64));
            match kind {
                "containers" => format!(
                    r#"{{"Id":"{name}","Image":"{image}","State":{{"Running":false}},"Config":{{}},"HostConfig":{{}},"Mounts":[]}}"#
                ),
                "images" => format!(
                    r#"{{"Id":"{image}","RepoTags":["busybox:latest"],"RepoDigests":["busybox@{manifest}"],
                    "GraphDriver":{{"Name":"overlay2","Data":{{"UpperDir":"/u"}}}},"Config":{{}}}}"#
                ),
                "exec" => format!(
                    r#"{{"ID":"{name}","ContainerID":"web","OpenStdin":false,"ProcessConfig":{{"privileged":false}}}}"#
                ),
                "networks" => format!(r#"{{"Name":"{name}","Id":"{name}"}}"#),
                _ => r#"{"Name":"volume","Driver":"local","Options":null}"#.to_owned(),
            }
        };
        let (kind, rest) = path.strip_prefix('/')?.split_once('/')?;
        let name = match kind {
            "containers" | "images" | "exec" => rest.strip_suffix("/json")?,
            "volumes" | "networks" => rest,
            _ => return None,
        };
        let told = self.known.get(path).cloned();
        Some(match told.unwrap_or_else(|| Some(ordinary(kind, name))) {
            Some(json) => response("200 OK", "Content-Type: application/json\r\n", &json),
            None => response("404 Not Found", "Content-Type: application/json\r\n", "{}"),
        })
    }

    /// Shows each head to a witness, at the moment it arrives.
    #[must_use]
    pub fn witnessed(mut self, witness: impl Fn(&Recorded) + Send + Sync + 'static) -> Self {
        self.witness = Some(Witness(Arc::new(witness)));
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
    /// These bytes, a head of whatever kind, then as `Hijack`.
    Echo(Vec<u8>),
    /// As `Hijack`, but with `200` and no framing, as moby answers without an `Upgrade`.
    RawStream,
    /// `101` with these early bytes, then both halves are closed at once.
    HijackThenClose(Vec<u8>),
    /// `101` with these early bytes, then our half is closed, as moby does, and stdin is still read.
    HijackThenShut(Vec<u8>),
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
