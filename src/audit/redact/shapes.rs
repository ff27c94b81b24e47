//! How secrets look: by the name before them, or by themselves.

use super::MASK;

/// Characters from which on a value after `key` is taken for a secret.
const LONG: usize = 24;

/// Words in the name of an option or variable whose value is a secret.
const SECRET_WORDS: [&str; 16] = [
    "passw",
    "passphrase",
    "secret",
    "token",
    "api-key",
    "api_key",
    "apikey",
    "access-key",
    "access_key",
    "accesskey",
    "private-key",
    "private_key",
    "privatekey",
    "credential",
    "authorization",
    "signature",
];

/// How tokens of well-known services begin, and how many more characters make it one.
const TOKENS: [(&str, usize); 23] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 12),
    ("gldt-", 12),
    ("glrt-", 12),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("npm_", 20),
    ("pypi-", 20),
    ("dop_v1_", 20),
    ("hvs.", 20),
    ("sk_live_", 12),
    ("sk-", 20),
    ("dckr_pat_", 12),
    ("eyJ", 17),
];

/// Where in a word the name of a secret ends, if there is one. What only says where a secret is
/// kept (`--token-file`) is not one; a mere `key` is one if its value is long and random enough.
pub(super) fn names_a_secret(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    let end_of = |name: &str| lower.find(name).map(|at| at.saturating_add(name.len()));
    let named = SECRET_WORDS.iter().filter_map(|name| end_of(name)).min();
    let end = named.or_else(|| end_of("key").filter(|_| has_long_value(word)))?;
    let name = lower.get(end..)?.split(['=', ':']).next().unwrap_or_default();
    let place = ["file", "path", "dir", "stdin"].iter().any(|kind| name.ends_with(kind));
    (!place).then_some(end)
}

fn has_long_value(word: &str) -> bool {
    let value = word.split_once(['=', ':']).map_or("", |(_, value)| value);
    value.len() >= LONG && value.chars().all(is_token)
}

/// What gives itself away wherever it stands: passwords in URLs, tokens of known services.
pub(super) fn shapes(word: &str) -> String {
    let mut text = url_password(word);
    for (prefix, least) in TOKENS {
        if text.contains(prefix) {
            text = mask_token(&text, prefix, least);
        }
    }
    text
}

/// `https://user:password@host` (RFC 3986, section 3.2.1), and a long user alone: a token.
fn url_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, host)) = authority.rsplit_once('@') else { return word.to_owned() };
    let path = rest.strip_prefix(authority).unwrap_or_default();
    let user = match user.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}"),
        None if user.len() >= 20 => MASK.to_owned(),
        None => user.to_owned(),
    };
    format!("{scheme}://{user}@{host}{path}")
}

fn mask_token(text: &str, prefix: &str, least: usize) -> String {
    let (mut masked, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(prefix) {
        masked.extend([before, prefix]);
        let begins = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        let end = after.find(|c: char| !is_token(c)).unwrap_or(after.len());
        rest = after;
        if begins && end >= least {
            masked.push_str(MASK);
            rest = after.get(end..).unwrap_or_default();
        }
    }
    masked.push_str(rest);
    masked
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '=' | '~')
}
