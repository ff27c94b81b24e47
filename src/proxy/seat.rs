//! What a connection takes of others: a place in the hall until its client is known, then a seat among those who are,
//! of all, of its address and of its identity. So nobody who is not known takes anything from somebody who is.

use super::gate::{Allotment, RefusedKind};
use super::hall::{CrowdedOut, Hall, HallPlace};
use super::limits::{PlacePermit, Places, TooMany};
use super::shutdown::Live;
use crate::audit::Whence;
use crate::config::FrontLimits;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// All that there is to be taken.
#[derive(Debug)]
pub(super) struct Seats {
    hall: Arc<Hall>,
    all: Arc<Places<()>>,
    addresses: Arc<Places<Whence>>,
    identities: Arc<Places<String>>,
    owners: Arc<Places<String>>,
}

/// What one connection has taken, until its last byte, tunnel included.
#[derive(Debug)]
pub(super) struct Seat {
    hall: Mutex<Option<HallPlace>>,
    out: CrowdedOut,
    known: OnceLock<KnownSeats>,
    _live: Live,
}

#[derive(Debug)]
struct KnownSeats {
    _all: PlacePermit<()>,
    _address: PlacePermit<Whence>,
    _identity: PlacePermit<String>,
    _owner: Option<PlacePermit<String>>,
}

/// No seat is left for somebody who is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowded {
    /// Of which kind.
    pub(super) kind: RefusedKind,
    /// How many there are.
    pub(super) most: TooMany,
}

impl Seats {
    /// As many as the limits say.
    pub(super) fn new(limits: &FrontLimits) -> Self {
        Self {
            hall: Hall::new(limits.handshakes, limits.handshakes_per_address),
            all: Places::new(limits.connections),
            addresses: Places::new(limits.connections_per_address),
            identities: Places::new(limits.connections_per_identity),
            owners: Places::new(0), // each says how many
        }
    }

    /// A place in the hall, which there always is.
    pub(super) fn enter(&self, whence: Whence, live: Live) -> Arc<Seat> {
        let place = self.hall.enter(whence);
        let out = place.crowded_out();
        Arc::new(Seat { hall: Mutex::new(Some(place)), out, known: OnceLock::new(), _live: live })
    }

    /// Seats somebody who is known by this name. Who finds none stays in the hall.
    pub(super) fn take(
        &self,
        seat: &Seat,
        whence: Whence,
        name: &str,
        allotment: Option<Allotment>,
    ) -> Result<(), Crowded> {
        let crowded = |kind| move |most| Crowded { kind, most };
        let known = KnownSeats {
            _all: self.all.enter(()).map_err(crowded(RefusedKind::TooMany))?,
            _address: self
                .addresses
                .enter(whence)
                .map_err(crowded(RefusedKind::TooManyFromAddress))?,
            _identity: self
                .identities
                .enter(name.to_owned())
                .map_err(crowded(RefusedKind::TooManyOfIdentity))?,
            _owner: match allotment {
                Some(Allotment { owner, most, rule }) => {
                    let place = self.owners.enter_within(owner, most);
                    Some(place.map_err(crowded(RefusedKind::TooManyOfOwner(rule)))?)
                }
                None => None,
            },
        };
        let _ = seat.known.set(known);
        let place = seat.hall.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(place) = place {
            place.known();
        }
        Ok(())
    }

    /// How many of those who are known have a seat.
    pub(super) fn seated(&self) -> usize {
        self.all.taken(&())
    }

    /// How many are there, known or not.
    pub(super) fn taken(&self) -> usize {
        self.seated().saturating_add(self.hall.waiting())
    }

    /// Sends one away who is not known, where the process is short of descriptors.
    pub(super) fn make_room(&self) {
        self.hall.make_room();
    }
}

impl Seat {
    /// The word that this connection must go while it is in the hall.
    pub(super) fn crowded_out(&self) -> CrowdedOut {
        self.out.clone()
    }
}
