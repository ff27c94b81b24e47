//! Who asks (L4): the rules in force, the doors that they open, the tokens that are proven beside a certificate, and the
//! roles that somebody holds for a while. It is asked for every request, and again of everybody who is connected when
//! something of it has changed.

mod elevation;
mod known;
mod proof;

pub use elevation::{Elevation, Elevations, Turn};
pub use known::{Door, Doors, Who};

use crate::identity::{Claims, Identity, Unidentified, token};
use crate::policy::Policy;
use crate::proxy::{Connection, Untrusted};
use arc_swap::ArcSwap;
use http::HeaderMap;
use jiff::Timestamp;
use known::could_be_known;
use std::sync::Arc;

/// Somebody who asks, with the roles and the mode of this moment.
pub type Known = Arc<Identity>;

/// What one reading of the configuration said. It is replaced as a whole: nobody is judged by the policy
/// of one and the doors of another.
#[derive(Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Who may come in where.
    pub doors: Doors,
}

/// What is in force.
#[derive(Debug)]
pub struct InForce {
    rules: ArcSwap<Rules>,
    /// Roles held for a while.
    pub elevations: Elevations,
}

/// Why nobody asks.
#[derive(Debug)]
pub enum Unproven {
    /// The certificate is not believed any more.
    Untrusted(Untrusted),
    /// What was shown is nobody's under today's policy.
    Stranger(Unidentified),
}

impl From<Untrusted> for Unproven {
    fn from(why: Untrusted) -> Self {
        Self::Untrusted(why)
    }
}

impl From<Unidentified> for Unproven {
    fn from(why: Unidentified) -> Self {
        Self::Stranger(why)
    }
}

impl InForce {
    /// These rules, and nobody elevated.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules: ArcSwap::from_pointee(rules), elevations: Elevations::default() }
    }

    /// The rules of this moment.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// The policy of this moment.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.rules.load().policy)
    }

    /// Puts other rules into force.
    pub fn replace(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Who asks by a request with these headers, under these rules, and what was proven beside the certificate.
    ///
    /// # Errors
    /// Nobody does.
    pub fn asks(
        &self,
        connection: &Connection<Who>,
        rules: &Rules,
        headers: &HeaderMap,
    ) -> Result<(Known, Option<Arc<Claims>>), Unproven> {
        let claims = connection.who.claims(&rules.policy, headers)?;
        Ok((self.knows(connection, rules, claims.as_ref())?, claims))
    }

    /// Who it still is that began something with this token. A key that is withdrawn takes along what its
    /// tokens opened, whether or not they were asked for.
    ///
    /// # Errors
    /// Nobody.
    pub fn still(
        &self,
        connection: &Connection<Who>,
        rules: &Rules,
        claims: Option<&Arc<Claims>>,
    ) -> Result<Known, Unproven> {
        if let (Some(claims), Some(tokens)) = (claims, &rules.policy.tokens) {
            token::proven_still(claims, &tokens.issuers).map_err(Unidentified::Token)?;
        }
        self.knows(connection, rules, claims)
    }

    /// Whether somebody may stay connected, whatever is asked next: who is known by the certificate alone, or
    /// could be with a token.
    ///
    /// # Errors
    /// It is nobody any more.
    pub fn may_stay(&self, connection: &Connection<Who>, rules: &Rules) -> Result<(), Unproven> {
        match self.knows(connection, rules, None) {
            Err(Unproven::Stranger(why)) if could_be_known(&why, rules, &connection.evidence) => {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    fn knows(
        &self,
        connection: &Connection<Who>,
        rules: &Rules,
        claims: Option<&Arc<Claims>>,
    ) -> Result<Known, Unproven> {
        let now = Timestamp::now();
        connection.standing.check(now.as_second())?;
        let proof = (&connection.evidence, claims);
        Ok(connection.who.under(rules, &self.elevations, proof, now)?)
    }
}

/// Tells of a connection in the words of an operator.
impl Connection<Who> {
    /// The name of who holds it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.who.name()
    }

    /// Whether whoever holds it had this name when it connected, or when it was asked for last.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.who.latest().is_some_and(|who| who.name.as_str() == name)
    }
}
