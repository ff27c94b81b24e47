//! What a claim of a token must look like, and the one thing that ties a token to a certificate:
//! `{1}` in such a pattern is what the first `*` of the certificate's part caught. So a token of one
//! project and a certificate of another prove nothing together.

use super::pattern::{PatternError, capture, capture_number, is_shown_whole, separated};
use super::sequence::{Split, around, meet, split};
use std::fmt;
use std::str::FromStr;

/// What a claim must look like: literal text, `*` for a capture as in [`super::pattern::Pattern`], and `{1}` to
/// `{9}` for what the certificate's captures caught, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPattern {
    /// The text around the gaps: one more than there are gaps, each possibly empty.
    literals: Vec<String>,
    gaps: Vec<ClaimGap>,
}

/// What stands between two literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimGap {
    /// `*`: catches.
    Capture,
    /// The number of a capture of the certificate, from 1.
    Bound(usize),
}

impl ClaimPattern {
    /// What each `*` caught, in order, with these captures of the certificate; `None` where the value
    /// does not match.
    pub(super) fn captures(&self, value: &str, certificate: &[String]) -> Option<Vec<String>> {
        let (first, later) = self.literals.split_first()?;
        let mut literals = vec![first.clone()];
        for (gap, literal) in self.gaps.iter().zip(later) {
            match gap {
                ClaimGap::Capture => literals.push(literal.clone()),
                ClaimGap::Bound(number) => {
                    let last = literals.last_mut()?;
                    last.push_str(capture(certificate, *number)?);
                    last.push_str(literal);
                }
            }
        }
        split(&literals, value).only()
    }

    /// Whether the value would match if the certificate were another.
    pub(super) fn fits_another(&self, value: &str) -> bool {
        split(&self.literals, value) != Split::None
    }

    /// How many `*` there are.
    #[must_use]
    pub fn capture_count(&self) -> usize {
        self.gaps.iter().filter(|gap| **gap == ClaimGap::Capture).count()
    }

    /// The highest capture of the certificate that is compared with, 0 for none.
    #[must_use]
    pub fn highest_bound(&self) -> usize {
        let numbers = self.gaps.iter().map(|gap| if let ClaimGap::Bound(n) = gap { *n } else { 0 });
        numbers.max().unwrap_or(0)
    }

    /// The one value there is, where nothing but literal text is written.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self.literals.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether some value could match both, whatever the certificates. Errs towards yes.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        meet(&around(&self.literals), &around(&other.literals))
    }

    /// Whether two patterns ask the same, given which gaps do.
    pub(super) fn asks_the_same(
        &self,
        other: &Self,
        same: impl Fn(ClaimGap, ClaimGap) -> bool,
    ) -> bool {
        self.literals == other.literals
            && self.gaps.iter().zip(&other.gaps).all(|(one, another)| same(*one, *another))
    }
}

impl FromStr for ClaimPattern {
    type Err = PatternError;

    /// Reads a pattern. Between two gaps there must be a character that a capture cannot hold: with
    /// `{1}-*` the certificate of `a` would go with a token of `a-b`.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        is_shown_whole(text)?;
        let (mut literals, mut gaps, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some(at) = rest.find(['*', '{', '}']) {
            let (literal, from) = rest.split_at(at);
            let (gap, after) = gap(from)?;
            literals.push(literal.to_owned());
            gaps.push(gap);
            rest = after;
        }
        literals.push(rest.to_owned());
        Ok(Self { literals: separated(literals)?, gaps })
    }
}

/// The gap that the text begins with, and what follows it.
fn gap(text: &str) -> Result<(ClaimGap, &str), PatternError> {
    if let Some(after) = text.strip_prefix('*') {
        return Ok((ClaimGap::Capture, after));
    }
    let opened = text.strip_prefix('{').ok_or(PatternError::Placeholder)?;
    let (number, after) = opened.split_once('}').ok_or(PatternError::Placeholder)?;
    Ok((ClaimGap::Bound(capture_number(number)?), after))
}

impl fmt::Display for ClaimPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gaps = self.gaps.iter().map(|gap| match gap {
            ClaimGap::Capture => "*".to_owned(),
            ClaimGap::Bound(number) => format!("{{{number}}}"),
        });
        let gaps = gaps.chain([String::new()]); // none follows the last text
        self.literals.iter().zip(gaps).try_for_each(|(text, gap)| write!(f, "{text}{gap}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> ClaimPattern {
        text.parse().unwrap()
    }

    fn captures(text: &str, value: &str, certificate: &[&str]) -> Option<Vec<String>> {
        let certificate: Vec<String> = certificate.iter().map(|c| (*c).to_owned()).collect();
        pattern(text).captures(value, &certificate)
    }

    #[test]
    fn a_claim_equals_what_the_certificate_caught() {
        let none = Some(Vec::new());
        assert_eq!(captures("acme/{1}", "acme/web", &["web"]), none);
        assert_eq!(captures("acme/{1}", "acme/api", &["web"]), None);
        assert_eq!(captures("acme/{1}", "acme/web2", &["web"]), None);
        assert_eq!(captures("acme/{1}", "acme/Web", &["web"]), None);
        assert_eq!(captures("acme/{2}", "acme/b", &["a", "b"]), none);
        assert_eq!(captures("acme/{2}", "acme/a", &["a"]), None, "no such capture");
        assert_eq!(captures("{1}:{1}", "a:a", &["a"]), none);
        assert_eq!(captures("{1}:{1}", "a:b", &["a"]), None);
        assert_eq!(captures("{1}/*", "a/b", &["a"]), Some(vec!["b".to_owned()]));
        assert_eq!(
            captures("*/{1}:*", "x/a:y", &["a"]),
            Some(vec!["x".to_owned(), "y".to_owned()])
        );
        assert_eq!(captures("true", "true", &[]), none);
        assert!(pattern("acme/{1}").fits_another("acme/api"));
        assert!(!pattern("acme/{1}").fits_another("evil/api"));
    }

    #[test]
    fn a_pattern_that_could_be_read_in_two_ways_is_an_error() {
        for (text, expected) in [
            ("", PatternError::Empty),
            ("a\u{200b}", PatternError::Unprintable('\u{200b}')),
            ("{1}*", PatternError::NotSeparated),
            ("{1}-*", PatternError::NotSeparated),
            ("*{2}", PatternError::NotSeparated),
            ("{1}{2}", PatternError::NotSeparated),
            ("{0}", PatternError::Placeholder),
            ("{10}", PatternError::Placeholder),
            ("{1", PatternError::Placeholder),
            ("1}", PatternError::Placeholder),
            ("{*}", PatternError::Placeholder),
            ("*/*/*/*/*/*/*/*/*/{1}", PatternError::TooManyCaptures),
        ] {
            assert_eq!(text.parse::<ClaimPattern>(), Err(expected), "{text}");
        }
        for text in ["{1}/*", "a{1}b", "*:{9}", "repo:acme/{1}:ref:refs/heads/*"] {
            assert_eq!(pattern(text).to_string(), text);
        }
        assert_eq!(pattern("repo:{3}/*").highest_bound(), 3);
        assert_eq!((pattern("x").exact(), pattern("x{1}").exact()), (Some("x"), None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}", value in ".{0,40}") {
            if let Ok(pattern) = text.parse::<ClaimPattern>() {
                let _ = pattern.captures(&value, std::slice::from_ref(&value));
                prop_assert_eq!(pattern.to_string(), text);
            }
        }

        #[test]
        fn what_matches_two_patterns_is_an_overlap(
            a in "[ab/*]{1,4}|[ab]?/?\\{1\\}", b in "[ab/*]{1,4}|[ab]?/?\\{1\\}",
            value in "[ab/]{1,4}", one in "[ab]{1,2}", two in "[ab]{1,2}",
        ) {
            if let (Ok(a), Ok(b)) = (a.parse::<ClaimPattern>(), b.parse::<ClaimPattern>()) {
                let both = a.captures(&value, &[one]).is_some() && b.captures(&value, &[two]).is_some();
                prop_assert!(!both || a.overlaps(&b));
                prop_assert!(!both || a.fits_another(&value) && b.fits_another(&value));
            }
        }
    }
}
