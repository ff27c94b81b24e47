//! Where a question is answered.

use super::status::{self, House};
use super::wire::{self, Ask, Said};
use crate::audit::event::Actor;
use crate::audit::{Event, Stage, Writer};
use crate::config;
use crate::operator::{ElevationWanted, KillTarget, LeftRunning, NotElevated, Operator, is_reason};
use crate::proxy::Connection;
use crate::sessions::{Session, Sessions};
use crate::who::Who;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a reload is waited for. It goes on all the same.
const RELOAD: Duration = Duration::from_secs(60);
/// So many connections, and so many sessions, are listed.
const LISTED: usize = 2048;
/// Bytes shown of what a session is about.
const TARGET: usize = 128;

/// Answers questions.
#[derive(Debug)]
pub struct Desk {
    /// Who acts for operators.
    pub operator: Arc<Operator>,
    /// What the server knows of itself.
    pub house: House,
    /// Who reloads.
    pub reload: mpsc::Sender<Reload>,
}

/// A reload that somebody waits for.
#[derive(Debug)]
pub struct Reload {
    /// Who asked.
    pub actor: Actor,
    /// What came of it; why the old stayed.
    pub answer: oneshot::Sender<Result<wire::Reloaded, String>>,
}

impl Desk {
    pub(super) fn log(&self) -> &Writer {
        &self.operator.revalidator.log
    }

    fn sessions(&self) -> &Sessions {
        &self.operator.revalidator.sessions
    }

    pub(super) async fn answer(&self, ask: Ask, actor: Actor) -> Said {
        let now = Timestamp::now();
        let done = match ask {
            Ask::Status => {
                Ok(Said::Status(Box::new(status::status(&self.house, &self.operator, now).await)))
            }
            Ask::Sessions => Ok(Said::Sessions(sessions(self.sessions()))),
            Ask::Kill(kill) => self.kill(&kill, actor).await,
            Ask::Grant(wanted) => self.grant(wanted, actor, now).await,
            Ask::RevokeGrant(named) => self.revoke(&named, actor).await,
            Ask::Reload => self.reload(actor).await.map(Said::Reloaded),
            Ask::Left(wanted) => self.left(wanted, actor).await,
            Ask::Believed(wanted) => {
                self.house.believed(&wanted, now.as_second()).map(Said::Believed)
            }
            Ask::Daemon => Ok(Said::Daemon(self.house.daemon(&self.operator.daemon, now).await)),
        };
        done.unwrap_or_else(Said::Refused)
    }

    async fn kill(&self, kill: &wire::Kill, actor: Actor) -> Result<Said, String> {
        let actor = reasoned(actor, &kill.reason)?;
        let target = KillTarget::find(&kill.id, self.sessions())?;
        self.operator.kill(target, actor).await.map(Said::Killed)
    }

    async fn grant(
        &self,
        wanted: wire::GrantWanted,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Said, String> {
        let actor = reasoned(actor, &wanted.reason)?;
        let wire::GrantWanted { identity, role, for_seconds, reason: _, persist } = wanted;
        let lasts = Duration::from_secs(for_seconds);
        let wanted = ElevationWanted { identity, role, lasts, persist };
        let grant =
            self.operator.elevate(wanted, actor, now).await.map_err(|why| why.to_string())?;
        let policy = self.operator.revalidator.in_force.policy();
        let root = policy
            .roles
            .get(&grant.role)
            .map(|role| config::amounts_to_root(role))
            .unwrap_or_default();
        let doors = &self.operator.revalidator.in_force.rules().doors;
        let listeners = doors.named(&grant.identity).map(ToString::to_string).collect();
        Ok(Said::Granted(wire::GrantedView { grant: status::grant(&grant), root, listeners }))
    }

    async fn revoke(&self, named: &wire::Named, actor: Actor) -> Result<Said, String> {
        let actor = reasoned(actor, &named.reason)?;
        let unknown = || format!("{:?} is no id of a grant, see `dockward status`", named.id);
        let id = named.id.parse().map_err(|_| unknown())?;
        let revoked = self.operator.take_back(id, actor).await;
        if matches!(revoked, Ok(_) | Err(NotElevated::Unkept(_))) {
            self.operator.look_again().await; // whoever stood on it does not any more
        }
        revoked.map(|grant| Said::Revoked(status::grant(&grant))).map_err(|why| why.to_string())
    }

    /// The lists are read first: whoever was revoked is out when this is answered. A mistake elsewhere in what
    /// is loaded is no reason to leave running what a thief has started.
    async fn left(&self, wanted: wire::LeftWanted, actor: Actor) -> Result<Said, String> {
        let actor = reasoned(actor, &wanted.reason)?;
        let not_loaded = self.reload(actor.clone()).await.err();
        let mut event = Event::new(Stage::Revoke);
        event.actor = Some(actor.clone());
        event.text = Some(format!("serials {}", wanted.serials.join(", ")));
        let parent = event.id;
        let recorded = self.operator.record(event).await;
        recorded
            .map_err(|error| format!("nothing was stopped, as it cannot be recorded: {error}"))?;
        let serials = wanted.serials.into_iter().collect();
        let mut left = self.operator.left_running(serials, wanted.of_the_name).await?;
        if wanted.stop {
            self.operator.stop_left(&mut left, parent, &actor).await;
        }
        let running = left.into_iter().map(told).collect();
        Ok(Said::Left(wire::LeftView { running, not_loaded }))
    }

    async fn reload(&self, actor: Actor) -> Result<wire::Reloaded, String> {
        let (answer, answered) = oneshot::channel();
        let stops = || "the gate stops".to_owned();
        self.reload.send(Reload { actor, answer }).await.map_err(|_| stops())?;
        match tokio::time::timeout(RELOAD, answered).await {
            Ok(answer) => answer.map_err(|_| stops())?,
            Err(_) => Err("it takes long and goes on, see `dockward status` later".to_owned()),
        }
    }
}

/// What is not known until it was looked at.
fn told(left: LeftRunning) -> wire::Left {
    let LeftRunning { id, name, image, stopped } = left;
    let (stopped, error) = match stopped {
        None => (false, None),
        Some(Ok(())) => (true, None),
        Some(Err(why)) => (false, Some(why)),
    };
    wire::Left { id, name, image, stopped, error }
}

/// The actor with the reason given, if it is one.
fn reasoned(mut actor: Actor, reason: &str) -> Result<Actor, String> {
    if !is_reason(reason) {
        return Err("a reason is needed, some words on one line of 512 bytes at most".to_owned());
    }
    actor.reason = Some(reason.to_owned());
    Ok(actor)
}

fn sessions(sessions: &Sessions) -> wire::SessionsView {
    let mut all = sessions.connections();
    all.sort_by_key(|connection| connection.peer.connection);
    let open = sessions.all();
    let hidden = all.len().saturating_sub(LISTED) + open.len().saturating_sub(LISTED);
    let connection = |connection: &Arc<Connection<Who>>| {
        let peer = &connection.peer;
        let here = open.iter().take(LISTED);
        let here = here.filter(|session| session.connection.peer.connection == peer.connection);
        wire::ConnectionView {
            connection: peer.connection.0,
            identity: connection.name().to_owned(),
            client: peer.client.to_string(),
            listener: peer.listener.to_string(),
            open: here.map(|session| shown(session)).collect(),
        }
    };
    let connections = all.iter().take(LISTED).map(connection).collect();
    wire::SessionsView { connections, more: u64::try_from(hidden).unwrap_or(u64::MAX) }
}

fn shown(session: &Session) -> wire::OpenView {
    let target = session.head.target().map(|target| {
        let cut =
            target.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|at| *at <= TARGET);
        target.get(..cut.last().unwrap_or(0)).unwrap_or_default().to_owned()
    });
    wire::OpenView {
        id: session.id.to_string(),
        operation: session.head.route.operation.to_owned(),
        target,
        since: status::shown(session.since),
    }
}
