//! `dockward sessions`: who is connected and what is open, and an end to some of it.

use super::asking::{self, printable};
use super::out::{self, Paint};
use super::{Exit, Failure, KillArgs, SessionsArgs, SessionsCommand};
use crate::control::wire::{Ask, ConnectionView, Kill, KilledView, Said, SessionsView};

/// Lists, or ends.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &SessionsArgs) -> Result<Exit, Failure> {
    let take = |said| match said {
        Said::Sessions(sessions) => Some(sessions),
        _ => None,
    };
    match &args.command {
        Some(SessionsCommand::Kill(args)) => kill(args),
        None => asking::show(&args.gate, Ask::Sessions, take, list),
    }
}

fn kill(args: &KillArgs) -> Result<Exit, Failure> {
    let ask = Ask::Kill(Kill { id: args.id.clone(), reason: args.reason.clone() });
    let take = |said| match said {
        Said::Killed(killed) => Some(killed),
        _ => None,
    };
    let text = |killed: &KilledView, _: Paint| match killed.connections {
        0 => "1 session was ended\n".to_owned(),
        connections => {
            format!(
                "{connections} connections were ended, with {} sessions on them\n",
                killed.sessions
            )
        }
    };
    asking::show(&args.gate, ask, take, text)
}

fn list(sessions: &SessionsView, paint: Paint) -> String {
    if sessions.connections.is_empty() {
        return "nobody is connected\n".to_owned();
    }
    let heading = ["CONNECTION", "IDENTITY", "CLIENT", "SESSION", "OPERATION", "TARGET", "SINCE"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(sessions.connections.iter().flat_map(of_connection));
    let mut text = out::table(&rows, paint);
    if sessions.more > 0 {
        text.push_str(&format!("and {} more\n", sessions.more));
    }
    text
}

fn of_connection(connection: &ConnectionView) -> Vec<Vec<String>> {
    let begin = || {
        let ConnectionView { connection, identity, client, .. } = connection;
        vec![connection.to_string(), identity.clone(), client.clone()]
    };
    let open = connection.open.iter().map(|open| {
        let target = open.target.as_deref().map_or_else(|| "-".to_owned(), printable);
        let mut row = begin();
        row.extend([open.id.clone(), open.operation.clone(), target, open.since.clone()]);
        row
    });
    let rows: Vec<_> = open.collect();
    if rows.is_empty() {
        let mut row = begin();
        row.extend(["-"; 4].map(str::to_owned));
        return vec![row];
    }
    rows
}
