//! Patterns and name templates are both runs of literal characters and captures. This is that common
//! shape, and the two questions asked of it: how does a text split, and could two of them meet.

use std::collections::HashSet;

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SequenceStep {
    /// Exactly this character.
    One(char),
    /// The first character of a capture: a letter or digit.
    Head,
    /// Any number of characters of a capture.
    Tail,
}

/// The run of a pattern, given the text around its captures.
pub(super) fn around(literals: &[String]) -> Vec<SequenceStep> {
    let capture: &[SequenceStep] = &[SequenceStep::Head, SequenceStep::Tail];
    let literals = literals.iter().enumerate();
    literals
        .flat_map(|(at, literal)| {
            let before = if at == 0 { &[] } else { capture };
            before.iter().copied().chain(literal.chars().map(SequenceStep::One))
        })
        .collect()
}

/// Longest capture and longest name, in characters.
pub(super) const MAX_LENGTH: usize = 63;

/// Whether the text is a capture: `[A-Za-z0-9][A-Za-z0-9._-]{0,62}` without `..`.
pub(super) fn is_capture(text: &str) -> bool {
    let starts_well = text.chars().next().is_some_and(is_head);
    starts_well && text.len() <= MAX_LENGTH && text.chars().all(is_tail) && !text.contains("..")
}

/// First character of a capture.
pub(super) const fn is_head(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Later character of a capture.
pub(super) const fn is_tail(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// How a text falls apart between literals.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split<'t> {
    /// Not at all.
    None,
    /// In exactly one way, into these captures.
    One(Vec<&'t str>),
    /// In more than one way.
    Many,
}

impl Split<'_> {
    /// The captures, where there is one way only.
    pub(super) fn only(self) -> Option<Vec<String>> {
        match self {
            Self::One(captures) => Some(captures.into_iter().map(str::to_owned).collect()),
            Self::None | Self::Many => None,
        }
    }
}

/// Splits `text` at `literals`, with one capture between each and the next. Bounded: every capture
/// has at most [`MAX_LENGTH`] characters, the search ends at the second way, and where it came to nothing once it
/// does not go again.
pub(super) fn split<'t>(literals: &[String], text: &'t str) -> Split<'t> {
    let Some((first, gaps)) = literals.split_first() else { return Split::None };
    match text.strip_prefix(first.as_str()) {
        Some(rest) => captures(gaps, rest, &mut HashSet::new()),
        None => Split::None,
    }
}

/// `dead` are ends of the text, by their length, that do not split at so many of the last literals.
fn captures<'t>(gaps: &[String], text: &'t str, dead: &mut HashSet<(usize, usize)>) -> Split<'t> {
    let Some((literal, later)) = gaps.split_first() else {
        return if text.is_empty() { Split::One(Vec::new()) } else { Split::None };
    };
    if dead.contains(&(gaps.len(), text.len())) {
        return Split::None;
    }
    let mut found = Split::None;
    for end in 1..=text.len().min(MAX_LENGTH) {
        let Some((capture, rest)) = text.split_at_checked(end) else { continue };
        let Some(rest) = rest.strip_prefix(literal.as_str()) else { continue };
        if !is_capture(capture) {
            continue;
        }
        found = match (captures(later, rest, dead), found) {
            (Split::None, found) => found,
            (Split::One(rest), Split::None) => {
                Split::One(std::iter::once(capture).chain(rest).collect())
            }
            _ => return Split::Many,
        };
    }
    if found == Split::None {
        dead.insert((gaps.len(), text.len()));
    }
    found
}

/// Whether some text could be a reading of both runs. Errs towards yes: length, `..` and the same
/// capture used twice are not considered.
pub(super) fn meet(a: &[SequenceStep], b: &[SequenceStep]) -> bool {
    let mut seen = vec![(0, 0)];
    let mut next = 0;
    while let Some(&(i, j)) = seen.get(next) {
        next += 1;
        let (here, there) = (a.get(i).copied(), b.get(j).copied());
        if here.is_none() && there.is_none() {
            return true;
        }
        for step in steps(here, there) {
            let to = (i + usize::from(step.0), j + usize::from(step.1));
            if !seen.contains(&to) {
                seen.push(to);
            }
        }
    }
    false
}

/// Where two runs can go from here: past a tail that ends, or over a character that both can read.
fn steps(a: Option<SequenceStep>, b: Option<SequenceStep>) -> impl Iterator<Item = (bool, bool)> {
    let past_a = (a == Some(SequenceStep::Tail)).then_some((true, false));
    let past_b = (b == Some(SequenceStep::Tail)).then_some((false, true));
    let both = a.zip(b).filter(|(a, b)| share_a_character(*a, *b));
    let both = both.map(|(a, b)| (a != SequenceStep::Tail, b != SequenceStep::Tail));
    past_a.into_iter().chain(past_b).chain(both)
}

fn share_a_character(a: SequenceStep, b: SequenceStep) -> bool {
    match (a, b) {
        (SequenceStep::One(a), SequenceStep::One(b)) => a == b,
        (SequenceStep::One(c), SequenceStep::Head) | (SequenceStep::Head, SequenceStep::One(c)) => {
            is_head(c)
        }
        (SequenceStep::One(c), SequenceStep::Tail) | (SequenceStep::Tail, SequenceStep::One(c)) => {
            is_tail(c)
        }
        (SequenceStep::Head | SequenceStep::Tail, SequenceStep::Head | SequenceStep::Tail) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn one_way_to_split_is_found_and_two_are_told_apart() {
        assert_eq!(split(&literals(&["a/", "/c"]), "a/b/c"), Split::One(vec!["b"]));
        assert_eq!(split(&literals(&["", "-", ""]), "a-b"), Split::One(vec!["a", "b"]));
        assert_eq!(split(&literals(&["", "-", ""]), "a-b-c"), Split::Many);
        assert_eq!(split(&literals(&["", "-", ""]), "ab"), Split::None);
        assert_eq!(split(&[], ""), Split::None);
    }

    /// Nine captures fall in 2^30 places; each is looked at once or this never ends.
    #[test]
    fn what_splits_nowhere_is_found_out_at_once() {
        let gaps = ["", "", "", "", "", "", "", "", "", "b"];
        assert_eq!(split(&literals(&gaps), &"a".repeat(63)), Split::None);
        let gaps = ["", "a", "a", "a", "a", "a", "a", "a", "a", "b"];
        assert_eq!(split(&literals(&gaps), &"a".repeat(63)), Split::None);
    }

    #[test]
    fn multibyte_text_is_no_capture() {
        assert_eq!(split(&literals(&["", ""]), "ü"), Split::None);
        assert_eq!(split(&literals(&["", "ü"]), "aü"), Split::One(vec!["a"]));
    }
}
