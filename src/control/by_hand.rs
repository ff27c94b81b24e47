//! The ids of what an operator ends by the gate's own socket, and of who is not listened to there.

use crate::rule::rules;

rules! {
    /// Under which id.
    pub(crate) enum ByHand in "At the gate's own socket",
        "In the log, as the `reason` of what was ended, or of a `connection.refused`." {
        Killed = "session.killed",
            "what was open, and was ended by hand",
            "somebody decided so: the record of `session.kill` says who, and why",
            "ask whoever did it", [];
        Refused = "control.refused",
            "somebody who is neither root nor the gate's own user, or is not of this host",
            "whoever is listened to there ends sessions and gives roles",
            "run the command as root on the host, outside of containers", [];
    }
}
