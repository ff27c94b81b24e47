//! How the gate is, gathered from whoever knows: the rules in force, the listeners, the log.

use super::wire;
use crate::audit;
use crate::identity::Mode;
use crate::identity::expiry::{Dated, What, notices};
use crate::operator::Operator;
use crate::pipeline::PipelineGate;
use crate::proxy::{Front, Way};
use crate::sessions::Sessions;
use crate::telemetry::{Tally, Visitor};
use crate::who::Elevation;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

const DAY: i64 = 24 * 60 * 60;

/// What the server knows of itself.
#[derive(Debug)]
pub struct House {
    /// Which gate this is.
    pub gate: audit::GateInstance,
    /// When it started.
    pub since: Timestamp,
    /// Where clients come in, as it is shown, and what is there in TLS.
    pub doors: Vec<(String, Way)>,
    /// All connections.
    pub front: Arc<Front<PipelineGate>>,
    /// What there was so far, in numbers.
    pub tally: Arc<Tally>,
    /// What was loaded.
    pub loads: Arc<ArcSwap<Loads>>,
    /// Where the log is.
    pub log: PathBuf,
}

/// What was loaded since the start.
#[derive(Clone, Debug)]
pub struct Loads {
    /// When something came into force last.
    pub at: Timestamp,
    /// How often that was after the start, and how often the old stayed.
    pub so_far: wire::Reloads,
}

impl Loads {
    /// At the start.
    #[must_use]
    pub const fn begin(at: Timestamp) -> Self {
        Self { at, so_far: wire::Reloads { done: 0, failed: 0, last_error: None } }
    }
}

pub(super) fn status(house: &House, operator: &Operator, now: Timestamp) -> wire::Status {
    let at = &operator.revalidator;
    let (loads, policy) = (house.loads.load(), at.in_force.policy());
    let dated = house.dated();
    let counts = at.log.counts();
    wire::Status {
        version: house.gate.version.clone(),
        instance: house.gate.instance.clone(),
        host: house.gate.host.clone(),
        since: shown(house.since),
        policy: wire::PolicyInForce { hash: policy.hash, since: shown(loads.at) },
        reloads: loads.so_far.clone(),
        listeners: house.doors.iter().map(|(address, _)| address.clone()).collect(),
        connections: u64::try_from(house.front.connections()).unwrap_or(u64::MAX),
        open: open(&at.sessions),
        identities: house.tally.seen_so_far().into_iter().map(seen).collect(),
        grants: at.in_force.elevations.all().iter().map(grant).collect(),
        observing: policy.identities.iter().filter_map(|rule| observed(rule, now)).collect(),
        ends: ends(&dated, now),
        warnings: notices(&dated, now.as_second()).into_iter().map(|one| one.text).collect(),
        counters: house.tally.counted(),
        log: wire::Log {
            directory: house.log.display().to_string(),
            events: counts.events,
            syncs: counts.syncs,
            failures: counts.failures,
            failing: counts.failing,
        },
    }
}

fn open(sessions: &Sessions) -> BTreeMap<String, u64> {
    let mut by_identity = BTreeMap::new();
    for session in sessions.all() {
        let count: &mut u64 = by_identity.entry(session.connection.name().to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    by_identity
}

fn seen(visitor: Visitor) -> wire::SeenView {
    wire::SeenView {
        name: visitor.name,
        last: shown(visitor.last),
        certificate_until: visitor.certificate.map(|span| moment(span.not_after)),
    }
}

pub(super) fn grant(grant: &Elevation) -> wire::Grant {
    wire::Grant {
        id: grant.id.to_string(),
        identity: grant.identity.clone(),
        role: grant.role.clone(),
        until: shown(grant.until),
        reason: grant.reason.clone(),
        persist: grant.persist,
    }
}

fn observed(rule: &crate::identity::IdentityRule, now: Timestamp) -> Option<wire::Observed> {
    match rule.mode().at(now.as_second()) {
        Mode::Enforce => None,
        Mode::Observe { until } => {
            Some(wire::Observed { identity: rule.name().to_string(), until: moment(until) })
        }
    }
}

impl House {
    /// Everything that ends by itself: our own certificates, authorities, revocation lists, and the
    /// certificates of clients that were here.
    #[must_use]
    pub fn dated(&self) -> Vec<Dated> {
        let ways = self.doors.iter().filter_map(|(_, way)| match way {
            Way::Tls(tls) => Some(tls.secured()),
            Way::Peer => None,
        });
        let mut all: Vec<Dated> = Vec::new();
        for dated in ways.flat_map(|secured| secured.dated().collect::<Vec<_>>()) {
            if !all.contains(&dated) {
                all.push(dated);
            }
        }
        let clients = self.tally.seen_so_far().into_iter().filter_map(|visitor| {
            let (what, span) = (What::Client(visitor.name), visitor.certificate?);
            Some(Dated { what, subject: String::new(), path: None, span })
        });
        all.extend(clients);
        all
    }
}

/// What ends of the gate itself, the next first.
fn ends(dated: &[Dated], now: Timestamp) -> Vec<wire::End> {
    let own = dated.iter().filter(|one| !matches!(one.what, What::Client(_)));
    let mut own: Vec<&Dated> = own.collect();
    own.sort_by_key(|one| one.span.not_after);
    let end = |one: &Dated| wire::End {
        what: format!("{} ({})", one.what, one.subject),
        at: moment(one.span.not_after),
        days: one.span.not_after.saturating_sub(now.as_second()).div_euclid(DAY),
    };
    own.into_iter().map(end).collect()
}

pub(super) fn shown(time: Timestamp) -> String {
    format!("{time:.0}")
}

fn moment(second: i64) -> String {
    Timestamp::from_second(second).map(shown).unwrap_or_default()
}
