//! Patterns of the policy file: `*` is any run without `/`, `**` any run. No regular expressions.

/// Most stars of a pattern that a policy file may hold: a text is gone through once for each.
pub const MAX_STARS: usize = 16;

/// Most patterns of one of its lists: each is asked of each text.
pub const MAX_PATTERNS: usize = 1024;

/// A glob over names or references, matched as a whole and letter by letter: `*` and `**` are all that is special.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// The pattern as written.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }

    /// Whether the whole text matches for somebody who reads both without letter case: for lists of what is
    /// denied, where one that reads so must not see what was let through.
    #[must_use]
    pub fn matches_in_any_case(&self, text: &str) -> bool {
        matches(without_case(&self.0).as_bytes(), without_case(text).as_bytes())
    }
}

/// A text in which letters are the same that some reader takes for one: Go's `EqualFold` has `ſ` for `s` and
/// the Kelvin sign for `k`, its `ToLower` makes an `i` of `İ` and its `ToUpper` an `I` of `ı`; others write `ẞ` and `ß` as `ss`.
fn without_case(text: &str) -> String {
    const DOT_ABOVE: char = '\u{307}'; // what is left of `İ` beside its `i`
    let upper = text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).filter(|c| *c != DOT_ABOVE).collect()
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a star stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// `*`: any run without `/`.
    Segment,
    /// `**`: any run.
    Any,
}

/// The places in a text at which what was matched so far can end.
struct Ends {
    first: usize,
    /// Of each place from the first on, whether it is one. Empty where the first is all that is needed.
    from_first: Vec<bool>,
}

impl Ends {
    fn has(&self, at: usize) -> bool {
        let after = at.checked_sub(self.first);
        after == Some(0) || after.and_then(|after| self.from_first.get(after)) == Some(&true)
    }
}

/// Goes through the text once for each star, whatever both hold: of a literal all the places are taken together at
/// which it can end, and nothing is tried twice.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (literal, more) = up_to_star(pattern);
    let Some((mut gap, mut rest)) = more else { return literal == text };
    if !text.starts_with(literal) {
        return false;
    }
    let mut ends = Ends { first: literal.len(), from_first: Vec::new() };
    loop {
        let (literal, more) = up_to_star(rest);
        let Some((next, after)) = more else { return closes(text, &ends, gap, literal) };
        match found(text, &ends, gap, (literal, next)) {
            Some(found) => ends = found,
            None => return false,
        }
        (gap, rest) = (next, after);
    }
}

/// What stands before the first star; which gap that is, with those beside it, and what comes after it.
fn up_to_star(pattern: &[u8]) -> (&[u8], Option<(Gap, &[u8])>) {
    let star = pattern.iter().position(|&b| b == b'*');
    let Some((literal, stars)) = star.and_then(|at| pattern.split_at_checked(at)) else {
        return (pattern, None);
    };
    let count = stars.iter().position(|&b| b != b'*').unwrap_or(stars.len());
    let gap = if count == 1 { Gap::Segment } else { Gap::Any };
    (literal, Some((gap, stars.get(count..).unwrap_or_default())))
}

/// Where the literal can end, behind a gap that begins at one of these ends. Before `**` the first is enough: who
/// begins earlier can go wherever who begins later can.
fn found(text: &[u8], ends: &Ends, gap: Gap, (literal, next): (&[u8], Gap)) -> Option<Ends> {
    let last = text.len().checked_sub(literal.len())?;
    let (mut open, mut found) = (false, None::<Ends>);
    for at in ends.first..=last {
        open |= ends.has(at);
        let rest = text.get(at..).unwrap_or_default();
        if open && rest.starts_with(literal) {
            let end = at.saturating_add(literal.len());
            match &mut found {
                None => found = Some(Ends { first: end, from_first: Vec::new() }),
                Some(ends) => {
                    ends.from_first.resize(end.saturating_sub(ends.first), false);
                    ends.from_first.push(true);
                }
            }
            if next == Gap::Any {
                break;
            }
        }
        // a `/` ends what `*` stands for
        open &= gap == Gap::Any || rest.first() != Some(&b'/');
    }
    found
}

/// Whether the text ends in the literal, behind a gap that begins at one of these ends.
fn closes(text: &[u8], ends: &Ends, gap: Gap, literal: &[u8]) -> bool {
    let Some(at) = text.len().checked_sub(literal.len()) else { return false };
    let reaches = || match gap {
        Gap::Any => ends.first <= at,
        Gap::Segment => {
            let before = text.get(..at).unwrap_or_default();
            let least = before.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
            (least.max(ends.first)..=at).any(|end| ends.has(end))
        }
    };
    text.ends_with(literal) && reaches()
}

#[cfg(test)]
mod tests {
    use super::Glob;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).matches(text)
    }

    #[test]
    fn one_star_stays_within_a_segment_and_two_do_not() {
        assert!(matches("docker.io/library/*", "docker.io/library/busybox"));
        assert!(!matches("docker.io/*", "docker.io/library/busybox"));
        assert!(matches("docker.io/**", "docker.io/library/busybox"));
        assert!(matches("**", ""));
        assert!(matches("a*b*c", "aXbYbc"));
        assert!(matches("**/x*z", "a/xb/x1z"));
        assert!(!matches("a*", "a/b"));
        assert!(!matches("abc", "abcd"));
        assert!(!matches("", "a"));
    }

    #[test]
    fn a_deny_is_read_in_every_case_that_somebody_reads() {
        let denied = |text: &str| Glob::new("Traefik.http.routers.**").matches_in_any_case(text);
        for text in [
            "traefik.http.routers.x",
            "TRAEFIK.HTTP.ROUTERS.X",
            "traefik.http.router\u{17f}.x",
            "traefi\u{212a}.http.routers.x",
            "traef\u{131}k.http.routers.x",
            "traef\u{130}k.http.routers.x",
        ] {
            assert!(denied(text), "{text}");
        }
        for text in ["traefik.http.router.x", "træfik.http.routers.x", "traefjk.http.routers.x"] {
            assert!(!denied(text), "{text}");
        }
        assert!(Glob::new("\u{3c3}*").matches_in_any_case("\u{3c2}x"), "final and other sigma");
    }

    fn slow(p: &[u8], t: &[u8]) -> bool {
        match p {
            [] => t.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=t.len()).any(|i| slow(rest, &t[i..])),
            [b'*', rest @ ..] => {
                (0..=t.len()).take_while(|&i| !t[..i].contains(&b'/')).any(|i| slow(rest, &t[i..]))
            }
            [c, rest @ ..] => t.first() == Some(c) && slow(rest, &t[1..]),
        }
    }

    /// By going through all letters of both at most 17 times this is done at once; a matcher that tries again from
    /// each place would take longer than anybody waits.
    #[test]
    fn long_texts_and_many_stars_are_gone_through_once() {
        let long = "x".repeat(1 << 17);
        let slashes = "/x".repeat(1 << 16);
        for pattern in ["**x*y", "**x*x**y*x", "*x*x*x*x*x*x*x*y", "**x**x**x**/*y"] {
            assert!(!matches(pattern, &long), "{pattern}");
            assert!(!matches(pattern, &slashes), "{pattern}");
        }
        assert!(matches("**x*x", &long) && matches("*x*x*x*x*x", &long));
        assert!(matches("**/x*", &slashes) && !matches("*x*x*x*x*x", &slashes));
        let many = Glob::new("**x*".repeat(super::MAX_STARS / 3) + "y");
        assert!(!many.matches(&long) && !many.matches(&slashes));
    }

    proptest! {
        #[test]
        fn same_as_the_obvious_matcher(p in "[ab/*]{0,8}", t in "[ab/]{0,10}") {
            prop_assert_eq!(matches(&p, &t), slow(p.as_bytes(), t.as_bytes()));
        }

        #[test]
        fn same_as_the_obvious_matcher_among_stars(
            p in "(\\*\\*|\\*|a|/|b|aa|a/){0,9}", t in "[a/b]{0,12}",
        ) {
            prop_assert_eq!(matches(&p, &t), slow(p.as_bytes(), t.as_bytes()));
        }
    }
}
