//! `tokens`: whose ID tokens count beside a certificate, and what an identity asks of their claims.
//!
//! The keys are a file beside the policy, written by whatever fetches them: the gate asks nobody while
//! it decides, and a reload that finds a broken file keeps the old keys.

use super::super::KeySetFile;
use super::super::files::read_text;
use super::super::mistake::{MistakeLedger, suggest};
use super::super::yaml::YamlNode;
use crate::digest::Sha256;
use crate::identity::token::IssuerError;
use crate::identity::{ClaimPattern, IdentityRule, Issuer, Issuers, KeySet, Tokens};
use http::HeaderName;
use std::collections::BTreeMap;

/// Where a token is looked for when the file does not say.
const HEADER: HeaderName = HeaderName::from_static("x-dockward-token");

/// Headers with these beginnings are the daemon's.
const TAKEN: [&str; 3] = ["x-registry-", "x-docker-", "x-meta-"];

/// A header that nothing else uses.
pub(in crate::config) fn header(text: &str) -> Result<HeaderName, String> {
    let wrong = || "write one that nothing else uses, such as X-Dockward-Token".to_owned();
    let name: HeaderName = text.parse().map_err(|_| wrong())?;
    let taken = TAKEN.iter().any(|begin| name.as_str().starts_with(begin));
    match name.as_str().strip_prefix("x-") {
        Some(rest) if !taken && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            Ok(name)
        }
        _ => Err(wrong()),
    }
}

/// What became of the section.
#[derive(Default)]
pub(super) struct Compiled {
    /// Whether there is one.
    written: bool,
    pub(super) tokens: Option<Tokens>,
    /// The files that were read for it.
    pub(super) files: Vec<KeySetFile>,
}

/// Compiles the section.
pub(super) fn compile(node: Option<&YamlNode>, ledger: &mut MistakeLedger) -> Compiled {
    let Some(node) = node else { return Compiled::default() };
    let written = node.text_of("header");
    let header = written.map_or(Some(HEADER), |text| header(text).ok());
    let (mut list, mut files) = (Vec::new(), Vec::new());
    let entries = node.items_of("issuers");
    for entry in entries {
        let Some((issuer, file)) = issuer(entry, ledger) else { continue };
        if list.iter().any(|other: &Issuer| other.issuer() == issuer.issuer()) {
            ledger.mistake(entry.at, "this issuer is listed twice", "keep one");
        }
        list.push(issuer);
        files.push(file);
    }
    if let (true, Some(issuers)) = (entries.is_empty(), node.get("issuers")) {
        ledger.mistake(issuers.at, "nobody's tokens count", "name an issuer, or remove tokens");
    }
    let tokens = header.zip(Issuers::new(list).ok());
    let tokens = tokens.map(|(header, issuers)| Tokens { header, issuers });
    Compiled { written: true, tokens, files }
}

fn issuer(node: &YamlNode, ledger: &mut MistakeLedger) -> Option<(Issuer, KeySetFile)> {
    let iss = node.get("issuer")?.text()?;
    let (keys, file) = keys(iss, node.get("keys")?, ledger)?;
    let log = node.get("log").map_or_else(|| vec!["sub".to_owned()], YamlNode::texts);
    match Issuer::new(iss, node.get("audience")?.text()?, keys, log) {
        Ok(issuer) => Some((issuer, file)),
        Err(why) => {
            let key = if why == IssuerError::Audience { "audience" } else { "issuer" };
            ledger.accept(node.get(key)?.at, Err(why))
        }
    }
}

fn keys(iss: &str, node: &YamlNode, ledger: &mut MistakeLedger) -> Option<(KeySet, KeySetFile)> {
    let path = ledger.resolve(node.at, node.text()?);
    let text = match read_text(&path) {
        Ok(text) => text,
        Err(why) => {
            let what = format!("{} cannot be read: {why}", path.display());
            let next = "fetch the issuer's keys, or correct the path";
            return ledger.refuse(node.at, what, next);
        }
    };
    let (keys, left_out) = ledger.accept(node.at, KeySet::read(text.as_bytes()))?;
    let subject = format!("tokens {iss}");
    left_out.into_iter().for_each(|word| ledger.warn(&subject, word, false));
    Some((keys, KeySetFile { path, sha256: Sha256::of(text.as_bytes()) }))
}

/// What an identity asks of a token, under `match`.
pub(super) fn claims(
    node: &YamlNode,
    section: &Compiled,
    ledger: &mut MistakeLedger,
) -> Option<BTreeMap<String, ClaimPattern>> {
    let mut claims = BTreeMap::new();
    let mut whole = true;
    for entry in node.entries() {
        let value = &entry.value;
        match value.text().and_then(|text| ledger.accept(value.at, text.parse())) {
            Some(pattern) => drop(claims.insert(entry.key.clone(), pattern)),
            None => whole = false,
        }
    }
    if !section.written {
        ledger.mistake(node.at, "no token is taken here", "write tokens: with an issuer at least");
    }
    let whose = whose(node, &claims, &section.tokens.as_ref()?.issuers, ledger);
    (whole && whose).then_some(claims)
}

/// Whether it is clear whose token is meant: what one issuer says of a project, another may say of a
/// stranger's.
fn whose(
    node: &YamlNode,
    claims: &BTreeMap<String, ClaimPattern>,
    issuers: &Issuers,
    ledger: &mut MistakeLedger,
) -> bool {
    let names = || issuers.iter().map(Issuer::issuer);
    let Some(pattern) = claims.get("iss") else {
        if names().nth(1).is_some() {
            let next = suggest("", names()).replacen("write", "write iss:", 1);
            ledger.mistake(node.at, "whose token is not said, and there are several issuers", next);
            return false;
        }
        return true;
    };
    let known = pattern.exact().is_some_and(|iss| names().any(|name| name == iss));
    if let (false, Some(iss)) = (known, node.get("iss")) {
        let what = format!("{:?} is no issuer of tokens", pattern.to_string());
        ledger.mistake(iss.at, what, suggest(&pattern.to_string(), names()));
    }
    known
}

/// Notes tokens that nobody asks for.
pub(super) fn warn_of_none(section: &Compiled, rules: &[IdentityRule], ledger: &mut MistakeLedger) {
    let asked = rules.iter().any(|rule| rule.matching().asks_for_a_token());
    if section.tokens.is_some() && !asked {
        let what = "no identity asks for a token: a wrong one is refused, a good one gives nothing";
        ledger.warn("tokens", what, false);
    }
}

/// Notes where a token adds little: where it goes with more certificates than its own.
pub(super) fn warn(rule: &IdentityRule, ledger: &mut MistakeLedger) {
    let matching = rule.matching();
    let bound = matching.claims().any(|(_, pattern)| pattern.highest_bound() > 0);
    if !matching.asks_for_a_token() || bound {
        return;
    }
    let says_who = |(name, pattern): (&str, &ClaimPattern)| {
        !matches!(name, "iss" | "aud") && pattern.exact().is_some()
    };
    let what = match (matching.certificate_captures(), matching.claims().any(says_who)) {
        (0, true) => return,
        (0, false) => "no claim is written out: any token of the issuer that has these will do",
        _ => {
            "no claim is compared with what the certificate's * caught, such as {1}: a token of one \
             goes with the certificate of any other"
        }
    };
    ledger.warn(format!("identity {}", rule.name()), what, false);
}
