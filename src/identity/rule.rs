//! The `identities` of the policy file, compiled, and the one function that turns a certificate into
//! an identity. It refuses wherever a second reading is possible: a client must never be able to
//! pick between two names.

use super::certificate::CertificateFacts;
use super::error::Unidentified;
use super::evidence::Evidence;
use super::letters::is_printable;
use super::matching::{Held, Match};
use super::pattern::{IdentityName, NameTemplate, PatternError, overlap};
use super::rule_error::RuleError;
use super::token::{Claims, TokenError};
use super::validity::Validity;
use std::collections::BTreeSet;
use std::sync::Arc;

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
pub struct IdentityRule {
    name: NameTemplate,
    matching: Match,
    roles: Vec<String>,
    mode: Mode,
    danger_observe_root: bool,
    valid: Option<Validity>,
    owner: Option<NameTemplate>,
    sees: Vec<NameTemplate>,
    limits: Option<String>,
}

impl IdentityRule {
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
        let (valid, owner, sees, limits) = (None, None, Vec::new(), None);
        Ok(Self { name, matching, roles, mode, danger_observe_root, valid, owner, sees, limits })
    }

    /// The same rule, whose identities own as `owner` what they make, or as themselves, and see what `sees` own.
    ///
    /// # Errors
    /// One of them uses a capture that the name does not: one identity would have several owners.
    pub fn owning(
        mut self,
        owner: Option<NameTemplate>,
        sees: Vec<NameTemplate>,
    ) -> Result<Self, RuleError> {
        let uses = |template: &NameTemplate, of: usize| template.captures().contains(&of);
        let wanted = owner.iter().chain(&sees).flat_map(|template| template.captures());
        if let Some(&wanted) = wanted.clone().find(|of| !uses(&self.name, **of)) {
            return Err(RuleError::NoSuchOwner { wanted });
        }
        self.owner = owner;
        self.sees = sees;
        Ok(self)
    }

    /// The same rule, whose identities may have as much at once as these limits of the policy say.
    #[must_use]
    pub fn within(mut self, limits: Option<String>) -> Self {
        self.limits = limits;
        self
    }

    /// The limits of the policy that hold for it.
    #[must_use]
    pub fn limits(&self) -> Option<&str> {
        self.limits.as_deref()
    }

    /// As whom those own whom the rule matches: their team, or themselves.
    #[must_use]
    pub fn owner(&self) -> &NameTemplate {
        self.owner.as_ref().unwrap_or(&self.name)
    }

    /// Whose objects they see besides.
    #[must_use]
    pub fn sees(&self) -> &[NameTemplate] {
        &self.sees
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
        rule: usize,
        captures: Vec<String>,
        evidence: Evidence,
        claims: Option<&Claims>,
    ) -> Result<Identity, PatternError> {
        let name = self.name.produce(&captures)?;
        let owner = self.owner().produce(&captures)?;
        let sees = self.sees.iter().map(|one| one.produce(&captures)).collect::<Result<_, _>>()?;
        let logged = claims.into_iter().flat_map(Claims::logged);
        let asked = claims.filter(|_| self.matching.asks_for_a_token());
        Ok(Identity {
            name,
            owner,
            sees,
            limits: self.limits.clone(),
            roles: self.roles.clone(),
            mode: self.mode,
            danger_observe_root: self.danger_observe_root,
            valid: self.valid.clone(),
            rule,
            captures,
            evidence: Arc::new(evidence),
            claims: logged.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            until: asked.map(Claims::expires),
        })
    }
}

/// Who asks, as proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name, unique to this identity under this policy.
    pub name: IdentityName,
    /// As whom it owns what it makes: its team, or itself.
    pub owner: IdentityName,
    /// Whose objects it sees besides.
    pub sees: Vec<IdentityName>,
    /// The limits of the policy on what it, or all who own as it does, may have at once.
    pub limits: Option<String>,
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
    /// What the `*` caught, as in the certificate, then as in the token's claims.
    pub captures: Vec<String>,
    /// What proved it.
    pub evidence: Arc<Evidence>,
    /// What the policy keeps of the token that was sent, by claim, whether or not it was asked for.
    pub claims: Vec<(String, String)>,
    /// The end of the token (seconds since 1970) where one was asked for: from then on this is
    /// nobody.
    pub until: Option<i64>,
}

impl Identity {
    /// Until when it may be here (seconds since 1970, UTC), as of `now`; `None` is for as long as its
    /// certificate lasts. A token that was asked for ends it too. What it began must end then.
    ///
    /// # Errors
    /// It may not be here now.
    pub fn open(&self, now: i64) -> Result<Option<i64>, Unidentified> {
        if self.until.is_some_and(|end| now >= end) {
            return Err(TokenError::Expired.into());
        }
        let closes = self.valid.as_ref().map_or(Ok(None), |valid| valid.open(now));
        let closes = closes.map_err(Unidentified::Closed)?;
        Ok(closes.into_iter().chain(self.until).min())
    }
}

/// Finds whose the certificate is, and the token where one was sent and proven, or who the user is. A rule
/// that asks for all that another matching rule asks, and more, wins over it; so one that asks for a token
/// wins over the same without.
///
/// A token that fits no rule proves nothing, and the certificate counts alone: that gives no more than
/// sending none. But one that fits a rule in all but the certificate that it is bound to is refused:
/// one of the two is in the wrong hands, and the log shall say so.
///
/// # Errors
/// Nobody, or no single answer: a field named by *some* rule with several values or with a character
/// that is not printable, matching or not; two matching rules without a winner; a name that is none;
/// a token that is another's.
pub fn identify(
    rules: &[IdentityRule],
    evidence: &Evidence,
    claims: Option<&Claims>,
) -> Result<Identity, Unidentified> {
    if let Evidence::Certificate(certificate) = evidence {
        single_readings(rules, certificate)?;
    }
    let (mut matching, mut unbound) = (Vec::new(), false);
    for (at, rule) in rules.iter().enumerate() {
        match rule.matching.held_by(evidence, claims) {
            Held::Yes(captures) => matching.push(Candidate { at, rule, captures }),
            Held::ButForTheBinding => unbound = true,
            Held::No => {}
        }
    }
    if unbound && !matching.iter().any(|one| one.rule.matching.asks_for_a_token()) {
        return Err(TokenError::Unbound.into());
    }
    let winner = strictest(matching, evidence)?;
    let identity = winner.rule.identity(winner.at, winner.captures, evidence.clone(), claims);
    identity.map_err(|_| Unidentified::NotAName)
}

/// Whether somebody of whom nothing is known yet could be somebody with the right token: she is let in as
/// far as her first request, which has it or not.
#[must_use]
pub fn awaits_a_token(rules: &[IdentityRule], evidence: &Evidence) -> bool {
    rules.iter().any(|rule| rule.matching.could_be(evidence))
}

/// The identity that would bear this name, with nothing to prove it: for questions asked
/// offline, never for a connection. `None` if no rule produces the name, or if what its `*` caught
/// cannot be told from it.
#[must_use]
pub fn supposed(rules: &[IdentityRule], name: &IdentityName) -> Option<Identity> {
    rules.iter().enumerate().find_map(|(at, rule)| {
        let captures = rule.name.captures_behind(name)?;
        let evidence = match rule.matching.peer() {
            Some(peer) => Evidence::Peer(peer.supposed()),
            None => CertificateFacts::default().into(), // of no certificate at all
        };
        rule.identity(at, captures, evidence, None).ok()
    })
}

/// Two rules that may not stand in one policy. Indices in the order of the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Both could produce one name.
    Name(usize, usize),
    /// Both could own as one and the same, by names that are written otherwise: whoever may choose one of them would
    /// own what is the other's.
    Owner(usize, usize),
    /// Both could match one certificate, by the same fields and claims and without a winner. Rules
    /// on different ones may stand together; who holds both is refused when she comes.
    Match(usize, usize),
}

/// Every pair of rules that may not stand in one policy, asked for when the file is loaded.
#[must_use]
pub fn conflicts(rules: &[IdentityRule]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for (b, second) in rules.iter().enumerate() {
        for (a, first) in rules.iter().enumerate().take(b) {
            if overlap(&first.name, &second.name) {
                found.push(Conflict::Name(a, b));
            } else if first.owner() != second.owner() && overlap(first.owner(), second.owner()) {
                found.push(Conflict::Owner(a, b));
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
    rule: &'r IdentityRule,
    captures: Vec<String>,
}

impl Candidate<'_> {
    fn beats(&self, other: &Self) -> bool {
        self.at == other.at || self.rule.matching.is_stricter_than(&other.rule.matching)
    }
}

fn strictest<'r>(
    mut matching: Vec<Candidate<'r>>,
    evidence: &Evidence,
) -> Result<Candidate<'r>, Unidentified> {
    let (nobody, several) = match evidence {
        Evidence::Certificate(facts) => {
            (Unidentified::Unknown(facts.fields()), Unidentified::AmbiguousMatch)
        }
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

fn single_readings(rules: &[IdentityRule], facts: &CertificateFacts) -> Result<(), Unidentified> {
    let named: BTreeSet<_> = rules.iter().flat_map(|rule| rule.matching.fields()).collect();
    for field in named {
        let values = facts.values(field);
        if values.len() > 1 {
            return Err(Unidentified::AmbiguousField(field));
        }
        if !values.iter().flat_map(|value| value.chars()).all(is_printable) {
            return Err(Unidentified::Unprintable(field));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
