//! `dockward rules`: every reason for which something is refused, from the tables that refuse. The
//! same text is `docs/rules.md`.

use super::out::{self, Paint};
use super::{Failure, Outcome, RulesArgs, RulesFormat};
use crate::docker::Flaw;
use crate::policy::Reason;
use crate::policy::reason::{Rule, flaw_rule};
use serde_json::{Value, json};
use std::fmt::Write;

/// Why nobody was identified: refused in the handshake, or with 403 and the connection closed.
const IDENTITY: &[Rule] = &[
    identity(
        "identity.unknown",
        "a certificate or user that no entry of identities matches, or of which no valid name comes",
        "who is not known has no rights",
        "add an entry to identities, or issue the certificate with a field that one asks for",
    ),
    identity(
        "identity.ambiguous-field",
        "a certificate with several values of a field that some entry asks for",
        "which one counts would be a guess",
        "issue a certificate with one value",
    ),
    identity(
        "identity.ambiguous-match",
        "a certificate or user that several entries match, none of them with more conditions than the others",
        "which one counts would be a guess",
        "add a condition to one of the entries",
    ),
    identity(
        "identity.unprintable",
        "a certificate with a control character, NUL or the like in a field that some entry asks for",
        "the same name could be shown for two values",
        "issue the certificate without it",
    ),
    identity(
        "identity.wrong-listener",
        "an identity that comes to a listener whose `identities` do not have it",
        "a key for the inside must not open from outside",
        "use the listener it was given, or add its name to `identities` of this one",
    ),
    identity(
        "identity.closed",
        "an identity outside the days, the hours or the end of its `valid`",
        "a key that is stolen at night must not open at night",
        "come at a time that `valid` of its entry has, or have it changed",
    ),
    identity(
        "identity.certificate",
        "a certificate of which something cannot be read",
        "a value that cannot be read is not a value that is absent",
        "issue the certificate again",
    ),
    identity(
        "peer.namespace",
        "somebody at a Unix socket who is no user of this host: in another user or process namespace, or of \
         whom nothing can be seen",
        "a container that was given the socket has users of its own, with the same numbers",
        "ask from the host itself, or use TLS and a certificate",
    ),
    identity(
        "certificate.expired",
        "a certificate whose time is over, in the handshake or while it is connected",
        "a key that was forgotten must not be good for ever",
        "renew the certificate",
    ),
    identity(
        "certificate.not-yet-valid",
        "a certificate whose time has not come",
        "one of the two clocks is wrong, or somebody plays with dates",
        "see whether the clocks of the gate and of the authority are right",
    ),
    identity(
        "certificate.unknown-issuer",
        "a certificate that no authority of `client_ca` has issued",
        "anybody can issue a certificate of their own",
        "have it issued by an authority of that file",
    ),
    identity(
        "certificate.purpose",
        "a certificate that is not for clients, or a key that may not sign or not issue",
        "the key of a server must not open the gate",
        "issue one with the extended key usage clientAuth, and the key usage digitalSignature",
    ),
    identity(
        "certificate.name-constraint",
        "a certificate with names that its authority may not give",
        "an authority for some names is none for others",
        "have it issued by an authority that may",
    ),
    identity(
        "certificate.unusable",
        "a certificate or chain that cannot be used for another reason: signature, form, key",
        "what cannot be verified proves nothing",
        "issue the certificate again, with its whole chain",
    ),
    identity(
        "certificate.authority-expired",
        "a certificate under an authority whose time is over",
        "a key of an authority that nobody keeps any more could issue anything",
        "renew the authority, then its certificates",
    ),
    identity(
        "certificate.revoked",
        "a certificate that was revoked, or that of an authority above it",
        "somebody else may have the key",
        "issue a new one, with a new key",
    ),
    identity(
        "certificate.denied",
        "a certificate, serial or key that stands in the file under `deny`",
        "somebody else may have the key",
        "issue a new one, with a new key",
    ),
    identity(
        "crl.missing",
        "a certificate under an authority of which there is no list in `crl`",
        "whether it was revoked cannot be told",
        "put the list of every authority of `client_ca` into the file",
    ),
    identity(
        "crl.expired",
        "a certificate under an authority whose list has ended",
        "whether it was revoked meanwhile cannot be told",
        "write the list anew before it ends: `dockward certs crl`, by its timer",
    ),
];

/// Why a token counts for nothing: 403 and the connection closed.
const TOKEN: &[Rule] = &[
    identity(
        "token.malformed",
        "a token that is no compact JWS of strict JSON, or that lacks `iss`, `aud`, `exp` or `iat`",
        "what two readers understand differently proves two things",
        "send the token as the issuer gave it, with nothing before or after it",
    ),
    identity(
        "token.algorithm",
        "a token signed with anything but RS256 or ES256, or not with the algorithm of its key",
        "a token must not choose how it is verified",
        "ask the issuer for a token that is",
    ),
    identity(
        "token.issuer",
        "a token of an issuer that is not listed",
        "nothing is known of it",
        "add the issuer to tokens, or take a token of one that is there",
    ),
    identity(
        "token.key-unknown",
        "a token signed with a key that the issuer's set does not have",
        "nothing can be verified without the key",
        "fetch the issuer's keys again and reload",
    ),
    identity(
        "token.signature",
        "a token whose signature is wrong",
        "it is not what the issuer gave",
        "send the token as the issuer gave it",
    ),
    identity(
        "token.audience",
        "a token that was issued for somebody else",
        "whoever was given it could use it here",
        "ask the issuer for a token with this gate's audience",
    ),
    identity(
        "token.expired",
        "a token whose time is over",
        "the job that it was for is over",
        "ask the issuer for a new one",
    ),
    identity(
        "token.not-yet",
        "a token whose time has not come, by more than a minute",
        "one of the two clocks is wrong",
        "compare the gate's clock with the issuer's",
    ),
    identity(
        "token.lifetime",
        "a token that lasts longer than a day",
        "it would outlive its job",
        "ask the issuer for a shorter one",
    ),
    identity("token.twice", "more than one token", "which one counts would be a guess", "send one"),
    identity(
        "token.unbound",
        "a good token of another project than the certificate's",
        "one of the two was taken from somebody",
        "use the certificate that goes with the token",
    ),
];

const fn identity(
    id: &'static str,
    what: &'static str,
    why: &'static str,
    remedy: &'static str,
) -> Rule {
    Rule { id, what, why, remedy, references: &[], root: false }
}

/// The parts of the list: heading, what it comes to, rules.
fn parts() -> [(&'static str, &'static str, Vec<Rule>); 4] {
    [
        (
            "Denied by policy",
            "403. `observe` lets through what is not marked as root on the host.",
            Reason::ALL.iter().map(|reason| reason.rule()).collect(),
        ),
        (
            "Not readable in exactly one way",
            "400; 413 for `body.too-large`; 403 for `route.unknown`; 404 for `name.absent`. No policy softens these.",
            Flaw::ALL.iter().map(|flaw| flaw_rule(*flaw)).collect(),
        ),
        (
            "Nobody in particular",
            "Refused in the handshake, or with 403 and the connection closed.",
            IDENTITY.to_vec(),
        ),
        (
            "A token that counts for nothing",
            "403 and the connection closed. A token that is wrong is never as if none had been sent.",
            TOKEN.to_vec(),
        ),
    ]
}

/// Prints the rules.
///
/// # Errors
/// They cannot be written.
pub fn run(args: &RulesArgs) -> Result<Outcome, Failure> {
    match args.format {
        RulesFormat::Text => out::print(&text(Paint::stdout()))?,
        RulesFormat::Md => out::print(&markdown())?,
        RulesFormat::Json => out::json(&json())?,
    }
    Ok(Outcome::Done)
}

/// `docs/rules.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Rules\n\nEvery reason for which dockward refuses something. The ids are stable: they \
         are the same in the answer, the audit log and the metrics. Generated by `dockward rules \
         --format md`; do not edit.\n",
    );
    for (heading, comes_to, rules) in parts() {
        let _ = write!(text, "\n## {heading}\n\n{comes_to}\n\n");
        text.push_str(
            "| id | what is refused | why | instead | references |\n|---|---|---|---|---|\n",
        );
        for rule in rules {
            let root = if rule.root { " **root on the host**" } else { "" };
            let Rule { id, what, why, remedy, .. } = rule;
            let references = rule.references.join(", ");
            let _ = writeln!(text, "| `{id}`{root} | {what} | {why} | {remedy} | {references} |");
        }
    }
    text
}

fn text(paint: Paint) -> String {
    let mut text = String::new();
    for (heading, comes_to, rules) in parts() {
        let _ = writeln!(text, "{}\n{comes_to}\n", paint.bold(&heading.to_uppercase()));
        for rule in rules {
            let root = if rule.root { paint.red("  root on the host") } else { String::new() };
            let _ = writeln!(text, "{}{root}\n  {}", paint.bold(rule.id), rule.what);
            let _ = writeln!(text, "  why      {}\n  instead  {}", rule.why, rule.remedy);
            if !rule.references.is_empty() {
                let _ = writeln!(text, "  see      {}", rule.references.join(", "));
            }
            text.push('\n');
        }
    }
    text
}

fn json() -> Value {
    let rule = |part: &str, rule: Rule| {
        json!({
            "id": rule.id, "part": part, "what": rule.what, "why": rule.why,
            "remedy": rule.remedy, "references": rule.references, "root": rule.root,
        })
    };
    let all = parts().into_iter().flat_map(|(part, _, rules)| {
        rules.into_iter().map(move |one| rule(part, one)).collect::<Vec<_>>()
    });
    Value::Array(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::rule::Field;
    use crate::identity::{Closed, Foreign, IdentityError, TokenError, Unidentified};
    use std::path::Path;

    #[test]
    fn the_document_is_what_the_tables_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
        if std::env::var_os("DOCKWARD_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, markdown()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == markdown(), "docs/rules.md is old: run with DOCKWARD_BLESS=1");
    }

    #[test]
    fn every_refusal_has_its_row() {
        let identities = [
            Unidentified::Unknown,
            Unidentified::NotAName,
            Unidentified::AmbiguousField(Field::Cn),
            Unidentified::AmbiguousMatch,
            Unidentified::Unprintable(Field::Cn),
            Unidentified::WrongDoor,
            Unidentified::Closed(Closed::Now),
            Unidentified::Certificate(IdentityError::NotACertificate),
            Unidentified::UnknownPeer(1),
            Unidentified::AmbiguousPeer(1),
            Unidentified::Foreign(Foreign::Gone),
        ];
        let ids: Vec<&str> = parts().iter().flat_map(|part| &part.2).map(|rule| rule.id).collect();
        let tokens = [
            TokenError::Malformed(""),
            TokenError::Algorithm,
            TokenError::Issuer,
            TokenError::KeyUnknown,
            TokenError::Signature,
            TokenError::Audience { wanted: String::new() },
            TokenError::Expired,
            TokenError::NotYet,
            TokenError::Lifetime,
            TokenError::Twice,
            TokenError::Unbound,
        ];
        for refusal in identities.into_iter().chain(tokens.map(Unidentified::Token)) {
            assert!(ids.contains(&refusal.reason()), "{refusal:?}");
        }
        for id in Reason::ALL.iter().map(|r| r.id()).chain(Flaw::ALL.iter().map(|f| f.id())) {
            assert_eq!(ids.iter().filter(|one| **one == id).count(), 1, "{id}");
        }
        assert_eq!(json().as_array().unwrap().len(), ids.len());
    }

    #[test]
    fn no_rule_breaks_the_table() {
        let rows = markdown().lines().filter(|line| line.starts_with("| `")).count();
        let count: usize = parts().iter().map(|part| part.2.len()).sum();
        assert_eq!(rows, count);
        let columns = |line: &&str| line.matches('|').count() != 6;
        let text = markdown();
        let broken: Vec<&str> =
            text.lines().filter(|line| line.starts_with("| `")).filter(columns).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}
