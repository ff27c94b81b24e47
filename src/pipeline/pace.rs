//! How much an owner may ask for at once and in a second, where that has limits: what is not counted at the daemon but
//! here, for as long as a request or session lasts.

use crate::docker::Route;
use crate::policy::quota::{Limits, OverLimit};
use crate::proxy::{PlacePermit, Places};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// What owners have in hand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Paces {
    places: Arc<Places<(String, OverLimit)>>,
    /// By owner and how many in a second, which are as many at once.
    rates: Arc<Mutex<HashMap<(String, NonZeroU32), Limiter>>>,
}

/// For how many owners rates are kept. Jobs that are owners come and go; what is begun anew has its whole second.
const RATES: usize = 4096;

type Limiter = Arc<DefaultDirectRateLimiter>;

/// The places of one request, until it has ended.
pub(super) type Pace = Vec<PlacePermit<(String, OverLimit)>>;

/// What there is too much of, how much there is, and how much there may be.
pub(super) type OverPace = (OverLimit, u64, u64);

impl Default for Paces {
    fn default() -> Self {
        Self { places: Places::new(0), rates: Arc::default() }
    }
}

impl Paces {
    /// Takes the places that a request of this owner needs.
    pub(super) fn enter(
        &self,
        owner: &str,
        limits: &Limits,
        route: &Route,
    ) -> Result<Pace, OverPace> {
        let over = |quantity, most| (quantity, most, most);
        if let Some(most) = limits.most(OverLimit::Requests) {
            // a number of one second is not above this, see `units::rate`
            let rate = u32::try_from(most).ok().and_then(NonZeroU32::new);
            let passes = rate.is_none_or(|rate| self.limiter(owner, rate).check().is_ok());
            if !passes {
                return Err(over(OverLimit::Requests, most));
            }
        }
        let mut pace = Pace::new();
        for quantity in [OverLimit::Streams, OverLimit::Execs, OverLimit::Builds] {
            let concerns = match quantity {
                OverLimit::Execs => route.operation == "ExecStart",
                OverLimit::Builds => route.operation == "ImageBuild",
                _ => true,
            };
            let Some(most) = limits.most(quantity).filter(|_| concerns) else { continue };
            let key = (owner.to_owned(), quantity);
            let places = usize::try_from(most).unwrap_or(usize::MAX);
            let place = self.places.enter_within(key, places);
            pace.push(place.map_err(|_| over(quantity, most))?);
        }
        Ok(pace)
    }

    /// Of those who own as one, each is held to the rate that it names.
    fn limiter(&self, owner: &str, most: NonZeroU32) -> Limiter {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (owner.to_owned(), most);
        if rates.len() >= RATES && !rates.contains_key(&key) {
            rates.clear();
        }
        let fresh = || Arc::new(RateLimiter::direct(Quota::per_second(most)));
        Arc::clone(rates.entry(key).or_insert_with(fresh))
    }
}
