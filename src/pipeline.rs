//! THE ROUTE (L4): what happens to every request, from top to bottom. For a gate, order is the
//! security, so all of it stands in [`Visit::serve`]: identify, classify, limit, authorize,
//! receive, ask the daemon, decide, record, forward. A step that refuses returns; there is no other
//! way to the daemon than through all of them, because only the log makes what
//! [`Daemon::forward`] takes.

mod acts;
mod after;
mod body;
mod entry;
mod exchange;
mod judging;
mod pace;
mod refuse;

pub use entry::{Doorkeeper, PipelineGate};
pub use pace::Paces;

use crate::audit::event::RequestRecord;
use crate::audit::{Case, EventId, Writer, describe};
use crate::daemon::{ClientBody, ContainerTurn, Daemon, Supposed};
use crate::docker::archive::BLOCK;
use crate::docker::{
    self, Accepted, ApiVersion, BodyKind, CallHead, Framing, Malformed, RequestHead,
};
use crate::facts::{Gatherer, Reservation, Usages};
use crate::identity::{Claims, Identity};
use crate::policy::{Decision, Heard, Permit, Policy, hear};
use crate::proxy::receive::{Budget, Received};
use crate::proxy::respond::ResponseBody;
use crate::proxy::{Connection, Streams};
use crate::sessions::{Admitted, Sessions};
use crate::telemetry::Tally;
use crate::who::{InForce, Known, Who};
use after::Aftermath;
use exchange::Exchange;
use http::request::Parts;
use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use jiff::Timestamp;
use pace::Pace;
use refuse::Refused;
use std::sync::Arc;

/// Everything that a request meets on its way: what all cores share, and what this one owns.
#[derive(Debug)]
pub struct Pipeline {
    /// Shared by all cores.
    pub shared: SharedState,
    /// The daemon, with the connections to it of this core.
    pub daemon: Daemon,
    /// Who looks up what a judgement asks for, by this core's connections.
    pub gatherer: Gatherer,
}

/// What all cores share.
#[derive(Clone, Debug)]
pub struct SharedState {
    /// What is in force.
    pub in_force: Arc<InForce>,
    /// The log.
    pub log: Arc<Writer>,
    /// Who is connected, and what is open.
    pub sessions: Arc<Sessions>,
    /// Requests and tunnels at once, by identity.
    pub streams: Streams,
    /// Held by who makes the bridge of an owner: one at a time.
    pub preparing: Arc<tokio::sync::Mutex<()>>,
    /// What owners have, where that has limits.
    pub usages: Usages,
    /// What they have in hand, where that has limits.
    pub paces: Paces,
    /// Memory for bodies in hand.
    pub budget: Budget,
    /// The lowest API version that is accepted.
    pub floor: ApiVersion,
    /// What there was so far, in numbers.
    pub tally: Arc<Tally>,
}

/// One request on its way, and what is known of it so far: whoever refuses it says so in the log.
struct Visit {
    pipeline: Arc<Pipeline>,
    connection: Arc<Connection<Who>>,
    parts: Parts,
    /// The client's body, until it was taken whole or sent on.
    body: Option<Incoming>,
    on_upgrade: Option<OnUpgrade>,
    /// The id of its decision.
    id: EventId,
    asked: RequestRecord,
    /// What it is judged by; nothing yet before it is.
    policy: Option<Arc<Policy>>,
    identity: Option<Known>,
    head: Option<Arc<CallHead>>,
    /// The turns of what it means by a name, from before that is looked at until the daemon has answered.
    names: Vec<ContainerTurn>,
}

/// Who asks at one moment, by which token, and what it is judged by.
struct Asker {
    identity: Known,
    policy: Arc<Policy>,
    claims: Option<Arc<Claims>>,
}

impl Visit {
    fn new(
        pipeline: &Arc<Pipeline>,
        connection: Arc<Connection<Who>>,
        mut request: Request<Incoming>,
    ) -> Self {
        // taken here, used only after the daemon's own 101, dropped otherwise
        let wants = request.headers().contains_key(header::UPGRADE);
        let on_upgrade = wants.then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let asked = RequestRecord {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            ..RequestRecord::default()
        };
        Self {
            pipeline: Arc::clone(pipeline),
            connection,
            parts,
            body: Some(body),
            on_upgrade,
            id: EventId::new(),
            asked,
            policy: None,
            identity: None,
            head: None,
            names: Vec::new(),
        }
    }

    /// The route of a request.
    async fn serve(&mut self) -> Result<Response<ResponseBody>, Refused> {
        let SharedState { tally, streams, floor, .. } = &self.pipeline.shared;
        let (tally, streams, floor) = (Arc::clone(tally), streams.clone(), *floor);

        // identify: under the policy of this moment
        let Asker { identity, policy, .. } = self.identify()?;
        tally.seen(identity.name.as_str(), Timestamp::now(), &self.connection.evidence);

        // classify: in one way, or not at all, by the versions that the daemon is known to have
        let supposed = self.pipeline.daemon.supposed(floor);
        let head = self.suppose(supposed)?;

        // limit and authorize: before anybody's body is read
        let stream = streams.enter(identity.name.as_str())?;
        let pace = self.pace(&identity, &policy, &head)?;
        let heard = hear(&identity, &head, &policy)?;

        // receive: the whole of what is judged, in a type that has one reading
        let received = self.receive(heard, &head).await?;
        let inspected = received.bytes.clone();

        // ask the daemon, where it may be another one: nothing of what is refused whatever it would say
        let head = match supposed.sure {
            true => head,
            false => self.confirm((&identity, &policy), head, &inspected).await?,
        };

        // gather facts, decide: as who it is and what is in force by now, which a slow body or a slow daemon
        // may have outlived; a long body in its turn, away from those who serve everybody else
        let heard = hear(&identity, &head, &policy)?;
        let since = self.pipeline.gatherer.now();
        let (settled, turn, answers) = self.settle(heard, &inspected).await?;
        let Asker { identity, policy, claims } = self.identify()?;
        let since = settled.may_be_remembered().then_some(since);
        let permit = match turn.take(|| settled.under(&identity, &policy).decide()) {
            Decision::Allow(permit) => permit,
            Decision::Deny(denial) => return Err(denial.into()),
        };
        drop((turn, answers));
        let held = self.reserve(&identity, &policy, &permit).await?;
        if let Some(bridge) = permit.prepares() {
            self.prepare(bridge, &head).await?;
        }
        let gatherer = &self.pipeline.gatherer;
        let by = (identity.name.as_str(), &*head);
        let aftermath = Aftermath::of(by, &permit, gatherer, since);
        docker::check_target(&permit.outbound().target)?; // terms may have made it longer

        // record, then forward: in a task of its own, which the client cannot take along
        let meant = permit.meant(&head);
        let view = permit.view();
        let admitted = Admitted { id: self.id, head: &head, meant, body: &inspected, claims, view };
        let sessions = &self.pipeline.shared.sessions;
        let open = sessions.open(&self.connection, admitted, (&policy, &identity));
        let uploaded = Arc::default();
        let (upload, memory) = match (head.route.body.is_stream(), self.body.take()) {
            (true, Some(body)) => (body::upload(received, body, &uploaded), None),
            // of a body that nobody sends on nothing is kept
            _ if head.route.body == BodyKind::None => {
                drop(received);
                (ClientBody::Empty, None)
            }
            _ => (ClientBody::Empty, received.into_memory()),
        };
        drop(inspected);
        let exchange = Exchange {
            open,
            pipeline: Arc::clone(&self.pipeline),
            connection: Arc::clone(&self.connection),
            head,
            decision: self.id,
            began: std::time::Instant::now(),
            uploaded,
            _stream: stream,
            held,
            _pace: pace,
            names: std::mem::take(&mut self.names),
            aftermath,
            memory,
        };
        let case = self.case();
        Ok(exchange.run(case, *permit, upload, self.on_upgrade.take()).await?)
    }

    /// Takes a place among what its owner has in hand, where that has limits.
    fn pace(&self, identity: &Identity, policy: &Policy, head: &CallHead) -> Result<Pace, Refused> {
        let limits = identity.limits.as_ref().and_then(|name| policy.limits.get(name));
        let Some(limits) = limits else { return Ok(Pace::new()) };
        let paces = &self.pipeline.shared.paces;
        let over = |(quantity, has, most)| Refused::Over(quantity, has, most);
        paces.enter(identity.owner.as_str(), limits, head.route).map_err(over)
    }

    /// Takes what the request adds to what its owner has, where that has limits.
    async fn reserve(
        &self,
        identity: &Identity,
        policy: &Policy,
        permit: &Permit,
    ) -> Result<Option<Reservation>, Refused> {
        let limits = identity.limits.as_ref().and_then(|name| policy.limits.get(name));
        let (Some(limits), Some(wants)) = (limits, permit.demand()) else { return Ok(None) };
        let usages = &self.pipeline.shared.usages;
        let daemon = &self.pipeline.daemon;
        Ok(usages.reserve(daemon, identity.owner.as_str(), limits, wants).await?)
    }

    /// The head, by these versions.
    fn classify(&mut self, accepted: Accepted) -> Result<Arc<CallHead>, Malformed> {
        let request = RequestHead {
            method: &self.parts.method,
            uri: &self.parts.uri,
            version: self.parts.version,
            headers: &self.parts.headers,
        };
        let head = Arc::new(docker::classify(&request, accepted)?);
        self.head = Some(Arc::clone(&head));
        self.asked.classified(&head);
        Ok(head)
    }

    /// The head before the daemon was asked: while it may be another one by now, a version that it did not have
    /// is no reason yet.
    fn suppose(
        &mut self,
        Supposed { accepted, sure }: Supposed,
    ) -> Result<Arc<CallHead>, Malformed> {
        let (head, any) = (self.classify(accepted), Accepted::any(self.pipeline.shared.floor));
        if sure { head } else { head.or_else(|_| self.classify(any)) }
    }

    /// Who asks at this moment.
    fn identify(&mut self) -> Result<Asker, Refused> {
        let in_force = &self.pipeline.shared.in_force;
        let rules = in_force.rules();
        self.policy = Some(Arc::clone(&rules.policy));
        let (identity, claims) = in_force.asks(&self.connection, &rules, &self.parts.headers)?;
        self.identity = Some(Arc::clone(&identity));
        Ok(Asker { identity, policy: Arc::clone(&rules.policy), claims })
    }

    /// The body as far as it is judged, of a request that was heard.
    async fn receive(&mut self, _: Heard<'_>, head: &CallHead) -> Result<Received, Refused> {
        let budget = &self.pipeline.shared.budget;
        let whose = self.identity.as_ref().map_or("", |identity| identity.name.as_str());
        let received = match (head.route.body, self.body.as_mut()) {
            (BodyKind::Opaque, _) | (_, None) => Received::default(),
            (BodyKind::None, _) if head.framing == Framing::Empty => Received::default(),
            (BodyKind::Archive, Some(incoming)) => budget.beginning(whose, incoming, BLOCK).await?,
            (BodyKind::Json { .. } | BodyKind::None, Some(incoming)) => {
                let whole = budget.inspected(whose, incoming).await?;
                self.body = None;
                whole
            }
        };
        Ok(received)
    }

    /// The request as the log has it. Where nobody asks, somebody's certificate was used.
    fn case(&mut self) -> Case {
        let identity = self.identity.as_deref().map(describe::proven);
        let holder = || describe::by(self.connection.name().to_owned(), &self.connection.evidence);
        Case {
            id: self.id,
            parent: None,
            identity: Some(identity.unwrap_or_else(holder)),
            client: Some(self.connection.peer.told()),
            request: std::mem::take(&mut self.asked),
            actor: None,
        }
    }
}
