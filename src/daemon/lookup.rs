//! What we ask the daemon for ourselves: a closed list of reads, so that no client's word can end
//! up in a request that no decision stands for.

use super::{Answer, Cancel, ClientBody, Daemon, DaemonError};
use crate::docker::{Hijack, Life, Method, Outbound, OutboundBody, Resource};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

/// How long the daemon may take to answer us.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the answers that one request has, beyond which it needs a place for them.
const SHORT: usize = 32 << 10;
/// The most that all answers of one request may be, in bytes.
const LONGEST: usize = 512 << 10;
/// Places for those that have more than is short.
const LONG_AT_ONCE: usize = 2;
/// How often answers stand in memory while they are read: as received, as values, as the facts that are kept of them.
/// Those that are short fit in what a request may hold towards the daemon later.
const FORMS: usize = 16;
/// The most that a list is of which little is kept, in bytes: with room to grow as much as what stands in memory of a
/// long answer.
const LONGEST_LIST: usize = LONGEST * FORMS / 2;
/// The most memory that long answers take, in bytes.
pub const LONG_ANSWERS: u64 = (LONG_AT_ONCE * LONGEST * FORMS) as u64;

/// What the daemon says where a name is the beginning of several ids, or the name of several networks, in any of its
/// versions (`ErrAmbiguousPrefix` of `pkg/truncindex`, `FindNetwork` in `daemon/network.go`, `getService` and its like
/// in `daemon/cluster/helpers.go`). They have a space, which no name has that they are said of.
const SEVERAL: [&str; 2] = ["multiple ids found", " is ambiguous"];

/// What the answers for one request come to. Whoever made an image or a container chose how long they are, and what is
/// read of one takes many times its bytes, so that only so many have more than short ones at once; from the first that
/// is too much until this is dropped.
#[derive(Debug, Default)]
pub struct AnswerShare {
    bytes: AtomicUsize,
    place: OnceCell<Option<OwnedSemaphorePermit>>,
}

/// The places for long answers.
#[derive(Debug)]
pub(super) struct LongAnswers(Arc<Semaphore>);

impl Default for LongAnswers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LONG_AT_ONCE)))
    }
}

impl LongAnswers {
    /// Adds to what a request has, and waits for a place if that is much by now.
    async fn take(&self, share: &AnswerShare, bytes: usize) -> Result<(), DaemonError> {
        let all = share.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if all > LONGEST {
            let what = format!("more than {LONGEST} bytes to our own lookups for one request");
            return Err(DaemonError::Protocol(what));
        }
        if all > SHORT {
            share.place.get_or_init(|| self.place()).await;
        }
        Ok(())
    }

    /// A place; they are never closed.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// A read of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// `GET /version`.
    Version,
    /// `GET /info`.
    Info,
    /// `GET /exec/{}/json`, of an id that was classified: 64 hex digits.
    Exec(String),
    /// `GET /containers/{}/json`, of a name or id that was classified.
    Container(String),
    /// `GET /images/{}/json`, of a reference or id that reads as one
    /// ([`crate::docker::image::Reference::is_askable`]).
    Image(String),
    /// `GET /volumes/{}`, of a plain name.
    Volume(String),
    /// `GET /networks/{}`, of a name or id that was classified, or is ours.
    Network(String),
    /// `GET /containers/json` of a network, by its full id.
    ContainersOn(String),
    /// `GET /containers/json`, `/volumes` or `/networks` of what bears this label, `key=value`.
    Labelled(Resource, String),
    /// `GET /services/{}`, or of tasks, secrets or configs, of a plain name or id.
    Kept(Resource, String),
    /// `GET /events` of containers and networks, from a moment on, in seconds since 1970: it goes on.
    Events(u64),
    /// `HEAD /containers/{}/archive`: what is at a path in a container, of a full id. Answered by the head
    /// `X-Docker-Container-Path-Stat`, or by a 404 where nothing is there.
    Inside(String, String),
}

impl Lookup {
    /// What is asked about, where it may be named by the beginning of its id.
    fn beginning(&self) -> Option<&str> {
        match self {
            Self::Container(name) | Self::Network(name) | Self::Kept(_, name) => Some(name),
            _ => None,
        }
    }

    /// Unversioned, because the daemon's range is what the first one asks for: the daemon answers
    /// as its newest.
    fn outbound(&self) -> Outbound {
        let target = match self {
            Self::Version => "/version".to_owned(),
            Self::Info => "/info".to_owned(),
            Self::Exec(id) => format!("/exec/{id}/json"),
            Self::Container(name) => format!("/containers/{name}/json"),
            Self::Image(name) => format!("/images/{name}/json"),
            Self::Volume(name) => format!("/volumes/{name}"),
            Self::Network(name) => format!("/networks/{}", escaped(name)),
            Self::ContainersOn(network) => {
                let filters = format!(r#"{{"network":["{network}"]}}"#);
                format!("/containers/json?all=1&filters={}", escaped(&filters))
            }
            Self::Labelled(kind, label) => {
                let path = match kind {
                    Resource::Container => "/containers/json?all=1&".to_owned(),
                    kind => format!("/{kind}s?"),
                };
                let filters = serde_json::json!({ "label": [label] }).to_string();
                format!("{path}filters={}", escaped(&filters))
            }
            Self::Kept(kind, name) => format!("/{kind}s/{name}"),
            Self::Events(since) => {
                let filters = r#"{"type":["container","network"]}"#;
                format!("/events?since={since}&filters={}", escaped(filters))
            }
            Self::Inside(id, path) => format!("/containers/{id}/archive?path={}", escaped(path)),
        };
        Outbound {
            method: if matches!(self, Self::Inside(..)) { Method::Head } else { Method::Get },
            target,
            headers: Vec::new(),
            body: OutboundBody::Empty,
            hijack: Hijack::No,
            life: Life::Read,
        }
    }
}

/// A value of a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

impl Daemon {
    /// Asks the daemon a question about itself.
    ///
    /// # Errors
    /// See [`DaemonError`]; `Away` also when there is no answer within ten seconds.
    pub async fn lookup(&self, lookup: Lookup) -> Result<Value, DaemonError> {
        let absent = format!("404 to our own {lookup:?} lookup");
        let found = self.look_for(lookup, &AnswerShare::default()).await?;
        found.ok_or(DaemonError::Protocol(absent))
    }

    /// Asks the daemon a question for a request that has such a share; `None` where the daemon has no such object.
    ///
    /// # Errors
    /// As [`Self::lookup`], and `Several` where the daemon has more than one that is named so.
    pub async fn look_for(
        &self,
        lookup: Lookup,
        share: &AnswerShare,
    ) -> Result<Option<Value>, DaemonError> {
        self.in_time(self.ask(lookup, share)).await
    }

    /// What the daemon lists of a kind that bears this label, `key=value`: of each what the type keeps, which is little.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub async fn labelled<T: DeserializeOwned + Send + 'static>(
        &self,
        kind: Resource,
        label: String,
    ) -> Result<T, DaemonError> {
        let lookup = Lookup::Labelled(kind, label);
        let wrong = |what: String| DaemonError::Protocol(format!("{what} to our own {kind} list"));
        self.in_time(async {
            let answer = self.send(&lookup.outbound(), ClientBody::Empty, &Cancel::new()).await?;
            let Answer { status, mut body, .. } = answer;
            if kind == Resource::Service && status == http::StatusCode::SERVICE_UNAVAILABLE {
                // it is no manager of a swarm, and has none
                return serde_json::from_str("[]").map_err(|why| wrong(why.to_string()));
            }
            if status != http::StatusCode::OK {
                return Err(wrong(status.to_string()));
            }
            let (mut bytes, mut place) = (Vec::new(), None);
            while let Some(frame) = body.frame().await {
                bytes.extend_from_slice(&frame?.into_data().unwrap_or_default());
                if bytes.len() > LONGEST_LIST {
                    return Err(wrong(format!("more than {LONGEST_LIST} bytes")));
                }
                if bytes.len() > SHORT && place.is_none() {
                    place = self.shared.long_answers.place().await;
                }
            }
            let long = bytes.len() > SHORT;
            let read = move || serde_json::from_slice(&bytes).map_err(|why| why.to_string());
            let read = match long {
                true => tokio::task::spawn_blocking(read).await.map_err(|why| why.to_string()),
                false => Ok(read()),
            };
            read.flatten().map_err(wrong)
        })
        .await
    }

    /// Hears what happens to containers and networks from a moment on, in seconds since 1970, until the daemon ends it:
    /// first nothing, as soon as it is heard, then each event. Returns when it ends.
    ///
    /// # Errors
    /// See [`DaemonError`]; `Protocol` also for what is no event.
    pub async fn follow(
        &self,
        since: u64,
        mut heard: impl FnMut(Option<Value>),
    ) -> Result<(), DaemonError> {
        let asked = self.in_time(async {
            self.send(&Lookup::Events(since).outbound(), ClientBody::Empty, &Cancel::new()).await
        });
        let Answer { status, mut body, .. } = asked.await?;
        if status != http::StatusCode::OK {
            return Err(DaemonError::Protocol(format!("{status} to our own question for events")));
        }
        heard(None);
        let mut begun = Vec::new();
        while let Some(frame) = body.frame().await {
            begun.extend_from_slice(&frame?.into_data().unwrap_or_default());
            while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = begun.drain(..=end).collect();
                let unreadable =
                    |why| DaemonError::Protocol(format!("an event is not JSON: {why}"));
                heard(Some(serde_json::from_slice(&line).map_err(unreadable)?));
            }
            if begun.len() > LONGEST {
                return Err(DaemonError::Protocol(format!(
                    "an event of more than {LONGEST} bytes"
                )));
            }
        }
        Ok(())
    }

    /// What comes of this within ten seconds. Else the daemon is away.
    ///
    /// # Errors
    /// Its own, and `Away`.
    pub async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, DaemonError>>,
    ) -> Result<T, DaemonError> {
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
            let source = io::Error::new(io::ErrorKind::TimedOut, "no answer within ten seconds");
            Err(DaemonError::Away { socket: self.socket().to_owned(), source })
        })
    }

    async fn ask(&self, lookup: Lookup, share: &AnswerShare) -> Result<Option<Value>, DaemonError> {
        let Answer { status, headers, mut body, .. } =
            self.send(&lookup.outbound(), ClientBody::Empty, &Cancel::new()).await?;
        if status == http::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status == http::StatusCode::BAD_REQUEST
            || status == http::StatusCode::INTERNAL_SERVER_ERROR
        {
            let said = body.read_whole(SHORT).await?;
            let said = String::from_utf8_lossy(&said).to_ascii_lowercase();
            if let Some(name) = lookup.beginning()
                && SEVERAL.iter().any(|words| said.contains(words))
            {
                return Err(DaemonError::Several(name.to_owned()));
            }
            return Err(DaemonError::Protocol(format!("{status} to our own {lookup:?} lookup")));
        }
        if status != http::StatusCode::OK {
            return Err(DaemonError::Protocol(format!("{status} to our own {lookup:?} lookup")));
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame?.into_data().unwrap_or_default();
            self.shared.long_answers.take(share, data.len()).await?;
            bytes.extend_from_slice(&data);
        }
        if matches!(lookup, Lookup::Inside(..)) {
            let stat = headers.get("x-docker-container-path-stat");
            let stat = stat.and_then(|stat| STANDARD.decode(stat.as_bytes()).ok());
            let absent = || DaemonError::Protocol(format!("{lookup:?} is not told"));
            bytes = stat.ok_or_else(absent)?;
        }
        let unreadable = |why| DaemonError::Protocol(format!("{lookup:?} is not JSON: {why}"));
        let long = bytes.len() > SHORT;
        let read = move || serde_json::from_slice(&bytes).map_err(|error| error.to_string());
        let read = match long {
            true => tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string()),
            false => Ok(read()),
        };
        read.flatten().map(Some).map_err(unreadable)
    }
}
