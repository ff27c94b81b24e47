//! Certificates, policy files, image references, and the secrets of command lines.

use dockward::facade::audit::redact;
use dockward::facade::config::{self, Mistake};
use dockward::facade::docker::image::{ImagePattern, Reference};
use dockward::facade::identity::{
    CertificateFacts, Fingerprint, IdentityName, IdentityRule, identify,
};
use dockward::facade::policy::glob::Glob;
use jiff::Timestamp;
use std::path::Path;
use std::sync::LazyLock;

/// The start of every policy here: what does not change from one to the next.
const HEAD: &str = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
roles: { r: { scope: any, admission: baseline, allow: { volume: [list] }, images: { run: ['**'] } } }
";

/// Rules that ask for every field of a certificate.
static RULES: LazyLock<Vec<IdentityRule>> = LazyLock::new(|| {
    let rules = "identities:
  - { name: 'uri-{1}', match: { uri: 'spiffe://x/*' }, roles: [r] }
  - { name: 'dns-{1}', match: { dns: '*.example.com' }, roles: [r] }
  - { name: 'mail-{1}', match: { email: '*@example.com' }, roles: [r] }
  - { name: 'cn-{1}', match: { cn: 'c*' }, roles: [r] }
  - { name: 'ou-{1}-{2}', match: { cn: 'd*', ou: 'o*' }, roles: [r] }
";
    let config = config::parse(&format!("{HEAD}{rules}"), Path::new("/nowhere"), today());
    config.unwrap_or_else(|why| panic!("{why}")).policy.identities
});

fn today() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

/// Any bytes as the DER of a certificate.
pub fn certificate(data: &[u8]) {
    let facts = match CertificateFacts::read(data) {
        Ok(facts) => facts,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    assert_eq!(facts.sha256, Fingerprint::of(data));
    assert_eq!(facts.sha256.to_string().parse(), Ok(facts.sha256));
    let shown = |text: &str| {
        let hidden = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{202f}' | '\u{feff}');
        !text.contains(hidden)
    };
    assert!(shown(&facts.subject) && shown(&facts.issuer), "{:?}", facts.subject);
    assert!(facts.serial.bytes().all(|b| b.is_ascii_hexdigit()));
    let names = [&facts.uris, &facts.dns, &facts.emails, &facts.ips];
    assert!(names.into_iter().flatten().all(|name| name.is_ascii()));
    assert!(facts.ips.iter().all(|ip| ip.parse::<std::net::IpAddr>().is_ok()));
    match identify(&RULES, &facts.clone().into(), None) {
        Ok(identity) => {
            let name = identity.name.to_string();
            assert_eq!(name.parse::<IdentityName>().as_ref(), Ok(&identity.name));
            assert_eq!(identity.evidence.certificate(), Some(&facts));
        }
        Err(why) => assert!(!why.rule().id.is_empty()),
    }
}

/// Any text as a policy file.
pub fn policy_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("include") {
        return; // it would read files of this machine
    }
    let read = || config::parse(text, Path::new("/nowhere"), today());
    match read() {
        Ok(config) => {
            assert!(!config.listen.is_empty());
            let granted = config.policy.identities.iter().flat_map(IdentityRule::roles);
            for role in granted {
                assert!(config.policy.roles.contains_key(role), "no role {role:?}");
            }
            let again = read().unwrap();
            assert_eq!(format!("{:?}", again.policy), format!("{:?}", config.policy));
        }
        Err(mistakes) => {
            assert!(mistakes.count() > 0);
            mistakes.iter().for_each(|mistake| placed(mistake, text));
            let shown = mistakes.to_string();
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            assert_eq!(read().unwrap_err(), mistakes);
        }
    }
}

/// A mistake shows where it is, or is one of the whole file, and says what to do.
fn placed(mistake: &Mistake, text: &str) {
    assert!(!mistake.what.is_empty() && !mistake.next.is_empty(), "{mistake:?}");
    if mistake.line == 0 {
        // what is not there has no line
        const ABSENT: [&str; 4] =
            ["there is no ", "there are no ", "the file is empty", "nobody can come in"];
        let absent = ABSENT.iter().any(|begin| mistake.what.starts_with(begin));
        return assert!(absent, "{mistake:?} has no place");
    }
    let lines = text.lines().flat_map(|line| line.split('\r')).count();
    assert!(mistake.line <= lines + 1, "{mistake:?} of {lines} lines");
    let length = mistake.text.chars().count();
    assert!(mistake.column >= 1 && mistake.column <= length + 1, "{mistake:?}");
    assert!(mistake.column - 1 + mistake.width <= length, "{mistake:?}");
}

/// A reference, and on the next line a pattern.
pub fn image_reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, pattern) = text.split_once('\n').unwrap_or((text, "**"));
    let glob = |pattern: &str, text: &str| Glob::new(pattern).matches(text);
    let pattern = ImagePattern::parse(pattern);
    let Ok(reference) = Reference::parse(name) else { return };
    let full = reference.full();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"./_:@-".contains(&b);
    assert!(full.bytes().all(plain), "{name:?} becomes {full:?}");
    let again = Reference::parse(&full).unwrap_or_else(|why| panic!("{full:?}: {why:?}"));
    assert_eq!(again.full(), full);
    assert_eq!((&again.repository, &again.digest), (&reference.repository, &reference.digest));
    assert!(!reference.registry().is_empty() && reference.repository.contains('/'));
    if let Ok(pattern) = pattern {
        // what is asked for in full is the same image
        assert_eq!(
            pattern.matches(&reference, glob),
            pattern.matches(&again, glob),
            "{:?} takes {name:?} and {full:?} for two",
            pattern.as_str()
        );
    }
    let whole = ImagePattern::parse("**").unwrap();
    assert!(whole.matches(&reference, glob), "{full:?} is not even one of **");
    let own = ImagePattern::parse(&full).unwrap_or_else(|why| panic!("{full:?}: {why}"));
    assert!(own.matches(&again, glob), "{full:?} does not match itself");
}

/// A password that may never be seen, whatever stands before and after it.
const SECRET: &str = "hunter2.Zq9";

/// Lines as an argument vector, and all of it as a query.
pub fn redaction(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.contains(SECRET) {
        return;
    }
    let arguments: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let kept = redact::argv(&arguments);
    assert!(kept.len() <= arguments.len());
    assert!(kept.iter().map(String::len).sum::<usize>() <= redact::ARGV_MAX + 16);
    let half = arguments.len() / 2;
    let planted = |word: String| {
        let mut arguments = arguments.clone();
        arguments.insert(half, word);
        redact::argv(&arguments).join(" ")
    };
    for option in ["--password=", "DB_PASSWORD=", "--registry-token=", "https://me:"] {
        let end = if option.starts_with("https") { "@h/" } else { "" };
        let shown = planted(format!("{option}{SECRET}{end}"));
        assert!(!shown.contains(SECRET), "{option}: {shown}");
    }
    let query = redact::query(&text);
    assert_eq!(query.split('&').count(), text.split('&').count());
    for key in ["buildargs", "changes", "X-Registry-Token"] {
        let shown = redact::query(&format!("{text}&{key}={SECRET}&{text}"));
        assert!(!shown.contains(SECRET), "{key}: {shown}");
    }
}
