//! What we ask the daemon for ourselves: a closed list of reads, so that no client's word can end
//! up in a request that no decision stands for.

use super::{Answer, Cancel, ClientBody, Daemon, DaemonError};
use crate::docker::{Hijack, Life, Method, Outbound, OutboundBody};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::time::Duration;

/// How long the daemon may take to answer us.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that we read, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

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
    /// `GET /networks/{}`, of letters and digits.
    Network(String),
    /// `HEAD /containers/{}/archive`: what is at a path in a container, of a full id. Answered by the head
    /// `X-Docker-Container-Path-Stat`, or by a 404 where nothing is there.
    Inside(String, String),
}

impl Lookup {
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
            Self::Network(name) => format!("/networks/{name}"),
            Self::Inside(id, path) => format!("/containers/{id}/archive?path={}", escaped(path)),
        };
        Outbound {
            method: if matches!(self, Self::Inside(..)) { Method::Head } else { Method::Get },
            target,
            headers: Vec::new(),
            body: OutboundBody::Empty,
            hijack: Hijack::No,
            life: Life::Read,
            answer: None,
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
    /// Asks the daemon a question of our own.
    ///
    /// # Errors
    /// See [`DaemonError`]; `Away` also when there is no answer within ten seconds.
    pub async fn lookup(&self, lookup: Lookup) -> Result<serde_json::Value, DaemonError> {
        let absent = format!("404 to our own {lookup:?} lookup");
        self.look_for(lookup).await?.ok_or(DaemonError::Protocol(absent))
    }

    /// As [`Self::lookup`]; `None` where the daemon has no such object.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub async fn look_for(&self, lookup: Lookup) -> Result<Option<serde_json::Value>, DaemonError> {
        self.in_time(self.ask(lookup)).await
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

    /// Whether an exec takes input, as the daemon keeps it; `None` where the daemon has no such exec.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub async fn exec_takes_input(&self, id: &str) -> Result<Option<bool>, DaemonError> {
        let answer = self.look_for(Lookup::Exec(id.to_owned())).await?;
        Ok(answer.and_then(|answer| answer.get("OpenStdin")?.as_bool()))
    }

    async fn ask(&self, lookup: Lookup) -> Result<Option<serde_json::Value>, DaemonError> {
        let Answer { status, headers, body, .. } =
            self.send(&lookup.outbound(), ClientBody::Empty, &Cancel::new()).await?;
        if status == http::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status != http::StatusCode::OK {
            return Err(DaemonError::Protocol(format!("{status} to our own {lookup:?} lookup")));
        }
        let mut bytes = body.read_whole(LONGEST).await?.to_vec();
        if matches!(lookup, Lookup::Inside(..)) {
            let stat = headers.get("x-docker-container-path-stat");
            let stat = stat.and_then(|stat| STANDARD.decode(stat.as_bytes()).ok());
            let absent = || DaemonError::Protocol(format!("{lookup:?} is not told"));
            bytes = stat.ok_or_else(absent)?;
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| DaemonError::Protocol(format!("{lookup:?} is not JSON: {error}")))
    }
}
