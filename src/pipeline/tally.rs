//! What there was so far, in numbers, and who was there last: for an operator who asks how it goes. Nothing
//! is decided by it.

use crate::identity::Evidence;
use crate::identity::expiry::Span;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many identities are remembered; beyond that, those that were seen longest ago are not.
const VISITORS: usize = 1024;

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Tally {
    allowed: AtomicU64,
    denied: AtomicU64,
    handshakes: AtomicU64,
    visitors: Mutex<HashMap<String, Seen>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    last: Timestamp,
    certificate: Option<Span>,
}

/// The numbers of a [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
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
    pub(super) fn allowed(&self) {
        self.allowed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn denied(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn handshake_refused(&self) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody connected, or asked for something.
    pub(super) fn seen(&self, name: &str, now: Timestamp, evidence: &Evidence) {
        let certificate = match evidence {
            Evidence::Certificate(facts) => {
                Some(Span { not_before: facts.not_before, not_after: facts.not_after })
            }
            Evidence::Peer(_) => None,
        };
        let seen = Seen { last: now, certificate };
        let mut visitors = self.visitors();
        if let Some(known) = visitors.get_mut(name) {
            *known = seen;
            return;
        }
        if visitors.len() >= VISITORS
            && let Some(oldest) = visitors.iter().min_by_key(|(_, seen)| seen.last)
        {
            let oldest = oldest.0.clone();
            visitors.remove(&oldest);
        }
        visitors.insert(name.to_owned(), seen);
    }

    /// The numbers now.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted {
            allowed: self.allowed.load(Ordering::Relaxed),
            denied: self.denied.load(Ordering::Relaxed),
            handshakes_refused: self.handshakes.load(Ordering::Relaxed),
        }
    }

    /// Who was here, by name.
    #[must_use]
    pub fn seen_so_far(&self) -> Vec<Visitor> {
        let visitor = |(name, seen): (&String, &Seen)| Visitor {
            name: name.clone(),
            last: seen.last,
            certificate: seen.certificate,
        };
        let mut all: Vec<Visitor> = self.visitors().iter().map(visitor).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn visitors(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
