//! What can be wrong with a token, for the client that sent it, and with an issuer, for whoever wrote
//! the policy. No text of a token is ever in here.

use std::fmt;

/// Why a token counts for nothing. Every one is a refusal of the request that it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It cannot be read in one way: how.
    Malformed(&'static str),
    /// Its algorithm is neither RS256 nor ES256, or not that of the key it names.
    Algorithm,
    /// Its issuer is none of those that are listed.
    Issuer,
    /// It names a key that the issuer's set does not have, or none where there are several.
    KeyUnknown,
    /// The signature is not that of the key.
    Signature,
    /// It is meant for somebody else.
    Audience {
        /// The audience that is this gate.
        wanted: String,
    },
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYet,
    /// It lasts longer than a day, or ends before it begins.
    Lifetime,
    /// There is more than one.
    Twice,
    /// It is another's than the certificate's.
    Unbound,
}

impl TokenError {
    /// The stable reason id, the same in the answer, the record and the documentation.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "token.malformed",
            Self::Algorithm => "token.algorithm",
            Self::Issuer => "token.issuer",
            Self::KeyUnknown => "token.key-unknown",
            Self::Signature => "token.signature",
            Self::Audience { .. } => "token.audience",
            Self::Expired => "token.expired",
            Self::NotYet => "token.not-yet",
            Self::Lifetime => "token.lifetime",
            Self::Twice => "token.twice",
            Self::Unbound => "token.unbound",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => {
                write!(f, "the token cannot be read: {how}, send it as the issuer gave it")
            }
            Self::Algorithm => f.write_str(
                "the token is not signed with RS256 or ES256 as its key is, ask the issuer for one \
                 that is",
            ),
            Self::Issuer => f.write_str(
                "the token is of an issuer that is not listed here, take one of an issuer that is",
            ),
            Self::KeyUnknown => f.write_str(
                "the token is signed with a key that is not known here, fetch the issuer's keys \
                 again",
            ),
            Self::Signature => {
                f.write_str("the signature of the token is wrong, send it as the issuer gave it")
            }
            Self::Audience { wanted } => {
                write!(f, "the token is not meant for this gate, ask for one for {wanted}")
            }
            Self::Expired => f.write_str("the token's time is over, ask the issuer for a new one"),
            Self::NotYet => f.write_str(
                "the token's time has not come, compare the gate's clock with the issuer's",
            ),
            Self::Lifetime => f.write_str(
                "the token lasts longer than a day or ends before it begins, ask for a shorter one",
            ),
            Self::Twice => f.write_str("more than one token was sent, send one"),
            Self::Unbound => f.write_str(
                "the token is another's than the certificate's, use the certificate that goes with \
                 it",
            ),
        }
    }
}

impl std::error::Error for TokenError {}

/// An issuer of the policy file that means nothing, found at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerError {
    /// There is none.
    None,
    /// The same one is listed twice.
    Twice(String),
    /// Not an address as an issuer has.
    Address,
    /// Not an audience.
    Audience,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no issuer, add one or remove tokens"),
            Self::Twice(issuer) => write!(f, "the issuer {issuer} is listed twice, keep one"),
            Self::Address => f.write_str(
                "no issuer has this address, write https:// and what stands in the token's iss",
            ),
            Self::Audience => {
                f.write_str("no audience, write a name for this gate such as dockward.example.org")
            }
        }
    }
}

impl std::error::Error for IssuerError {}

/// A set of keys that cannot be used, found at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// The text is not strict JSON: where and why.
    NotJson(String),
    /// There is no list `keys`.
    NoList,
    /// More keys than any issuer has.
    TooMany,
    /// A key of the list is wrong.
    Key {
        /// Its number in the list, from 1.
        nth: usize,
        /// How.
        flaw: KeyFlaw,
    },
    /// No key is left that a token could be verified with.
    None,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFlaw {
    /// It is no JSON object.
    NotAnObject,
    /// It has members of a private or a shared key.
    Secret,
    /// This member is missing or means nothing.
    Member(&'static str),
    /// An RSA modulus below 2048 or above 8192 bits.
    Size,
    /// An earlier key has the same `kid`.
    KidTwice,
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "not JSON ({why}), fetch the issuer's keys again"),
            Self::NoList => f.write_str(
                "no JWK set: it has no list \"keys\", fetch what the issuer names as its jwks_uri",
            ),
            Self::TooMany => f.write_str("more than 64 keys, use those of one issuer"),
            Self::Key { nth, flaw } => write!(f, "key {nth} {flaw}"),
            Self::None => {
                f.write_str("no key to verify RS256 or ES256 with, fetch the issuer's keys again")
            }
        }
    }
}

impl std::error::Error for KeysError {}

impl fmt::Display for KeyFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("is no object, fetch the issuer's keys again"),
            Self::Secret => {
                f.write_str("is a private or shared one, use public keys and replace that one")
            }
            Self::Member(name) => {
                write!(f, "has no {name} or a wrong one, fetch the issuer's keys again")
            }
            Self::Size => f.write_str("has not 2048 to 8192 bits, use one that has"),
            Self::KidTwice => f.write_str("has the kid of an earlier one, keep one of them"),
        }
    }
}
