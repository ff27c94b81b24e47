//! The ids under which somebody is refused because nobody in particular is known by that evidence.

use crate::rule::rules;

rules! {
    /// Under which id somebody is nobody.
    pub enum Nobody in "Nobody in particular", "403 and the connection closed." {
        Unknown = "identity.unknown",
            "a certificate or user that no entry of identities matches, or of which no valid name comes",
            "who is not known has no rights",
            "add an entry to identities, or issue the certificate with a field that one asks for", [];
        AmbiguousField = "identity.ambiguous-field",
            "a certificate with several values of a field that some entry asks for",
            "which one counts would be a guess",
            "issue a certificate with one value", [];
        AmbiguousMatch = "identity.ambiguous-match",
            "a certificate or user that several entries match, none of them with more conditions than the others",
            "which one counts would be a guess",
            "add a condition to one of the entries", [];
        Unprintable = "identity.unprintable",
            "a certificate with a control character, NUL or the like in a field that some entry asks for",
            "the same name could be shown for two values",
            "issue the certificate without it", [];
        WrongListener = "identity.wrong-listener",
            "an identity that comes to a listener whose `identities` do not have it",
            "a key for the inside must not open from outside",
            "use the listener it was given, or add its name to `identities` of this one", [];
        Closed = "identity.closed",
            "an identity outside the days, the hours or the end of its `valid`",
            "a key that is stolen at night must not open at night",
            "come at a time that `valid` of its entry has, or have it changed", [];
        Certificate = "identity.certificate",
            "a certificate of which something cannot be read",
            "a value that cannot be read is not a value that is absent",
            "issue the certificate again", [];
        Foreign = "peer.namespace",
            "somebody at a Unix socket who is no user of this host: in another user or process namespace, or of whom nothing can be seen",
            "a container that was given the socket has users of its own, with the same numbers",
            "ask from the host itself, or use TLS and a certificate", [];
    }
}
