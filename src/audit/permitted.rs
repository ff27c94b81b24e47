//! The proof that a request was judged and is on record: without it nothing is sent to the daemon.

use super::case::Case;
use super::{AuditError, Durability, Recorded, Writer};
use crate::docker::Outbound;
use crate::policy::Permit;
use crate::policy::answer::Rewrite;

/// A request that may be sent: it was permitted, and its decision is in the log as durably as its
/// kind asks for. Only the log makes one.
#[must_use]
#[derive(Debug)]
pub struct Permitted {
    outbound: Outbound,
    answer: Option<Rewrite>,
    /// Held for what it proves.
    _recorded: Recorded,
}

impl Permitted {
    /// The request as the daemon gets it, and what is changed of its answer.
    #[must_use]
    pub fn into_outbound(self) -> (Outbound, Option<Rewrite>) {
        (self.outbound, self.answer)
    }

    /// A look at the request.
    #[must_use]
    pub const fn outbound(&self) -> &Outbound {
        &self.outbound
    }
}

impl Writer {
    /// Writes the decision that permits a request, as the permit has it: synced to disk for what changes state, written
    /// for a read. Only then is there something that can be forwarded, and it is what was written.
    ///
    /// # Errors
    /// The decision is not on record, so the request must be refused.
    pub async fn permit(&self, case: Case, permit: Permit) -> Result<Permitted, AuditError> {
        let durability = match permit.outbound().life.changes_state() {
            true => Durability::Synced,
            false => Durability::Written,
        };
        let recorded = self.record(case.allowed(&permit), durability).await?;
        let (outbound, answer) = permit.into_outbound();
        Ok(Permitted { outbound, answer, _recorded: recorded })
    }
}
