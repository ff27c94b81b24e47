//! Image references in one form, and the patterns that policies match them with.
//!
//! Every spelling of a reference resolves in the daemon (`busybox`, `index.docker.io/library/busybox`,
//! four characters of an id), so a pattern is matched on the full form alone.
//! Source: `github.com/distribution/reference` (`ParseNormalizedNamed`).

use std::fmt;

/// A normalised reference: `registry/repository`, with tag or digest or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `docker.io/library/busybox`: host, with port if there is one, and path.
    pub repository: String,
    /// The tag, as written.
    pub tag: Option<String>,
    /// `sha256:` and 64 hex digits.
    pub digest: Option<String>,
}

/// Why a text is no reference that can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAReference {
    /// It reads as an image id, whole or shortened.
    Id,
    /// It is not written as references are.
    Syntax,
}

impl Reference {
    /// Reads and normalises a reference.
    ///
    /// # Errors
    /// [`NotAReference::Id`] for `sha256:...` and for hex digits alone: where no image bears such
    /// a name, the daemon takes it for the beginning of an id (`daemon/images/image.go`);
    /// [`NotAReference::Syntax`] for everything else that is no reference.
    pub fn parse(text: &str) -> Result<Self, NotAReference> {
        let is_hex = |t: &str| !t.is_empty() && t.bytes().all(lower_hex);
        if text.strip_prefix("sha256:").is_some_and(|t| !t.contains('/')) || is_hex(text) {
            return Err(NotAReference::Id);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(check_digest(digest)?)),
            None => (text, None),
        };
        let after_host = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name.rfind(':') {
            Some(colon) if colon >= after_host => {
                let (name, tag) = name.split_at(colon);
                (name, Some(check_tag(tag.trim_start_matches(':'))?))
            }
            _ => (name, None),
        };
        Ok(Self { repository: normalise(name)?, tag, digest })
    }

    /// The form with which the daemon resolves it: `:latest` where neither tag nor digest is given.
    #[must_use]
    pub fn full(&self) -> String {
        let tag = match (&self.tag, &self.digest) {
            (Some(tag), _) => format!(":{tag}"),
            (None, None) => ":latest".to_owned(),
            (None, Some(_)) => String::new(),
        };
        let digest = self.digest.as_ref().map_or(String::new(), |d| format!("@{d}"));
        format!("{}{tag}{digest}", self.repository)
    }

    /// The registry's host and port.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full())
    }
}

fn lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

fn check_digest(digest: &str) -> Result<String, NotAReference> {
    let hex = digest.strip_prefix("sha256:").ok_or(NotAReference::Syntax)?;
    let whole = hex.len() == 64 && hex.bytes().all(lower_hex);
    whole.then(|| digest.to_owned()).ok_or(NotAReference::Syntax)
}

fn check_tag(tag: &str) -> Result<String, NotAReference> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'));
    fits.then(|| tag.to_owned()).ok_or(NotAReference::Syntax)
}

fn normalise(name: &str) -> Result<String, NotAReference> {
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if is_host(first) => (first, rest),
        _ => ("docker.io", name),
    };
    let host = if host == "index.docker.io" { "docker.io" } else { host };
    let official = host == "docker.io" && !path.contains('/');
    let path = if official { format!("library/{path}") } else { path.to_owned() };
    let whole = path.split('/').all(is_component) && host.len() + path.len() < 255;
    (whole && host_is_plain(host)).then(|| format!("{host}/{path}")).ok_or(NotAReference::Syntax)
}

/// The first part is a host if it has a dot, a colon, an upper-case letter or is `localhost`.
fn is_host(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn host_is_plain(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(n, p)| (n, Some(p)));
    let port_fits =
        port.is_none_or(|p| (1..=5).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    port_fits && name.split('.').all(label)
}

/// Lower-case words joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(part: &str) -> bool {
    let bytes = part.as_bytes();
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = bytes.first().is_some_and(word) && bytes.last().is_some_and(word);
    let mut joined = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends && joined.all(|j| matches!(j, "" | "." | "_" | "__") || j.bytes().all(|b| b == b'-'))
}

/// A pattern over references: `repository[:tag][@sha256:...]`, `*` and `**` in each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern {
    text: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImagePattern {
    /// Reads a pattern. A pattern without tag or digest accepts any; one with `@` asks for a digest.
    ///
    /// # Errors
    /// Says what is wrong: an empty repository, or one that is not written in full form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (text, None),
        };
        let after_host = name.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match name.rfind(':') {
            Some(colon) if colon >= after_host => {
                let (name, tag) = name.split_at(colon);
                (name, Some(tag.trim_start_matches(':').to_owned()))
            }
            _ => (name, None),
        };
        if repository.is_empty() {
            return Err("the pattern names no repository".into());
        }
        if digest.as_ref().is_some_and(|d| !d.starts_with("sha256:")) {
            return Err("a digest pattern begins with sha256:".into());
        }
        if repository != "**" && !repository.split('/').next().is_some_and(looks_like_host) {
            return Err(format!(
                "patterns are matched on the full form: write docker.io/library/{repository} or docker.io/{repository}"
            ));
        }
        Ok(Self { text: text.to_owned(), repository: repository.to_owned(), tag, digest })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether every image of this repository matches, whatever its tag: what a pull without tag
    /// or digest asks for.
    #[must_use]
    pub fn matches_all_of(&self, repository: &str, glob: impl Fn(&str, &str) -> bool) -> bool {
        let any = |part: &Option<String>| part.as_deref().is_none_or(|p| p == "*" || p == "**");
        any(&self.tag) && self.digest.is_none() && glob(&self.repository, repository)
    }

    /// Whether the reference matches, each part by `glob(pattern, text)`. Where a reference has tag
    /// and digest the daemon goes by the digest alone, so a tag that is asked for must be all there is.
    #[must_use]
    pub fn matches(&self, reference: &Reference, glob: impl Fn(&str, &str) -> bool) -> bool {
        let part = |want: &Option<String>, is: Option<&str>| match (want, is) {
            (None, _) => true,
            (Some(want), Some(is)) => glob(want, is),
            (Some(_), None) => false,
        };
        let implied = (reference.tag.is_none() && reference.digest.is_none()).then_some("latest");
        let any_tag = self.tag.as_deref().is_none_or(|tag| matches!(tag, "*" | "**"));
        let decides = any_tag || self.digest.is_some() || reference.digest.is_none();
        decides
            && glob(&self.repository, &reference.repository)
            && part(&self.tag, reference.tag.as_deref().or(implied))
            && part(&self.digest, reference.digest.as_deref())
    }
}

fn looks_like_host(first: &str) -> bool {
    first.contains('*') || is_host(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> String {
        Reference::parse(text).unwrap().full()
    }

    #[test]
    fn every_spelling_has_one_form() {
        for text in [
            "busybox",
            "busybox:latest",
            "library/busybox",
            "docker.io/busybox",
            "docker.io/library/busybox",
            "index.docker.io/library/busybox:latest",
        ] {
            assert_eq!(full(text), "docker.io/library/busybox:latest", "{text}");
        }
        assert_eq!(full("localhost/x"), "localhost/x:latest");
        assert_eq!(full("r.example.com:5000/a/b:1"), "r.example.com:5000/a/b:1");
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(full(&format!("a/b@{digest}")), format!("docker.io/a/b@{digest}"));
    }

    #[test]
    fn ids_and_oddities_are_no_references() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(Reference::parse(&hex), Err(NotAReference::Id));
        assert_eq!(Reference::parse(&format!("sha256:{hex}")), Err(NotAReference::Id));
        assert_eq!(Reference::parse("beef"), Err(NotAReference::Id));
        assert!(Reference::parse("beef:latest").is_ok());
        for text in [
            "",
            "a//b",
            "A",
            "a b",
            "a:",
            "a@sha256:12",
            "-a",
            "a..b",
            "a/../b",
            "a:b:c",
            "[::1]:5/x",
        ] {
            assert_eq!(Reference::parse(text), Err(NotAReference::Syntax), "{text:?}");
        }
    }

    #[test]
    fn a_tag_or_digest_pattern_asks_for_one() {
        let glob = |p: &str, t: &str| {
            p == t || (p == "**") || (p.ends_with('*') && t.starts_with(p.trim_end_matches('*')))
        };
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned = ImagePattern::parse("docker.io/library/x@sha256:*").unwrap();
        assert!(pinned.matches(&Reference::parse(&format!("x@{digest}")).unwrap(), glob));
        assert!(!pinned.matches(&Reference::parse("x:1").unwrap(), glob));
        let any = ImagePattern::parse("**").unwrap();
        assert!(any.matches(&Reference::parse("x").unwrap(), glob));
        assert!(ImagePattern::parse("busybox").is_err());
    }
}
