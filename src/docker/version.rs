//! API versions, because numbers that are compared as text or float let a request choose another
//! meaning than the one that was judged.

use std::fmt;

/// A version of the Docker Engine API, always `1.N`: `N` is kept.
///
/// moby compares component by component (`api/server/middleware/version.go`), so 1.5 is older
/// than 1.24; so do we.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(u8);

impl ApiVersion {
    /// The lowest version that can ever be configured: below it `start` takes a whole HostConfig.
    pub const LOWEST: Self = Self(24);
    /// The floor where the policy file names none: docker-compose 1.29.2 pins 1.38.
    pub const FLOOR: Self = Self(38);
    /// The newest version whose fields this build has judged.
    pub const NEWEST: Self = Self(56);

    /// Version `1.minor`.
    #[must_use]
    pub const fn new(minor: u8) -> Self {
        Self(minor)
    }

    /// The number behind `1.`.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.0
    }

    /// Reads `1.NN`, in exactly that spelling: no leading zero, no third component, no sign.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let minor = text.strip_prefix("1.")?;
        let plain = minor.len() <= 2
            && minor.bytes().all(|b| b.is_ascii_digit())
            && (minor.len() == 1 || !minor.starts_with('0'));
        if plain { minor.parse().ok().map(Self) } else { None }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ApiVersion;

    #[test]
    fn only_the_canonical_spelling_is_a_version() {
        assert_eq!(ApiVersion::parse("1.41"), Some(ApiVersion::new(41)));
        assert_eq!(ApiVersion::parse("1.5"), Some(ApiVersion::new(5)));
        for wrong in ["1.041", "01.41", "1.41.0", "1.", "1", "1.+4", "2.1", "1.411", "1.4a", ""] {
            assert_eq!(ApiVersion::parse(wrong), None, "{wrong}");
        }
        assert!(ApiVersion::new(5) < ApiVersion::LOWEST);
    }
}
