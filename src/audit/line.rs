//! A line of the log, read back: the one place that knows what stands in it. Fields are only ever added, so
//! what a later version wrote beside them is passed over; what stands there reads as what was written, and
//! writing it again gives the same bytes. Nobody is believed here: whether the chain holds is for `verify`.

use super::chain::whole;
use super::clock::Mono;
use super::event::{Event, GapRecord, GateInstance, Previous, Stage};
use super::id::EventId;
use super::verify::LineFault;
use crate::digest::Sha256;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StringDeserializer};
use serde::{Deserialize, Deserializer};

/// A line as it stands in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// What the writer put around the event.
    pub frame: Frame,
    /// What happened.
    pub event: Event,
}

/// What the writer puts around an event.
#[derive(Debug, Clone, Deserialize)]
pub struct Frame {
    /// Its number in the chain.
    pub seq: u64,
    /// When it was written: RFC 3339, UTC.
    pub time: String,
    /// The same by the clock that nobody sets.
    pub mono: Mono<'static>,
    /// By which gate.
    pub gate: GateInstance,
    /// The hash of the line before.
    pub prev: Sha256,
    /// The hash that the line says is its own.
    pub hash: Sha256,
}

impl Logged {
    /// Reads a line, without its newline.
    pub(super) fn read(line: &[u8]) -> Result<Self, serde_json::Error> {
        let event = serde_json::from_slice(line)?;
        Ok(Self { frame: serde_json::from_slice(line)?, event })
    }
}

/// What a line says of its place in the chain, and no more: all lines of a log are read for it. A stage that
/// a later version added is none that a file begins or ends with.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) seq: u64,
    #[serde(deserialize_with = "known")]
    pub(super) stage: Option<Stage>,
    pub(super) prev: Sha256,
    pub(super) previous: Option<Previous>,
    #[serde(default)]
    pub(super) gap: GapRecord,
}

impl Head {
    /// Reads a line, without its newline, and its hash, if that is the hash of what it holds.
    pub(super) fn read(line: &[u8]) -> Result<(Self, Sha256), LineFault> {
        let hash = whole(line).ok_or(LineFault::Hash)?;
        let head = serde_json::from_slice(line).map_err(|_| LineFault::Shape)?;
        Ok((head, hash))
    }
}

/// What a line says of who did what, and no more: for questions that are asked of a whole log, which would take
/// several times as long if each event were read in full.
#[derive(Debug, Deserialize)]
pub(super) struct Gist {
    pub(super) id: EventId,
    #[serde(deserialize_with = "known")]
    pub(super) stage: Option<Stage>,
    pub(super) time: String,
    pub(super) parent: Option<EventId>,
    pub(super) identity: Option<GistSection>,
    pub(super) request: Option<GistSection>,
    pub(super) outcome: Option<GistSection>,
}

/// What is looked for in a section, each where it stands in that one.
#[derive(Debug, Deserialize)]
pub(super) struct GistSection {
    pub(super) name: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) id: Option<String>,
}

impl Gist {
    /// Reads a line, without its newline, if it is one.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stage>, D::Error> {
    let name: StringDeserializer<Error> = String::deserialize(deserializer)?.into_deserializer();
    Ok(Stage::deserialize(name).ok())
}

#[cfg(test)]
mod tests;
