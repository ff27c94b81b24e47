//! Ending what somebody else has open. The record says who did it and why before it is done; how each
//! thing ended follows in records of its own.

use super::Operator;
use crate::audit::event::Actor;
use crate::audit::{Event, EventId, Stage};
use crate::proxy::{Connection, Ending};
use crate::sessions::{Over, Session, Sessions};
use crate::who::Who;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What is to be ended.
#[derive(Debug)]
pub enum KillTarget {
    /// One request or session.
    Session(Arc<Session>),
    /// Connections with all that is open on them; never none. In words, for the log.
    Connections(String, Vec<Arc<Connection<Who>>>),
}

impl KillTarget {
    /// What an id means: a session, a connection by its number, `identity:NAME`.
    ///
    /// # Errors
    /// There is nothing of that name, or it is none.
    pub fn find(id: &str, sessions: &Sessions) -> Result<Self, String> {
        let nothing = || format!("{id:?} is not open (any more), see `dockward sessions`");
        let connections = |what: String, is: &dyn Fn(&Connection<Who>) -> bool| {
            let found: Vec<_> = sessions.connections().into_iter().filter(|c| is(c)).collect();
            if found.is_empty() { Err(nothing()) } else { Ok(Self::Connections(what, found)) }
        };
        if let Some(name) = id.strip_prefix("identity:") {
            // a token makes somebody else of who connected, request by request
            let open = sessions.all();
            let holds = |connection: &Connection<Who>| {
                let number = connection.peer.connection;
                let mut here = open.iter().filter(|s| s.connection.peer.connection == number);
                connection.is_called(name)
                    || here.any(|session| session.judged().1.name.as_str() == name)
            };
            return connections(id.to_owned(), &holds);
        }
        if let Ok(number) = id.parse::<u64>() {
            let what = format!("connection {number}");
            return connections(what, &|connection| connection.peer.connection.0 == number);
        }
        let id: EventId = id.parse().map_err(|_| {
            format!("{id:?} is no session, no number of a connection and no identity:NAME")
        })?;
        let open = sessions.all().into_iter().find(|session| session.id == id);
        open.map(Self::Session).ok_or_else(nothing)
    }
}

/// What was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Killed {
    /// Connections.
    pub connections: usize,
    /// Requests and sessions, those on the connections included.
    pub sessions: usize,
    /// Those of them that are still there: calls that change state, which run to their end.
    pub running: usize,
}

/// How long what was ended may take to be gone, before it is said to run on.
const GOING: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(20);

impl Operator {
    /// Ends it. `actor` has the reason.
    ///
    /// # Errors
    /// It cannot be recorded: then nothing was ended.
    pub async fn kill(&self, target: KillTarget, actor: Actor) -> Result<Killed, String> {
        let text = actor.reason.clone().unwrap_or_default();
        let why = Ending { reason: Over::Killed.rule(), text };
        let mut event = Event::new(Stage::SessionKill);
        event.actor = Some(actor);
        match &target {
            KillTarget::Session(session) => {
                event.parent = Some(session.id);
                session.told_in(&mut event);
            }
            KillTarget::Connections(what, connections) => {
                event.text = Some(what.clone());
                if let [connection] = connections.as_slice() {
                    connection.told_in(&mut event);
                }
            }
        }
        let recorded = self.record(event).await;
        recorded
            .map_err(|error| format!("nothing was ended, as it cannot be recorded: {error}"))?;
        let (connections, ended) = self.end(target, why);
        let running = self.still_there(&ended).await;
        Ok(Killed { connections, sessions: ended.len(), running })
    }

    /// How many of these are open still, once they had time to go.
    async fn still_there(&self, ended: &[EventId]) -> usize {
        let there = || {
            let open = self.revalidator.sessions.all();
            open.iter().filter(|session| ended.contains(&session.id)).count()
        };
        let gone = async {
            while there() > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(GOING, gone).await; // what runs on is counted
        there()
    }

    /// Ends it: how many connections, and the requests and sessions.
    fn end(&self, target: KillTarget, why: Ending) -> (usize, Vec<EventId>) {
        match target {
            KillTarget::Session(session) => {
                session.end(&Arc::new(why));
                (0, vec![session.id])
            }
            KillTarget::Connections(_, connections) => {
                let open = self.revalidator.sessions.all();
                let numbers: Vec<_> = connections.iter().map(|c| c.peer.connection).collect();
                let on_them =
                    |session: &&Arc<Session>| numbers.contains(&session.connection.peer.connection);
                let sessions = open.iter().filter(on_them).map(|session| session.id).collect();
                connections.iter().for_each(|c| self.revalidator.end(c, why.clone()));
                (connections.len(), sessions)
            }
        }
    }
}
