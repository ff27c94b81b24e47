//! `dockward explain`: what would be decided about a request, by the very code that serves; or what
//! was decided about a recorded one, and what would be now.

use super::{Exit, ExplainArgs, Failure, out, rules};
use crate::audit::event::{RequestRecord, Verdict};
use crate::audit::{self, EventId, Found, Logged};
use crate::config::{self, Config};
use crate::daemon::Daemon;
use crate::digest::Sha256;
use crate::docker::image::{ImageOrigin, Reference};
use crate::docker::{self, Accepted, ApiVersion, Flaw, Malformed, RequestHead};
use crate::facts::{self, GatePaths};
use crate::identity::{Identity, supposed};
use crate::policy::facts::{DaemonDefaults, Image};
use crate::policy::{self, Decision, Facts, Finding, Needs, PathFact, Seen, place};
use crate::visible::line;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

/// Explains.
///
/// # Errors
/// What keeps it from being run: a policy with mistakes, a request that is none, an event that is
/// not in the log.
pub fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let config = config::load(&args.config, Timestamp::now())?;
    let body = args.body.as_deref().map(read_body).transpose()?;
    if let Ok(id) = args.subject.parse() {
        return event(&config, id, body.as_deref());
    }
    let Some(name) = &args.as_name else {
        let what = "nobody is named whose request it is";
        return Err(Failure::new(what, "add --as NAME, an identity of the policy"));
    };
    let asked = Asked::parse(&args.subject)?;
    let explained = explain(&config, name, &asked, body.as_deref().unwrap_or_default())?;
    out::print(&explained.text)?;
    Ok(explained.outcome)
}

fn read_body(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().read_to_end(&mut body),
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut body)),
    };
    read.map_err(|error| {
        Failure::new(format!("the body at {}: {error}", path.display()), "correct --body")
    })?;
    Ok(body)
}

/// `METHOD /path`.
struct Asked {
    method: Method,
    uri: Uri,
}

impl Asked {
    fn parse(text: &str) -> Result<Self, Failure> {
        let usage = || {
            let what = format!("{text:?} is neither `METHOD /path` nor the id of a recorded event");
            Failure::new(what, "write one of them")
        };
        let (method, target) = text.split_once(' ').ok_or_else(usage)?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| usage())?;
        let uri = target.trim().parse().map_err(|_| usage())?;
        Ok(Self { method, uri })
    }
}

struct Explained {
    text: String,
    outcome: Exit,
}

/// Judges a request offline: as if received now, from this host.
fn explain(config: &Config, name: &str, asked: &Asked, bytes: &[u8]) -> Result<Explained, Failure> {
    let identity = identity(config, name)?;
    let told = versions(config);
    let floor = config.daemon.api_min;
    let accepted = told.unwrap_or(Accepted { floor, ceiling: ApiVersion::NEWEST });
    Ok(judged(config, name, &identity, accepted, asked, bytes).unwrap_or_else(|malformed| {
        let mut text = format!("refused: {}\n{}", line(&malformed.to_string()), about(malformed.flaw.id()));
        if told.is_none() && malformed.flaw == Flaw::VersionRange {
            text.push_str("supposed: the daemon, which does not answer, speaks every version that the gate does; \
                           an older one has the gate name a lower version\n");
        }
        Explained { outcome: Exit::Findings, text }
    }))
}

/// The versions that the gate would accept, where the daemon says which it speaks.
fn versions(config: &Config) -> Option<Accepted> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let daemon = Daemon::new(config.daemon.socket.clone());
    runtime.block_on(daemon.accepted(config.daemon.api_min)).ok()
}

fn judged(
    config: &Config,
    name: &str,
    identity: &Identity,
    accepted: Accepted,
    asked: &Asked,
    bytes: &[u8],
) -> Result<Explained, Malformed> {
    let headers = headers(bytes);
    let Asked { method, uri } = asked;
    let request = RequestHead { method, uri, version: Version::HTTP_11, headers: &headers };
    let head = docker::classify(&request, accepted)?;
    let heard = match policy::hear(identity, &head, &config.policy) {
        Ok(heard) => heard,
        Err(denial) => return Ok(denied(name, &denial.findings)),
    };
    let mut supposed = String::new();
    let settled = heard.read(bytes)?.settle(|needs| suppose(config, needs, &mut supposed))?;
    if identity.open(Timestamp::now().as_second()).is_err() {
        let _ = writeln!(
            supposed,
            "supposed: {name} comes at a time that its valid has; now it may not come in"
        );
    }
    let mut explained = match settled.decide() {
        Decision::Deny(denial) => denied(name, &denial.findings),
        Decision::Allow(permit) => {
            let role = if permit.role().is_empty() { "everybody" } else { permit.role() };
            let mut text = format!("allowed: {name} by {role} ({})\n", permit.grant());
            let outbound = permit.outbound();
            let _ = writeln!(
                text,
                "  sent on as {} {}",
                outbound.method.as_str(),
                line(&outbound.target)
            );
            for term in permit.terms() {
                let term = term.to_string();
                let _ = writeln!(text, "  written in by the gate: {}", line(&term));
            }
            if !permit.would().is_empty() {
                let refused = denied(name, permit.would()).text;
                let _ = writeln!(text, "observed only; otherwise {refused}");
            }
            Explained { text, outcome: Exit::Done }
        }
    };
    explained.text.push_str(&supposed);
    Ok(explained)
}

/// Offline there is no daemon to ask: what it would say is supposed, and told.
fn suppose(config: &Config, needs: &Needs, supposed: &mut String) -> Facts {
    let mut facts = Facts::default();
    for image in &needs.images {
        let what = "is what its name says, and runs as root";
        let _ = writeln!(supposed, "supposed: image {} {what}", line(image));
        let mut seen = Image::default();
        if let Ok(Reference { repository, tag, digest }) = Reference::parse(image) {
            seen.tags.push(format!("{repository}:{}", tag.as_deref().unwrap_or("latest")));
            seen.origins.push(ImageOrigin { repository, digest: digest.unwrap_or_default() });
        }
        facts.images.insert(image.clone(), Seen::Found(seen));
    }
    for volume in &needs.volumes {
        let _ = writeln!(supposed, "supposed: volume {} is not there yet, or plain", line(volume));
        facts.volumes.insert(volume.clone(), Seen::Missing);
    }
    for network in &needs.networks {
        let _ =
            writeln!(supposed, "supposed: network {} is a name, and no other's id", line(network));
        facts.networks.insert(network.clone(), Seen::Missing);
    }
    for container in &needs.containers {
        let unknown = format!("not known offline: what container {} is\n", line(container));
        if !supposed.contains(&unknown) {
            supposed.push_str(&unknown); // another round asks again
        }
    }
    if needs.defaults {
        let what = "runs containers by runc, with its built-in filter of system calls";
        let _ = writeln!(supposed, "supposed: the daemon {what}");
        let runtime = Some("runc".to_owned());
        let defaults = DaemonDefaults { runtime, own_cgroupns: true, builtin_seccomp: true };
        facts.defaults = Some(defaults);
    }
    facts.host_paths = look(config, &needs.host_paths);
    facts
}

fn identity(config: &Config, name: &str) -> Result<Identity, Failure> {
    let unknown = || {
        let rules = config.policy.identities.iter().map(|rule| rule.name().to_string());
        let known = rules.collect::<Vec<_>>().join(", ");
        let what = format!("no identity of the policy is called {name:?}");
        Failure::new(what, format!("there are: {known}"))
    };
    let parsed = name.parse().map_err(|_| unknown())?;
    let mut identity = supposed(&config.policy.identities, &parsed).ok_or_else(unknown)?;
    identity.mode = identity.mode.at(Timestamp::now().as_second());
    Ok(identity)
}

fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("docker"));
    if !bytes.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    headers
}

/// The host's paths as they are now, seen as the daemon sees them.
fn look(config: &Config, paths: &BTreeSet<String>) -> BTreeMap<String, PathFact> {
    let peer = std::os::unix::net::UnixStream::connect(&config.daemon.socket)
        .ok()
        .and_then(|stream| rustix::net::sockopt::socket_peercred(&stream).ok())
        .map(|peer| peer.pid.as_raw_nonzero().get());
    let protected = facts::protected(&GatePaths::of(config), &config.daemon.socket, None);
    facts::look::host_paths(paths, peer, &protected)
}

fn denied(name: &str, findings: &[Finding]) -> Explained {
    let mut text = String::new();
    for Finding { what, field, reason, allowed, .. } in findings {
        let place = place(field, &line(field));
        let _ = writeln!(text, "refused: {name} may not {}{place} [{}]", line(what), reason.id());
        if let Some(allowed) = allowed {
            let _ = writeln!(text, "  {}", line(allowed));
        }
        text.push_str(&about(reason.id()));
    }
    Explained { text, outcome: Exit::Findings }
}

/// What is documented about a reason.
fn about(id: &str) -> String {
    rules::find(id).map_or_else(String::new, |rule| {
        format!("  why: {}\n  instead: {}\n", rule.why, rule.remedy)
    })
}

/// What was decided about a recorded event, and what would be now where that can be told.
fn event(config: &Config, id: EventId, body: Option<&[u8]>) -> Result<Exit, Failure> {
    let directory = &config.audit.directory;
    let found = audit::find(directory, id)?;
    let Found { file, line: at, logged: Logged { frame, event } } = found.ok_or_else(|| {
        let what = format!("no event {id} in the log at {}", directory.display());
        Failure::new(what, "give the policy of the gate that wrote it")
    })?;
    let Some(decision) = event.decision else {
        let what = format!("event {id} is a {}, not a decision", json!(event.stage));
        return Err(Failure::new(what, "give the id of a decision"));
    };
    let (verdict, outcome) = match decision.verdict() {
        Verdict::Allow => ("allow", Exit::Done),
        Verdict::Deny => ("deny", Exit::Findings),
    };
    let name = event.identity.map(|who| who.name).unwrap_or_default();
    let RequestRecord { method, path, query, body_sha256, .. } = event.request.unwrap_or_default();
    let query = query.unwrap_or_default();
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    out::print(&format!(
        "{id} ({}, line {at})\n{}: {} asked {} {}: {verdict}\n{}",
        line(&file),
        frame.time,
        line(&name),
        line(&method),
        line(&target),
        recorded_reasons(&decision)
    ))?;
    if body.is_some_and(|body| Some(Sha256::of(body)) != body_sha256) {
        let what = "the body given is not the one recorded (SHA-256 differs)";
        return Err(Failure::new(what, "give the one that was sent"));
    }
    if body_sha256.is_some() && body.is_none() {
        out::print("what would be decided now depends on the body: give it with --body FILE\n")?;
    } else if query.contains("***") {
        out::print("what would be decided now depends on a query value that the log masks\n")?;
    } else {
        let asked = Asked::parse(&format!("{method} {target}"))?;
        let now = explain(config, &name, &asked, body.unwrap_or_default())?;
        out::print(&format!("now: {}", now.text))?;
    }
    Ok(outcome)
}

fn recorded_reasons(decision: &audit::event::DecisionRecord) -> String {
    let mut text = String::new();
    for audit::event::ReasonRecord { id, field, value } in decision.reasons() {
        let part = |part: &Option<String>| line(part.as_deref().unwrap_or_default()).into_owned();
        let _ = writeln!(text, "  [{}] {} \"{}\"", line(id), part(field), part(value));
        text.push_str(&about(id));
    }
    text
}
