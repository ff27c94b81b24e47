//! What is said on the gate's own socket: one line of JSON each way, and the connection ends. Both sides
//! refuse what they do not know, so that nothing that was asked for is silently left out.

use crate::digest::Sha256;
use crate::operator::Killed;
use crate::problem::Problem;
use crate::telemetry::TallyTotals;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of what is said. Another one is refused in words.
pub const VERSION: u32 = 1;
/// The longest question, in bytes.
pub const REQUEST_MAX: usize = 64 << 10;
/// The longest answer, in bytes: a list of all that is open on a busy gate.
pub const ANSWER_MAX: usize = 1 << 20;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ask {
    /// How the gate is.
    Status,
    /// Who is connected, and what is open.
    Sessions,
    /// End something.
    Kill(Kill),
    /// Give a role to an identity for a while.
    Grant(GrantWanted),
    /// Take such a role back.
    RevokeGrant(Named),
    /// Read the policy and the certificates again.
    Reload,
    /// After a revocation: read the lists again, and say what was left running, or stop it.
    Left(LeftWanted),
    /// Whether certificates would still be let in, at each listener.
    Believed(BelievedWanted),
    /// Whether the daemon answers, asked now.
    Daemon,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Said {
    /// To [`Ask::Status`].
    Status(Box<Status>),
    /// To [`Ask::Sessions`].
    Sessions(SessionsView),
    /// To [`Ask::Kill`]: what was ended.
    Killed(Killed),
    /// To [`Ask::Grant`].
    Granted(GrantedView),
    /// To [`Ask::RevokeGrant`]: what is not in force any more.
    Revoked(Grant),
    /// To [`Ask::Reload`]: what is in force now.
    Reloaded(Reloaded),
    /// To [`Ask::Left`]: what is running, or was.
    Left(LeftView),
    /// To [`Ask::Believed`].
    Believed(BelievedView),
    /// To [`Ask::Daemon`].
    Daemon(DaemonView),
    /// Nothing was done: why, and what to do.
    Refused(String),
}

/// Declares what is said: read and written as JSON, and with nothing in it that is not known.
macro_rules! said {
    ($($(#[$about:meta])* pub struct $name:ident { $($fields:tt)* })*) => { $(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($fields)* }
    )* };
}

mod identities;
mod revoked;
pub use identities::{Observed, SeenView, WouldView};
pub use revoked::{
    BelievedCertificate, BelievedView, BelievedWanted, DaemonView, DegradedCause, End,
    ListenerBelief, ListenerInForce, StillBelieved,
};

said! {
    /// A question.
    pub struct ControlRequest {
        /// See [`VERSION`].
        pub version: u32,
        /// What is asked.
        pub ask: Ask,
    }

    /// What is to be ended.
    pub struct Kill {
        /// A session, a connection by its number, or `identity:NAME`.
        pub id: String,
        /// Why.
        pub reason: String,
    }

    /// Which role for whom.
    pub struct GrantWanted {
        /// Whose it is to be.
        pub identity: String,
        /// Which role of the policy.
        pub role: String,
        /// For how long, in seconds.
        pub for_seconds: u64,
        /// Why.
        pub reason: String,
        /// Whether a restart of the gate leaves it in force.
        pub persist: bool,
    }

    /// Something by its id.
    pub struct Named {
        /// Its id.
        pub id: String,
        /// Why.
        pub reason: String,
    }

    /// An answer.
    pub struct ControlAnswer {
        /// See [`VERSION`].
        pub version: u32,
        /// What came of it.
        pub answer: Said,
    }

    /// How the gate is. Times are RFC 3339, UTC.
    pub struct Status {
        /// Version of dockward.
        pub version: String,
        /// One per process start, as in the log.
        pub instance: String,
        /// The host's name.
        pub host: String,
        /// When it started.
        pub since: String,
        /// The policy in force.
        pub policy: PolicyInForce,
        /// What was loaded since the start.
        pub reloads: Reloads,
        /// Where clients come in.
        pub listeners: Vec<String>,
        /// How many connections there are, handshakes included.
        pub connections: u64,
        /// How many requests and sessions are open, by identity.
        pub open: BTreeMap<String, u64>,
        /// Who was here since the start.
        pub identities: Vec<SeenView>,
        /// Roles held for a while.
        pub grants: Vec<Grant>,
        /// Who is let through and only observed.
        pub observing: Vec<Observed>,
        /// What of theirs would have been refused since the start, the most frequent first.
        pub would: Vec<WouldView>,
        /// What ends, the next first.
        pub ends: Vec<End>,
        /// What has ended or will soon, clients' certificates too, the worst first, with what to do.
        pub warnings: Vec<String>,
        /// Why it does not do what it is there for, or will not do so for long; none: it is well.
        pub causes: Vec<DegradedCause>,
        /// Counted since the start.
        pub counters: TallyTotals,
        /// The log.
        pub log: Log,
    }

    /// The policy in force.
    pub struct PolicyInForce {
        /// SHA-256 of its text, as in the log.
        pub hash: Sha256,
        /// Since when.
        pub since: String,
    }

    /// What was loaded since the start.
    pub struct Reloads {
        /// How often something came into force.
        pub done: u64,
        /// How often it was refused, and the old stayed.
        pub failed: u64,
        /// Why, the last time, unless something was loaded since.
        pub last_error: Option<String>,
        /// Since when what the files say is refused, unless something was loaded since.
        pub refused_since: Option<String>,
    }

    /// A role held for a while.
    pub struct Grant {
        /// Its id.
        pub id: String,
        /// Whose.
        pub identity: String,
        /// Which role.
        pub role: String,
        /// When it ends.
        pub until: String,
        /// Why.
        pub reason: String,
        /// Whether a restart of the gate leaves it in force.
        pub persist: bool,
    }

    /// A role that was given.
    pub struct GrantedView {
        /// What is in force.
        pub grant: Grant,
        /// What of the role amounts to root on the host.
        pub root: Vec<String>,
        /// Listeners at which the identity may come in.
        pub listeners: Vec<String>,
    }

    /// The log.
    pub struct Log {
        /// Where it is.
        pub directory: String,
        /// Lines written since the start.
        pub events: u64,
        /// Times that the disk was waited for.
        pub syncs: u64,
        /// Batches that could not be written.
        pub failures: u64,
        /// Whether the last one could not: then nothing is let through.
        pub failing: bool,
        /// Bytes that are free for it on its disk, if that can be known.
        pub free: Option<u64>,
        /// Why something else could not be written beside it just now.
        pub error: Option<String>,
    }

    /// Who is connected, and what is open.
    pub struct SessionsView {
        /// Each connection, the oldest first.
        pub connections: Vec<ConnectionView>,
        /// Connections and sessions that are not shown.
        pub more: u64,
    }

    /// A connection.
    pub struct ConnectionView {
        /// Its number, as in the log.
        pub connection: u64,
        /// Whose.
        pub identity: String,
        /// From where.
        pub client: String,
        /// To where.
        pub listener: String,
        /// What is open on it.
        pub open: Vec<OpenView>,
    }

    /// A forwarded request while it lives.
    pub struct OpenView {
        /// The decision that let it through.
        pub id: String,
        /// Docker's own name of the operation.
        pub operation: String,
        /// What it is about.
        pub target: Option<String>,
        /// Since when.
        pub since: String,
    }

    /// What is in force now.
    pub struct Reloaded {
        /// SHA-256 of the policy's text.
        pub policy: Sha256,
        /// Identities of the policy.
        pub identities: u64,
        /// Roles of the policy.
        pub roles: u64,
        /// Listeners whose certificates were read.
        pub listeners: u64,
        /// What loads and deserves a look.
        pub warnings: Vec<String>,
        /// What is in force at each listener that has TLS.
        pub at: Vec<ListenerInForce>,
    }

    /// Whose containers are looked for.
    pub struct LeftWanted {
        /// Serial numbers of certificates, hexadecimal.
        pub serials: Vec<String>,
        /// Whether what the same name made under other certificates counts too.
        pub of_the_name: bool,
        /// Whether what is found is stopped.
        pub stop: bool,
        /// Why.
        pub reason: String,
    }

    /// What somebody left running.
    pub struct LeftView {
        /// Each container.
        pub running: Vec<Left>,
        /// Why the gate could not load all that its files say; the lists count as far as they can be read.
        pub not_loaded: Option<String>,
    }

    /// A container that somebody left running.
    pub struct Left {
        /// Its full id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// Its image, as it was asked for.
        pub image: String,
        /// Whether it was stopped.
        pub stopped: bool,
        /// Why it was not, if it should have been.
        pub error: Option<String>,
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl ControlRequest {
    /// A question of this version.
    #[must_use]
    pub const fn of(ask: Ask) -> Self {
        Self { version: VERSION, ask }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no question, for whoever asks.
    pub fn read(line: &[u8]) -> Result<Self, Problem> {
        known_version(line, "the gate", "ask with its own `dockward`")?;
        let no_question = |why| {
            Problem::new(format!("this is no question: {why}"), "ask with its own `dockward`")
        };
        serde_json::from_slice(line).map_err(no_question)
    }
}

impl ControlAnswer {
    /// An answer of this version.
    #[must_use]
    pub const fn of(answer: Said) -> Self {
        Self { version: VERSION, answer }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no answer, for whoever asked.
    pub fn read(line: &[u8]) -> Result<Self, Problem> {
        known_version(line, "this program", "use the `dockward` that serves")?;
        let no_answer = |why| {
            Problem::new(format!("this is no answer: {why}"), "see that it is the socket of a gate")
        };
        serde_json::from_slice(line).map_err(no_answer)
    }
}

/// What has another version is said to have one, and not to be misspelled.
fn known_version(line: &[u8], who: &str, next: &'static str) -> Result<(), Problem> {
    match serde_json::from_slice::<Versioned>(line) {
        Ok(said) if said.version != VERSION => {
            let what = format!("{who} speaks version {VERSION}, and not {}", said.version);
            Err(Problem::new(what, next))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
