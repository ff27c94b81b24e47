//! What can go wrong between a certificate and a name, in one place: an operator meets the load-time
//! errors with a caret in the policy file, and a client meets [`Unidentified`] as its refusal.

use super::peer::Foreign;
use super::rule::Field;
use super::token::TokenError;
use super::validity::Closed;
use std::fmt;

/// A certificate of which something cannot be read. Reading stops there: a value that we cannot read
/// is not a value that is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// The bytes are no DER certificate, or more than one.
    NotACertificate,
    /// The subject alternative name extension is malformed or there twice (RFC 5280, 4.2: an
    /// extension appears once).
    SubjectAltName,
    /// A CN or OU is not in a string type that has one reading (UTF8String, PrintableString,
    /// IA5String, NumericString).
    UnreadableName(Field),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACertificate => {
                f.write_str("the client certificate cannot be read, issue it again")
            }
            Self::SubjectAltName => f.write_str(
                "the subject alternative names of the certificate cannot be read, issue it again",
            ),
            Self::UnreadableName(field) => write!(
                f,
                "the {field} of the certificate is in a string type that is not read, issue it \
                 again with UTF8String"
            ),
        }
    }
}

impl std::error::Error for IdentityError {}

/// A pattern, template or fingerprint of the policy file that means nothing, found at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// Nothing is written there.
    Empty,
    /// A character that no certificate value with one reading can hold.
    Unprintable(char),
    /// Two `*` with nothing between them that a capture cannot hold, so that a value could be split
    /// in two ways.
    NotSeparated,
    /// More than [`super::pattern::MAX_CAPTURES`] captures.
    TooManyCaptures,
    /// `{`, `}` or what stands between them is not `{1}` to `{9}`.
    Placeholder,
    /// A character that no identity name has.
    NameCharacter(char),
    /// A name is too long, starts with another character than `[a-z0-9]`, or has `..` in it.
    NotAName,
    /// Not `sha256:` and 64 hexadecimal digits.
    Fingerprint,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a pattern is empty, write the value or leave the key out"),
            Self::Unprintable(c) => {
                write!(f, "the character {} is not allowed here, remove it", c.escape_default())
            }
            Self::NotSeparated => f.write_str(
                "two `*` need a character between them that a capture cannot hold, such as `/`, \
                 `:` or `@`",
            ),
            Self::TooManyCaptures => f.write_str("more than nine `*`, use fewer"),
            Self::Placeholder => {
                f.write_str("`{` and `}` only stand for a capture, write `{1}` to `{9}`")
            }
            Self::NameCharacter(c) => write!(
                f,
                "the character {} is not part of a name, use a-z, 0-9, `.`, `_` and `-`",
                c.escape_default()
            ),
            Self::NotAName => {
                f.write_str("not a name: one to 63 characters, a letter or digit first, no `..`")
            }
            Self::Fingerprint => f.write_str(
                "not a fingerprint, write `sha256:` and 64 hexadecimal digits (with or without \
                 colons)",
            ),
        }
    }
}

impl std::error::Error for PatternError {}

/// A rule whose parts do not fit together, found at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// `match` has no condition, and so would match everybody.
    NoCondition,
    /// The same field is asked for twice.
    FieldTwice(Field),
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
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCondition => f.write_str("match is empty, name at least one field"),
            Self::FieldTwice(field) => write!(f, "{field} is named twice, keep one"),
            Self::NoClaim => f.write_str("token names no claim, name one or remove the key"),
            Self::NoSuchBound { claim, wanted, captures } => write!(
                f,
                "{claim:?} uses {{{wanted}}} but what is asked of the certificate has {captures} `*`, \
                 add one there or write the value out"
            ),
            Self::NoSuchCapture { wanted, captures } => write!(
                f,
                "the name uses {{{wanted}}} but match has {captures} `*`, add one or write the name out"
            ),
        }
    }
}

impl std::error::Error for RuleError {}

/// A `valid` of the policy file that means nothing, found at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityError {
    /// Not days of the week.
    Days,
    /// Not two times of the day.
    Hours,
    /// Hours that end when they begin.
    NoHours,
    /// It restricts nothing.
    Always,
}

impl fmt::Display for ValidityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Days => "not days, write mon-fri, or [sat, sun] with any of mon, tue, wed, thu, fri, sat, sun",
            Self::Hours => "not hours, write 08:00-18:00, or 22:00-06:00 for a night",
            Self::NoHours => "hours that end when they begin, write 08:00-18:00, or 00:00-24:00 for a whole day",
            Self::Always => "valid restricts nothing, name days, hours or until",
        })
    }
}

impl std::error::Error for ValidityError {}

/// Why nobody was identified. Every variant is a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unidentified {
    /// No rule matches.
    Unknown,
    /// No rule matches the user with this number.
    UnknownPeer(u32),
    /// Several rules match the user with this number, and none of them asks for more than the others.
    AmbiguousPeer(u32),
    /// Whoever is at the Unix socket is no user of this host.
    Foreign(Foreign),
    /// A rule matches, and the name it would produce is not one.
    NotAName,
    /// A field that some rule names has several values.
    AmbiguousField(Field),
    /// Several rules match, and none of them asks for all that the others ask and more.
    AmbiguousMatch,
    /// A field that some rule names holds a character without one visible reading.
    Unprintable(Field),
    /// The identity may not come in at this listener.
    WrongDoor,
    /// The identity may not come in at this time.
    Closed(Closed),
    /// The certificate cannot be read.
    Certificate(IdentityError),
    /// A token was sent that counts for nothing. It is never as if none had been sent.
    Token(TokenError),
}

impl Unidentified {
    /// The stable reason id, the same in the answer, the record and the documentation.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unknown | Self::UnknownPeer(_) | Self::NotAName => "identity.unknown",
            Self::Foreign(_) => "peer.namespace",
            Self::AmbiguousField(_) => "identity.ambiguous-field",
            Self::AmbiguousMatch | Self::AmbiguousPeer(_) => "identity.ambiguous-match",
            Self::Unprintable(_) => "identity.unprintable",
            Self::WrongDoor => "identity.wrong-listener",
            Self::Closed(_) => "identity.closed",
            Self::Certificate(_) => "identity.certificate",
            Self::Token(error) => error.reason(),
        }
    }
}

impl fmt::Display for Unidentified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no identity matches this certificate"),
            Self::UnknownPeer(uid) => write!(f, "no identity matches the user with uid {uid}"),
            Self::AmbiguousPeer(uid) => {
                write!(f, "several identities match the user with uid {uid}")
            }
            Self::Foreign(why) => why.fmt(f),
            Self::NotAName => f.write_str(
                "the identity that matches this certificate makes no valid name of it (one to 63 \
                 characters, a letter or digit first, no `..`)",
            ),
            Self::AmbiguousField(field) => write!(
                f,
                "the certificate has several values of {field}, issue one with a single value"
            ),
            Self::AmbiguousMatch => f.write_str("several identities match this certificate"),
            Self::Unprintable(field) => {
                write!(f, "the {field} of the certificate holds a character that is not printable")
            }
            Self::WrongDoor => {
                f.write_str("this identity may not come in here, use the listener it was given")
            }
            // the same for both: whoever is refused need not learn when to come again
            Self::Closed(_) => f.write_str("this identity may not come in now"),
            Self::Certificate(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unidentified {}

impl From<IdentityError> for Unidentified {
    fn from(error: IdentityError) -> Self {
        Self::Certificate(error)
    }
}

impl From<TokenError> for Unidentified {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}
