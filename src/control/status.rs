//! How the gate is, gathered from whoever knows: the rules in force, the listeners, the log.

use super::verdict::causes;
use super::wire;
use crate::audit;
use crate::identity::expiry::{Dated, What, notices};
use crate::identity::{IdentityRule, Mode, Validity};
use crate::operator::Operator;
use crate::pipeline::PipelineGate;
use crate::proxy::{Front, Way};
use crate::rule::Rule;
use crate::sessions::Sessions;
use crate::telemetry::{Tally, Visitor};
use crate::who::Elevation;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    /// How many connections there may be.
    pub seats: usize,
    /// Whether the daemon answered when somebody asked last, and since when it is so.
    pub reach: Mutex<Option<(bool, Timestamp)>>,
    /// What the log's disk was like when somebody asked last.
    pub disk: Mutex<Option<DiskState>>,
}

/// The log's disk at a moment.
#[derive(Clone, Debug)]
pub struct DiskState {
    at: Instant,
    /// Bytes that are free, if that can be known.
    free: Option<u64>,
    /// Why nothing could be written.
    error: Option<String>,
}

/// For so long what the disk was like is not looked at again: whoever asks often costs no more.
const DISK: Duration = Duration::from_secs(1);
/// How long the disk may take to write a few bytes.
const PATIENCE: Duration = Duration::from_secs(5);

impl House {
    /// What the log's disk is like; asked off the threads that serve, since it may hang.
    async fn disk(&self) -> DiskState {
        let held = || self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held().clone().filter(|disk| disk.at.elapsed() < DISK);
        if let Some(known) = known {
            return known;
        }
        let directory = self.log.clone();
        let look = move || {
            let error = audit::trial(&directory).err().map(|error| error.to_string());
            DiskState { at: Instant::now(), free: audit::room(&directory).ok(), error }
        };
        let looked = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(look)).await;
        let hangs = || {
            let error = Some("its disk does not answer within five seconds".to_owned());
            DiskState { at: Instant::now(), free: None, error }
        };
        let disk = looked.ok().and_then(Result::ok).unwrap_or_else(hangs);
        *held() = Some(disk.clone());
        disk
    }
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
        Self {
            at,
            so_far: wire::Reloads { done: 0, failed: 0, last_error: None, refused_since: None },
        }
    }
}

pub(super) async fn status(house: &House, operator: &Operator, now: Timestamp) -> wire::Status {
    let disk = house.disk().await;
    let at = &operator.revalidator;
    let (loads, policy) = (house.loads.load(), at.in_force.policy());
    let dated = house.dated();
    let log = log_of(house, at.log.counts(), disk);
    let causes = causes(house, &loads.so_far, &dated, &log, now);
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
        would: would(&house.tally),
        ends: ends(&dated, &at.in_force.elevations.all(), &policy.identities, now),
        warnings: notices(&dated, now.as_second()).into_iter().map(|one| one.text).collect(),
        counters: house.tally.counted(),
        causes,
        log,
    }
}

fn would(tally: &Tally) -> Vec<wire::WouldView> {
    let one = |((identity, reason), count): ((String, &'static Rule), u64)| wire::WouldView {
        identity,
        reason: reason.id.to_owned(),
        count,
    };
    let mut all: Vec<_> = tally.would().into_iter().map(one).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.count));
    all
}

fn log_of(house: &House, counts: audit::Counts, disk: DiskState) -> wire::Log {
    wire::Log {
        directory: house.log.display().to_string(),
        events: counts.events,
        syncs: counts.syncs,
        failures: counts.failures,
        failing: counts.failing,
        free: disk.free,
        error: disk.error,
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

fn observed(rule: &IdentityRule, now: Timestamp) -> Option<wire::Observed> {
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

/// What ends of the gate itself, and of what it was told for a while, the next first.
fn ends(
    dated: &[Dated],
    grants: &[Elevation],
    identities: &[IdentityRule],
    now: Timestamp,
) -> Vec<wire::End> {
    let own = dated.iter().filter(|one| !matches!(one.what, What::Client(_)));
    let own = own.map(|one| (one.span.not_after, format!("{} ({})", one.what, one.subject)));
    let mut all: Vec<(i64, String)> = own.collect();
    all.extend(grants.iter().map(|grant| {
        let what = format!("grant {} (role {} of {})", grant.id, grant.role, grant.identity);
        (grant.until.as_second(), what)
    }));
    for rule in identities {
        if let Mode::Observe { until } = rule.mode() {
            all.push((until, format!("observing of identity {}", rule.name())));
        }
        let until = rule.valid().and_then(Validity::until);
        all.extend(until.map(|until| (until, format!("identity {}", rule.name()))));
    }
    all.sort();
    let end = |(at, what): (i64, String)| wire::End {
        what,
        at: moment(at),
        days: at.saturating_sub(now.as_second()).div_euclid(DAY),
    };
    all.into_iter().map(end).collect()
}

pub(super) fn shown(time: Timestamp) -> String {
    format!("{time:.0}")
}

pub(crate) fn moment(second: i64) -> String {
    Timestamp::from_second(second).map(shown).unwrap_or_default()
}
