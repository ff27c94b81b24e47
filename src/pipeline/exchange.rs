//! One forwarded request, from the permit to its last byte: owns the outcome, so that it is recorded
//! whoever goes away first.

use super::Pipeline;
use super::after::Aftermath;
use super::body::CountedBody;
use super::pace::Pace;
use crate::audit::event::{Ended, OutcomeRecord};
use crate::audit::{AuditError, Case, Event, EventId, Permitted, Stage};
use crate::daemon::{self, Answer, Cancel, ClientBody, ContainerTurn, DaemonError, Tunnel};
use crate::docker::{CallHead, Flaw};
use crate::facts::Reservation;
use crate::policy::Permit;
use crate::proxy::respond::{self, ResponseBody};
use crate::proxy::{BodyMemory, Connection, StreamPermit};
use crate::sessions::{Cut, Open};
use crate::who::Who;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a client that has closed its half of the connection is answered: it may still hear, or it may be gone,
/// and before a daemon that hangs nobody could tell.
const HEARS: Duration = Duration::from_secs(60);

/// What belongs to a forwarded request for as long as it lives.
pub(super) struct Exchange {
    pub(super) open: Open,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) connection: Arc<Connection<Who>>,
    pub(super) head: Arc<CallHead>,
    pub(super) decision: EventId,
    pub(super) began: Instant,
    pub(super) uploaded: Arc<AtomicU64>,
    pub(super) _stream: StreamPermit,
    /// What it adds to what its owner has.
    pub(super) held: Option<Reservation>,
    pub(super) _pace: Pace,
    /// The turns of what it means by a name, until the daemon has answered.
    pub(super) names: Vec<ContainerTurn>,
    pub(super) aftermath: Aftermath,
    /// Of what is sent on in the place of a long body.
    pub(super) memory: Option<BodyMemory>,
}

/// Cancels when the handler is dropped, which is how hyper says that the client is gone.
struct Tether(Option<Cancel>);

impl Drop for Tether {
    fn drop(&mut self) {
        if let Some(cancel) = self.0.take() {
            cancel.cancel();
        }
    }
}

impl Exchange {
    /// Records the decision, then forwards, in a task of its own, and waits for the answer's head. A
    /// client that goes away ends streams and waits; a short call that changes state runs to its end;
    /// and whenever it goes, what was recorded as allowed has its end recorded too.
    ///
    /// # Errors
    /// The decision is not on record: nothing was forwarded.
    pub(super) async fn run(
        self,
        case: Case,
        permit: Permit,
        upload: ClientBody,
        on_upgrade: Option<OnUpgrade>,
    ) -> Result<Response<ResponseBody>, AuditError> {
        let cancel = Cancel::new();
        let ends_with_client = permit.outbound().life.ends_with_client();
        let (answer, answered) = oneshot::channel();
        let cancelled = cancel.clone();
        let reasons = permit.would().iter().map(|finding| finding.reason.rule());
        let would: Vec<_> = reasons.collect();
        let who = case.identity.as_ref().map(|identity| identity.name.clone());
        let task = async move {
            // record: on disk, before the daemon hears of it
            let permitted = self.pipeline.shared.log.permit(case, permit).await?;
            self.pipeline.shared.tally.allowed(self.head.route);
            if let Some(who) = who.filter(|_| !would.is_empty()) {
                self.pipeline.shared.tally.would_be_denied(&who, would);
            }
            Ok(self.forward(permitted, upload, on_upgrade, cancelled, ends_with_client).await)
        };
        tokio::spawn(async move {
            // a handler that is gone does not take the answer; dropping it closes what is open
            let _ = answer.send(task.await);
        });
        let mut tether = Tether(ends_with_client.then_some(cancel));
        let response = answered.await;
        tether.0 = None; // from here on the answer's body sees the client go
        response.unwrap_or_else(|_| Ok(respond::daemon_away("the exchange ended unexpectedly")))
    }

    /// Bytes of the client's upload that went to the daemon.
    pub(super) fn uploaded(&self) -> u64 {
        self.uploaded.load(Ordering::Relaxed)
    }

    async fn forward(
        mut self,
        permitted: Permitted,
        upload: ClientBody,
        on_upgrade: Option<OnUpgrade>,
        cancel: Cancel,
        ends_with_client: bool,
    ) -> Response<ResponseBody> {
        if self.open.is_cut() {
            return self.failed(&DaemonError::Cancelled); // meanwhile, and before the daemon heard of it
        }
        let forwarding = self.pipeline.daemon.forward(permitted, upload, cancel);
        let answer = tokio::select! {
            biased;
            () = self.open.cut(!ends_with_client) => Err(DaemonError::Cancelled),
            answer = forwarding => answer,
            () = self.left(), if ends_with_client => Err(DaemonError::Cancelled),
        };
        // it was sent: a session or a long answer keeps nobody else's body waiting
        self.memory = None;
        // whoever takes long to read the answer keeps nobody from the name
        self.names.clear();
        match answer {
            Ok(Answer { status, headers, body: _, tunnel: Some(tunnel) }) => {
                self.open_session(status, headers, tunnel, on_upgrade)
            }
            Ok(Answer { status, headers, body, tunnel: None }) => {
                let mut response = Response::new(CountedBody::over(body, self, status));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
            Err(error) => self.failed(&error),
        }
    }

    /// The daemon has taken the connection over: so do we, if the client asked; else it gets the
    /// output as a body.
    fn open_session(
        self,
        status: StatusCode,
        mut headers: http::HeaderMap,
        tunnel: Tunnel,
        on_upgrade: Option<OnUpgrade>,
    ) -> Response<ResponseBody> {
        let mut event = Event::new(Stage::SessionOpen);
        event.parent = Some(self.decision);
        self.pipeline.shared.log.note(event);
        let mut response = Response::new(respond::full(""));
        match (on_upgrade, self.head.route.hijack.protocol()) {
            (Some(on_upgrade), Some(protocol)) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(header::UPGRADE, HeaderValue::from_static(protocol));
                *response.status_mut() = status;
                tokio::spawn(self.session(tunnel, on_upgrade));
            }
            _ => {
                *response.body_mut() = self.output_only(tunnel);
            }
        }
        *response.headers_mut() = headers;
        response
    }

    async fn session(self, tunnel: Tunnel, on_upgrade: OnUpgrade) {
        match on_upgrade.await {
            Ok(client) => {
                let end = tunnel.run(TokioIo::new(client), self.open.switch()).await;
                self.closed(end.bytes_in, end.bytes_out, how(end.ended));
            }
            Err(_) => self.closed(0, 0, Ended::ClientGone),
        }
    }

    /// A client that did not ask to upgrade: the daemon's output as a body, no input.
    fn output_only(self, tunnel: Tunnel) -> ResponseBody {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let cancel = Cancel::new();
            let mut run = pin!(tunnel.run(theirs, &cancel));
            let (end, ended) = tokio::select! {
                end = run.as_mut() => (end, how(end.ended)),
                ended = self.interrupted() => {
                    cancel.cancel();
                    (run.await, ended)
                }
            };
            self.closed(end.bytes_in, end.bytes_out, ended);
        });
        super::body::of_reader(ours)
    }

    /// Resolves with the reason when the client is gone, or when we end it.
    pub(super) fn interrupted(&self) -> impl Future<Output = Ended> + Send + use<> {
        let (left, cut) = (self.left(), self.open.cut(false));
        async move {
            tokio::select! {
                biased;
                () = cut => Ended::Limit,
                () = left => Ended::ClientGone,
            }
        }
    }

    /// Resolves when there is nobody any more for whom this goes on.
    fn left(&self) -> impl Future<Output = ()> + Send + use<> {
        let (connection, life) = (Arc::clone(&self.connection), self.head.route.life);
        async move {
            tokio::select! {
                () = connection.broken() => {}
                () = async {
                    connection.gone().await;
                    if !life.ends_with_input() {
                        tokio::time::sleep(HEARS).await;
                    }
                } => {}
            }
        }
    }

    /// There is no answer to pass on.
    fn failed(self, error: &DaemonError) -> Response<ResponseBody> {
        let (status, ended) = match error {
            DaemonError::Cancelled => (None, Ended::ClientGone),
            DaemonError::Upload(_) => (Some(400), Ended::ClientGone),
            _ => (Some(502), Ended::DaemonGone),
        };
        let text = error.to_string();
        match error {
            DaemonError::Cancelled | DaemonError::Upload(_) => {
                tracing::debug!(operation = self.head.route.operation, error = %text, "no answer");
            }
            error => self.pipeline.daemon.complain(error),
        }
        let (bytes, cut) = ((self.uploaded(), 0), self.open.reason());
        self.record(Stage::Complete, status, Some(text), None, bytes, ended);
        match (error, &cut) {
            (DaemonError::Cancelled, Some(Cut::Ended(why))) => return respond::ended(why),
            // an upload that we cut breaks off as one that its client cuts
            (DaemonError::Cancelled | DaemonError::Upload(_), Some(Cut::Stop)) => {
                return respond::stopping();
            }
            _ => {}
        }
        match error {
            DaemonError::Upload(why) => respond::message(
                StatusCode::BAD_REQUEST,
                &format!("dockward: the upload ended early: {why} [{}]", Flaw::BodyIncomplete.id()),
            ),
            DaemonError::Away { .. } => respond::daemon_away("nothing was sent; try again later"),
            other => respond::daemon_away(&other.to_string()),
        }
    }

    fn closed(self, bytes_in: u64, bytes_out: u64, ended: Ended) {
        self.record(Stage::SessionClose, Some(101), None, None, (bytes_in, bytes_out), ended);
    }

    /// Writes how it ended.
    pub(super) fn record(
        mut self,
        stage: Stage,
        status: Option<u16>,
        error: Option<String>,
        id: Option<String>,
        (bytes_in, bytes_out): (u64, u64),
        ended: Ended,
    ) {
        if self.head.route.operation == "ContainerUpdate" {
            self.pipeline.shared.usages.forget();
        }
        std::mem::take(&mut self.aftermath).settle(&self.pipeline.gatherer, status, id.as_deref());
        if let (Some(held), Some(status)) =
            (self.held.take(), status.filter(|_| ended == Ended::Done))
        {
            held.settle((200..300).contains(&status));
        }
        // whichever side was seen to go first, if we meant it to end it ended by us
        let ended = if ended == Ended::Done { ended } else { self.open.how(ended) };
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let outcome =
            OutcomeRecord { status, error, bytes_in, bytes_out, ms, id, name: None, ended };
        let mut event = Event::new(stage);
        event.parent = Some(self.decision);
        event.outcome = Some(outcome);
        if let Some(Cut::Ended(why)) = self.open.reason().filter(|_| ended == Ended::Revoked) {
            event.because(why.reason);
            event.text = Some(why.text.clone());
        }
        self.pipeline.shared.log.note(event);
    }
}

const fn how(ended: daemon::TunnelEnd) -> Ended {
    match ended {
        daemon::TunnelEnd::Done => Ended::Done,
        daemon::TunnelEnd::ClientGone => Ended::ClientGone,
        daemon::TunnelEnd::DaemonGone => Ended::DaemonGone,
        daemon::TunnelEnd::Limit => Ended::Limit,
    }
}
