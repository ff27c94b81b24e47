//! The hall before the seats: connections of which nobody knows yet whose they are. Anybody can open them, so they
//! must take no place of somebody who is known, and a full hall must keep nobody out: whoever comes gets in, and
//! somebody who has waited goes. An honest client shows its certificate within a few round trips; whoever says
//! nothing is the oldest sooner or later.
//!
//! Who goes when all is full is one of the address that has most there, and of those the oldest: so few addresses
//! crowd themselves out and nobody else. Addresses from which somebody was known lately go last, since from many
//! addresses (each /64 of IPv6 counts as one) a crowd could be faster than a handshake over a slow line.

use crate::audit::Whence;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long an address is remembered from which somebody was known.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// How many such addresses are remembered; then those of longest ago are forgotten.
const ADDRESSES: usize = 1024;

/// Who waits to be known.
#[derive(Debug)]
pub(super) struct Hall {
    most: usize,
    most_of_one: usize,
    crowd: Mutex<Crowd>,
}

#[derive(Debug, Default)]
struct Crowd {
    next: u64,
    /// By when they came.
    waiting: BTreeMap<u64, HallWaiter>,
    of_one: HashMap<Whence, usize>,
    known: HashMap<Whence, Instant>,
}

#[derive(Debug)]
struct HallWaiter {
    whence: Whence,
    out: Arc<watch::Sender<bool>>,
}

/// The word that a connection must go, because others came.
#[derive(Clone, Debug)]
pub(super) struct CrowdedOut(Arc<watch::Sender<bool>>);

impl CrowdedOut {
    /// Resolves when it must go; never, once its client is known.
    pub(super) async fn word(&self) {
        let _ = self.0.subscribe().wait_for(|out| *out).await; // the sender lives in `self`
    }

    /// A connection that is not in the hall.
    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self(Arc::default())
    }
}

/// A place in the hall, given back on drop.
#[derive(Debug)]
pub(super) struct HallPlace {
    hall: Arc<Hall>,
    number: u64,
    out: CrowdedOut,
}

impl Hall {
    /// With so many places, and so many of one address.
    pub(super) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self { most, most_of_one, crowd: Mutex::default() })
    }

    /// Lets somebody in, and somebody else out if that takes it.
    pub(super) fn enter(self: &Arc<Self>, whence: Whence) -> HallPlace {
        let mut crowd = self.crowd();
        if crowd.of_one.get(&whence).is_some_and(|count| *count >= self.most_of_one) {
            let oldest = crowd.waiting.iter().find(|(_, waiter)| waiter.whence == whence);
            let oldest = oldest.map(|(number, _)| *number);
            crowd.put_out(oldest);
        } else if crowd.waiting.len() >= self.most {
            let who = crowd.who_goes();
            crowd.put_out(who);
        }
        crowd.next = crowd.next.saturating_add(1);
        let (number, out) = (crowd.next, Arc::new(watch::Sender::new(false)));
        crowd.waiting.insert(number, HallWaiter { whence, out: Arc::clone(&out) });
        let count = crowd.of_one.entry(whence).or_default();
        *count = count.saturating_add(1);
        HallPlace { hall: Arc::clone(self), number, out: CrowdedOut(out) }
    }

    /// Lets one out for whom nobody comes.
    pub(super) fn make_room(&self) {
        let mut crowd = self.crowd();
        let who = crowd.who_goes();
        crowd.put_out(who);
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.crowd().waiting.len()
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HallPlace {
    pub(super) fn crowded_out(&self) -> CrowdedOut {
        self.out.clone()
    }

    /// Its client has shown who it is, and has a seat: the place is free, and the address remembered.
    pub(super) fn known(self) {
        let now = Instant::now();
        let mut crowd = self.hall.crowd();
        let Some(whence) = crowd.waiting.get(&self.number).map(|waiter| waiter.whence) else {
            return;
        };
        crowd.known.insert(whence, now);
        if crowd.known.len() > ADDRESSES {
            let longest_ago = crowd.known.iter().min_by_key(|(_, when)| **when);
            let longest_ago = longest_ago.map(|(whence, _)| *whence);
            longest_ago.map(|whence| crowd.known.remove(&whence));
        }
    }
}

impl Drop for HallPlace {
    fn drop(&mut self) {
        self.hall.crowd().forget(self.number);
    }
}

impl Crowd {
    /// Who goes when all is full: of those who are not known, or else of all, the oldest of the address that has most.
    fn who_goes(&self) -> Option<u64> {
        let now = Instant::now();
        let is_known = |whence: &Whence| {
            let when = self.known.get(whence);
            when.is_some_and(|when| now.duration_since(*when) < REMEMBERED)
        };
        let share = |whence: &Whence| {
            let count = self.of_one.get(whence).copied().unwrap_or(0);
            (!is_known(whence), count)
        };
        let largest = self.of_one.keys().map(share).max()?;
        let oldest = self.waiting.iter().find(|(_, waiter)| share(&waiter.whence) == largest);
        oldest.map(|(number, _)| *number)
    }

    fn put_out(&mut self, number: Option<u64>) {
        if let Some(waiter) = number.and_then(|number| self.forget(number)) {
            waiter.out.send_replace(true);
        }
    }

    fn forget(&mut self, number: u64) -> Option<HallWaiter> {
        let waiter = self.waiting.remove(&number)?;
        match self.of_one.get_mut(&waiter.whence) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => drop(self.of_one.remove(&waiter.whence)),
        }
        Some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::{Hall, HallPlace, Whence};
    use std::net::Ipv4Addr;

    fn from(address: u32) -> Whence {
        Whence::Address(Ipv4Addr::from_bits(address).into())
    }

    fn is_out(place: &HallPlace) -> bool {
        *place.out.0.borrow()
    }

    fn out(places: &[HallPlace]) -> Vec<usize> {
        (0..places.len()).filter(|at| is_out(&places[*at])).collect()
    }

    #[test]
    fn a_full_hall_lets_in_and_the_oldest_goes() {
        let hall = Hall::new(3, 2);
        let mut places: Vec<_> = [1, 1, 2].map(|at| hall.enter(from(at))).into();
        places.push(hall.enter(from(3)));
        assert_eq!(out(&places), [0], "the older one of the address that has most");
        places.push(hall.enter(from(4)));
        assert_eq!(out(&places), [0, 1], "all have one: the oldest");
        assert_eq!(hall.waiting(), 3);
        drop(places);
        assert_eq!(hall.waiting(), 0);
        assert!(hall.crowd().of_one.is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn an_address_crowds_itself_out() {
        let hall = Hall::new(10, 2);
        let places = [1, 2, 1, 1, 1].map(|at| hall.enter(from(at)));
        assert_eq!(out(&places), [0, 2]);
    }

    #[test]
    fn whoever_was_known_lately_goes_last_and_a_crowd_from_many_addresses_goes_first() {
        let hall = Hall::new(3, 2);
        hall.enter(from(1)).known();
        assert_eq!(hall.waiting(), 0, "the place is free");
        let mut places = vec![hall.enter(from(1)), hall.enter(from(1))];
        places.extend((2..40).map(|at| hall.enter(from(at))));
        assert_eq!(out(&places), (2..39).collect::<Vec<_>>(), "never one of the first address");
        // where there is nobody else, one of them goes
        let hall = Hall::new(1, 2);
        hall.enter(from(1)).known();
        let places = [hall.enter(from(1)), hall.enter(from(2)), hall.enter(from(1))];
        assert_eq!(out(&places), [0, 1]);
    }

    #[tokio::test]
    async fn whoever_must_go_is_told_and_whoever_left_is_not() {
        let hall = Hall::new(1, 1);
        let first = hall.enter(from(1));
        let word = first.crowded_out();
        let _second = hall.enter(from(2));
        word.word().await;
        let known = Hall::new(1, 1);
        let place = known.enter(from(1));
        let word = place.crowded_out();
        place.known();
        let _next = known.enter(from(2));
        assert!(!*word.0.borrow());
    }
}
