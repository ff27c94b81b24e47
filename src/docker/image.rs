//! Image references in one form, and the patterns that policies match them with.
//!
//! Every spelling of a reference resolves in the daemon (`busybox`, `index.docker.io/library/busybox`,
//! four characters of an id), so a pattern is matched on the full form alone.
//! Source: `github.com/distribution/reference` (`ParseNormalizedNamed`).

use crate::problem::{Actionable, Problem};
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
        let (name, tag, digest) = split(text);
        let digest = digest.map(check_digest).transpose()?;
        let tag = tag.map(check_tag).transpose()?;
        Ok(Self { repository: normalise(name)?, tag, digest })
    }

    /// Whether the daemon can be asked about it by path: a plain reference, or hex digits of an id.
    #[must_use]
    pub fn is_askable(text: &str) -> bool {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let id = (1..=64).contains(&hex.len()) && hex.bytes().all(lower_hex);
        id || Self::parse(text).is_ok()
    }

    /// The form with which the daemon resolves it: `:latest` where neither tag nor digest is given.
    #[must_use]
    pub fn full(&self) -> String {
        let name = &self.repository;
        match (&self.tag, &self.digest) {
            (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
            (Some(tag), None) => format!("{name}:{tag}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => format!("{name}:latest"),
        }
    }

    /// Whether it is what the daemon makes of hex digits alone, which may be an id as well.
    #[must_use]
    pub fn reads_as_id(&self) -> bool {
        let latest = self.tag.as_deref().is_none_or(|tag| tag == "latest");
        let name = self.repository.strip_prefix("docker.io/library/");
        latest && self.digest.is_none() && name.is_some_and(|name| name.bytes().all(lower_hex))
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

/// The name, and what stands behind it as tag and as digest. A colon before the last slash is a port's.
fn split(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (name, digest) = text.split_once('@').map_or((text, None), |(n, d)| (n, Some(d)));
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (name, None, digest),
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

pub(super) fn host_is_plain(host: &str) -> bool {
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

/// Whether a host is an ordinary name on the internet. An address, `localhost`, a single word or a port
/// is somebody's neighbour: a pattern must name it to the letter.
#[must_use]
pub fn is_ordinary(host: &str) -> bool {
    // resolvers do not look at case
    let host = host.to_ascii_lowercase();
    // as in the WHATWG's URL standard, a name that ends in a number is an address: `0x7f.1`
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|t| t.bytes().all(|b| b.is_ascii_hexdigit()));
    let numeric = hex || last.bytes().all(|b| b.is_ascii_digit());
    let local = matches!(last, "localhost" | "localdomain");
    host.contains('.') && !host.contains(':') && !numeric && !local
}

/// Why a text is no pattern over references.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum NotAPattern {
    /// It names no repository.
    NoRepository,
    /// What stands behind `@` is no digest.
    Digest,
    /// The repository is not written in full form.
    Short(String),
}

impl Actionable for NotAPattern {
    fn problem(&self) -> Problem {
        match self {
            Self::NoRepository => {
                Problem::new("the pattern names no repository", "correct the pattern")
            }
            Self::Digest => {
                Problem::new("a digest pattern begins with sha256:", "correct the pattern")
            }
            Self::Short(name) => Problem::new(
                "patterns are matched on the full form",
                format!("write docker.io/library/{name} or docker.io/{name}"),
            ),
        }
    }
}

/// A pattern over references: `repository[:tag][@sha256:...]`, `*` and `**` in each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern {
    text: String,
    /// `local:`: a name that somebody gave to an image on this host is taken for it.
    local: bool,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Where an image came from: a repository, and the digest it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOrigin {
    /// In full form.
    pub repository: String,
    /// `sha256:` and 64 hex digits.
    pub digest: String,
}

impl ImagePattern {
    /// Reads a pattern over names on this host: as [`Self::parse`], and names without a registry are
    /// those that `docker build -t name` gives.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_local(text: &str) -> Result<Self, NotAPattern> {
        let first = text.split(['/', ':', '@']).next().unwrap_or_default();
        let hosted =
            text.contains('/') && looks_like_host(text.split('/').next().unwrap_or_default());
        if hosted || text == "**" {
            return Self::parse(text);
        }
        let library = if text.contains('/') { "" } else { "library/" };
        let named = Self::parse(&format!("docker.io/{library}{text}"))?;
        if first.is_empty() {
            return Err(NotAPattern::NoRepository);
        }
        Ok(Self { text: text.to_owned(), ..named })
    }

    /// Reads a pattern over images that may be run: `local:` before it trusts names on this host.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_run(text: &str) -> Result<Self, NotAPattern> {
        match text.strip_prefix("local:") {
            Some(name) => {
                Self::parse_local(name).map(|p| Self { text: text.to_owned(), local: true, ..p })
            }
            None => Self::parse(text),
        }
    }

    /// Whether it trusts names that anyone on this host may have given.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// Whether it is `**`: every image, wherever it came from.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.local && self.repository == "**" && self.tag.is_none() && self.digest.is_none()
    }

    /// Whether an image that the daemon has is one of these: one of its origins is, under one of the
    /// tags that its repository has given it; or, for `local:`, one of its names. A pattern with a
    /// digest asks besides that the image was named by its content, with a digest or an id (`pinned`).
    #[must_use]
    pub fn matches_image(
        &self,
        origins: &[ImageOrigin],
        tags: &[String],
        pinned: bool,
        glob: impl Fn(&str, &str) -> bool + Copy,
    ) -> bool {
        let named = || tags.iter().filter_map(|tag| Reference::parse(tag).ok());
        if self.local {
            return named().any(|name| self.matches(&name, glob));
        }
        let digest_fits =
            |is: &str| self.digest.as_deref().is_none_or(|wanted| pinned && glob(wanted, is));
        let tag_fits = |repository: &str| match self.tag.as_deref() {
            None | Some("*" | "**") => true,
            Some(wanted) => named().any(|name| {
                name.repository == repository && name.tag.is_some_and(|tag| glob(wanted, &tag))
            }),
        };
        let fits = |ImageOrigin { repository, digest }: &ImageOrigin| {
            glob(&self.repository, repository) && digest_fits(digest) && tag_fits(repository)
        };
        self.is_any() || origins.iter().any(fits)
    }

    /// Whether the registry at this host is one that the pattern reaches.
    #[must_use]
    pub fn reaches(&self, host: &str, glob: impl Fn(&str, &str) -> bool) -> bool {
        let mine = self.repository.split('/').next().unwrap_or_default();
        mine == host || (is_ordinary(host) && (mine.contains("**") || glob(mine, host)))
    }

    /// Reads a pattern. A pattern without tag or digest accepts any; one with `@` asks for a digest.
    ///
    /// # Errors
    /// Says what is wrong: an empty repository, or one that is not written in full form.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let (repository, tag, digest) = split(text);
        if repository.is_empty() {
            return Err(NotAPattern::NoRepository);
        }
        if digest.is_some_and(|d| !d.starts_with("sha256:")) {
            return Err(NotAPattern::Digest);
        }
        if repository != "**" && !repository.split('/').next().is_some_and(looks_like_host) {
            return Err(NotAPattern::Short(repository.to_owned()));
        }
        let [text, repository] = [text, repository].map(str::to_owned);
        let [tag, digest] = [tag, digest].map(|part| part.map(str::to_owned));
        Ok(Self { text, local: false, repository, tag, digest })
    }

    /// The same pattern with its parts changed; `None` where one cannot be.
    #[must_use]
    pub fn filled(&self, fill: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let part = |part: &Option<String>| match part {
            Some(text) => fill(text).map(Some),
            None => Some(None),
        };
        Some(Self {
            text: fill(&self.text)?,
            local: self.local,
            repository: fill(&self.repository)?,
            tag: part(&self.tag)?,
            digest: part(&self.digest)?,
        })
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
