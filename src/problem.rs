//! The two halves of every error (L0): what is wrong, and what to do about it. Whoever shows an error with a
//! place or a caret needs them apart, so they are fields; nobody takes our own English apart again.

use std::borrow::Cow;
use std::fmt;

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lower-case, no full stop.
    pub what: Cow<'static, str>,
    /// The next step.
    pub next: Cow<'static, str>,
}

impl Problem {
    /// Puts both halves together.
    #[must_use]
    pub fn new(what: impl Into<Cow<'static, str>>, next: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// The same of a place, which is said first: `PLACE: what`.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self { what: format!("{place}: {}", self.what).into(), next: self.next }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.what, self.next)
    }
}

/// An error that says what to do about it. Every error of the house is one, and shows itself as its problem:
/// `#[derive(Debug, thiserror::Error)] #[error("{}", self.problem())]`.
pub trait Actionable {
    /// Both halves of what is to be said.
    fn problem(&self) -> Problem;
}
