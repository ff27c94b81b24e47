//! The corpus before a real daemon: each case that the daemon's version has goes through the gate, with the
//! corpus's own policy. What is refused is refused there too, for the same reasons; what is let through
//! the daemon understands.

use super::corpus::{Bench, Case, Verdict, World, cases};
use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::Side;
use super::wire::{Came, Wire};
use dockward::facade::docker::{ApiVersion, Outbound, OutboundBody};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What happened to the corpus.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) refused: usize,
    pub(crate) let_through: usize,
    /// Whose verdict stands on objects that this daemon has not; the pure core judges these.
    pub(crate) of_other_worlds: usize,
    /// Whose point is framing, which is shown byte for byte before the recording daemon.
    pub(crate) of_framing: usize,
    /// That would be let through to Go's profiler and tracer: under them Debian 13's dockerd now and then dies
    /// ("fatal error: runtime: mcall called on m->g0 stack"), and takes the rest of the corpus with it.
    pub(crate) of_profiling: usize,
    /// Of endpoints that this daemon is too old for.
    pub(crate) too_new: usize,
}

/// `replay.yaml`: what some engines answer otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    /// File and name.
    case: String,
    /// The status before every other engine.
    usually: u16,
    engines: Vec<Engine>,
    status: u16,
    why: String,
}

fn otherwise(engine: Engine) -> BTreeMap<String, u16> {
    let table: Vec<Otherwise> = serde_saphyr::from_str(include_str!("replay.yaml")).unwrap();
    let expected = |one: Otherwise| {
        assert!(!one.why.is_empty(), "{}: every entry has its reason", one.case);
        let status = if one.engines.contains(&engine) { one.status } else { one.usually };
        (one.case, status)
    };
    table.into_iter().map(expected).collect()
}

/// The newest minor version of the API that both the daemon and the gate speak.
pub(crate) fn newest(daemon: &Side) -> u8 {
    let version = daemon.send("GET", "/version", "").json();
    let minor = version["ApiVersion"].as_str().and_then(|version| version.strip_prefix("1."));
    let minor: u8 = minor.expect("a daemon's version").parse().unwrap();
    minor.min(ApiVersion::NEWEST.minor())
}

/// Plays the corpus.
pub(crate) fn play(engine: Engine) -> Replayed {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &at("daemon"));
    let straight = Wire::Daemon(daemon.socket.clone());
    let newest = newest(&Side::daemon(&daemon.socket));
    let bench = Bench::at(newest);
    let names = bench.identities();
    let gate = Gate::of_corpus(&at("gate"), &daemon.socket, &names);
    let wires: BTreeMap<&str, Wire> = names
        .iter()
        .map(|name| (name.as_str(), Wire::gate(gate.port, &gate.bundle(name))))
        .collect();
    let (mut replayed, mut wrong) = (Replayed::default(), Vec::new());
    let home = if engine.root().is_some() { World::Apart } else { World::Corpus };
    let mut expected = otherwise(engine);
    // whether something may have changed since the scene was set
    let mut stirred = true;
    for mut case in cases() {
        for newer in ["/v1.55/", "/v1.56/"] {
            case.target = case.target.replacen(newer, &format!("/v1.{newest}/"), 1);
        }
        if !is_plainly_framed(&case) {
            replayed.of_framing += 1;
            continue;
        }
        let verdict = bench.judge_in(&case, home);
        if verdict.reasons.iter().any(|reason| reason.starts_with("version."))
            && case.expect == "allow"
        {
            replayed.too_new += 1;
            continue;
        }
        // the same whatever the daemon and the host have
        let in_corpus = bench.judge(&case);
        let elsewhere = |world| same(&bench.judge_in(&case, world), &in_corpus);
        let here = same(&bench.judge_in(&case, home.emptied()), &verdict);
        if !here || !World::OTHERS.into_iter().all(elsewhere) {
            replayed.of_other_worlds += 1;
            continue;
        }
        let profiles = |word| verdict.status == "allow" && case.target.contains(word);
        if ["/debug/pprof/profile", "/debug/pprof/trace"].into_iter().any(profiles) {
            replayed.of_profiling += 1;
            continue;
        }
        if std::mem::take(&mut stirred) {
            set_the_scene(&straight);
        }
        stirred = verdict.status == "allow" && !matches!(case.method.as_str(), "GET" | "HEAD");
        let wire = &wires[case.identity.as_str()];
        let came = if verdict.status == "allow" {
            replayed.let_through += 1;
            wire.send(&bytes_of(&case))
        } else {
            replayed.refused += 1;
            wire.send_in_vain(&bytes_of(&case))
        };
        let name = format!("{}: {}", case.file, case.name);
        if let Some(status) = expected.remove(&name).filter(|status| *status != came.status) {
            wrong.push(format!("{name}: replay.yaml says {status}: {came:?}"));
        }
        if let Some(why) = judge(&verdict, &case, &came) {
            wrong.push(format!("{}: {}: {why}: {came:?}", case.file, case.name));
        }
    }
    assert!(expected.is_empty(), "replay.yaml names what is not let through: {expected:?}");
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    super::log::judge(&gate.end());
    replayed
}

fn same(one: &Verdict, other: &Verdict) -> bool {
    (&one.status, &one.reasons) == (&other.status, &other.reasons)
}

/// The longest that a container may take to be gone, on however busy a machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(180);

/// A container that runs, one that does not, a network, a volume: what cases name most.
fn set_the_scene(daemon: &Wire) {
    // engines before 25 make a second network of a name, and then know neither
    daemon.ask("POST", "/networks/prune", "");
    if daemon.ask("GET", "/containers/web/json", "").status != 200 {
        if daemon.ask("GET", "/images/busybox/json", "").status != 200 {
            let image = daemon.ask("GET", "/images/kept/json", "");
            assert_eq!(image.status, 200, "the image is gone, under both names");
            daemon.ask("POST", "/images/kept/tag?repo=busybox&tag=latest", "");
        }
        daemon.ask("POST", "/images/busybox/tag?repo=kept&tag=latest", "");
        let body = r#"{"Image":"busybox","Cmd":["sleep","1000"],"StopSignal":"SIGKILL","HostConfig":{"NetworkMode":"none"}}"#;
        let make = || daemon.ask("POST", "/containers/create?name=web", body);
        let (start, mut made) = (std::time::Instant::now(), make());
        // one that is being removed is not there any more, and has its name until it is gone
        while made.status == 409 && start.elapsed() < PATIENCE {
            std::thread::sleep(std::time::Duration::from_millis(20));
            made = make();
        }
        assert_eq!(made.status, 201, "{made:?}");
    }
    daemon.ask("POST", "/containers/web/start", "");
    daemon.ask("POST", "/containers/web/unpause", "");
}

fn judge(verdict: &Verdict, case: &Case, came: &Came) -> Option<String> {
    let ours = came.body.contains("dockward:");
    if verdict.status == "allow" {
        let unread = ["invalid character", "cannot unmarshal", "unexpected EOF", "json: "];
        let stream = |out: &Outbound| matches!(out.body, OutboundBody::Stream { .. });
        let ours_to_write = !verdict.outbound.as_ref().is_some_and(stream);
        let unread = unread
            .iter()
            .find(|words| ours_to_write && came.status >= 400 && came.body.contains(**words));
        return match (ours, unread) {
            (true, _) => Some("the gate refuses it".to_owned()),
            (_, Some(words)) => Some(format!("the daemon cannot read it: {words}")),
            _ => None,
        };
    }
    if came.status.to_string() != verdict.status {
        return Some(format!("should be {} for {:?}", verdict.status, verdict.reasons));
    }
    let said = |reason: &&String| {
        let id = reason.split(' ').next().unwrap();
        case.method == "HEAD" || came.status == 404 || came.body.contains(&format!("[{id}]"))
    };
    let unsaid = verdict.reasons.iter().take(16).find(|reason| !said(reason));
    unsaid.map(|reason| format!("does not say {reason}"))
}

fn is_plainly_framed(case: &Case) -> bool {
    let values = |name: &str| -> Vec<&str> {
        let fields = case.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    };
    let lengths = values("content-length");
    let length = case.bytes.len().to_string();
    let plain = match lengths.as_slice() {
        [] => case.bytes.is_empty(),
        [one] => *one == length,
        _ => false,
    };
    let expects = values("expect");
    case.http.is_empty()
        && values("transfer-encoding").is_empty()
        && plain
        && values("host") == ["docker"]
        && expects.is_empty()
        && case.method.bytes().all(|b| b.is_ascii_uppercase())
        && case.target.starts_with('/')
        && !["CONNECT", "TRACE", "PATCH"].contains(&case.method.as_str())
}

fn bytes_of(case: &Case) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", case.method, case.target).into_bytes();
    for (name, value) in &case.headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&case.bytes);
    bytes
}
