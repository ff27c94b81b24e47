//! The answer: allow with the request as it will be sent, or deny with every reason.

use super::permit::Permit;
use super::reason::Reason;

/// What is decided about one request.
#[must_use = "a decision that is not acted on lets a request through or loses it"]
#[derive(Debug)]
pub enum Decision {
    /// It may go to the daemon, as written in the permit.
    Allow(Box<Permit>),
    /// It may not.
    Deny(Denial),
}

/// A refusal by policy (403).
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The role that came furthest; empty where none has the verb.
    pub role: String,
    /// Every reason, in the order of the body.
    pub findings: Vec<Finding>,
    /// Whether it holds although its maker is only observed, since it amounts to root on the host.
    pub even_observed: bool,
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

impl Finding {
    /// One that has nothing to say of what would be allowed.
    #[must_use]
    pub fn new(reason: Reason, field: &str, value: &str, what: impl Into<String>) -> Self {
        let (field, value, what) = (field.to_owned(), value.to_owned(), what.into());
        Self { reason, field, value, what, allowed: None }
    }

    /// The same, with what would be allowed.
    #[must_use]
    pub fn allowing(self, allowed: impl Into<String>) -> Self {
        Self { allowed: Some(allowed.into()), ..self }
    }
}
