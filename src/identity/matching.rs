//! The conditions of a rule: what is asked of the certificate, and besides it of a token. They say when
//! a rule holds, and compared with one another which of two rules asks for more and which could be
//! confused.

use super::certificate::{CertificateFacts, Fingerprint};
use super::claim::{ClaimGap, ClaimPattern};
use super::evidence::Evidence;
use super::field::CertificateField;
use super::pattern::Pattern;
use super::peer::PeerMatch;
use super::rule_error::RuleError;
use super::token::Claims;
use std::collections::BTreeMap;

/// Conditions that must all hold, on a certificate or on the user at a Unix socket and never on both.
/// Never empty: a rule for everybody cannot be written, nor one for whoever has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    patterns: BTreeMap<CertificateField, Pattern>,
    fingerprint: Option<Fingerprint>,
    claims: BTreeMap<String, ClaimPattern>,
    peer: Option<PeerMatch>,
}

/// Whether conditions hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// They do, and the `*` caught this: of the certificate field by field, then of the claims in the
    /// order of their names.
    Yes(Vec<String>),
    /// They would, were the token's claims not bound to another certificate.
    ButForTheBinding,
    /// They do not.
    No,
}

impl Match {
    /// Puts conditions on a certificate together.
    ///
    /// # Errors
    /// No condition at all, or one field named twice.
    pub fn new(
        patterns: impl IntoIterator<Item = (CertificateField, Pattern)>,
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
        Ok(Self { patterns: by_field, fingerprint, claims: BTreeMap::new(), peer: None })
    }

    /// Conditions on the user at a Unix socket.
    #[must_use]
    pub const fn of_peer(peer: PeerMatch) -> Self {
        let claims = BTreeMap::new();
        Self { patterns: BTreeMap::new(), fingerprint: None, claims, peer: Some(peer) }
    }

    /// What is asked of the user at a Unix socket, if this is about one.
    #[must_use]
    pub const fn peer(&self) -> Option<PeerMatch> {
        self.peer
    }

    /// Asks for a token besides, with claims that look so.
    ///
    /// # Errors
    /// No claim at all, or one that is compared with a capture that is not made.
    pub fn with_token(self, claims: BTreeMap<String, ClaimPattern>) -> Result<Self, RuleError> {
        if claims.is_empty() {
            return Err(RuleError::NoClaim);
        }
        let captures = self.certificate_captures();
        for (claim, pattern) in &claims {
            let wanted = pattern.highest_bound();
            if wanted > captures {
                return Err(RuleError::NoSuchBound { claim: claim.clone(), wanted, captures });
            }
        }
        Ok(Self { claims, ..self })
    }

    /// The fields that are asked for, in the order of their captures.
    pub fn fields(&self) -> impl Iterator<Item = CertificateField> {
        self.patterns.keys().copied()
    }

    /// The claims that are asked for, in the order of their captures.
    pub fn claims(&self) -> impl Iterator<Item = (&str, &ClaimPattern)> {
        self.claims.iter().map(|(name, pattern)| (name.as_str(), pattern))
    }

    /// Whether a token is asked for.
    #[must_use]
    pub fn asks_for_a_token(&self) -> bool {
        !self.claims.is_empty()
    }

    /// How many captures a match makes.
    #[must_use]
    pub fn capture_count(&self) -> usize {
        let of_claims: usize = self.claims.values().map(ClaimPattern::capture_count).sum();
        self.certificate_captures() + of_claims
    }

    /// How many of them are of the certificate: these come first, and claims can be bound to them.
    #[must_use]
    pub fn certificate_captures(&self) -> usize {
        self.patterns.values().map(Pattern::capture_count).sum()
    }

    /// Whether the conditions would hold with the right token.
    pub(super) fn could_be(&self, evidence: &Evidence) -> bool {
        let facts = evidence.certificate().filter(|_| self.asks_for_a_token());
        facts.is_some_and(|facts| self.caught_of(facts).is_some())
    }

    /// Whether the conditions hold. A field that has no value or several holds no condition; neither
    /// does a claim that is absent or no plain value.
    pub(super) fn held_by(&self, evidence: &Evidence, claims: Option<&Claims>) -> Held {
        let caught = match (evidence, self.peer) {
            (Evidence::Certificate(certificate), None) => self.caught_of(certificate),
            (Evidence::Peer(facts), Some(peer)) => peer.holds(facts).then(Vec::new),
            (Evidence::Certificate(_), Some(_)) | (Evidence::Peer(_), None) => None,
        };
        let Some(mut captures) = caught else { return Held::No };
        if self.claims.is_empty() {
            return Held::Yes(captures);
        }
        let Some(claims) = claims else { return Held::No };
        let (mut caught, mut bound) = (Vec::new(), true);
        for (name, pattern) in &self.claims {
            let Some(value) = claims.value(name) else { return Held::No };
            match pattern.captures(value, &captures) {
                Some(values) => caught.extend(values),
                None if pattern.highest_bound() > 0 && pattern.fits_another(value) => bound = false,
                None => return Held::No,
            }
        }
        captures.extend(caught);
        if bound { Held::Yes(captures) } else { Held::ButForTheBinding }
    }

    fn caught_of(&self, certificate: &CertificateFacts) -> Option<Vec<String>> {
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
    pub(super) fn is_stricter_than(&self, other: &Self) -> bool {
        let same = other.patterns.iter().all(|(f, pattern)| self.patterns.get(f) == Some(pattern));
        let same_leaf = other.fingerprint.is_none() || self.fingerprint == other.fingerprint;
        let same_gap = |one: ClaimGap, another: ClaimGap| match (one, another) {
            (ClaimGap::Capture, ClaimGap::Capture) => true,
            // by what they are captures of: a number counts through the fields that are named
            (ClaimGap::Bound(one), ClaimGap::Bound(another)) => {
                self.source(one) == other.source(another)
            }
            (ClaimGap::Capture, ClaimGap::Bound(_)) | (ClaimGap::Bound(_), ClaimGap::Capture) => {
                false
            }
        };
        let same_claims = other.claims.iter().all(|(name, pattern)| {
            self.claims.get(name).is_some_and(|own| own.asks_the_same(pattern, same_gap))
        });
        let users = self.peer.zip(other.peer);
        let same_user =
            users.map_or(self.peer == other.peer, |(own, other)| own.asks_all_of(other));
        same && same_leaf
            && same_claims
            && same_user
            && self.condition_count() > other.condition_count()
    }

    /// The field that a capture is of, and which of its `*`, from 0.
    fn source(&self, number: usize) -> Option<(CertificateField, usize)> {
        let each = |(field, pattern): (&CertificateField, &Pattern)| {
            let field = *field;
            (0..pattern.capture_count()).map(move |nth| (field, nth))
        };
        self.patterns.iter().flat_map(each).nth(number.checked_sub(1)?)
    }

    fn condition_count(&self) -> usize {
        let of_peer = self.peer.map_or(0, PeerMatch::condition_count);
        let of_leaf = usize::from(self.fingerprint.is_some());
        self.patterns.len() + of_leaf + self.claims.len() + of_peer
    }

    /// Whether two matches on the same fields and claims could hold for one certificate and token,
    /// with no winner. Of users only the very same conditions collide: a group is as a field of its own,
    /// and who is in two is refused when she comes.
    pub(super) fn collides_with(&self, other: &Self) -> bool {
        if self.peer.is_some() || other.peer.is_some() {
            return self.peer == other.peer;
        }
        self.fingerprint == other.fingerprint
            && all_overlap(&self.patterns, &other.patterns, Pattern::overlaps)
            && all_overlap(&self.claims, &other.claims, ClaimPattern::overlaps)
    }
}

/// Whether both ask for the same, and of each some value could match both.
fn all_overlap<K: Eq, P>(
    a: &BTreeMap<K, P>,
    b: &BTreeMap<K, P>,
    overlap: fn(&P, &P) -> bool,
) -> bool {
    a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| overlap(a, b))
}
