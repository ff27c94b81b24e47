//! The question that stays open as long as somebody is connected: may they still? Asked of everybody
//! whenever something was loaded or granted, and several times a second for what ends by the clock. It is
//! the same question by the same code as for a request: the certificate, the name, then for what is open
//! authorize, gather facts, decide.

use super::{Over, Session, Sessions};
use crate::audit::describe::proven;
use crate::audit::{Event, Stage, Writer};
use crate::docker::Life;
use crate::facts::{Gatherer, Unsettled};
use crate::identity::Identity;
use crate::policy::{Decision, Denial, Policy, Reason, hear};
use crate::proxy::{Connection, Ending};
use crate::who::{InForce, Known, Rules, Unproven, Who};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long what is open may go on without being judged again, since the daemon does not say what it
/// stands on: then it ends.
const UNJUDGED: Duration = Duration::from_secs(5);
/// How long is waited for that: clock and files are looked at meanwhile, for everybody else.
const AWAITED: Duration = Duration::from_millis(500);

/// How often the clock is looked at.
pub const TICK: Duration = Duration::from_millis(250);

/// Asks again of everybody.
#[derive(Clone, Debug)]
pub struct Revalidator {
    /// What is in force.
    pub in_force: Arc<InForce>,
    /// Who is connected.
    pub sessions: Arc<Sessions>,
    /// Who looks up what a judgement asks for.
    pub gatherer: Gatherer,
    /// The log.
    pub log: Arc<Writer>,
}

/// Nobody asks for it any more.
impl From<Unproven> for Ending {
    fn from(why: Unproven) -> Self {
        match why {
            Unproven::Untrusted(why) => Self { reason: why.rule(), text: why.to_string() },
            Unproven::Stranger(why) => Self { reason: why.rule(), text: why.to_string() },
        }
    }
}

/// It would be refused now.
impl From<Denial> for Ending {
    fn from(denial: Denial) -> Self {
        let first = denial.findings.first().map(|finding| finding.reason.id());
        let text = format!("it would be refused now: {}", first.unwrap_or_default());
        Self { reason: Over::Narrowed.rule(), text }
    }
}

/// It cannot be judged now.
impl From<Unsettled> for Ending {
    fn from(_: Unsettled) -> Self {
        unjudged()
    }
}

fn unjudged() -> Ending {
    let text = "it would not be let through now".to_owned();
    Ending { reason: Over::Narrowed.rule(), text }
}

impl Revalidator {
    /// Ends whoever may not stay, and what is open and would not be let through any more. What the daemon
    /// must be asked about may end a little after this returns.
    pub async fn revalidate(&self) {
        let rules = self.in_force.rules();
        for connection in self.sessions.connections() {
            if let Err(why) = self.in_force.may_stay(&connection, &rules) {
                self.end(&connection, why.into());
            }
        }
        let mut again = tokio::task::JoinSet::new();
        for session in self.sessions.all() {
            if let Some(why) = session.overdue() {
                self.end(&session.connection, Ending::clone(&why));
                continue;
            }
            let identity = match self.who_still(&session, &rules) {
                Ok(identity) => identity,
                Err(why) => {
                    session.end(&Arc::new(why.into()));
                    continue;
                }
            };
            if is_to_be_judged_again(&session, &rules.policy, &identity) {
                let again_by = self.clone();
                again.spawn(async move {
                    let Ok(_turn) = session.turn.try_lock() else { return };
                    let judged = timeout(UNJUDGED, again_by.judge_again(&session)).await;
                    if let Err(why) = judged.unwrap_or_else(|_| Err(unjudged())) {
                        session.end(&Arc::new(why));
                    }
                });
            }
        }
        let all = async { while again.join_next().await.is_some() {} };
        if timeout(AWAITED, all).await.is_err() {
            again.detach_all();
        }
    }

    /// Who opened it, if the certificate and the token that it was opened with count still.
    fn who_still(&self, session: &Session, rules: &Rules) -> Result<Known, Unproven> {
        self.in_force.still(&session.connection, rules, session.claims.as_ref())
    }

    /// Ends a connection and all that is open on it, and says so in the log.
    pub fn end(&self, connection: &Connection<Who>, why: Ending) {
        if connection.ended().is_some() {
            return;
        }
        let mut event = Event::new(Stage::SessionClose);
        connection.told_in(&mut event);
        event.because(why.reason);
        event.text = Some(why.text.clone());
        self.sessions.end(connection, why);
        self.log.note(event);
    }

    async fn judge_again(&self, session: &Session) -> Result<(), Ending> {
        let rules = self.in_force.rules();
        let policy = &rules.policy;
        let identity = self.who_still(session, &rules)?;
        let heard = hear(&identity, &session.meant, policy)?;
        let Some(body) = &session.body else { return Err(unjudged()) };
        let asking = heard.read(body).map_err(Unsettled::from)?;
        let settled = self.gatherer.settle(asking).await?;
        match settled.decide() {
            Decision::Deny(denial) if !is_gone(&denial) => Err(denial.into()),
            // somebody sees more or less of it by now
            Decision::Allow(permit) if permit.view() != session.view => Err(unjudged()),
            // what it is about is not there any more: it ends by itself
            Decision::Deny(_) | Decision::Allow(_) => {
                session.judged_under(policy, &identity);
                Ok(())
            }
        }
    }
}

/// Whose a connection is and where it comes from, for the log.
impl Connection<Who> {
    /// Says so in an event.
    pub fn told_in(&self, event: &mut Event) {
        event.identity = self.who.latest().as_ref().map(proven);
        event.client = Some(self.peer.told());
    }
}

impl Session {
    /// The same of what is open: who asked for it may have sent another token since.
    pub fn told_in(&self, event: &mut Event) {
        self.connection.told_in(event);
        event.identity = Some(proven(&self.judged().1));
    }
}

/// Something that lasts, and either who asks or what they may is not what it was.
fn is_to_be_judged_again(session: &Session, policy: &Arc<Policy>, identity: &Identity) -> bool {
    let (judged_policy, judged_as) = session.judged();
    let same = Arc::ptr_eq(&judged_policy, policy) && same(&judged_as, identity);
    !same && matches!(session.head.route.life, Life::Stream | Life::WriteStream)
}

/// Whether two answers to who asks come to the same rights.
fn same(one: &Identity, other: &Identity) -> bool {
    (&one.name, &one.owner, &one.sees, &one.roles, one.mode, one.danger_observe_root)
        == (
            &other.name,
            &other.owner,
            &other.sees,
            &other.roles,
            other.mode,
            other.danger_observe_root,
        )
}

fn is_gone(denial: &Denial) -> bool {
    !denial.findings.is_empty()
        && denial.findings.iter().all(|finding| finding.reason == Reason::TargetAbsent)
}
