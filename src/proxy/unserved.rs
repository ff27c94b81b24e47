//! The ids under which a request that may well be granted is not served now.

use crate::rule::rules;

rules! {
    /// Why a request is not served now.
    pub(crate) enum Unserved in "Not served now",
        "429 for what is too much at once: in the log by the minute, as counts (`request.refused`). 502 for `daemon.away`, a decision like others." {
        TooManyRequests = "requests.too-many",
            "a request of an identity that has as many in hand as it may",
            "one must not take the places of all",
            "try again when one has ended, or raise `streams_per_identity` under `front`", [];
        Busy = "bodies.busy",
            "a body for which there was no memory in time",
            "the gate must not run out of it",
            "try again, or raise `bodies_per_identity` or `bodies_total` under `front`", [];
        Away = "daemon.away",
            "a request that may be granted, while the daemon does not answer what it stands on",
            "what is not known is not guessed",
            "try again when the daemon answers", [];
    }
}
