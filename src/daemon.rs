//! The daemon's side (L3): the only place that speaks to dockerd, because a request that could reach
//! its socket by another way would be one that nobody judged.
//!
//! There are two doors. [`Daemon::forward`] takes a [`Permitted`], which only the log makes;
//! [`Daemon::lookup`] takes a [`Lookup`], a closed list of GETs that we write ourselves. Every head
//! is written here from typed values, answers are streamed as they come, and a connection goes raw
//! only after the daemon's own 101 to an upgrade that we asked for.

mod answer;
mod cancel;
mod complaints;
mod error;
mod filter;
mod link;
mod lookup;
mod pool;
mod request;
mod tunnel;
mod turns;
mod versions;
mod wire;

#[cfg(test)]
#[path = "../tests/support/fake_daemon.rs"]
mod fake_daemon;
#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerBody};
pub use cancel::Cancel;
pub use error::DaemonError;
pub use filter::LONG_SIFTED;
pub use lookup::{AnswerShare, LONG_ANSWERS, Lookup};
pub use request::ClientBody;
pub use tunnel::{Tunnel, TunnelEnd};
pub use turns::ContainerTurn;
pub use versions::Supposed;

use crate::audit::Permitted;
use crate::docker::{Hijack, Life, Outbound, OutboundBody};
use answer::Lease;
use complaints::Complaints;
use filter::Sifting;
use link::{Link, LinkFailed};
use lookup::LongAnswers;
use pool::Pool;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;
use turns::Turns;
use versions::VersionMemory;

/// The daemon behind one Unix socket. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Daemon {
    shared: Arc<DaemonState>,
}

#[derive(Debug)]
struct DaemonState {
    socket: PathBuf,
    pool: Arc<Pool>,
    versions: VersionMemory,
    complaints: Complaints,
    /// The daemon's process id, 0 when never seen.
    pid: AtomicI32,
    turns: Turns,
    long_answers: LongAnswers,
    sifting: Sifting,
}

impl Daemon {
    /// The daemon that listens on this Unix socket. Nothing is opened yet.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        let state = DaemonState {
            socket,
            pool: Arc::default(),
            versions: VersionMemory::default(),
            complaints: Complaints::default(),
            pid: AtomicI32::new(0),
            turns: Turns::default(),
            long_answers: LongAnswers::default(),
            sifting: Sifting::default(),
        };
        Self { shared: Arc::new(state) }
    }

    /// The path of the socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.shared.socket
    }

    /// Sends a request that was permitted and is on record, and returns as soon as the head of the
    /// answer is there, changed as the permit says. `cancel` ends the wait for that head and closes the connection; afterwards,
    /// dropping the answer's body does.
    ///
    /// # Errors
    /// See [`DaemonError`]; the daemon may have acted on the request unless it is `Away`.
    pub async fn forward(
        &self,
        permitted: Permitted,
        body: ClientBody,
        cancel: Cancel,
    ) -> Result<Answer, DaemonError> {
        let (outbound, rewrite) = permitted.into_outbound();
        let _turn = match outbound.brings_up() {
            Some(container) => Some(self.turn(container).await),
            None => None,
        };
        let answer = self.send(&outbound, body, &cancel).await?;
        filter::filter(self, answer, rewrite, &outbound.target).await
    }

    /// The process that listens on the socket, as the kernel said (`SO_PEERCRED`) at the last
    /// connection; 1 under socket activation, where systemd listens. `None` before the first.
    #[must_use]
    pub fn peer_pid(&self) -> Option<i32> {
        Some(self.shared.pid.load(Ordering::Relaxed)).filter(|pid| *pid > 0)
    }

    /// Tells the operator that something could not be had of the daemon: not more often than every ten seconds, and
    /// how often it was so since.
    pub fn complain(&self, error: &DaemonError) {
        if let Some(count) = self.shared.complaints.add(Instant::now()) {
            tracing::warn!(%error, count, "the daemon did not answer as it should");
        }
    }

    /// Waits until nobody else looks into this container or brings it up through us.
    pub async fn turn(&self, container: &str) -> ContainerTurn {
        self.shared.turns.take(container).await
    }

    /// Waits until nobody else makes or uses through us what is named so, `volume NAME` or `network NAME`, and keeps others
    /// from it.
    pub async fn names(&self, names: BTreeSet<String>) -> Vec<ContainerTurn> {
        self.shared.turns.take_all(names).await
    }

    async fn send(
        &self,
        outbound: &Outbound,
        body: ClientBody,
        cancel: &Cancel,
    ) -> Result<Answer, DaemonError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(DaemonError::Cancelled),
            answer = self.exchange(outbound, body) => answer,
        }
    }

    /// One exchange: on an idle connection where the request may use one, else on a fresh one. What
    /// hyper hands back unsent goes out on a fresh connection; what was sent and lost does only when
    /// it is a plain read of which no byte was answered.
    async fn exchange(&self, outbound: &Outbound, body: ClientBody) -> Result<Answer, DaemonError> {
        let mut request = request::build(outbound, body)?;
        if shares_connections(outbound)
            && let Some(mut link) = self.idle_link().await
        {
            match link.send(request).await {
                Ok(response) => return self.receive(response, link, outbound).await,
                Err(LinkFailed::Unsent(unsent)) => request = *unsent,
                Err(LinkFailed::Silent(_)) if may_repeat(outbound) => {
                    request = request::build(outbound, ClientBody::Empty)?;
                }
                Err(lost) => return Err(lost.into()),
            }
            self.shared.versions.doubt();
        }
        let mut link = self.connect(outbound.hijack).await?;
        let response = link.send(request).await?;
        self.receive(response, link, outbound).await
    }

    async fn receive(
        &self,
        response: http::Response<hyper::body::Incoming>,
        link: Link,
        outbound: &Outbound,
    ) -> Result<Answer, DaemonError> {
        let home = shares_connections(outbound).then(|| Arc::clone(&self.shared.pool));
        answer::receive(response, Lease::new(link, home), outbound).await
    }

    /// An idle connection that is still whole. One that the daemon closed means that it may be
    /// another daemon now, so its versions are asked again.
    async fn idle_link(&self) -> Option<Link> {
        while let Some(mut link) = self.shared.pool.take() {
            if link.is_usable().await {
                return Some(link);
            }
            self.shared.versions.doubt();
        }
        None
    }

    async fn connect(&self, hijack: Hijack) -> Result<Link, DaemonError> {
        let connected = Link::connect(&self.shared.socket, hijack).await;
        let (link, pid) = connected.inspect_err(|_| self.shared.versions.doubt())?;
        if self.shared.pid.swap(pid, Ordering::Relaxed) != pid {
            self.shared.versions.doubt();
        }
        Ok(link)
    }
}

/// Opaque streams and hijacks get a connection of their own.
const fn shares_connections(outbound: &Outbound) -> bool {
    matches!(outbound.hijack, Hijack::No) && !matches!(outbound.body, OutboundBody::Stream { .. })
}

/// A read without a body may be sent again when its connection was stale; a write never.
const fn may_repeat(outbound: &Outbound) -> bool {
    matches!(outbound.life, Life::Read) && matches!(outbound.body, OutboundBody::Empty)
}
