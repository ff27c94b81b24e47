//! Why nobody was identified, in one place: what a client meets as its refusal, whatever of its evidence or of
//! the rules is at fault.

use super::certificate::IdentityError;
use super::field::CertificateField;
use super::nobody::Nobody;
use super::peer::Foreign;
use super::token::TokenError;
use super::validity::Closed;
use crate::problem::{Actionable, Problem};
use crate::rule::Rule;

/// Why nobody was identified. Every variant is a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told())]
pub enum Unidentified {
    /// No rule matches the certificate, which has these fields.
    Unknown(Vec<CertificateField>),
    /// No rule matches the user with this number.
    UnknownPeer(u32),
    /// Several rules match the user with this number, and none of them asks for more than the others.
    AmbiguousPeer(u32),
    /// Whoever is at the Unix socket is no user of this host.
    Foreign(#[source] Foreign),
    /// A rule matches, and the name it would produce is not one.
    NotAName,
    /// A field that some rule names has several values.
    AmbiguousField(CertificateField),
    /// Several rules match, and none of them asks for all that the others ask and more.
    AmbiguousMatch,
    /// A field that some rule names holds a character without one visible reading.
    Unprintable(CertificateField),
    /// The identity may not come in at this listener.
    WrongDoor,
    /// The identity may not come in at this time.
    Closed(Closed),
    /// The certificate cannot be read.
    Certificate(#[from] IdentityError),
    /// A token was sent that counts for nothing. It is never as if none had been sent.
    Token(#[from] TokenError),
}

impl Unidentified {
    /// What is documented about it.
    #[must_use]
    pub const fn rule(&self) -> &'static Rule {
        match self {
            Self::Unknown(_) | Self::UnknownPeer(_) | Self::NotAName => Nobody::Unknown.rule(),
            Self::Foreign(_) => Nobody::Foreign.rule(),
            Self::AmbiguousField(_) => Nobody::AmbiguousField.rule(),
            Self::AmbiguousMatch | Self::AmbiguousPeer(_) => Nobody::AmbiguousMatch.rule(),
            Self::Unprintable(_) => Nobody::Unprintable.rule(),
            Self::WrongDoor => Nobody::WrongListener.rule(),
            Self::Closed(_) => Nobody::Closed.rule(),
            Self::Certificate(_) => Nobody::Certificate.rule(),
            Self::Token(error) => error.rule(),
        }
    }

    /// What the client is told: of what only the operator can change, what is wrong and no more. So it does not
    /// learn when to come again.
    fn told(&self) -> String {
        let problem = self.problem();
        match self {
            Self::Unknown(_)
            | Self::UnknownPeer(_)
            | Self::AmbiguousPeer(_)
            | Self::NotAName
            | Self::AmbiguousMatch
            | Self::Unprintable(_)
            | Self::Closed(_) => problem.what.into_owned(),
            Self::Foreign(_)
            | Self::AmbiguousField(_)
            | Self::WrongDoor
            | Self::Certificate(_)
            | Self::Token(_) => problem.to_string(),
        }
    }
}

impl Actionable for Unidentified {
    fn problem(&self) -> Problem {
        let remedy = self.rule().remedy;
        match self {
            Self::Unknown(fields) => {
                let named: Vec<_> = fields.iter().map(ToString::to_string).collect();
                let has = match named.as_slice() {
                    [] => "nothing that a rule can name".to_owned(),
                    named => named.join(", "),
                };
                let what = format!("no identity matches this certificate, which has {has}");
                Problem::new(what, remedy)
            }
            Self::UnknownPeer(uid) => {
                Problem::new(format!("no identity matches the user with uid {uid}"), remedy)
            }
            Self::AmbiguousPeer(uid) => {
                Problem::new(format!("several identities match the user with uid {uid}"), remedy)
            }
            Self::Foreign(why) => why.problem(),
            Self::NotAName => Problem::new(
                "the identity that matches this certificate makes no valid name of it (one to 63 \
                 characters, a letter or digit first, no `..`, no capital letters)",
                remedy,
            ),
            Self::AmbiguousField(field) => Problem::new(
                format!("the certificate has several values of {field}"),
                "issue one with a single value",
            ),
            Self::AmbiguousMatch => {
                Problem::new("several identities match this certificate", remedy)
            }
            Self::Unprintable(field) => Problem::new(
                format!("the {field} of the certificate holds a character that is not printable"),
                remedy,
            ),
            Self::WrongDoor => {
                Problem::new("this identity may not come in here", "use the listener it was given")
            }
            Self::Closed(_) => Problem::new("this identity may not come in now", remedy),
            Self::Certificate(error) => error.problem(),
            Self::Token(error) => error.problem(),
        }
    }
}
