//! Who a connection belongs to, under whichever policy is in force when a request comes.

use super::Known;
use super::grants::Grants;
use super::refuse::Refused;
use crate::identity::{CertificateFacts, Identity, Unidentified, identify};
use crate::policy::Policy;
use crate::policy::pattern::Pattern;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;

/// Which identities may come in where.
#[derive(Clone, Debug)]
pub struct Doors(pub Vec<Door>);

/// A listener, and who may come in there.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address that was bound.
    pub address: SocketAddr,
    /// Names that may come in; `None` is all.
    pub identities: Option<Vec<Pattern>>,
}

impl Doors {
    /// Whether this name may come in at the address that the client came to. An address that no
    /// door has lets nobody in.
    fn open_to(&self, name: &str, came_to: SocketAddr) -> bool {
        let at = |door: &&Door| {
            let ip = door.address.ip();
            door.address.port() == came_to.port()
                && (ip.is_unspecified() || ip.to_canonical() == came_to.ip().to_canonical())
        };
        let exact = self.0.iter().find(|door| door.address == came_to);
        let door = exact.or_else(|| self.0.iter().find(at));
        door.is_some_and(|door| match &door.identities {
            None => true,
            Some(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        })
    }
}

/// The identity of a connection. It is worked out again when the policy has changed, and its mode
/// and validity by the clock each time it is asked for.
#[derive(Debug)]
pub struct Who {
    name: String,
    came_to: SocketAddr,
    latest: ArcSwap<(Arc<Policy>, Identity)>,
}

impl Who {
    /// Identifies the certificate.
    ///
    /// # Errors
    /// Why it is nobody.
    pub(super) fn new(
        policy: Arc<Policy>,
        doors: &Doors,
        came_to: SocketAddr,
        facts: &CertificateFacts,
    ) -> Result<Self, Unidentified> {
        let identity = admitted(&policy, doors, came_to, facts)?;
        identity.open(Timestamp::now().as_second())?;
        let name = identity.name.to_string();
        Ok(Self { name, came_to, latest: ArcSwap::from_pointee((policy, identity)) })
    }

    /// The name it had when it connected.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who it was when it was last asked for.
    pub(super) fn latest(&self) -> Identity {
        self.latest.load().1.clone()
    }

    /// Who it is under this policy, now.
    ///
    /// # Errors
    /// It is nobody any more, or its certificate has ended.
    pub(super) fn under(
        &self,
        policy: &Arc<Policy>,
        doors: &Doors,
        grants: &Grants,
        facts: &CertificateFacts,
        now: Timestamp,
    ) -> Result<Known, Refused> {
        let latest = self.latest.load_full();
        let mut identity = if Arc::ptr_eq(&latest.0, policy) {
            latest.1.clone()
        } else {
            let identity =
                admitted(policy, doors, self.came_to, facts).map_err(Refused::Stranger)?;
            self.latest.store(Arc::new((Arc::clone(policy), identity.clone())));
            identity
        };
        identity.open(now.as_second()).map_err(Refused::Stranger)?;
        identity.mode = identity.mode.at(now.as_second());
        grants.extend(identity.name.as_str(), now, &mut identity.roles);
        Ok(Arc::new(identity))
    }
}

fn admitted(
    policy: &Policy,
    doors: &Doors,
    came_to: SocketAddr,
    facts: &CertificateFacts,
) -> Result<Identity, Unidentified> {
    let identity = identify(&policy.identities, facts, None)?;
    match doors.open_to(identity.name.as_str(), came_to) {
        true => Ok(identity),
        false => Err(Unidentified::WrongDoor),
    }
}
