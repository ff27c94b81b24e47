//! What can be wrong with a token, for the client that sent it, and with an issuer, for whoever wrote
//! the policy. No text of a token is ever in here.

use super::worthless::Worthless;
use crate::problem::{Actionable, Problem};
use crate::rule::Rule;

/// What to do where keys of an issuer do not fit.
const FETCH: &str = "fetch the issuer's keys again";
/// What to do where a token was changed on its way.
const AS_GIVEN: &str = "send it as the issuer gave it";

/// Why a token counts for nothing. Every one is a refusal of the request that it came with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
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
    /// What is documented about it.
    #[must_use]
    pub const fn rule(&self) -> &'static Rule {
        match self {
            Self::Malformed(_) => Worthless::Malformed.rule(),
            Self::Algorithm => Worthless::Algorithm.rule(),
            Self::Issuer => Worthless::Issuer.rule(),
            Self::KeyUnknown => Worthless::KeyUnknown.rule(),
            Self::Signature => Worthless::Signature.rule(),
            Self::Audience { .. } => Worthless::Audience.rule(),
            Self::Expired => Worthless::Expired.rule(),
            Self::NotYet => Worthless::NotYet.rule(),
            Self::Lifetime => Worthless::Lifetime.rule(),
            Self::Twice => Worthless::Twice.rule(),
            Self::Unbound => Worthless::Unbound.rule(),
        }
    }
}

impl Actionable for TokenError {
    fn problem(&self) -> Problem {
        let (what, next) = match self {
            Self::Malformed(how) => {
                return Problem::new(format!("the token cannot be read: {how}"), AS_GIVEN);
            }
            Self::Audience { wanted } => {
                return Problem::new(
                    "the token is not meant for this gate",
                    format!("ask for one for {wanted}"),
                );
            }
            Self::Algorithm => (
                "the token is not signed with RS256 or ES256 as its key is",
                "ask the issuer for one that is",
            ),
            Self::Issuer => (
                "the token is of an issuer that is not listed here",
                "take one of an issuer that is",
            ),
            Self::KeyUnknown => ("the token is signed with a key that is not known here", FETCH),
            Self::Signature => ("the signature of the token is wrong", AS_GIVEN),
            Self::Expired => ("the token's time is over", "ask the issuer for a new one"),
            Self::NotYet => {
                ("the token's time has not come", "compare the gate's clock with the issuer's")
            }
            Self::Lifetime => (
                "the token lasts longer than a day or ends before it begins",
                "ask for a shorter one",
            ),
            Self::Twice => ("more than one token was sent", "send one"),
            Self::Unbound => (
                "the token is another's than the certificate's",
                "use the certificate that goes with it",
            ),
        };
        Problem::new(what, next)
    }
}

/// An issuer of the policy file that means nothing, found at load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
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

impl Actionable for IssuerError {
    fn problem(&self) -> Problem {
        match self {
            Self::None => Problem::new("there is no issuer", "add one or remove tokens"),
            Self::Twice(issuer) => {
                Problem::new(format!("the issuer {issuer} is listed twice"), "keep one")
            }
            Self::Address => Problem::new(
                "no issuer has this address",
                "write https:// and what stands in the token's iss",
            ),
            Self::Audience => Problem::new(
                "no audience",
                "write a name for this gate such as dockward.example.org",
            ),
        }
    }
}

/// A set of keys that cannot be used, found at load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
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

impl Actionable for KeysError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotJson(why) => Problem::new(format!("not JSON ({why})"), FETCH),
            Self::NoList => Problem::new(
                "no JWK set: it has no list \"keys\"",
                "fetch what the issuer names as its jwks_uri",
            ),
            Self::TooMany => Problem::new("more than 64 keys", "use those of one issuer"),
            Self::Key { nth, flaw } => {
                let Problem { what, next } = flaw.problem();
                Problem::new(format!("key {nth} {what}"), next)
            }
            Self::None => Problem::new("no key to verify RS256 or ES256 with", FETCH),
        }
    }
}

impl Actionable for KeyFlaw {
    fn problem(&self) -> Problem {
        match self {
            Self::NotAnObject => Problem::new("is no object", FETCH),
            Self::Secret => {
                Problem::new("is a private or shared one", "use public keys and replace that one")
            }
            Self::Member(name) => Problem::new(format!("has no {name} or a wrong one"), FETCH),
            Self::Size => Problem::new("has not 2048 to 8192 bits", "use one that has"),
            Self::KidTwice => Problem::new("has the kid of an earlier one", "keep one of them"),
        }
    }
}
