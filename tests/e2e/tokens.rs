//! A CI job as it runs: the docker command line with the job's token under `HttpHeaders` of its
//! `config.json`, on a runner whose certificate alone may only look.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::issuer::{Signer, with};
use super::world::{STEP, plain};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What is put before the identities of the usual policy.
const IDENTITIES: &str = r#"tokens:
  issuers:
    - issuer: https://gitlab.example.org
      audience: dockward.example.org
      keys: issuer.json
      log: [project_path]
identities:
  - { name: "ci-{1}", match: { uri: "spiffe://example.org/ci-*" }, roles: [looks] }
  - name: "main-{1}"
    match:
      uri: "spiffe://example.org/ci-*"
      token: { project_path: "acme/{1}", ref_protected: "true" }
    roles: [here]
"#;

const ROLES: &str = r"roles:
  looks: { scope: any, admission: baseline, allow: { container: [read], system: [info] } }
";

struct Job<'a> {
    program: &'a str,
    scratch: &'a Path,
    gate: &'a Gate,
}

impl Job<'_> {
    /// One command with this token, or with none.
    fn run(&self, token: Option<&str>, line: &str) -> Output {
        let config = tempfile::tempdir_in(self.scratch).unwrap();
        let headers = token.map_or(json!({}), |token| json!({ "X-Dockward-Token": token }));
        let text = json!({ "HttpHeaders": headers }).to_string();
        fs::write(config.path().join("config.json"), text).unwrap();
        let mut shell = Command::new("timeout");
        shell.args(["-s", "KILL", STEP, "bash", "-c", &format!("{} {line}", self.program)]);
        plain(&mut shell);
        shell.env("DOCKER_CONFIG", config.path()).stdin(Stdio::null());
        shell.env("DOCKER_HOST", format!("tcp://127.0.0.1:{}", self.gate.port));
        shell.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", self.gate.bundle("ci-web"));
        shell.output().unwrap()
    }

    fn does(&self, token: Option<&str>, line: &str) -> String {
        let out = self.run(token, line);
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn is_refused(&self, token: Option<&str>, line: &str, reason: &str) {
        let out = self.run(token, line);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success(), "{line} was done");
        let words = said.contains("dockward: ") && said.contains(&format!("[{reason}]"));
        assert!(words, "{line}: not {reason}: {said}");
    }
}

/// With the token more than without it.
pub(crate) fn a_job(engine: Engine) {
    let program = engine.cli().1;
    let scratch = tempfile::Builder::new().prefix("dockward-tokens-").tempdir().unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.path().join("daemon"));
    let (signer, directory) = (Signer::new("one"), scratch.path().join("gate"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("issuer.json"), signer.set()).unwrap();
    let policy =
        include_str!("policy.yaml").replace("identities:\n", IDENTITIES).replace("roles:\n", ROLES);
    let gate =
        Gate::with(&directory, &daemon.socket, &["admin", "ci-web"].map(str::to_owned), &policy);
    let job = Job { program: &program, scratch: scratch.path(), gate: &gate };
    job_with_and_without(&job, &signer);
    let log = gate.end();
    super::log::judge(&log);
    let text: String = super::log::events(&log).iter().map(Value::to_string).collect();
    assert!(!text.contains("confidential@example.org") && !text.contains("eyJ"), "{text}");
    let ran = super::log::events(&log).into_iter().find(|event| {
        event["request"]["operation"] == "ContainerStart" && event["decision"]["verdict"] == "allow"
    });
    let who = &ran.expect("the container was started")["identity"];
    assert_eq!(
        (&who["name"], &who["claims"]),
        (&json!("main-web"), &json!({"project_path": "acme/web"}))
    );
}

fn job_with_and_without(job: &Job<'_>, signer: &Signer) {
    let token = signer.good("acme/web");
    let (with_it, without) = (Some(token.as_str()), None);
    let branch = signer.sign(&with("acme/web", "ref_protected", "false"));
    for line in ["run --rm busybox echo ran", "tag busybox localhost/web:1"] {
        job.is_refused(without, line, "verb.not-granted");
        job.is_refused(Some(&branch), line, "verb.not-granted");
    }
    assert_eq!(job.does(with_it, "run --rm busybox echo ran"), "ran\n");
    job.does(with_it, "tag busybox localhost/web:1");
    assert!(job.does(with_it, "image inspect localhost/web:1").contains("localhost/web:1"));
    // what the certificate alone may: with none, and with none but a good one
    let forged = Signer::new("one").good("acme/web");
    let over = signer.sign(&with("acme/web", "exp", 1_700_000_000));
    let foreign = signer.sign(&with("acme/web", "aud", "elsewhere.example.org"));
    for line in ["ps", "version"] {
        job.does(without, line);
        job.does(with_it, line);
        job.is_refused(Some(&forged), line, "token.signature");
        job.is_refused(Some(&over), line, "token.expired");
        job.is_refused(Some(&foreign), line, "token.audience");
        job.is_refused(Some(&signer.good("acme/api")), line, "token.unbound");
        job.is_refused(Some("what?"), line, "token.malformed");
    }
}
