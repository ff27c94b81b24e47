//! The id under which what was read anew does not come into force.

use crate::rule::rules;

rules! {
    /// Under which id the old stays.
    pub(crate) enum Rejected in "Not come into force", "In the log, as the `reason` of a `policy.load`; what is in force stays." {
        Policy = "policy.rejected",
            "a policy, certificate or list that was read anew and has a mistake, or would need a restart",
            "half of a change is one that nobody meant",
            "correct what the record says, `dockward check` says it too; then reload", [];
    }
}
