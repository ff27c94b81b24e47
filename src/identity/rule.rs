//! The `identities` of the policy file, compiled, and the one function that turns a certificate into
//! an identity. It refuses wherever a second reading is possible: a client must never be able to
//! pick between two names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::certificate::{CertificateFacts, Fingerprint, is_printable};
use super::error::{RuleError, Unidentified};
use super::evidence::Evidence;
use super::pattern::{IdentityName, NameTemplate, Pattern, overlap};
use super::peer::PeerMatch;
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

/// Conditions that must all hold, on a certificate or on the user at a Unix socket and never on both.
/// Never empty: a rule for everybody cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    patterns: BTreeMap<Field, Pattern>,
    fingerprint: Option<Fingerprint>,
    peer: Option<PeerMatch>,
}

impl Match {
    /// Puts conditions on a certificate together.
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
        Ok(Self { patterns: by_field, fingerprint, peer: None })
    }

    /// Conditions on the user at a Unix socket.
    #[must_use]
    pub const fn of_peer(peer: PeerMatch) -> Self {
        Self { patterns: BTreeMap::new(), fingerprint: None, peer: Some(peer) }
    }

    /// What is asked of the user at a Unix socket, if this is about one.
    #[must_use]
    pub const fn peer(&self) -> Option<PeerMatch> {
        self.peer
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
    fn captures(&self, evidence: &Evidence) -> Option<Vec<String>> {
        match (evidence, self.peer) {
            (Evidence::Certificate(certificate), None) => self.captures_of(certificate),
            (Evidence::Peer(facts), Some(peer)) => peer.holds(facts).then(Vec::new),
            (Evidence::Certificate(_), Some(_)) | (Evidence::Peer(_), None) => None,
        }
    }

    fn captures_of(&self, certificate: &CertificateFacts) -> Option<Vec<String>> {
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
        let same_user = match (self.peer, other.peer) {
            (Some(peer), Some(other)) => peer.asks_all_of(other),
            (None, None) => true,
            _ => false,
        };
        same && same_leaf && same_user && self.condition_count() > other.condition_count()
    }

    fn condition_count(&self) -> usize {
        let of_peer = self.peer.map_or(0, PeerMatch::condition_count);
        self.patterns.len() + usize::from(self.fingerprint.is_some()) + of_peer
    }

    /// Whether two matches on the same fields could hold for one certificate, with no winner. Of users
    /// only the very same conditions collide: a group is as a field of its own, and who is in two is
    /// refused when she comes.
    fn collides_with(&self, other: &Self) -> bool {
        if self.peer.is_some() || other.peer.is_some() {
            return self.peer == other.peer;
        }
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
        evidence: Evidence,
    ) -> Identity {
        Identity {
            name,
            roles: self.roles.clone(),
            mode: self.mode,
            danger_observe_root: self.danger_observe_root,
            valid: self.valid.clone(),
            rule,
            captures,
            evidence: Arc::new(evidence),
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
    /// What proved it.
    pub evidence: Arc<Evidence>,
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

/// Finds whose the certificate is, or who the user is. A rule that asks for all that another matching rule asks, and
/// more, wins over it.
///
/// # Errors
/// Nobody, or no single answer: a field named by *some* rule with several values or with a character
/// that is not printable, matching or not; two matching rules without a winner; a name that is none.
pub fn identify(rules: &[Rule], evidence: &Evidence) -> Result<Identity, Unidentified> {
    if let Evidence::Certificate(certificate) = evidence {
        single_readings(rules, certificate)?;
    }
    let holds = |(at, rule)| Candidate::of(at, rule, evidence);
    let matching: Vec<Candidate<'_>> = rules.iter().enumerate().filter_map(holds).collect();
    let winner = strictest(matching, evidence)?;
    let name = winner.rule.name.produce(&winner.captures).map_err(|_| Unidentified::NotAName)?;
    Ok(winner.rule.identity(name, winner.at, winner.captures, evidence.clone()))
}

/// The identity that would bear this name, with nothing to prove it: for questions asked
/// offline, never for a connection. `None` if no rule produces the name, or if what its `*` caught
/// cannot be told from it.
#[must_use]
pub fn supposed(rules: &[Rule], name: &IdentityName) -> Option<Identity> {
    rules.iter().enumerate().find_map(|(at, rule)| {
        let captures = rule.name.captures_behind(name)?;
        let evidence = match rule.matching.peer {
            Some(peer) => peer.supposed().into(),
            None => CertificateFacts::blank().into(),
        };
        Some(rule.identity(name.clone(), at, captures, evidence))
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
    fn of(at: usize, rule: &'r Rule, evidence: &Evidence) -> Option<Self> {
        let captures = rule.matching.captures(evidence)?;
        Some(Self { at, rule, captures })
    }

    fn beats(&self, other: &Self) -> bool {
        self.at == other.at || self.rule.matching.is_stricter_than(&other.rule.matching)
    }
}

fn strictest<'r>(
    mut matching: Vec<Candidate<'r>>,
    evidence: &Evidence,
) -> Result<Candidate<'r>, Unidentified> {
    let (nobody, several) = match evidence {
        Evidence::Certificate(_) => (Unidentified::Unknown, Unidentified::AmbiguousMatch),
        Evidence::Peer(peer) => {
            (Unidentified::UnknownPeer(peer.uid), Unidentified::AmbiguousPeer(peer.uid))
        }
    };
    if matching.is_empty() {
        return Err(nobody);
    }
    let winner = matching.iter().position(|one| matching.iter().all(|other| one.beats(other)));
    winner.map(|at| matching.swap_remove(at)).ok_or(several)
}

fn single_readings(rules: &[Rule], certificate: &CertificateFacts) -> Result<(), Unidentified> {
    let named: BTreeSet<Field> = rules.iter().flat_map(|rule| rule.matching.fields()).collect();
    named.into_iter().try_for_each(|field| single_reading(field, certificate))
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
