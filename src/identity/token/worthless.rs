//! The ids under which a token counts for nothing.

use crate::rule::rules;

rules! {
    /// Under which id a token counts for nothing.
    pub enum Worthless in "A token that counts for nothing",
        "403 and the connection closed. A token that is wrong is never as if none had been sent." {
        Malformed = "token.malformed",
            "a token that is no compact JWS of strict JSON, or that lacks `iss`, `aud`, `exp` or `iat`",
            "what two readers understand differently proves two things",
            "send the token as the issuer gave it, with nothing before or after it", [];
        Algorithm = "token.algorithm",
            "a token signed with anything but RS256 or ES256, or not with the algorithm of its key",
            "a token must not choose how it is verified",
            "ask the issuer for a token that is", [];
        Issuer = "token.issuer",
            "a token of an issuer that is not listed",
            "nothing is known of it",
            "add the issuer to tokens, or take a token of one that is there", [];
        KeyUnknown = "token.key-unknown",
            "a token signed with a key that the issuer's set does not have",
            "nothing can be verified without the key",
            "fetch the issuer's keys again and reload", [];
        Signature = "token.signature",
            "a token whose signature is wrong",
            "it is not what the issuer gave",
            "send the token as the issuer gave it", [];
        Audience = "token.audience",
            "a token that was issued for somebody else",
            "whoever was given it could use it here",
            "ask the issuer for a token with this gate's audience", [];
        Expired = "token.expired",
            "a token whose time is over",
            "the job that it was for is over",
            "ask the issuer for a new one", [];
        NotYet = "token.not-yet",
            "a token whose time has not come, by more than a minute",
            "one of the two clocks is wrong",
            "compare the gate's clock with the issuer's", [];
        Lifetime = "token.lifetime",
            "a token that lasts longer than a day",
            "it would outlive its job",
            "ask the issuer for a shorter one", [];
        Twice = "token.twice",
            "more than one token",
            "which one counts would be a guess",
            "send one", [];
        Unbound = "token.unbound",
            "a good token of another project than the certificate's",
            "one of the two was taken from somebody",
            "use the certificate that goes with the token", [];
    }
}
