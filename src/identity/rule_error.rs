//! What does not fit together in an entry of `identities`: of conditions on a certificate, a token or a user,
//! and of the name that is made of them.

use super::field::CertificateField;
use crate::problem::{Actionable, Problem};

/// A rule whose parts do not fit together, found at load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum RuleError {
    /// `match` has no condition, and so would match everybody.
    NoCondition,
    /// The same field is asked for twice.
    FieldTwice(CertificateField),
    /// `token` names no claim.
    NoClaim,
    /// A claim is compared with a capture that the certificate's part does not make.
    NoSuchBound {
        /// The claim.
        claim: String,
        /// The number in its pattern, from 1.
        wanted: usize,
        /// How many `*` there are in the certificate's part.
        captures: usize,
    },
    /// The name uses a capture that the conditions do not make.
    NoSuchCapture {
        /// The number in the template, from 1.
        wanted: usize,
        /// How many `*` there are in `match`.
        captures: usize,
    },
    /// An owner is made of a capture that the name is not made of.
    NoSuchOwner {
        /// The number in the template, from 1.
        wanted: usize,
    },
}

impl Actionable for RuleError {
    fn problem(&self) -> Problem {
        match self {
            Self::NoCondition => Problem::new("match is empty", "name at least one field"),
            Self::FieldTwice(field) => Problem::new(format!("{field} is named twice"), "keep one"),
            Self::NoClaim => Problem::new("token names no claim", "name one or remove the key"),
            Self::NoSuchBound { claim, wanted, captures } => Problem::new(
                format!(
                    "{claim:?} uses {{{wanted}}} but what is asked of the certificate has {captures} `*`"
                ),
                "add one there or write the value out",
            ),
            Self::NoSuchCapture { wanted, captures } => Problem::new(
                format!("the name uses {{{wanted}}} but match has {captures} `*`"),
                "add one or write the name out",
            ),
            Self::NoSuchOwner { wanted } => Problem::new(
                format!(
                    "an owner uses {{{wanted}}} and the name does not: one name would own as several"
                ),
                "put it into the name too, or write the owner out",
            ),
        }
    }
}
