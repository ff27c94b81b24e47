//! The `identities` of the policy file, compiled, and the one function that turns a certificate into
//! an identity. It refuses wherever a second reading is possible: a client must never be able to
//! pick between two names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::certificate::{CertificateFacts, Fingerprint, is_printable};
use super::error::{RuleError, Unidentified};
use super::pattern::{IdentityName, NameTemplate, Pattern, overlap};
use super::validity::Validity;

/// A field of the certificate that a rule can name. The order is the order in which captures are
/// counted when several fields of one rule have a `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// URI subject alternative name.
    Uri,
    /// DNS subject alternative name.
    Dns,
    /// Email subject alternative name.
    Email,
    /// Common name of the subject.
    Cn,
    /// Organisational unit of the subject.
    Ou,
}

impl fmt::Display for Field {
    /// The key of the policy file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri => "uri",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Cn => "cn",
            Self::Ou => "ou",
        })
    }
}

/// Conditions that must all hold. Never empty: a rule for everybody cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    patterns: BTreeMap<Field, Pattern>,
    fingerprint: Option<Fingerprint>,
}

impl Match {
    /// Puts conditions together.
    ///
    /// # Errors
    /// No condition at all, or one field named twice.
    pub fn new(
        patterns: impl IntoIterator<Item = (Field, Pattern)>,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Self, RuleError> {
        let mut by_field = BTreeMap::new();
        for (field, pattern) in patterns {
            if by_field.insert(field, pattern).is_some() {
                return Err(RuleError::FieldTwice(field));
            }
        }
        if by_field.is_empty() && fingerprint.is_none() {
            return Err(RuleError::NoCondition);
        }
        Ok(Self { patterns: by_field, fingerprint })
    }

    /// The fields that are asked for, in the order of their captures.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.patterns.keys().copied()
    }

    /// How many captures a match makes.
    #[must_use]
    pub fn capture_count(&self) -> usize {
        self.patterns.values().map(Pattern::capture_count).sum()
    }

    /// What the `*` caught, field by field, or `None` if any condition does not hold. A field that
    /// has no value or several holds no condition.
    fn captures(&self, certificate: &CertificateFacts) -> Option<Vec<String>> {
        if self.fingerprint.is_some_and(|wanted| wanted != certificate.sha256) {
            return None;
        }
        let mut captures = Vec::new();
        for (field, pattern) in &self.patterns {
            let [value] = certificate.values(*field) else { return None };
            captures.extend(pattern.captures(value)?);
        }
        Some(captures)
    }

    /// Whether this asks for all that the other asks, on the same patterns, and for more.
    fn is_stricter_than(&self, other: &Self) -> bool {
        let same = other.patterns.iter().all(|(f, pattern)| self.patterns.get(f) == Some(pattern));
        let same_leaf = other.fingerprint.is_none() || self.fingerprint == other.fingerprint;
        same && same_leaf && self.condition_count() > other.condition_count()
    }

    fn condition_count(&self) -> usize {
        self.patterns.len() + usize::from(self.fingerprint.is_some())
    }

    /// Whether two matches on the same fields could hold for one certificate, with no winner.
    fn collides_with(&self, other: &Self) -> bool {
        let same_fields = self.patterns.keys().eq(other.patterns.keys());
        let pairs = self.patterns.values().zip(other.patterns.values());
        let leaves = match (self.fingerprint, other.fingerprint) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            _ => return false,
        };
        same_fields && leaves && pairs.into_iter().all(|(a, b)| a.overlaps(b))
    }
}

/// Whether a refusal is a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Enforce,
    /// What policy denies is let through and recorded as what would have been denied.
    Observe {
        /// Seconds since 1970 (UTC); from this moment on refusals are refusals again.
        until: i64,
    },
}

impl Mode {
    /// The mode in force at this moment (seconds since 1970): observing ends by itself.
    #[must_use]
    pub const fn at(self, now: i64) -> Self {
        match self {
            Self::Observe { until } if now < until => self,
            Self::Observe { .. } | Self::Enforce => Self::Enforce,
        }
    }
}

/// One entry of `identities`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    name: NameTemplate,
    matching: Match,
    roles: Vec<String>,
    mode: Mode,
    danger_observe_root: bool,
    valid: Option<Validity>,
}

impl Rule {
    /// Puts a rule together. `danger_observe_root` lets even what amounts to root on the host pass
    /// while the mode is [`Mode::Observe`].
    ///
    /// # Errors
    /// The name uses a capture that the conditions do not make.
    pub fn new(
        name: NameTemplate,
        matching: Match,
        roles: Vec<String>,
        mode: Mode,
        danger_observe_root: bool,
    ) -> Result<Self, RuleError> {
        let (wanted, captures) = (name.highest_capture(), matching.capture_count());
        if wanted > captures {
            return Err(RuleError::NoSuchCapture { wanted, captures });
        }
        Ok(Self { name, matching, roles, mode, danger_observe_root, valid: None })
    }

    /// The same rule, holding only then.
    #[must_use]
    pub fn valid_in(mut self, validity: Validity) -> Self {
        self.valid = Some(validity);
        self
    }

    /// How those whom the rule matches are named.
    #[must_use]
    pub const fn name(&self) -> &NameTemplate {
        &self.name
    }

    /// Whom the rule matches.
    #[must_use]
    pub const fn matching(&self) -> &Match {
        &self.matching
    }

    /// The roles given, in the order written.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The mode as written.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether observing reaches as far as root on the host.
    #[must_use]
    pub const fn danger_observe_root(&self) -> bool {
        self.danger_observe_root
    }

    /// When the rule holds; `None` is always.
    #[must_use]
    pub const fn valid(&self) -> Option<&Validity> {
        self.valid.as_ref()
    }

    fn identity(
        &self,
        name: IdentityName,
        rule: usize,
        captures: Vec<String>,
        certificate: CertificateFacts,
    ) -> Identity {
        Identity {
            name,
            roles: self.roles.clone(),
            mode: self.mode,
            danger_observe_root: self.danger_observe_root,
            valid: self.valid.clone(),
            rule,
            captures,
            certificate: Arc::new(certificate),
        }
    }
}

/// Who asks, as proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name, unique to this identity under this policy.
    pub name: IdentityName,
    /// Roles in the order written in the rule.
    pub roles: Vec<String>,
    /// The mode as written in the rule; see [`Mode::at`].
    pub mode: Mode,
    /// Whether observing reaches as far as root on the host.
    pub danger_observe_root: bool,
    /// When it may come in, `None` is always; see [`Identity::open`].
    pub valid: Option<Validity>,
    /// Index of the rule that identified, in the order of the file, from 0.
    pub rule: usize,
    /// What the `*` caught, as in the certificate (not folded).
    pub captures: Vec<String>,
    /// The certificate that proved it.
    pub certificate: Arc<CertificateFacts>,
}

impl Identity {
    /// Until when it may be here (seconds since 1970, UTC), as of `now`; `None` is for as long as its
    /// certificate lasts. What it began must end then.
    ///
    /// # Errors
    /// It may not be here now.
    pub fn open(&self, now: i64) -> Result<Option<i64>, Unidentified> {
        let until = self.valid.as_ref().map_or(Ok(None), |valid| valid.open(now));
        until.map_err(Unidentified::Closed)
    }
}

/// Finds who holds the certificate. A rule that asks for all that another matching rule asks, and
/// more, wins over it.
///
/// # Errors
/// Nobody, or no single answer: a field named by *some* rule with several values or with a character
/// that is not printable, matching or not; two matching rules without a winner; a name that is none.
pub fn identify(rules: &[Rule], certificate: &CertificateFacts) -> Result<Identity, Unidentified> {
    let named: BTreeSet<Field> = rules.iter().flat_map(|rule| rule.matching.fields()).collect();
    named.into_iter().try_for_each(|field| single_reading(field, certificate))?;
    let holds = |(at, rule)| Candidate::of(at, rule, certificate);
    let matching: Vec<Candidate<'_>> = rules.iter().enumerate().filter_map(holds).collect();
    let winner = strictest(matching)?;
    let name = winner.rule.name.produce(&winner.captures).map_err(|_| Unidentified::NotAName)?;
    Ok(winner.rule.identity(name, winner.at, winner.captures, certificate.clone()))
}

/// The identity that would bear this name, without a certificate to prove it: for questions asked
/// offline, never for a connection. `None` if no rule produces the name, or if what its `*` caught
/// cannot be told from it.
#[must_use]
pub fn supposed(rules: &[Rule], name: &IdentityName) -> Option<Identity> {
    rules.iter().enumerate().find_map(|(at, rule)| {
        let captures = rule.name.captures_behind(name)?;
        Some(rule.identity(name.clone(), at, captures, CertificateFacts::blank()))
    })
}

/// Two rules that may not stand in one policy. Indices in the order of the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Both could produce one name.
    Name(usize, usize),
    /// Both could match one certificate, by the same fields and without a winner. Rules on
    /// different fields may stand together; who holds both is refused when she comes.
    Match(usize, usize),
}

/// Every pair of rules that may not stand in one policy, asked for when the file is loaded.
#[must_use]
pub fn conflicts(rules: &[Rule]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for (b, second) in rules.iter().enumerate() {
        for (a, first) in rules.iter().enumerate().take(b) {
            if overlap(&first.name, &second.name) {
                found.push(Conflict::Name(a, b));
            }
            if first.matching.collides_with(&second.matching) {
                found.push(Conflict::Match(a, b));
            }
        }
    }
    found
}

struct Candidate<'r> {
    at: usize,
    rule: &'r Rule,
    captures: Vec<String>,
}

impl<'r> Candidate<'r> {
    fn of(at: usize, rule: &'r Rule, certificate: &CertificateFacts) -> Option<Self> {
        let captures = rule.matching.captures(certificate)?;
        Some(Self { at, rule, captures })
    }

    fn beats(&self, other: &Self) -> bool {
        self.at == other.at || self.rule.matching.is_stricter_than(&other.rule.matching)
    }
}

fn strictest(mut matching: Vec<Candidate<'_>>) -> Result<Candidate<'_>, Unidentified> {
    if matching.is_empty() {
        return Err(Unidentified::Unknown);
    }
    let winner = matching.iter().position(|one| matching.iter().all(|other| one.beats(other)));
    winner.map(|at| matching.swap_remove(at)).ok_or(Unidentified::AmbiguousMatch)
}

fn single_reading(field: Field, certificate: &CertificateFacts) -> Result<(), Unidentified> {
    let values = certificate.values(field);
    if values.len() > 1 {
        return Err(Unidentified::AmbiguousField(field));
    }
    match values.iter().flat_map(|value| value.chars()).all(is_printable) {
        true => Ok(()),
        false => Err(Unidentified::Unprintable(field)),
    }
}

#[cfg(test)]
mod tests;
