//! What there was so far, in numbers, and who was there last (L2): for an operator who asks how it goes. Nothing
//! is decided by it.

use crate::docker::{ROUTES, Route};
use crate::identity::Evidence;
use crate::identity::expiry::Span;
use crate::rule::Rule;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many identities are remembered; beyond that, those that were seen longest ago are not.
const VISITORS: usize = 1024;

/// How many pairs of identity and reason are counted; what comes beyond that is in the log alone.
const WOULD: usize = 1024;

/// Counted since the start.
#[derive(Debug)]
pub struct Tally {
    /// Decisions by row of the route table, and of what is no row; allowed, then denied.
    decisions: Vec<[AtomicU64; 2]>,
    reasons: Mutex<BTreeMap<&'static Rule, u64>>,
    /// What was let through of who is only observed, by identity and by what it would be refused for.
    would: Mutex<BTreeMap<(String, &'static Rule), u64>>,
    handshakes: AtomicU64,
    visitors: Mutex<BTreeMap<String, Visitor>>,
    /// When a listener could not accept last, and what was said of it.
    unaccepted: Mutex<Option<(Timestamp, String)>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            decisions: (0..=ROUTES.len()).map(|_| Default::default()).collect(),
            reasons: Mutex::default(),
            would: Mutex::default(),
            handshakes: AtomicU64::default(),
            visitors: Mutex::default(),
            unaccepted: Mutex::default(),
        }
    }
}

/// The numbers of a [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TallyTotals {
    /// Decisions that let a request through.
    pub allowed: u64,
    /// Decisions that refused one.
    pub denied: u64,
    /// Handshakes that were refused.
    pub handshakes_refused: u64,
}

/// An identity that was here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Its name.
    pub name: String,
    /// When it connected or asked for something last.
    pub last: Timestamp,
    /// From when until when its certificate is good, if it came by one.
    pub certificate: Option<Span>,
}

impl Tally {
    /// A request on this route was let through.
    pub fn allowed(&self, route: &'static Route) {
        let [allowed, _] = self.row(Some(route));
        allowed.fetch_add(1, Ordering::Relaxed);
    }

    /// A request on this route, if it is one, was refused for these reasons.
    pub fn denied(
        &self,
        route: Option<&'static Route>,
        reasons: impl IntoIterator<Item = &'static Rule>,
    ) {
        let [_, denied] = self.row(route);
        denied.fetch_add(1, Ordering::Relaxed);
        let mut counted = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        for reason in reasons {
            let count = counted.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// A request was let through of who is only observed, which would be refused for these reasons.
    pub fn would_be_denied(&self, name: &str, reasons: impl IntoIterator<Item = &'static Rule>) {
        let mut counted = self.would.lock().unwrap_or_else(PoisonError::into_inner);
        for reason in reasons {
            let key = (name.to_owned(), reason);
            if counted.len() < WOULD || counted.contains_key(&key) {
                let count = counted.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// What would be refused, by identity and reason.
    #[must_use]
    pub fn would(&self) -> BTreeMap<(String, &'static Rule), u64> {
        self.would.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn row(&self, route: Option<&'static Route>) -> &[AtomicU64; 2] {
        static NOWHERE: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
        let is = |row: &Route| route.is_some_and(|route| std::ptr::eq(row, route));
        let nth = ROUTES.iter().position(is).unwrap_or(ROUTES.len());
        self.decisions.get(nth).unwrap_or(&NOWHERE)
    }

    /// Decisions by route (`None` is what was no route): allowed, denied.
    pub fn by_route(&self) -> impl Iterator<Item = (Option<&'static Route>, [u64; 2])> {
        let rows = ROUTES.iter().map(Some).chain([None]);
        let read = |counts: &[AtomicU64; 2]| counts.each_ref().map(|n| n.load(Ordering::Relaxed));
        rows.zip(self.decisions.iter().map(read))
    }

    /// Refusals by reason, those that occurred.
    #[must_use]
    pub fn by_reason(&self) -> BTreeMap<&'static Rule, u64> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A listener could not accept, of which this is to be said.
    pub fn cannot_accept(&self, said: String, now: Timestamp) {
        *self.unaccepted.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, said));
    }

    /// When a listener could not accept last, and what was said of it.
    #[must_use]
    pub fn unaccepted(&self) -> Option<(Timestamp, String)> {
        self.unaccepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A handshake was refused.
    pub fn handshake_refused(&self) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody connected, or asked for something.
    pub fn seen(&self, name: &str, now: Timestamp, evidence: &Evidence) {
        let certificate = match evidence {
            Evidence::Certificate(facts) => {
                Some(Span { not_before: facts.not_before, not_after: facts.not_after })
            }
            Evidence::Peer(_) => None,
        };
        let mut visitors = self.visitors();
        if let Some(known) = visitors.get_mut(name) {
            (known.last, known.certificate) = (now, certificate);
            return;
        }
        if visitors.len() >= VISITORS
            && let Some(oldest) = visitors.values().min_by_key(|visitor| visitor.last).cloned()
        {
            visitors.remove(&oldest.name);
        }
        let name = name.to_owned();
        visitors.insert(name.clone(), Visitor { name, last: now, certificate });
    }

    /// The numbers now.
    #[must_use]
    pub fn counted(&self) -> TallyTotals {
        let sum = |[allowed, denied]: [u64; 2], (_, [more, refused]): (_, [u64; 2])| {
            [allowed.saturating_add(more), denied.saturating_add(refused)]
        };
        let [allowed, denied] = self.by_route().fold([0, 0], sum);
        TallyTotals { allowed, denied, handshakes_refused: self.handshakes.load(Ordering::Relaxed) }
    }

    /// Who was here, by name.
    #[must_use]
    pub fn seen_so_far(&self) -> Vec<Visitor> {
        self.visitors().values().cloned().collect()
    }

    fn visitors(&self) -> MutexGuard<'_, BTreeMap<String, Visitor>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Flaw;
    use crate::identity::{IdentityRule, supposed};

    fn evidence() -> Evidence {
        let text = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c, key: k, client_ca: ca }]
daemon: { socket: s }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [r] }]
roles: { r: { scope: any, allow: { container: [list] } } }
";
        let config = crate::config::parse(text, std::path::Path::new("/"), Timestamp::now());
        let rules: Vec<IdentityRule> = config.unwrap().policy.identities;
        Evidence::clone(&supposed(&rules, &"a".parse().unwrap()).unwrap().evidence)
    }

    #[test]
    fn decisions_are_counted_by_route_verdict_and_reason() {
        let tally = Tally::default();
        let route = &ROUTES[3];
        tally.allowed(route);
        tally.denied(Some(route), [Flaw::BodyTooLarge.rule(), Flaw::BodyIncomplete.rule()]);
        tally.denied(None, [Flaw::RouteUnknown.rule()]);
        let counted = tally.counted();
        assert_eq!((counted.allowed, counted.denied), (1, 2));
        let at = |wanted: Option<&Route>| {
            tally.by_route().find(|(row, _)| row.copied() == wanted.copied()).unwrap().1
        };
        assert_eq!((at(Some(route)), at(Some(&ROUTES[4])), at(None)), ([1, 1], [0, 0], [0, 1]));
        assert_eq!(tally.by_reason()[Flaw::BodyTooLarge.rule()], 1);
        tally.would_be_denied("legacy", [Flaw::BodyTooLarge.rule(), Flaw::JsonType.rule()]);
        tally.would_be_denied("legacy", [Flaw::JsonType.rule()]);
        assert_eq!(tally.would()[&("legacy".to_owned(), Flaw::JsonType.rule())], 2);
        assert_eq!(tally.counted().denied, 2, "nothing was refused");
    }

    #[test]
    fn who_was_here_longest_ago_is_forgotten_first() {
        let (tally, facts) = (Tally::default(), evidence());
        let at = |second: usize| Timestamp::from_second(second.try_into().unwrap()).unwrap();
        for second in 0..VISITORS {
            tally.seen(&format!("n{second}"), at(second), &facts);
        }
        tally.seen("n0", at(VISITORS), &facts);
        tally.seen("new", at(VISITORS + 1), &facts);
        let names: Vec<String> = tally.seen_so_far().into_iter().map(|v| v.name).collect();
        assert_eq!(names.len(), VISITORS);
        let has = |name: &str| names.iter().any(|n| n == name);
        assert!(has("new") && has("n0") && has("n2") && !has("n1"));
    }
}
