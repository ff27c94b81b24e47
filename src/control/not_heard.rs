//! The id under which somebody is not listened to at the gate's own socket.

use crate::rule::rules;

rules! {
    /// Under which id.
    pub(crate) enum NotHeard in "At the gate's own socket", "In the log, as the `reason` of a `connection.refused`." {
        Refused = "control.refused",
            "somebody who is neither root nor the gate's own user, or is not of this host",
            "whoever is listened to there ends sessions and gives roles",
            "run the command as root on the host, outside of containers", [];
    }
}
