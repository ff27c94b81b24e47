//! `dockward sessions`: who is connected and what is open, and an end to some of it.

use super::asking::{self, only, printable};
use super::out::{self, Paint};
use super::{Exit, Failure, KillArgs, SessionsArgs, SessionsCommand};
use crate::control::wire::{Ask, ConnectionView, Kill, OpenView, SessionsView};
use crate::operator::Killed;

/// Lists, or ends.
///
/// # Errors
/// The gate cannot be asked.
pub fn run(args: &SessionsArgs) -> Result<Exit, Failure> {
    match &args.command {
        Some(SessionsCommand::Kill(args)) => kill(args),
        None => asking::show(&args.gate, Ask::Sessions, only!(Sessions), list),
    }
}

fn kill(args: &KillArgs) -> Result<Exit, Failure> {
    let ask = Ask::Kill(Kill { id: args.id.clone(), reason: args.reason.clone() });
    asking::show(&args.gate, ask, only!(Killed), killed)
}

fn killed(Killed { connections, sessions, running }: &Killed, paint: Paint) -> String {
    let mut text = match connections {
        0 if *running > 0 => "1 session was told to end\n".to_owned(),
        0 => "1 session was ended\n".to_owned(),
        _ => format!("{connections} connections were ended, with {sessions} sessions on them\n"),
    };
    if *running > 0 {
        let runs = "a call that changes the daemon's state runs to its end";
        text.push_str(&format!(
            "{}: {running} of them are not over yet: {runs}\n",
            paint.yellow("note")
        ));
    }
    text
}

fn list(sessions: &SessionsView, paint: Paint) -> String {
    if sessions.connections.is_empty() {
        return "nobody is connected\n".to_owned();
    }
    let heading = ["CONNECTION", "IDENTITY", "CLIENT", "SESSION", "OPERATION", "TARGET", "SINCE"];
    let rows: Vec<_> = sessions.connections.iter().flat_map(of_connection).collect();
    let mut text = out::table(&heading, &rows, paint);
    if sessions.more > 0 {
        text.push_str(&format!("and {} more\n", sessions.more));
    }
    text
}

fn of_connection(connection: &ConnectionView) -> Vec<Vec<String>> {
    let ConnectionView { connection, identity, client, open, .. } = connection;
    let row = |end: [String; 4]| {
        let begin = [connection.to_string(), printable(identity), printable(client)];
        begin.into_iter().chain(end).collect()
    };
    if open.is_empty() {
        return vec![row(["-"; 4].map(str::to_owned))];
    }
    let session = |open: &OpenView| {
        let target = open.target.as_deref().map_or_else(|| "-".to_owned(), printable);
        row([open.id.clone(), open.operation.clone(), target, open.since.clone()])
    };
    open.iter().map(session).collect()
}
