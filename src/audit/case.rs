//! A request as the log has it when it is decided: who asked, from where, for what. The decision itself is written
//! from what decided and from nothing else: a permit, a denial, a flaw.

use super::EventId;
use super::describe::stood_on;
use super::event::{
    Actor, Client, DecisionRecord, Event, Forwarded, IdentityRecord, ReasonRecord, RequestRecord,
    Stage,
};
use crate::digest::Sha256;
use crate::docker::{Malformed, OutboundBody};
use crate::policy::{Finding, Permit, Policy};

/// What is known of a request.
#[derive(Clone, Debug)]
pub struct Case {
    /// The id that its decision will have: a refusal quotes it.
    pub id: EventId,
    /// What it follows from, if the gate asks by itself.
    pub parent: Option<EventId>,
    /// Who asks.
    pub identity: Option<IdentityRecord>,
    /// From where.
    pub client: Option<Client>,
    /// What is asked.
    pub request: RequestRecord,
    /// Who had the gate ask.
    pub actor: Option<Actor>,
}

impl Case {
    /// The decision that lets it through. What is forwarded, under which grant and terms, and what would have been
    /// denied stand in the permit.
    pub(super) fn allowed(self, permit: &Permit) -> Event {
        let mut decision = match permit.would() {
            [] => DecisionRecord::allow(),
            would => DecisionRecord::observe(would.iter().map(ReasonRecord::from)),
        };
        decision.grant = Some(match permit.role() {
            "" => permit.grant().to_owned(),
            role => format!("{role}: {}", permit.grant()),
        });
        decision.facts = stood_on(permit.facts());
        decision.policy = permit.policy();
        let outbound = permit.outbound();
        let body_sha256 = match &outbound.body {
            OutboundBody::Json(bytes) => Some(Sha256::of(bytes)),
            OutboundBody::Empty | OutboundBody::Stream { .. } => None,
        };
        let forwarded = Forwarded {
            method: outbound.method.as_str().to_owned(),
            target: outbound.target.clone(),
            body_sha256,
            terms: permit.terms().collect(),
        };
        Event { forwarded: Some(forwarded), ..self.decided(decision) }
    }

    /// The decision that refuses it under this policy, for these reasons; `role` is the one that came furthest.
    #[must_use]
    pub fn refused(
        self,
        policy: &Policy,
        role: Option<String>,
        reasons: impl IntoIterator<Item = ReasonRecord>,
    ) -> Event {
        let mut decision = DecisionRecord::deny(reasons);
        decision.grant = role;
        decision.policy = Some(policy.hash);
        self.decided(decision)
    }

    fn decided(self, decision: DecisionRecord) -> Event {
        let Self { id, parent, identity, client, request, actor } = self;
        Event {
            id,
            parent,
            identity,
            client,
            request: Some(request),
            actor,
            decision: Some(decision),
            ..Event::new(Stage::Decision)
        }
    }
}

impl From<&Finding> for ReasonRecord {
    fn from(finding: &Finding) -> Self {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        let id = finding.reason.id().to_owned();
        Self { id, field: said(&finding.field), value: said(&finding.value) }
    }
}

impl From<&Malformed> for ReasonRecord {
    fn from(malformed: &Malformed) -> Self {
        let field = (!malformed.at.is_empty()).then(|| malformed.at.clone());
        Self { id: malformed.flaw.id().to_owned(), field, value: Some(malformed.why.to_string()) }
    }
}
