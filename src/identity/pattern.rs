//! What a certificate's value must look like, and which name comes of it. Two tiny languages instead
//! of regular expressions: they can be read at a glance, matched in bounded time, and compared with
//! one another when the file is loaded, so that no two identities can ever bear one name.

use super::letters::is_printable;
use super::sequence::{MAX_LENGTH, SequenceStep, around, is_capture, is_tail, meet, split};
use crate::problem::{Actionable, Problem};
use std::fmt;
use std::str::FromStr;

/// Most captures of one pattern, and the highest number a template can use.
pub const MAX_CAPTURES: usize = 9;

/// A pattern, template or fingerprint of the policy file that means nothing, found at load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum PatternError {
    /// Nothing is written there.
    Empty,
    /// A character that no certificate value with one reading can hold.
    Unprintable(char),
    /// Two `*` with nothing between them that a capture cannot hold, so that a value could be split
    /// in two ways.
    NotSeparated,
    /// More than [`MAX_CAPTURES`] captures.
    TooManyCaptures,
    /// `{`, `}` or what stands between them is not `{1}` to `{9}`.
    Placeholder,
    /// A character that no identity name has.
    NameCharacter(char),
    /// A name is too long, starts with another character than `[a-z0-9]`, has `..` or a capital letter in it.
    NotAName,
    /// Not `sha256:` and 64 hexadecimal digits.
    Fingerprint,
}

impl Actionable for PatternError {
    fn problem(&self) -> Problem {
        match self {
            Self::Empty => {
                Problem::new("a pattern is empty", "write the value or leave the key out")
            }
            Self::Unprintable(c) => Problem::new(
                format!("the character {} is not allowed here", c.escape_default()),
                "remove it",
            ),
            Self::NotSeparated => Problem::new(
                "two `*` need a character between them that a capture cannot hold, such as `/`, `:` \
                 or `@`",
                "correct the pattern",
            ),
            Self::TooManyCaptures => Problem::new("more than nine `*`", "use fewer"),
            Self::Placeholder => {
                Problem::new("`{` and `}` only stand for a capture", "write `{1}` to `{9}`")
            }
            Self::NameCharacter(c) => Problem::new(
                format!("the character {} is not part of a name", c.escape_default()),
                "use a-z, 0-9, `.`, `_` and `-`",
            ),
            Self::NotAName => Problem::new(
                "not a name: one to 63 characters of a-z, 0-9, `.`, `_` and `-`, a letter or digit first, no `..`",
                "correct the name",
            ),
            Self::Fingerprint => Problem::new(
                "not a fingerprint",
                "write `sha256:` and 64 hexadecimal digits (with or without colons)",
            ),
        }
    }
}

/// What a value must look like: literal text, in which each `*` stands for one capture
/// (`[A-Za-z0-9][A-Za-z0-9._-]{0,62}` without `..`). Compared exactly, letter case included; a value
/// that differs only in case is another value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The text around the captures: one more than there are captures, each possibly empty.
    literals: Vec<String>,
}

impl Pattern {
    /// What each `*` caught, in order, or `None` where the value does not match. A pattern without
    /// `*` catches nothing and is an exact comparison.
    #[must_use]
    pub fn captures(&self, value: &str) -> Option<Vec<String>> {
        split(&self.literals, value).only()
    }

    /// How many `*` there are.
    #[must_use]
    pub const fn capture_count(&self) -> usize {
        self.literals.len().saturating_sub(1)
    }

    /// Whether some value could match both patterns. Errs towards yes.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        meet(&around(&self.literals), &around(&other.literals))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    /// Reads a pattern. Between two `*` there must be a character that a capture cannot hold, so
    /// that every value splits in one way only.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        is_shown_whole(text)?;
        Ok(Self { literals: separated(text.split('*').map(str::to_owned).collect())? })
    }
}

/// Whether a pattern says something, and nothing that is not seen.
pub(super) fn is_shown_whole(text: &str) -> Result<(), PatternError> {
    match text.chars().find(|c| !is_printable(*c)) {
        Some(c) => Err(PatternError::Unprintable(c)),
        None if text.is_empty() => Err(PatternError::Empty),
        None => Ok(()),
    }
}

/// The text around gaps, if there are not too many and each is told from the next by a character that a
/// capture cannot hold: then every value splits in one way only.
pub(super) fn separated(literals: Vec<String>) -> Result<Vec<String>, PatternError> {
    if literals.len() > MAX_CAPTURES + 1 {
        return Err(PatternError::TooManyCaptures);
    }
    let mut between = literals.iter().skip(1).take(literals.len().saturating_sub(2));
    if between.any(|literal| literal.chars().all(is_tail)) {
        return Err(PatternError::NotSeparated);
    }
    Ok(literals)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.literals.join("*"))
    }
}

/// The name of an identity: `[a-z0-9][a-z0-9._-]{0,62}` without `..`. Nothing is folded into one: whoever could have
/// a certificate for `WEB` would else be `web`, with what `web` was granted. There is no
/// other way to make one, so a name can be shown, compared and used in a template as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityName(String);

impl IdentityName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdentityName {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        if lower && is_capture(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PatternError::NotAName)
        }
    }
}

impl fmt::Display for IdentityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a rule names whom it matches: lower-case text with `{1}` to `{9}` for what the `*` caught.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameTemplate {
    /// The text around the captures: one more than there are captures, each possibly empty.
    literals: Vec<String>,
    /// The number of each capture, from 1.
    captures: Vec<usize>,
}

impl NameTemplate {
    /// The name for these captures, as they are.
    ///
    /// # Errors
    /// What comes out is no name: too long, a `..` where two parts meet, or a capital letter in what was caught.
    pub fn produce(&self, captures: &[String]) -> Result<IdentityName, PatternError> {
        let mut literals = self.literals.iter();
        let mut name = literals.next().cloned().unwrap_or_default();
        for (number, literal) in self.captures.iter().zip(literals) {
            name.push_str(capture(captures, *number).ok_or(PatternError::Placeholder)?);
            name.push_str(literal);
        }
        name.parse()
    }

    /// The highest capture that the template uses, 0 for none.
    #[must_use]
    pub fn highest_capture(&self) -> usize {
        self.captures.iter().copied().max().unwrap_or(0)
    }

    /// The numbers of the captures that it uses, from 1.
    #[must_use]
    pub fn captures(&self) -> &[usize] {
        &self.captures
    }

    /// The captures from which this template would have made the name: each at its number, empty
    /// where the template does not use it. `None` where it could not have, or in more than one way.
    #[must_use]
    pub fn captures_behind(&self, name: &IdentityName) -> Option<Vec<String>> {
        let letters: Vec<_> = name.as_str().chars().map(SequenceStep::One).collect();
        if !meet(&around(&self.literals), &letters) {
            return None;
        }
        let values = split(&self.literals, name.as_str()).only()?;
        let mut captures = vec![String::new(); self.highest_capture()];
        for (number, value) in self.captures.iter().zip(values) {
            let capture = captures.get_mut(number.checked_sub(1)?)?;
            if !capture.is_empty() && *capture != value {
                return None;
            }
            *capture = value;
        }
        Some(captures)
    }
}

impl FromStr for NameTemplate {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let (mut literals, mut captures, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some((literal, opened)) = rest.split_once('{') {
            let (number, after) = opened.split_once('}').ok_or(PatternError::Placeholder)?;
            literals.push(part_of_name(literal)?);
            captures.push(capture_number(number)?);
            rest = after;
        }
        literals.push(part_of_name(rest)?);
        let template = Self { literals, captures };
        // With the shortest captures there are, a good template makes a name.
        template.produce(&vec!["x".to_owned(); MAX_CAPTURES])?;
        Ok(template)
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let captures = self.captures.iter().map(|number| format!("{{{number}}}"));
        let captures = captures.chain([String::new()]); // none follows the last text
        self.literals.iter().zip(captures).try_for_each(|(text, gap)| write!(f, "{text}{gap}"))
    }
}

/// Whether two templates could produce the same name: `ci-{1}` and `ci-main-{1}` could, `ci-{1}` and
/// `main-{1}` never do. Errs towards yes. An error at load, since whoever may have one name of the
/// pair could be given the other's rights.
#[must_use]
pub fn overlap(a: &NameTemplate, b: &NameTemplate) -> bool {
    meet(&around(&a.literals), &around(&b.literals))
}

/// The number of a capture, `1` to `9`.
pub(super) fn capture_number(number: &str) -> Result<usize, PatternError> {
    match number.as_bytes() {
        [digit @ b'1'..=b'9'] => Ok(usize::from(digit - b'0')),
        _ => Err(PatternError::Placeholder),
    }
}

/// What was caught by the capture of this number.
pub(super) fn capture(captures: &[String], number: usize) -> Option<&str> {
    captures.get(number.checked_sub(1)?).map(String::as_str)
}

fn part_of_name(text: &str) -> Result<String, PatternError> {
    let strange = text.chars().find(|c| c.is_ascii_uppercase() || !is_tail(*c));
    match strange {
        Some('}') => Err(PatternError::Placeholder),
        Some(c) => Err(PatternError::NameCharacter(c)),
        None if text.len() > MAX_LENGTH => Err(PatternError::NotAName),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
