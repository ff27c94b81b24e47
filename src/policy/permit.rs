//! Permission, with all that the record of it says. Its fields can be filled in within this room alone, so that
//! what was decided is what is recorded and what is forwarded: whoever holds a permit holds a judgement.

use super::answer::{BodyRewrite, Rewrite};
use super::decision::Finding;
use super::facts::{Exec, Facts};
use super::quota::Amounts;
use super::scope::OwnBridge;
use super::terms::{self, Term};
use crate::digest::Sha256;
use crate::docker::body::Body;
use crate::docker::{CallHead, Outbound};
use std::sync::Arc;

/// What the daemon will make, as far as that is of use once it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Makes {
    /// An exec, known already.
    Exec(Exec),
    /// A container that is removed when it ends, or cannot start.
    Fleeting,
}

/// Permission with its terms.
#[must_use = "a permit that nobody uses is a request that nobody answers"]
#[derive(Debug)]
pub struct Permit {
    /// The role that carries the request; empty for what every identity may.
    pub(super) role: String,
    /// The grant, `container.create`.
    pub(super) grant: String,
    /// What would have been denied, of an identity in `mode: observe`.
    pub(super) would: Vec<Finding>,
    /// What we changed of the request.
    pub(super) terms: Vec<Term>,
    /// What it stands on.
    pub(super) facts: Facts,
    /// Hash of the policy that it was made by; none for what the gate does by itself.
    pub(super) policy: Option<Sha256>,
    /// The request as the daemon gets it.
    pub(super) outbound: Outbound,
    /// What is changed of the daemon's answer, if anything is.
    pub(super) answer: Option<Rewrite>,
    /// How much it takes of what its owner may have.
    pub(super) demand: Option<Amounts>,
    /// What must be there before it goes on.
    pub(super) prepares: Option<OwnBridge>,
    /// What the daemon will make.
    pub(super) makes: Option<Makes>,
}

impl Permit {
    /// The role that carries the request; empty for what every identity may.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The grant, `container.create`.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// What would have been denied, of an identity in `mode: observe`.
    #[must_use]
    pub fn would(&self) -> &[Finding] {
        &self.would
    }

    /// What we changed of the request, in words, `HostConfig.Memory=536870912`.
    /// The versions that answers tell of are the same for all, and stand in the docs.
    pub fn terms(&self) -> impl Iterator<Item = String> {
        self.terms.iter().map(ToString::to_string)
    }

    /// The head with what it names by the full ids that were judged, to be judged again later: by then a name may
    /// be another's.
    #[must_use]
    pub fn meant(&self, head: &Arc<CallHead>) -> Arc<CallHead> {
        let by_id = |term: &&Term| matches!(term, Term::Resolve(_) | Term::Container { .. });
        let by_id: Vec<Term> = self.terms.iter().filter(by_id).cloned().collect();
        if by_id.is_empty() {
            return Arc::clone(head);
        }
        let mut meant = CallHead::clone(head);
        terms::apply(&by_id, &mut meant, &mut Body::None);
        Arc::new(meant)
    }

    /// What must be there before it goes on: the gate makes it.
    #[must_use]
    pub const fn prepares(&self) -> Option<&OwnBridge> {
        self.prepares.as_ref()
    }

    /// How much it takes of what its owner may have, if it can take anything.
    #[must_use]
    pub const fn demand(&self) -> Option<&Amounts> {
        self.demand.as_ref()
    }

    /// What of a stream that goes on may be seen by whoever asked; `None` where all of it may. What is open ends where
    /// this would be another one now.
    #[must_use]
    pub fn view(&self) -> Option<Sha256> {
        match &self.answer.as_ref()?.body {
            BodyRewrite::Seen(sight) => sight.of_stream(),
            BodyRewrite::AsItIs | BodyRewrite::Versions => None,
        }
    }

    /// What the daemon will make, where that is of use: of an exec it must be known in which container.
    #[must_use]
    pub const fn makes(&self) -> Option<&Makes> {
        self.makes.as_ref()
    }

    /// What it stands on.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Hash of the policy that it was made by; none for what the gate does by itself.
    #[must_use]
    pub const fn policy(&self) -> Option<Sha256> {
        self.policy
    }

    /// The request as the daemon gets it.
    #[must_use]
    pub const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The request, and what is changed of its answer, for whoever has recorded the permit.
    #[must_use]
    pub fn into_outbound(self) -> (Outbound, Option<Rewrite>) {
        (self.outbound, self.answer)
    }
}
