//! Patterns of the policy file: `*` is any run without `/`, `**` any run. No regular expressions.

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

/// Backtracks to the last `*` and, when that is exhausted, to the last `**`: time is bounded by
/// the product of the lengths, since a `*` never needs to be reconsidered once a later one holds.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut stars: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) if pattern.get(p + 1) == Some(&b'*') => {
                p += 2;
                stars = Some((p, t));
                star = None;
                continue;
            }
            (Some(b'*'), _) => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            (Some(want), Some(is)) if want == is => {
                p += 1;
                t += 1;
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        if let Some((after, from)) = star
            && text.get(from).is_some_and(|&b| b != b'/')
        {
            star = Some((after, from + 1));
            (p, t) = (after, from + 1);
        } else if let Some((after, from)) = stars
            && from < text.len()
        {
            stars = Some((after, from + 1));
            star = None;
            (p, t) = (after, from + 1);
        } else {
            return false;
        }
    }
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

    proptest! {
        #[test]
        fn same_as_the_obvious_matcher(p in "[ab/*]{0,8}", t in "[ab/]{0,10}") {
            prop_assert_eq!(matches(&p, &t), slow(p.as_bytes(), t.as_bytes()));
        }
    }
}
