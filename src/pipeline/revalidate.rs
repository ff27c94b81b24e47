//! The question that stays open as long as somebody is connected: may they still? Asked of everybody
//! whenever something was loaded or granted, and several times a second for what ends by the clock. It is
//! the same question by the same code as for a request: the certificate, the name, then for what is open
//! authorize, gather facts, decide.

use super::refuse::Refused;
use super::sessions::Session;
use super::{Known, Over, Pipeline, Rules, Who, events};
use crate::audit::{Event, Stage};
use crate::docker::{self, ApiCall, Life};
use crate::identity::{Identity, Unidentified, token};
use crate::policy::{self, Decision, Denial, Policy, Reason};
use crate::proxy::{Connection, Ending};
use jiff::Timestamp;
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

impl Pipeline {
    /// Ends whoever may not stay, and what is open and would not be let through any more. What the daemon
    /// must be asked about may end a little after this returns.
    pub async fn revalidate(self: &Arc<Self>) {
        self.close_grants(Timestamp::now()).await;
        let rules = self.rules.load_full();
        for connection in self.sessions.connections() {
            if let Err(why) = self.may_stay(&connection, &rules) {
                self.end(&connection, ending(&why));
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
                    session.end(&Arc::new(ending(&why)));
                    continue;
                }
            };
            if is_to_be_judged_again(&session, &rules.policy, &identity) {
                let pipeline = Arc::clone(self);
                again.spawn(async move {
                    let Ok(_turn) = session.turn.try_lock() else { return };
                    let judged = timeout(UNJUDGED, pipeline.judge_again(&session)).await;
                    let judged = judged.unwrap_or_else(|_| Err(narrowed().into()));
                    if let Err(why) = judged {
                        session.end(&Arc::new(ending(&why)));
                    }
                });
            }
        }
        let all = async { while again.join_next().await.is_some() {} };
        if timeout(AWAITED, all).await.is_err() {
            again.detach_all();
        }
    }

    /// Who opened it, if the certificate and the token that it was opened with count still. A key that is
    /// withdrawn takes along what its tokens opened, whether or not they were asked for.
    fn who_still(&self, session: &Session, rules: &Rules) -> Result<Known, Refused> {
        let claims = session.claims.as_ref();
        if let (Some(claims), Some(tokens)) = (claims, &rules.policy.tokens) {
            let still = token::proven_still(claims, &tokens.issuers);
            still.map_err(|why| Refused::Stranger(Unidentified::Token(why)))?;
        }
        self.who(&session.connection, rules, claims)
    }

    /// Ends a connection and all that is open on it, and says so in the log.
    pub fn end(&self, connection: &Connection<Who>, why: Ending) {
        if connection.ended().is_some() {
            return;
        }
        let mut event = Event::new(Stage::SessionClose);
        self.tell_of(connection, &mut event);
        event.because(why.reason);
        event.text = Some(why.text.clone());
        self.sessions.end(connection, why);
        self.log.note(event);
    }

    /// Whose a connection is and where it comes from, for the log.
    pub fn tell_of(&self, connection: &Connection<Who>, event: &mut Event) {
        event.identity = connection.who.latest().as_ref().map(events::proven);
        event.client = Some(events::client(&connection.peer));
    }

    /// The same of what is open: who asked for it may have sent another token since.
    pub fn tell_of_session(&self, session: &Session, event: &mut Event) {
        self.tell_of(&session.connection, event);
        event.identity = Some(events::proven(&session.judged().1));
    }

    async fn judge_again(self: &Arc<Self>, session: &Session) -> Result<(), Refused> {
        let rules = self.rules.load_full();
        let policy = &rules.policy;
        let identity = self.who_still(session, &rules)?;
        policy::authorize(&identity, &session.head, policy)?;
        let Some(body) = &session.body else { return Err(narrowed().into()) };
        let call = ApiCall { head: &session.head, body: docker::body::read(&session.head, body)? };
        let facts = self.facts(&identity, &call, policy).await;
        match policy::decide(&identity, &call, &facts, policy) {
            Decision::Deny(denial) if !is_gone(&denial) => Err(denial.into()),
            // what it is about is not there any more: it ends by itself
            Decision::Deny(_) | Decision::Allow(_) => {
                session.judged_under(policy, &identity);
                Ok(())
            }
        }
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
    (&one.name, &one.roles, one.mode, one.danger_observe_root)
        == (&other.name, &other.roles, other.mode, other.danger_observe_root)
}

fn is_gone(denial: &Denial) -> bool {
    !denial.findings.is_empty()
        && denial.findings.iter().all(|finding| finding.reason == Reason::TargetAbsent)
}

fn narrowed() -> Denial {
    Denial { role: String::new(), findings: Vec::new() }
}

/// Why a connection or what is open on it ends, for the log.
fn ending(why: &Refused) -> Ending {
    match why {
        Refused::Untrusted(why) => Ending { reason: why.rule(), text: why.to_string() },
        Refused::Stranger(why) => Ending { reason: why.rule(), text: why.to_string() },
        Refused::Denied(denial) => {
            let first = denial.findings.first().map(|finding| finding.reason.id());
            let text = first.unwrap_or_default();
            let text = format!("it would be refused now: {text}");
            Ending { reason: Over::Narrowed.rule(), text }
        }
        _ => {
            let text = "it would not be let through now".to_owned();
            Ending { reason: Over::Narrowed.rule(), text }
        }
    }
}

/// Tells of a connection in the words of an operator.
impl Connection<Who> {
    /// The name of who holds it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.who.name()
    }

    /// Whether whoever holds it had this name when it connected, or when it was asked for last.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.who.latest().is_some_and(|who| who.name.as_str() == name)
    }
}
