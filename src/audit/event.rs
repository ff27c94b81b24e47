//! The event: plain data that callers fill in, one struct per section of the line. The writer
//! adds number, times and chain. Fields are only ever added; what is not there is left out. A line reads
//! back as what stands in it ([`super::line`]), and what was read is written as the same line.

mod sections;

use super::id::EventId;
use crate::digest::Sha256;
use crate::rule::Rule;
use sections::is_default;
pub(in crate::audit) use sections::kept;
use serde::{Deserialize, Serialize};

pub use sections::{
    Client, DecisionRecord, Ended, Forwarded, IdentityRecord, OutcomeRecord, Proof, ReasonRecord,
    RequestRecord, User, Verdict,
};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// First line of a file; names the file before it.
    #[serde(rename = "start")]
    Start,
    /// Allowed or denied; stands before anything is forwarded.
    #[serde(rename = "decision")]
    Decision,
    /// How a forwarded request ended.
    #[serde(rename = "complete")]
    Complete,
    /// A hijacked or endless stream began.
    #[serde(rename = "session.open")]
    SessionOpen,
    /// A hijacked or endless stream ended.
    #[serde(rename = "session.close")]
    SessionClose,
    /// Handshakes that failed, folded.
    #[serde(rename = "handshake")]
    Handshake,
    /// Connections refused, folded.
    #[serde(rename = "connection.refused")]
    ConnectionRefused,
    /// Requests of somebody who is known that were not judged since there was too much at once, folded.
    #[serde(rename = "request.refused")]
    RequestRefused,
    /// Somebody ended a session by the gate's own socket.
    #[serde(rename = "session.kill")]
    SessionKill,
    /// A role is held for a while.
    #[serde(rename = "grant.open")]
    GrantOpen,
    /// It is not held any more.
    #[serde(rename = "grant.close")]
    GrantClose,
    /// Certificates were revoked, and what their holders left running was looked at.
    #[serde(rename = "revoke")]
    Revoke,
    /// A policy came into force, or a bad one did not.
    #[serde(rename = "policy.load")]
    PolicyLoad,
    /// Something could not be recorded; says how much.
    #[serde(rename = "gap")]
    Gap,
    /// Last line of an orderly end.
    #[serde(rename = "stop")]
    Stop,
}

/// Which gate wrote the line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GateInstance {
    /// The host's name.
    pub host: String,
    /// One per process start, 16 hexadecimal digits.
    pub instance: String,
    /// Version of dockward.
    pub version: String,
}

impl GateInstance {
    /// This process on this host. Call once: each call is another instance.
    #[must_use]
    pub fn here() -> Self {
        // asked of the kernel, not of /proc, which a sandbox hides in part
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let id = EventId::new().to_string();
        let instance = id.chars().rev().filter(char::is_ascii_hexdigit).take(16).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { host, instance, version }
    }
}

/// One line of the log before the writer numbers, stamps and chains it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Its name; quote it in a refusal.
    pub id: EventId,
    /// What it is about.
    pub stage: Stage,
    /// The decision that a session or completion belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<EventId>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityRecord>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// What we said, and on what grounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRecord>,
    /// What the daemon gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeRecord>,
    /// SHA-256 of the policy text, in a `policy.load`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Sha256>,
    /// The files that came into force with it, in a `policy.load`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileHash>,
    /// Who did it by the gate's own socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// The role that is held for a while, in `grant.open` and `grant.close`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<ElevationRecord>,
    /// A reason id, in events that carry no decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Words for people, in events that carry no decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) folded: Option<Folded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<Previous>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<GapRecord>,
}

impl Event {
    /// An event with a new id and nothing else in it yet.
    #[must_use]
    pub fn new(stage: Stage) -> Self {
        Self {
            id: EventId::new(),
            stage,
            parent: None,
            identity: None,
            client: None,
            request: None,
            decision: None,
            forwarded: None,
            outcome: None,
            policy: None,
            files: Vec::new(),
            actor: None,
            grant: None,
            reason: None,
            text: None,
            folded: None,
            previous: None,
            gap: None,
        }
    }

    /// Says why, in an event that carries no decision.
    pub fn because(&mut self, why: &'static Rule) {
        self.reason = Some(why.id.to_owned());
    }
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// Where it is.
    pub path: String,
    /// SHA-256 of it.
    pub sha256: Sha256,
}

/// Who used the gate's own socket, as the kernel says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// The id that the session began with, before `su` or `sudo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The program, as far as it could be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// Why, in their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A role that is held for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElevationRecord {
    /// Whose.
    pub identity: String,
    /// Which role.
    pub role: String,
    /// When it ends, RFC 3339, UTC.
    pub until: String,
    /// Whether a restart of the gate leaves it in force.
    pub persist: bool,
}

/// Many events of people without an identity, as one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Folded {
    pub(super) count: u64,
    pub(super) first: String,
    pub(super) last: String,
}

/// The file before this one, and how far it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Previous {
    pub(super) file: String,
    pub(super) seq: u64,
    pub(super) hash: Sha256,
    pub(super) ended: FileEnd,
}

/// How a log file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileEnd {
    /// With a `stop`.
    Stop,
    /// It had not: its process was still writing.
    Running,
    /// Without a `stop`: killed, crashed, or the power went.
    Died,
    /// The same process gave it up after a failed write and went on in another.
    Abandoned,
    /// It was removed, moved, cut or replaced under the process that wrote it, which went on in another.
    Lost,
}

/// What is missing from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct GapRecord {
    /// Bytes after the last whole line of the file before.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) torn: u64,
    /// Events whose request was told that they could not be recorded, and so got 503.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) refused: u64,
    /// Completions and session ends that were lost.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) lost: u64,
    /// Lines of the file before, which is not any more where they were written.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) gone: u64,
    /// Folded refusals that were dropped to keep the reserve.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) noise: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_event_is_its_id_and_stage() {
        let event = Event::new(Stage::SessionOpen);
        let expected = json!({ "id": event.id.to_string(), "stage": "session.open" });
        assert_eq!(serde_json::to_value(&event).unwrap(), expected);
    }
}
