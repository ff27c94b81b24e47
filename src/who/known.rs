//! Who a connection belongs to, under whichever policy is in force when a request comes.

use super::elevation::Elevations;
use super::proof::Proofs;
use super::{Known, Rules};
use crate::audit::describe::shown;
use crate::identity::{Claims, Evidence, Identity, Unidentified, awaits_a_token, identify};
use crate::policy::Policy;
use crate::policy::glob::Glob;
use crate::policy::quota::OverLimit;
use crate::proxy::{Address, Allotment};
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;

/// Which identities may come in where.
#[derive(Clone, Debug)]
pub struct Doors(pub Vec<Door>);

/// A listener, and who may come in there.
#[derive(Clone, Debug)]
pub struct Door {
    /// What was bound.
    pub address: Address,
    /// Names that may come in; `None` is all.
    pub identities: Option<Vec<Glob>>,
}

impl Doors {
    /// Where somebody of this name may come in.
    pub(crate) fn named<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Address> {
        let open = move |door: &&Door| {
            let names = door.identities.as_ref();
            names.is_none_or(|names| names.iter().any(|pattern| pattern.matches(name)))
        };
        self.0.iter().filter(open).map(|door| &door.address)
    }

    /// Whether this name may come in at the address that the client came to. An address that no
    /// door has lets nobody in.
    fn open_to(&self, name: &str, came_to: &Address) -> bool {
        let at = |door: &&Door| match (&door.address, came_to) {
            (Address::Tcp(door), Address::Tcp(came_to)) => covers(door, came_to),
            _ => false,
        };
        let exact = self.0.iter().find(|door| door.address == *came_to);
        let door = exact.or_else(|| self.0.iter().find(at));
        let has = |names: &Vec<Glob>| names.iter().any(|pattern| pattern.matches(name));
        door.is_some_and(|door| door.identities.as_ref().is_none_or(has))
    }
}

/// Whether who came to this address may have come by that door, which may stand for every address.
fn covers(door: &SocketAddr, came_to: &SocketAddr) -> bool {
    let ip = door.ip();
    door.port() == came_to.port()
        && (ip.is_unspecified() || ip.to_canonical() == came_to.ip().to_canonical())
}

/// The identity of a connection. It is worked out again when the policy or the token has changed, and its
/// mode and validity by the clock each time it is asked for.
#[derive(Debug)]
pub struct Who {
    name: String,
    came_to: Address,
    /// Whom it was under which policy and with which token; nobody yet where a token is awaited.
    latest: ArcSwapOption<Latest>,
    pub(super) proofs: Proofs,
}

#[derive(Debug)]
struct Latest {
    policy: Arc<Policy>,
    claims: Option<Arc<Claims>>,
    identity: Identity,
}

impl Who {
    /// How many connections its owner may have at once, where that has a limit.
    pub(crate) fn allotment(&self) -> Option<Allotment> {
        let latest = self.latest.load();
        let Latest { policy, identity, .. } = latest.as_deref()?;
        let most = policy.limits.get(identity.limits.as_ref()?)?.most(OverLimit::Connections)?;
        let rule = OverLimit::Connections.rule();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Some(Allotment { owner: identity.owner.to_string(), most, rule })
    }

    /// Identifies who has come. Somebody who could be somebody with the right token is let in as far as
    /// her first request.
    ///
    /// # Errors
    /// Why it is nobody.
    pub(crate) fn new(
        rules: &Rules,
        came_to: Address,
        evidence: &Evidence,
    ) -> Result<Self, Unidentified> {
        let (name, latest) = match admitted(rules, &came_to, evidence, None) {
            Ok(identity) => {
                identity.open(Timestamp::now().as_second())?;
                let (name, policy) = (identity.name.to_string(), Arc::clone(&rules.policy));
                (name, Some(Latest { policy, claims: None, identity }))
            }
            Err(why) if could_be_known(&why, rules, evidence) => {
                // places are counted by the certificate until there is a name
                (shown(evidence), None)
            }
            Err(why) => return Err(why),
        };
        let latest = ArcSwapOption::from_pointee(latest);
        Ok(Self { name, came_to, latest, proofs: Proofs::default() })
    }

    /// The name it had when it connected.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Who it was when it was last asked for.
    pub(crate) fn latest(&self) -> Option<Identity> {
        self.latest.load().as_ref().map(|latest| latest.identity.clone())
    }

    /// Who it is under these rules, with this token, now.
    ///
    /// # Errors
    /// It is nobody any more.
    pub(super) fn under(
        &self,
        rules: &Rules,
        elevations: &Elevations,
        (evidence, claims): (&Evidence, Option<&Arc<Claims>>),
        now: Timestamp,
    ) -> Result<Known, Unidentified> {
        let latest = self.latest.load_full().filter(|latest| latest.is_of(&rules.policy, claims));
        let mut identity = match latest {
            Some(latest) => latest.identity.clone(),
            None => {
                let claimed = claims.map(AsRef::as_ref);
                let identity = admitted(rules, &self.came_to, evidence, claimed)?;
                let (policy, claims) = (Arc::clone(&rules.policy), claims.cloned());
                let latest = Latest { policy, claims, identity: identity.clone() };
                self.latest.store(Some(Arc::new(latest)));
                identity
            }
        };
        identity.open(now.as_second())?;
        identity.mode = identity.mode.at(now.as_second());
        elevations.extend(identity.name.as_str(), now, &mut identity.roles);
        Ok(Arc::new(identity))
    }
}

impl Latest {
    fn is_of(&self, policy: &Arc<Policy>, claims: Option<&Arc<Claims>>) -> bool {
        let same_token = self.claims.as_ref().map(Arc::as_ptr) == claims.map(Arc::as_ptr);
        Arc::ptr_eq(&self.policy, policy) && same_token
    }
}

/// Whether a token can make somebody of who is nobody by this evidence alone.
pub(super) fn could_be_known(why: &Unidentified, rules: &Rules, evidence: &Evidence) -> bool {
    matches!(why, Unidentified::Unknown(_) | Unidentified::WrongDoor)
        && awaits_a_token(&rules.policy.identities, evidence)
}

fn admitted(
    rules: &Rules,
    came_to: &Address,
    evidence: &Evidence,
    claims: Option<&Claims>,
) -> Result<Identity, Unidentified> {
    let identity = identify(&rules.policy.identities, evidence, claims)?;
    match rules.doors.open_to(identity.name.as_str(), came_to) {
        true => Ok(identity),
        false => Err(Unidentified::WrongDoor),
    }
}
