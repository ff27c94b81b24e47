//! The second half of the judgement (being furnished).

use super::decision::Decision;
use super::facts::{Facts, Needs};
use super::model::Policy;
use crate::docker::ApiCall;
use crate::identity::Identity;

/// What must be looked up before [`decide`].
#[must_use]
pub fn needs(_identity: &Identity, _call: &ApiCall<'_>, _policy: &Policy) -> Needs {
    Needs::default()
}

/// The judgement.
pub fn decide(_i: &Identity, _call: &ApiCall<'_>, _facts: &Facts, _policy: &Policy) -> Decision {
    Decision::Deny(super::Denial { role: String::new(), findings: Vec::new() })
}
