//! Who is connected and what is open, so that both can be ended before they end by themselves: by a
//! revocation, an expiry, a policy that grants less, an operator. Whatever is forwarded is in here from its
//! decision to its last byte.

use crate::audit::EventId;
use crate::audit::event::Ended;
use crate::daemon::Cancel;
use crate::digest::Sha256;
use crate::docker::{CallHead, Hijack};
use crate::identity::Claims;
use crate::policy::Policy;
use crate::proxy::{Connection, ConnectionId, Ending};
use crate::who::{Known, Who};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How much of an inspected body is kept to judge it again, in bytes. What lasts has a body of a few words
/// (the beginning of an exec); a longer one is cut when policy changes.
const KEPT: usize = 8 << 10;

/// How long a client has to take the end of an answer.
const UNREAD: Duration = Duration::from_millis(500);

/// All connections and all that is open on them.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    connections: HashMap<ConnectionId, Weak<Connection<Who>>>,
    open: HashMap<EventId, Arc<Session>>,
    /// Everything ends: what comes now ends at once.
    closed: bool,
}

/// One forwarded request while it lives.
#[derive(Debug)]
pub struct Session {
    /// The decision that let it through.
    pub id: EventId,
    /// On which connection.
    pub connection: Arc<Connection<Who>>,
    /// What was asked.
    pub head: Arc<CallHead>,
    /// The same by the full ids that were judged: a name may be another's by now.
    pub meant: Arc<CallHead>,
    /// When.
    pub since: Timestamp,
    /// The inspected body, or `None` if it is too long to keep.
    pub body: Option<Bytes>,
    /// What was proven beside the certificate.
    pub claims: Option<Arc<Claims>>,
    /// By what it is chosen what of its answer may be seen.
    pub view: Option<Sha256>,
    judged: Mutex<(Arc<Policy>, Known)>,
    /// Held by whoever judges it again: one at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    cancel: Cancel,
    /// Thrown when everything ends: a short call that changes state runs to its end until then.
    stop: Cancel,
    /// Why we ended it, and when.
    why: OnceLock<(Cut, Instant)>,
}

/// What is asked, and by which decision it was let through.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// The decision.
    pub id: EventId,
    /// What was asked.
    pub head: &'a Arc<CallHead>,
    /// The same by the full ids that were judged.
    pub meant: Arc<CallHead>,
    /// The inspected body, as far as there is one.
    pub body: &'a Bytes,
    /// What was proven beside the certificate.
    pub claims: Option<Arc<Claims>>,
    /// By what it is chosen what of its answer may be seen.
    pub view: Option<Sha256>,
}

/// Why we ended something.
#[derive(Clone, Debug)]
pub enum Cut {
    /// The gate stops.
    Stop,
    /// Its client may not go on.
    Ended(Arc<Ending>),
}

impl Session {
    /// Under which policy and as whom it was judged last.
    pub fn judged(&self) -> (Arc<Policy>, Known) {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn judged_under(&self, policy: &Arc<Policy>, identity: &Known) {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        *judged = (Arc::clone(policy), Arc::clone(identity));
    }

    /// Ends it, and it alone.
    pub fn end(&self, why: &Arc<Ending>) {
        self.cut(Cut::Ended(Arc::clone(why)));
    }

    /// Why it should have ended by now, and has not: an answer that its client does not read is not looked at
    /// by anybody, so that only the end of the connection ends it.
    pub(super) fn overdue(&self) -> Option<Arc<Ending>> {
        let route = self.head.route;
        let answers = route.life.ends_with_client() && route.hijack == Hijack::No;
        let (Cut::Ended(why), at) = self.why.get()? else { return None };
        (answers && at.elapsed() >= UNREAD).then(|| Arc::clone(why))
    }

    fn cut(&self, why: Cut) {
        if matches!(why, Cut::Stop) {
            self.stop.cancel();
        }
        let _ = self.why.set((why, Instant::now())); // the first reason stays
        self.cancel.cancel();
    }
}

/// A session as held by its exchange: when that ends, it is not open any more.
#[derive(Debug)]
pub struct Open {
    session: Arc<Session>,
    all: Arc<Sessions>,
}

impl Open {
    /// Resolves when we end it. What `runs_on` ends when everything does and not before.
    pub fn cut(&self, runs_on: bool) -> impl Future<Output = ()> + Send + use<> {
        let Session { cancel, stop, .. } = &*self.session;
        let cancel = if runs_on { stop.clone() } else { cancel.clone() };
        async move { cancel.cancelled().await }
    }

    /// Whether it was ended already.
    pub fn is_cut(&self) -> bool {
        self.session.cancel.is_cancelled()
    }

    /// The switch that is thrown when we end it.
    pub fn switch(&self) -> &Cancel {
        &self.session.cancel
    }

    /// How what is interrupted ended: by us, if we meant it to.
    pub fn how(&self, otherwise: Ended) -> Ended {
        match self.reason() {
            None => otherwise,
            Some(Cut::Stop) => Ended::Limit,
            Some(Cut::Ended(_)) => Ended::Revoked,
        }
    }

    /// Why we ended it. A connection that we closed under it counts as well.
    pub fn reason(&self) -> Option<Cut> {
        let own = self.session.why.get().map(|(why, _)| why.clone());
        own.or_else(|| self.session.connection.ended().map(Cut::Ended))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.all.lock().open.remove(&self.session.id);
    }
}

impl Sessions {
    /// A client has come in.
    pub fn arrived(&self, connection: &Arc<Connection<Who>>) {
        let mut all = self.lock();
        all.connections.insert(connection.peer.connection, Arc::downgrade(connection));
    }

    /// Something is to be forwarded. On a connection that was ended meanwhile, or when everything ends, it
    /// is cut from the beginning.
    pub fn open(
        self: &Arc<Self>,
        connection: &Arc<Connection<Who>>,
        Admitted { id, head, meant, body, claims, view }: Admitted<'_>,
        (policy, identity): (&Arc<Policy>, &Known),
    ) -> Open {
        let session = Arc::new(Session {
            id,
            connection: Arc::clone(connection),
            head: Arc::clone(head),
            meant,
            since: Timestamp::now(),
            body: (body.len() <= KEPT).then(|| body.clone()),
            claims,
            view,
            judged: Mutex::new((Arc::clone(policy), Arc::clone(identity))),
            turn: tokio::sync::Mutex::new(()),
            cancel: Cancel::new(),
            stop: Cancel::new(),
            why: OnceLock::new(),
        });
        let mut all = self.lock();
        all.open.insert(id, Arc::clone(&session));
        let stopped = all.closed.then_some(Cut::Stop);
        drop(all);
        if let Some(why) = stopped.or_else(|| connection.ended().map(Cut::Ended)) {
            session.cut(why);
        }
        Open { session, all: Arc::clone(self) }
    }

    /// Whoever is connected. Those that have gone are forgotten.
    pub fn connections(&self) -> Vec<Arc<Connection<Who>>> {
        let mut all = self.lock();
        all.connections.retain(|_, connection| connection.strong_count() > 0);
        all.connections.values().filter_map(Weak::upgrade).collect()
    }

    /// Whatever is open, the oldest first.
    pub fn all(&self) -> Vec<Arc<Session>> {
        let mut open: Vec<_> = self.lock().open.values().cloned().collect();
        open.sort_by_key(|session| session.since);
        open
    }

    /// Ends a connection and all that is open on it.
    pub fn end(&self, connection: &Connection<Who>, why: Ending) {
        connection.end(why);
        let Some(why) = connection.ended() else { return };
        let number = connection.peer.connection;
        let on_it = self.all().into_iter().filter(|s| s.connection.peer.connection == number);
        on_it.for_each(|session| session.end(&why));
    }

    /// Ends everything, because the gate stops.
    pub fn stop(&self) {
        self.lock().closed = true;
        self.all().iter().for_each(|session| session.cut(Cut::Stop));
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
