//! The question that stays open as long as somebody is connected: may they still? Asked of everybody
//! whenever something was loaded or granted, and several times a second for what ends by the clock. It is
//! the same question by the same code as for a request: the certificate, the name, then for what is open
//! authorize, gather facts, decide.

use super::refuse::Refused;
use super::sessions::Session;
use super::{Known, Pipeline, Who, events};
use crate::audit::{Event, Stage};
use crate::docker::{self, ApiCall, Life};
use crate::identity::{Identity, Unidentified, token};
use crate::policy::{self, Decision, Denial, Policy, Reason};
use crate::proxy::{Connection, Ending};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How often the clock is looked at.
pub const TICK: Duration = Duration::from_millis(250);

impl Pipeline {
    /// Ends whoever may not stay, and what is open and would not be let through any more.
    pub async fn revalidate(self: &Arc<Self>) {
        self.close_grants(Timestamp::now()).await;
        let policy = self.policy.load_full();
        for connection in self.sessions.connections() {
            if let Err(why) = self.may_stay(&connection, &policy) {
                self.end(&connection, ending(&why));
            }
        }
        let mut again = tokio::task::JoinSet::new();
        for session in self.sessions.all() {
            let identity = match self.who_still(&session, &policy) {
                Ok(identity) => identity,
                Err(why) => {
                    session.end(&Arc::new(ending(&why)));
                    continue;
                }
            };
            if is_to_be_judged_again(&session, &policy, &identity) {
                let pipeline = Arc::clone(self);
                again.spawn(async move {
                    if let Err(why) = pipeline.judge_again(&session).await {
                        session.end(&Arc::new(ending(&why)));
                    }
                });
            }
        }
        while again.join_next().await.is_some() {}
    }

    /// Ends a connection and all that is open on it, and says so in the log.
    pub fn end(&self, connection: &Connection<Who>, why: Ending) {
        if connection.ended().is_some() {
            return;
        }
        let mut event = Event::new(Stage::SessionClose);
        self.tell_of(connection, &mut event);
        event.reason = Some(why.reason.to_owned());
        event.text = Some(why.text.clone());
        self.sessions.end(connection, why);
        self.log.note(event);
    }

    /// Whose a connection is and where it comes from, for the log.
    pub fn tell_of(&self, connection: &Connection<Who>, event: &mut Event) {
        event.identity = connection.who.latest().as_ref().map(events::proven);
        event.client = Some(events::client(&connection.peer));
    }

    /// Who opened it, if the certificate and the token that it was opened with count still. A key that is
    /// withdrawn takes along what its tokens opened, whether or not they were asked for.
    fn who_still(&self, session: &Session, policy: &Arc<Policy>) -> Result<Known, Refused> {
        let claims = session.claims.as_ref();
        if let (Some(claims), Some(tokens)) = (claims, &policy.tokens) {
            let still = token::proven_still(claims, &tokens.issuers);
            still.map_err(|why| Refused::Stranger(Unidentified::Token(why)))?;
        }
        self.who(&session.connection, policy, claims)
    }

    async fn judge_again(self: &Arc<Self>, session: &Session) -> Result<(), Refused> {
        let policy = self.policy.load_full();
        let identity = self.who_still(session, &policy)?;
        policy::authorize(&identity, &session.head, &policy)?;
        let Some(body) = &session.body else { return Err(narrowed().into()) };
        let call = ApiCall { head: &session.head, body: docker::body::read(&session.head, body)? };
        let facts = self.facts(&identity, &call, &policy).await;
        match policy::decide(&identity, &call, &facts, &policy) {
            Decision::Deny(denial) if !is_gone(&denial) => Err(denial.into()),
            // what it is about is not there any more: it ends by itself
            Decision::Deny(_) | Decision::Allow(_) => {
                session.judged_under(&policy, &identity);
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
        Refused::Untrusted(why) => Ending { reason: why.id(), text: why.to_string() },
        Refused::Stranger(why) => Ending { reason: why.reason(), text: why.to_string() },
        Refused::Denied(denial) => {
            let first = denial.findings.first().map(|finding| finding.reason.id());
            let text = first.unwrap_or_default();
            Ending { reason: "session.narrowed", text: format!("it would be refused now: {text}") }
        }
        _ => Ending { reason: "session.narrowed", text: "it would not be let through now".into() },
    }
}

/// Tells of a connection in the words of an operator.
impl Connection<Who> {
    /// The name of who holds it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.who.name()
    }
}
