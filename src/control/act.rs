//! Ending what somebody else has open. The record says who did it and why before it is done; how each
//! thing ended follows in records of its own.

use super::by_hand::ByHand;
use super::wire;
use crate::audit::event::Actor;
use crate::audit::{Durability, Event, EventId, Stage};
use crate::pipeline::{Pipeline, Session, Sessions, Who};
use crate::proxy::{Connection, Ending};
use std::sync::Arc;

/// What is to be ended.
#[derive(Debug)]
pub(super) enum Target {
    /// One request or session.
    Session(Arc<Session>),
    /// Connections with all that is open on them; never none. In words, for the log.
    Connections(String, Vec<Arc<Connection<Who>>>),
}

impl Target {
    /// What an id means: a session, a connection by its number, `identity:NAME`.
    ///
    /// # Errors
    /// There is nothing of that name, or it is none.
    pub(super) fn find(id: &str, sessions: &Sessions) -> Result<Self, String> {
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

/// Ends it.
///
/// # Errors
/// It cannot be recorded: then nothing was ended.
pub(super) async fn kill(
    pipeline: &Pipeline,
    target: Target,
    actor: Actor,
) -> Result<wire::Killed, String> {
    let why =
        Ending { reason: ByHand::Killed.rule(), text: actor.reason.clone().unwrap_or_default() };
    let mut event = Event::new(Stage::SessionKill);
    event.actor = Some(actor);
    match &target {
        Target::Session(session) => {
            event.parent = Some(session.id);
            pipeline.tell_of_session(session, &mut event);
        }
        Target::Connections(what, connections) => {
            event.text = Some(what.clone());
            if let [connection] = connections.as_slice() {
                pipeline.tell_of(connection, &mut event);
            }
        }
    }
    let recorded = pipeline.log.record(event, Durability::Synced).await;
    recorded.map_err(|error| format!("nothing was ended, as it cannot be recorded: {error}"))?;
    Ok(end(pipeline, target, why))
}

fn end(pipeline: &Pipeline, target: Target, why: Ending) -> wire::Killed {
    match target {
        Target::Session(session) => {
            session.end(&Arc::new(why));
            wire::Killed { connections: 0, sessions: 1 }
        }
        Target::Connections(_, connections) => {
            let open = pipeline.sessions.all();
            let on_it = |c: &Connection<Who>| {
                let number = c.peer.connection;
                open.iter().filter(|session| session.connection.peer.connection == number).count()
            };
            let sessions: usize = connections.iter().map(|c| on_it(c)).sum();
            connections.iter().for_each(|connection| pipeline.end(connection, why.clone()));
            let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            wire::Killed { connections: count(connections.len()), sessions: count(sessions) }
        }
    }
}
