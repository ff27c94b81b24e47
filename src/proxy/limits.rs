//! Bounds on what clients may hold at once: without them one address, or one identity, is everybody's
//! outage.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No place is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How many there are.
    pub most: usize,
}

/// A number of places for each key, such as connections by address.
#[derive(Debug)]
pub struct Places<K: Hash + Eq> {
    most: usize,
    held: Mutex<HashMap<K, usize>>,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// `most` places for each key.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Takes a place until the permit is dropped.
    ///
    /// # Errors
    /// When all places of the key are taken.
    pub fn enter(self: &Arc<Self>, key: K) -> Result<PlacePermit<K>, TooMany> {
        self.enter_within(key, self.most)
    }

    /// The same where this key has so many places.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub fn enter_within(self: &Arc<Self>, key: K, most: usize) -> Result<PlacePermit<K>, TooMany> {
        let mut held = self.held();
        let count = held.get(&key).copied().unwrap_or(0);
        if count >= most {
            return Err(TooMany { most });
        }
        held.insert(key.clone(), count.saturating_add(1));
        Ok(PlacePermit { places: Arc::clone(self), key })
    }

    /// How many places of a key are taken.
    #[must_use]
    pub fn taken(&self, key: &K) -> usize {
        self.held().get(key).copied().unwrap_or(0)
    }
}

impl<K: Hash + Eq> Places<K> {
    fn held(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place taken, given back on drop.
#[must_use = "the place is given back as soon as this is dropped"]
#[derive(Debug)]
pub struct PlacePermit<K: Hash + Eq> {
    places: Arc<Places<K>>,
    key: K,
}

impl<K: Hash + Eq> Drop for PlacePermit<K> {
    fn drop(&mut self) {
        let mut held = self.places.held();
        match held.get_mut(&self.key) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => drop(held.remove(&self.key)),
        }
    }
}

/// Requests and tunnels at once, by identity name. The pipeline takes a permit for each request and
/// keeps it in the task that owns the exchange, tunnel included.
#[derive(Clone, Debug)]
pub struct Streams(Arc<Places<String>>);

/// One request or tunnel of an identity.
pub type StreamPermit = PlacePermit<String>;

impl Streams {
    /// `most` streams for each identity.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Places::new(most))
    }

    /// Counts one more stream of the identity.
    ///
    /// # Errors
    /// When it has as many as it may: answer with [`super::respond::too_many`].
    pub fn enter(&self, name: &str) -> Result<StreamPermit, TooMany> {
        self.0.enter(name.to_owned())
    }
}

/// What counts as one address: an IPv4 address in either spelling, or an IPv6 /64, since who has one
/// address of a /64 has them all.
pub(super) fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Streams, address_key};

    #[test]
    fn places_are_counted_by_key_and_given_back() {
        let streams = Streams::new(2);
        let first = streams.enter("ci").unwrap();
        let second = streams.enter("ci").unwrap();
        assert_eq!(streams.enter("ci").unwrap_err().most, 2);
        drop(streams.enter("dev").unwrap());
        drop(first);
        let third = streams.enter("ci").unwrap();
        drop((second, third));
        assert!(streams.0.held().is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn no_places_at_all_is_a_refusal() {
        assert!(Places::new(0).enter(1).is_err());
    }

    #[test]
    fn an_address_is_one_in_every_spelling() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::2"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
