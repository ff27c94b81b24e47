//! The ids under which a connection ends before it is a request.

use crate::rule::rules;

rules! {
    /// Under which id a connection is refused or given up.
    pub(crate) enum TurnedAway in "A connection that never became a request",
        "The connection is closed; 429 for `connections.too-many` and those of address and identity, 400 or 431 for `head.unreadable`. In the log by the minute, as counts." {
        CrowdedOut = "connections.crowded-out",
            "a connection whose client had not shown who it is when others came, and as many were waiting as may",
            "strangers must neither fill the gate nor keep anybody out",
            "show the certificate at once; raise `handshakes` or `handshakes_per_address` under `front` where many come at a time", [];
        TooMany = "connections.too-many",
            "a connection of somebody who is known when as many are open as there may be",
            "each takes memory and a descriptor, and the gate must run out of neither",
            "close what is idle, or raise `connections` under `front`", [];
        TooManyFromAddress = "connections.too-many-from-address",
            "a connection of somebody who is known, from an address or of a user at a Unix socket that has as many open as it may",
            "one must not take the places of all",
            "close what is idle, or raise `connections_per_address` under `front`", [];
        TooManyOfIdentity = "connections.too-many-of-identity",
            "a connection of an identity that has as many open as it may",
            "one must not take the places of all",
            "close what is idle, or raise `connections_per_identity` under `front`", [];
        NoCertificate = "handshake.no-certificate",
            "a handshake in which the client showed no certificate",
            "who shows nothing is nobody",
            "give the client its certificate and key: `DOCKER_TLS_VERIFY=1` and `DOCKER_CERT_PATH`", [];
        Failed = "handshake.failed",
            "a handshake that failed: what came was no TLS, had no version or cipher in common, or was given up by the client",
            "nothing is said to anybody before it is done, but to who speaks plain HTTP that this is TLS",
            "see what the client says of it, the authority that it believes above all", [];
        HandshakeTimeout = "handshake.timeout",
            "a handshake that took too long",
            "whoever is slow on purpose would hold a place for nothing",
            "try again; raise `handshake_timeout` under `front` where the way is slow", [];
        Head = "head.unreadable",
            "a request whose head is not HTTP/1.1, or too large",
            "what can be read in two ways is not guessed",
            "send what Docker's own clients send", [];
        HeadTimeout = "head.timeout",
            "a request whose head took too long",
            "whoever is slow on purpose would hold a place for nothing",
            "send the head at once; raise `head_timeout` under `front` where the way is slow", [];
    }
}
