//! What each target begins with: requests of the corpus and of real clients, the policy files that
//! are shipped and those that are wrong, and what was found before.

use crate::bodies::{IDENTITIES, MEASURED, sample};
use crate::corpus::{Bench, Case, cases};
use crate::directory;
use crate::survives::recorded;
use dockward::facade::docker::{ApiVersion, ROUTES};
use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The seeds of a target, each once, always in the same order.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let made: Vec<Vec<u8>> = match target {
        "path" => paths(),
        "query" => queries(),
        "json" => bodies().map(|case| case.bytes).collect(),
        "body" => bodies().map(body).collect(),
        "request" => requests().map(|case| request(&case)).collect(),
        "certificate" => certificates(),
        "policy_file" => policies(),
        "image_reference" => images(),
        "redaction" => lines(),
        "token" => tokens(),
        other => panic!("no seeds for {other}"),
    };
    let kept = files(&directory("kept", target), "").into_iter();
    let kept = kept.map(|file| std::fs::read(file).unwrap());
    let mut seen = BTreeSet::new();
    made.into_iter().chain(kept).filter(|seed| seen.insert(seed.clone())).collect()
}

fn requests() -> impl Iterator<Item = Case> {
    cases().into_iter().chain(recorded("admin"))
}

fn bodies() -> impl Iterator<Item = Case> {
    requests().filter(|case| !case.bytes.is_empty() && case.bytes.len() < 16 << 10)
}

fn paths() -> Vec<Vec<u8>> {
    let rows = ROUTES.iter().map(|row| {
        let (path, query) = sample(row, ApiVersion::NEWEST);
        format!("{} {path}{query}", row.method.as_str())
    });
    let sent = requests().map(|case| format!("{} {}", case.method, case.target));
    rows.chain(sent).map(String::into_bytes).collect()
}

fn queries() -> Vec<Vec<u8>> {
    let bench = Bench::new();
    let mut seeds = Vec::new();
    for case in requests() {
        let row = bench.judge(&case).row.and_then(|row| u8::try_from(row).ok());
        if let (Some(row), Some((_, query))) = (row, case.target.split_once('?')) {
            seeds.push([&[row], query.as_bytes()].concat());
        }
    }
    seeds
}

fn body(case: Case) -> Vec<u8> {
    let line = format!("{} {}\n", case.method, case.target);
    [line.as_bytes(), &case.bytes].concat()
}

/// As it would come in on a connection.
fn request(case: &Case) -> Vec<u8> {
    let who = IDENTITIES.iter().position(|name| *name == case.identity).unwrap_or(0);
    let version = if case.http.is_empty() { "1.1" } else { &case.http };
    let length = ("Content-Length".to_owned(), case.bytes.len().to_string());
    let measured = if case.headers.contains(&length) { MEASURED } else { 0 };
    let mut bytes = vec![u8::try_from(who).unwrap() | measured];
    bytes.extend(format!("{} {} HTTP/{version}\r\n", case.method, case.target).bytes());
    for (name, value) in &case.headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    let named = |wanted: &str| case.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(wanted));
    if named("transfer-encoding") {
        bytes.extend(format!("{:x}\r\n", case.bytes.len()).bytes());
        bytes.extend([case.bytes.as_slice(), b"\r\n0\r\n\r\n"].concat());
    } else {
        bytes.extend(&case.bytes);
    }
    bytes
}

fn certificates() -> Vec<Vec<u8>> {
    let key = KeyPair::generate().unwrap();
    let names: [fn(&str) -> SanType; 4] = [
        |text| SanType::URI(format!("spiffe://x/{text}").try_into().unwrap()),
        |text| SanType::DnsName(format!("{text}.example.com").try_into().unwrap()),
        |text| SanType::Rfc822Name(format!("{text}@example.com").try_into().unwrap()),
        |_| SanType::IpAddress("2001:db8::1".parse().unwrap()),
    ];
    let subjects: [&[(DnType, &str)]; 3] = [
        &[],
        &[(DnType::CommonName, "c1")],
        &[(DnType::CommonName, "d, \u{202e}é"), (DnType::OrganizationalUnitName, "o=2")],
    ];
    let mut seeds = Vec::new();
    for subject in subjects {
        for chosen in 0..1 << names.len() {
            let mut params = CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            for (kind, text) in subject {
                params.distinguished_name.push(kind.clone(), *text);
            }
            let of = names.iter().enumerate().filter(|(nth, _)| chosen & (1 << nth) != 0);
            params.subject_alt_names = of.map(|(nth, name)| name(&format!("n{nth}"))).collect();
            seeds.push(params.self_signed(&key).unwrap().der().to_vec());
        }
    }
    seeds
}

fn policies() -> Vec<Vec<u8>> {
    const REST: &str = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [administrator] }]
";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = ["config", "config/presets", "tests/fixtures/config", "tests/proxy"];
    let mut found: Vec<_> =
        directories.iter().flat_map(|from| files(&root.join(from), "yaml")).collect();
    found.push(root.join("tests/corpus/policy.yaml"));
    let text = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text.lines().filter(|line| !line.contains("include"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        // a preset is a part: with the rest it is a whole
        let rest = if text.contains("version:") { "" } else { REST };
        format!("{rest}{text}").into_bytes()
    };
    found.iter().map(text).collect()
}

fn images() -> Vec<Vec<u8>> {
    const PATTERNS: [&str; 5] =
        ["**", "docker.io/library/*", "*/**:*", "registry.example.com/shop/*:1.*", "**@sha256:*"];
    let mut names: Vec<String> = bodies().filter_map(|case| image(&case.bytes)).collect();
    let sent = requests().filter_map(|case| {
        let (_, query) = case.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("fromImage=")).map(str::to_owned)
    });
    names.extend(sent);
    names.extend(["a:5000/b/c:d".to_owned(), format!("a@sha256:{}", "0".repeat(64))]);
    let seed = |(nth, name)| format!("{name}\n{}", PATTERNS[nth % PATTERNS.len()]).into_bytes();
    names.into_iter().enumerate().map(seed).collect()
}

fn image(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("Image")?.as_str()?.to_owned())
}

fn lines() -> Vec<Vec<u8>> {
    const COMMANDS: [&str; 12] = [
        "mysql\n-uroot\n-phush",
        "curl\n-u\nme:hush\nhttps://h",
        "sh\n-c\nTOKEN=hush run -x; export PASSWORD='a b;c'",
        "sshpass\n-p\nhush\nssh",
        "-H\nAuthorization: Bearer hush",
        "{\"token\": \"hush\", \"a\": 'b'}",
        "git\nclone\nhttps://me:hush@h/x?access_token=1&a=b",
        "AKIAABCDEFGHIJKLMNOP\nx=ghp_0123456789abcdefghij,y",
        "KEY=bG9uZyBhbmQgcmFuZG9tIGVub3VnaA==\n--api-key:hush",
        "--secret\n--token\n:\n=\nbearer",
        "-----BEGIN EC KEY-----\nMHc",
        "größe=容器\n\u{202e}password",
    ];
    let queries = requests().filter_map(|case| Some(case.target.split_once('?')?.1.to_owned()));
    let commands = COMMANDS.iter().map(|text| (*text).to_owned());
    commands.chain(queries.take(200)).map(String::into_bytes).collect()
}

/// A header, and the claims after it.
fn tokens() -> Vec<Vec<u8>> {
    const HEADERS: [&str; 6] = [
        r#"{"alg":"ES256","kid":"ec","typ":"JWT"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"RS256","kid":"ec"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256","kid":"ec","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"ES256","x5t":"a","kid":"ec","crit":["exp"],"jwk":{}}"#,
    ];
    const CLAIMS: [&str; 5] = [
        r#"{"iss":"https://i","aud":"us","iat":1000,"exp":1900,"repository":"acme/web","run_id":"7"}"#,
        r#"{"iat":990,"nbf":985,"exp":5000,"aud":["them","us"],"iss":"https://i","n":[{"a":null}],"p":true}"#,
        r#"{"iss":"https://i","aud":"us","iat":1060,"nbf":1060,"exp":1061,"x":"\u0061","y":[[]],"z":-0}"#,
        r#"{"exp":87400,"iat":1000,"iss":"https://i","aud":["us"],"":"","big":18446744073709551615}"#,
        r#"{"iss":"https://j","aud":[],"iat":1e3,"nbf":2000,"exp":-1}"#,
    ];
    const KEYS: &str =
        r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AQ","y":"AQ","use":"sig"}]}"#;
    let each = |header: &&str| CLAIMS.map(|claims| format!("{header}\n{claims}"));
    let whole = HEADERS.iter().flat_map(each);
    whole.chain([KEYS.to_owned()]).map(String::into_bytes).collect()
}

/// The files of a directory with this ending, sorted; none where there is no such directory.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().unwrap_or_default() == ending && file.is_file());
    files.sort();
    files
}
