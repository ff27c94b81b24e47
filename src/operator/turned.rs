//! The ids under which a role that is held for a while begins again or ends.

use crate::rule::rules;

rules! {
    /// Under which id.
    pub(crate) enum Turned in "Roles held for a while", "In the log, as the `reason` of `grant.open` or `grant.close`." {
        Expired = "grant.expired",
            "a grant whose time is over",
            "a right for an emergency ends by itself",
            "ask for another grant", [];
        Revoked = "grant.revoked",
            "a grant that was taken back by hand",
            "it is not needed any more, or was a mistake",
            "ask whoever took it back: the record says who, and why", [];
        RoleGone = "grant.role-gone",
            "a grant of a role that the policy does not have any more",
            "what no role says cannot be held",
            "ask for a role that is there", [];
        IdentityGone = "grant.identity-gone",
            "a grant to an identity that the policy does not have any more",
            "who is not known has no rights",
            "ask for a grant to an identity that is there", [];
        Unkept = "grant.unkept",
            "a grant with --persist that could not be kept for the next start",
            "half of what was asked for would be in force",
            "make room beside the log, or grant it without --persist", [];
        Resumed = "grant.resumed",
            "a grant with --persist, in force again after a start of the gate",
            "its time is not over",
            "revoke it if it is not needed: `dockward grant --revoke`", [];
        Stopped = "gate.stopped",
            "a grant when the gate stops",
            "without a gate nobody holds a role",
            "none is needed: with --persist it is in force again at the next start", [];
    }
}
