//! The policy file as its writers meet it: the shipped files load, mistakes are shown all at once and
//! word for word as recorded, and the command line says the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "config/served.rs"]
mod served;

use dockward::facade::config::{self, Config};
use dockward::facade::docker::{ROUTES, Verb};
use jiff::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(here(directory)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

fn load_preset(file: &Path) -> Config {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let text = format!(
        "version: 1
include: [{}]
listen: [{{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }}]
daemon: {{ socket: /run/docker.sock }}
audit: {{ directory: log }}
identities: [{{ name: somebody, match: {{ cn: somebody }}, roles: [{name}] }}]
",
        file.display()
    );
    config::parse(&text, Path::new("/etc/dockward"), now())
        .unwrap_or_else(|why| panic!("{name}:\n{why}"))
}

#[test]
fn the_example_loads() {
    let config = config::load(&here("config/dockward.yaml"), now());
    let config = config.unwrap_or_else(|why| panic!("\n{why}"));
    assert_eq!(config.listen[0].tls().unwrap().certificate, here("config/pki/server.pem"));
    assert_eq!(config.policy.identities.len(), 5);
    assert_eq!(config.front, config::FrontLimits::default(), "the example shows the defaults");
}

/// The presets of which `check` says that they amount to root on the host: all but one by a stream into containers, for
/// holes that daemons had, or by directories that others may exchange.
const ROOT: &[&str] =
    &["act", "administrator", "developer", "github-runner-containers", "jenkins", "testcontainers"];

#[test]
fn every_preset_loads_and_is_named_after_its_role() {
    let presets = files("config/presets");
    assert!(presets.len() >= 20);
    for file in presets {
        let config = load_preset(&file);
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert_eq!(config.policy.roles.keys().collect::<Vec<_>>(), [name]);
        let root: Vec<_> = config.warnings.iter().filter(|warning| warning.root).collect();
        let strong = ROOT.contains(&name);
        assert!(strong || root.is_empty(), "{name}: {root:?}");
        assert!(!root.is_empty() || !strong, "{name} passes for harmless");
    }
}

#[test]
fn the_administrator_may_use_every_route_that_anybody_may() {
    let config = load_preset(&here("config/presets/administrator.yaml"));
    let role = &config.policy.roles["administrator"];
    for route in ROUTES.iter().filter(|route| route.verb != Verb::Never) {
        assert!(role.allow.grants(route).is_some(), "{}", route.operation);
    }
}

#[test]
fn who_reads_or_proxies_changes_nothing() {
    for name in ["read-only", "traefik", "dozzle", "dashboard", "registry-reader"] {
        let config = load_preset(&here(&format!("config/presets/{name}.yaml")));
        let role = &config.policy.roles[name];
        for route in ROUTES.iter().filter(|route| role.allow.grants(route).is_some()) {
            assert!(!route.life.changes_state() && !route.root, "{name}: {}", route.operation);
        }
    }
}

/// Golden files: `DOCKWARD_BLESS=1 cargo test` writes them anew.
#[test]
fn every_mistake_is_shown_at_once_with_its_place_and_the_next_step() {
    let bad = files("tests/fixtures/config");
    assert!(bad.len() >= 6);
    for file in bad {
        let name = Path::new(file.file_name().unwrap()).to_owned();
        let mistakes = config::load(&file, now()).expect_err(&format!("{name:?} loads"));
        let shown =
            mistakes.to_string().replace(here("tests/fixtures/config/").to_str().unwrap(), "");
        let golden = file.with_extension("txt");
        if std::env::var_os("DOCKWARD_BLESS").is_some() {
            std::fs::write(&golden, format!("{shown}\n")).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(format!("{shown}\n"), expected, "{name:?}: DOCKWARD_BLESS=1 rewrites it");
        for mistake in mistakes.iter() {
            assert!(!mistake.next.is_empty() && !mistake.what.ends_with('.'), "{mistake}");
        }
    }
}

/// Every key of the shipped files stands in the schema, and the schema takes no other.
#[test]
fn the_schema_knows_the_shipped_files() {
    let schema = config::schema();
    for file in files("config").into_iter().chain(files("config/presets")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        compare(&value, &schema, &file.display().to_string());
    }
    let wrong = serde_json::json!({ "roles": { "r": { "alow": {} } } });
    assert!(std::panic::catch_unwind(|| compare(&wrong, &config::schema(), "")).is_err());
}

fn compare(value: &Value, schema: &Value, at: &str) {
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let kind = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            _ => "string",
        };
        let fits = |choice: &&Value| choice.get("type").map_or(kind == "string", |t| t == kind);
        return compare(value, choices.iter().find(fits).unwrap(), at);
    }
    match value {
        Value::Object(map) => {
            assert_eq!(schema["type"], "object", "{at}");
            for (key, value) in map {
                let known = schema["properties"].get(key);
                let other = Some(&schema["additionalProperties"]).filter(|other| other.is_object());
                let schema = known.or(other).unwrap_or_else(|| panic!("{at}.{key} is not known"));
                compare(value, schema, &format!("{at}.{key}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(schema["type"], "array", "{at}");
            items.iter().for_each(|item| compare(item, &schema["items"], at));
        }
        scalar => match schema.get("enum").and_then(Value::as_array) {
            Some(words) => assert!(words.contains(scalar), "{at}: {scalar}"),
            None => assert!(!matches!(schema["type"].as_str(), Some("object" | "array")), "{at}"),
        },
    }
}

fn dockward(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dockward")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn check_shows_the_policy_or_every_mistake() {
    let example = here("config/dockward.yaml");
    let well = dockward(&["check", "--policy-only", "--config", example.to_str().unwrap()]);
    assert_eq!(well.status.code(), Some(0), "{}", text(&well.stderr));
    let shown = text(&well.stdout);
    assert!(shown.starts_with("OK: 5 identities"), "{shown}");
    assert!(shown.contains("ROOT ON THE HOST\n  role administrator: "), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colour in a pipe");

    let json = dockward(&[
        "check",
        "--policy-only",
        "--format",
        "json",
        "--config",
        example.to_str().unwrap(),
    ]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["ok"], true);
    assert_eq!(json["policy"].as_str().unwrap().len(), 64);

    let bad = here("tests/fixtures/config/names.yaml");
    let ill = dockward(&["check", "--config", bad.to_str().unwrap()]);
    assert_eq!(ill.status.code(), Some(2));
    assert!(ill.stdout.is_empty());
    let golden = std::fs::read_to_string(bad.with_extension("txt")).unwrap();
    assert!(text(&ill.stderr).lines().count() > golden.lines().count(), "{}", text(&ill.stderr));
    let json = dockward(&["check", "--format", "json", "--config", bad.to_str().unwrap()]);
    assert_eq!(json.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["mistakes"].as_array().unwrap().len(), golden.matches("\n      = ").count());
}

/// A certificate, good from one day to another.
fn certificate(from: (i32, u8, u8), to: (i32, u8, u8)) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["gate".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn check_names_a_certificate_of_the_gate_that_is_not_for_servers() {
    use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let policy = path("policy.yaml");
    let lines = "version: 1
listen: [{ tls: '127.0.0.1:1', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: docker.sock }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [r] }]
roles: { r: { scope: any } }
";
    std::fs::write(&policy, lines).unwrap();
    let words = "c.pem: its first certificate is not for servers, and clients refuse it, issue one";
    for (purposes, named) in [
        (vec![ClientAuth], true),
        (vec![ServerAuth], false),
        (vec![ClientAuth, ServerAuth], false),
        (vec![], false),
    ] {
        let mut params = rcgen::CertificateParams::new(["gate".to_owned()]).unwrap();
        params.extended_key_usages = purposes;
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(path("c.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(path("k.pem"), key.serialize_pem()).unwrap();
        std::fs::write(path("ca.pem"), certificate((2020, 1, 1), (4000, 1, 1))).unwrap();
        let checked = dockward(&["check", "--config", policy.to_str().unwrap()]);
        let shown = text(&checked.stdout);
        assert_eq!(shown.contains(words), named, "{shown}");
    }
}

#[test]
fn check_says_which_certificates_are_over_and_which_files_are_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let over = certificate((2020, 1, 1), (2020, 6, 1));
    let good = {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(4000, 1, 1);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    };
    std::fs::write(path("c.pem"), over).unwrap();
    std::fs::write(path("ca.pem"), good).unwrap();
    let policy = path("policy.yaml");
    let lines = "version: 1
listen:
  - { tls: '127.0.0.1:1', certificate: c.pem, key: k.pem, client_ca: ca.pem }
  - { tls: '127.0.0.1:2', certificate: c.pem, key: k.pem, client_ca: ca.pem }
daemon: { socket: docker.sock }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [r], valid: { days: mon-fri } }]
roles: { r: { scope: any } }
";
    std::fs::write(&policy, lines).unwrap();
    let checked = dockward(&["check", "--config", policy.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(2), "{}", text(&checked.stderr));
    let shown = text(&checked.stdout);
    assert!(shown.starts_with("NOT SERVED HERE: 1 identities"), "{shown}");
    let missing =
        format!("  {}: no such file, create it or correct the path", path("k.pem").display());
    assert_eq!(shown.lines().filter(|line| *line == missing).count(), 1, "{shown}");
    let said: Vec<&str> = shown.lines().filter(|line| line.contains("certificates: ")).collect();
    assert_eq!(said.len(), 1, "{shown}");
    assert!(
        said[0].contains(
            "c.pem: the server certificate (CN=rcgen self signed cert) ended 2020-06-01T00:00:00Z ("
        ),
        "{shown}"
    );
    assert!(said[0].ends_with("days ago), issue it again and reload"), "{shown}");
    assert!(shown.contains("mon-fri UTC"), "{shown}");

    let json = dockward(&["check", "--format", "json", "--config", policy.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let stages: Vec<_> = json["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["what"], &one["stage"]))
        .collect();
    assert_eq!(
        stages,
        [
            (&Value::from("server certificate"), &Value::from("expired")),
            (&"client authority".into(), &"good".into())
        ]
    );
}

#[test]
fn what_is_built_in_is_printed() {
    let rules = text(&dockward(&["rules", "--format", "md"]).stdout);
    assert_eq!(rules, std::fs::read_to_string(here("docs/rules.md")).unwrap());
    let schema: Value = serde_json::from_slice(&dockward(&["schema"]).stdout).unwrap();
    assert_eq!(schema, config::schema());
    assert!(text(&dockward(&["completions", "bash"]).stdout).contains("_dockward"));
    assert!(text(&dockward(&["man"]).stdout).contains(".TH dockward"));
}

#[test]
fn exit_codes_tell_what_could_not_be_run_from_what_failed() {
    assert_eq!(dockward(&[]).status.code(), Some(2));
    assert_eq!(dockward(&["check"]).status.code(), Some(2));
    assert_eq!(dockward(&["check", "--config", "/nonexistent"]).status.code(), Some(2));
    assert_eq!(dockward(&["--help"]).status.code(), Some(0));
    let directory = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.path().join("c.pem"), certificate.cert.pem()).unwrap();
    let policy = directory.path().join("policy.yaml");
    let lines = "version: 1
listen: [{ tls: '127.0.0.1:1', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: docker.sock }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [r] }]
roles: { r: { scope: any } }
";
    std::fs::write(&policy, lines).unwrap();
    let ill = dockward(&["healthcheck", "--config", policy.to_str().unwrap()]);
    assert_eq!(ill.status.code(), Some(1));
    let shown = text(&ill.stdout);
    assert!(
        shown.contains("gate: nobody listens") && shown.contains("daemon: it is away"),
        "{shown}"
    );
}
