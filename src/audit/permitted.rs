//! The proof that a request was judged and is on record: without it nothing is sent to the daemon.

use crate::docker::Outbound;

/// A request that may be sent: it was permitted, and its decision is in the log as durably as its
/// kind asks for. Only the log makes one.
#[must_use]
#[derive(Debug)]
pub struct Permitted {
    outbound: Outbound,
}

impl Permitted {
    /// Made by the log alone, after the decision was written.
    #[expect(dead_code, reason = "the log is being built")]
    pub(super) const fn after_record(outbound: Outbound) -> Self {
        Self { outbound }
    }

    /// The request as the daemon gets it.
    #[must_use]
    pub fn into_outbound(self) -> Outbound {
        self.outbound
    }

    /// A look at the request.
    #[must_use]
    pub const fn outbound(&self) -> &Outbound {
        &self.outbound
    }
}
