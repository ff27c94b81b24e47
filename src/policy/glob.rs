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
