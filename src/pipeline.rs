//! THE ROUTE (L4): what happens to every request, from top to bottom. For a gate, order is the
//! security, so all of it stands in [`Pipeline::serve`]: identify, classify, authorize, limit,
//! receive, gather facts, decide, record, forward. A step that refuses returns; there is no other
//! way to the daemon than through all of them, because only the log makes what
//! [`Daemon::forward`](crate::daemon::Daemon::forward) takes.

mod body;
mod events;
mod exchange;
mod gather;
pub mod grants;
mod identified;
pub mod left;
mod proof;
mod refuse;
mod revalidate;
pub mod sessions;
pub mod tally;
mod watch;

pub use grants::{Grant, Grants, Ungranted, Wanted};
pub use identified::{Door, Doors, Who};
pub use revalidate::TICK;
pub use sessions::{Session, Sessions};
pub use tally::{Tally, Visitor};
pub use watch::{Doorkeeper, Entry};

use crate::audit::{Event, EventId, Writer};
use crate::daemon::{ClientBody, Daemon};
use crate::docker::archive::BLOCK;
use crate::docker::body::Body as Typed;
use crate::docker::{
    self, ApiCall, ApiVersion, BodyKind, CallHead, Flaw, Hijack, Malformed, RequestHead,
};
use crate::identity::{Claims, Identity};
use crate::policy::{self, Decision, Facts, Policy};
use crate::proxy::receive::{Budget, Received};
use crate::proxy::respond::Body;
use crate::proxy::{Connection, Streams};
use arc_swap::ArcSwap;
use exchange::Exchange;
use http::Response;
use http::request::Parts;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use jiff::Timestamp;
use refuse::{Asked, Refused};
use sessions::Asking;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Everything that a request meets on its way.
#[derive(Debug)]
pub struct Pipeline {
    /// What is in force.
    pub rules: ArcSwap<Rules>,
    /// The daemon.
    pub daemon: Daemon,
    /// The log.
    pub log: Arc<Writer>,
    /// Requests and tunnels at once, by identity.
    pub streams: Streams,
    /// Memory for bodies in hand.
    pub budget: Budget,
    /// The lowest API version that is accepted.
    pub floor: ApiVersion,
    /// The gate's own places, never mounted into a container.
    pub places: Places,
    /// Who is connected, and what is open.
    pub sessions: Arc<Sessions>,
    /// Roles held for a while.
    pub grants: Grants,
    /// What there was so far, in numbers.
    pub tally: Arc<Tally>,
}

/// What one reading of the configuration said. It is replaced as a whole: nobody is judged by the policy
/// of one and the doors of another.
#[derive(Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Who may come in where.
    pub doors: Doors,
}

/// The gate's own places, and what the daemon says of its own.
#[derive(Debug)]
pub struct Places {
    /// Directories of the policy file.
    pub config: Vec<PathBuf>,
    /// The log's directory.
    pub audit: PathBuf,
    /// Directories of keys.
    pub pki: Vec<PathBuf>,
    /// The gate's own socket.
    pub control: Option<PathBuf>,
    /// All that is protected, known once the daemon has said where its data is.
    pub protected: OnceCell<Vec<PathBuf>>,
}

impl Pipeline {
    /// The route of a request.
    async fn serve(
        self: &Arc<Self>,
        connection: &Arc<Connection<Who>>,
        parts: Parts,
        body: &mut Option<Incoming>,
        on_upgrade: Option<OnUpgrade>,
        asked: &mut Asked,
    ) -> Result<Response<Body>, Refused> {
        // identify: under the policy of this moment
        let rules = self.rules.load_full();
        let policy = Arc::clone(asked.policy.insert(Arc::clone(&rules.policy)));
        let claims = Self::claims(connection, &policy, &parts.headers)?;
        let identity = self.who(connection, &rules, claims.as_ref())?;
        asked.identity = Some(Arc::clone(&identity));
        self.tally.seen(identity.name.as_str(), Timestamp::now(), &connection.evidence);

        // classify: in one way, or not at all
        let accepted = self.daemon.accepted(self.floor).await?;
        let request = RequestHead {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
        };
        let head = docker::classify(&request, accepted)?;
        let head = asked.head.insert(Arc::new(head)).clone();

        // limit and authorize: before anybody's body is read
        let stream = self.streams.enter(identity.name.as_str())?;
        policy::authorize(&identity, &head, &policy)?;

        // receive: the whole of what is judged, in a type that has one reading
        let received = match (head.route.body, body.as_mut()) {
            (BodyKind::None | BodyKind::Opaque, _) | (_, None) => Received::default(),
            (BodyKind::Archive, Some(incoming)) => self.budget.beginning(incoming, BLOCK).await?,
            (BodyKind::Json { .. }, Some(incoming)) => {
                let whole = self.budget.inspected(incoming).await?;
                *body = None;
                whole
            }
        };
        let inspected = received.bytes.clone();
        let bytes = inspected.as_ref();
        let whole = !bytes.is_empty() && !head.route.body.is_stream();
        asked.body_sha256 = whole.then(|| crate::digest::Sha256::of(bytes));
        let call = ApiCall { head: &head, body: docker::body::read(&head, bytes)? };
        asked.fields = events::fields(&call.body);

        // gather facts, decide: under the policy and the clock of this moment, which a slow body
        // may have outlived
        let facts = self.facts(&identity, &call, &policy).await;
        output_only(&head, &call.body, &facts)?;
        let rules = self.rules.load_full();
        let policy = Arc::clone(asked.policy.insert(Arc::clone(&rules.policy)));
        let claims = Self::claims(connection, &policy, &parts.headers)?;
        let identity = self.who(connection, &rules, claims.as_ref())?;
        asked.identity = Some(Arc::clone(&identity));
        let permit = match policy::decide(&identity, &call, &facts, &policy) {
            Decision::Allow(permit) => permit,
            Decision::Deny(denial) => return Err(denial.into()),
        };
        drop(call);

        // record, then forward: in a task of its own, which the client cannot take along
        let decision = events::permitted(asked, &policy, &permit, &facts);
        let uploaded = Arc::default();
        let upload = match (head.route.body.is_stream(), body.take()) {
            (true, Some(body)) => body::upload(received, body, &uploaded),
            _ => ClientBody::Empty,
        };
        let asking = Asking { id: decision.id, head: &head, body: &inspected, claims };
        let open = self.sessions.open(connection, asking, (&policy, &identity));
        let exchange = Exchange {
            open,
            pipeline: Arc::clone(self),
            connection: Arc::clone(connection),
            head,
            accepted,
            decision: decision.id,
            began: std::time::Instant::now(),
            uploaded,
            _stream: stream,
        };
        Ok(exchange.run(decision, permit, upload, on_upgrade).await?)
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.rules.load().policy)
    }

    /// Who asks at this moment, with this token, if the certificate still holds.
    fn who(
        &self,
        connection: &Connection<Who>,
        rules: &Rules,
        claims: Option<&Arc<Claims>>,
    ) -> Result<Known, Refused> {
        let now = Timestamp::now();
        connection.standing.check(now.as_second())?;
        connection.who.under(rules, &self.grants, (&connection.evidence, claims), now)
    }

    /// Whether somebody may stay connected, whatever is asked next.
    fn may_stay(&self, connection: &Connection<Who>, rules: &Rules) -> Result<(), Refused> {
        let now = Timestamp::now();
        connection.standing.check(now.as_second())?;
        connection.who.may_stay(rules, &self.grants, &connection.evidence, now)
    }
}

/// A client that did not ask to upgrade gets output only; one that meant input as well is told so.
fn output_only(head: &CallHead, body: &Typed<'_>, facts: &Facts) -> Result<(), Malformed> {
    let starts = matches!(body, Typed::ExecStart(start) if !start.detach.or_zero());
    let input = facts.exec_takes_input == Some(true);
    if starts && input && !head.upgrade && head.route.hijack == Hijack::ExecStart {
        let why = "this exec takes input: ask with Connection: Upgrade and Upgrade: tcp";
        return Err(Malformed::new(Flaw::UpgradeRequired, "", why));
    }
    Ok(())
}

/// The id that an event will have, chosen when the request arrives so that a refusal can quote it.
fn named(id: EventId, stage: crate::audit::Stage) -> Event {
    let mut event = Event::new(stage);
    event.id = id;
    event
}

/// What is asked under the mode and clock of this moment.
type Known = Arc<Identity>;
