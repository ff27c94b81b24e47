//! The answer: allow with the request as it will be sent, or deny with every reason.

use super::reason::Reason;
use crate::docker::Outbound;

/// What is decided about one request.
#[must_use = "a decision that is not acted on lets a request through or loses it"]
#[derive(Clone, Debug)]
pub enum Decision {
    /// It may go to the daemon, as written in the permit.
    Allow(Permit),
    /// It may not.
    Deny(Denial),
}

/// Permission with its terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    /// The role that carries the request; empty for what every identity may.
    pub role: String,
    /// The grant, `container.create`.
    pub grant: String,
    /// What would have been denied, of an identity in `mode: observe`.
    pub would: Vec<Finding>,
    /// What we wrote into the body, `HostConfig.Memory=536870912`.
    pub terms: Vec<String>,
    /// The request as the daemon gets it.
    pub outbound: Outbound,
}

/// A refusal by policy (403).
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The role that came furthest; empty where none has the verb.
    pub role: String,
    /// Every reason, in the order of the body.
    pub findings: Vec<Finding>,
}

/// One reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub reason: Reason,
    /// Where: `HostConfig.Binds[0]`, `query name`; empty for the request as a whole.
    pub field: String,
    /// The value that offends, as sent; escaped where it is shown.
    pub value: String,
    /// What the identity may not do: follows "NAME may not".
    pub what: String,
    /// What would be allowed, if there is something to say.
    pub allowed: Option<String>,
}
