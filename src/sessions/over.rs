//! The ids under which something that is open ends otherwise than whoever asked for it meant it to.

use crate::rule::rules;

rules! {
    /// Under which id it is over.
    pub(crate) enum Over in "Ended before its time",
        "In the log, as the `reason` of `session.close` or `complete`; 403 for what still waits for its answer." {
        Narrowed = "session.narrowed",
            "what is open, and would not be let through now",
            "a right that was taken back must not live on in what it opened",
            "ask for the right, then open it again", [];
        Killed = "session.killed",
            "what was open, and was ended by hand",
            "somebody decided so: the record of `session.kill` says who, and why",
            "ask whoever did it", [];
    }
}
