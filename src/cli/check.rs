//! `dockward check`: every mistake of a policy file, or what it grants in a table, what of that
//! amounts to root on the host, and which certificates are near their end. For people before a
//! reload, and for CI before a merge.

use super::out::{self, Paint};
use super::{CheckArgs, Exit, Failure, TableFormat, certificates, client_certificate, clock};
use crate::config::{self, Config, Mistakes, Warning};
use crate::daemon::{LONG_ANSWERS, LONG_SIFTED};
use crate::docker::{Resource, Verb};
use crate::facts::REMEMBERED;
use crate::identity::expiry::{self, Dated};
use crate::identity::{IdentityRule, Mode, Validity};
use crate::policy::grants::{Grants, Spelling};
use crate::policy::{Admission, Policy, Role};
use crate::problem::{Actionable as _, Problem};
use crate::proxy::memory;
use crate::server::{self, Vetted};
use crate::visible::line;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fmt::Write;
use std::sync::Arc;

/// Checks a policy file, and what a gate with it reads, writes and opens on this host. Warnings are no failure: exit code
/// 0, also for what has ended, since a gate starts with it. A client certificate that no listener lets in is a finding:
/// exit code 1.
///
/// # Errors
/// The file has mistakes, or something keeps a gate from serving with it here; with `--format json` that is on standard
/// output as well.
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    args.as_user.as_deref().map(become_user).transpose()?;
    let now = clock::now()?;
    let mut config = match config::load(&args.config, now) {
        Ok(config) => config,
        Err(mistakes) => return unusable(args, &mistakes),
    };
    let mut seen = SeenHost { faults: Vec::new(), dated: Vec::new(), now: now.as_second() };
    if !args.policy_only {
        seen = SeenHost::of(&mut config, now);
    }
    let ask = |file| client_certificate::ask(&config, file, now).map(|verdicts| (file, verdicts));
    let asked = args.client_cert.as_deref().map(ask).transpose()?;
    match args.format {
        TableFormat::Text => {
            let mut text = report(&config, &seen, Paint::stdout());
            if let Some((file, verdicts)) = &asked {
                text.push_str(&client_certificate::text(file, verdicts, Paint::stdout()));
            }
            out::print(&text)?;
        }
        TableFormat::Json => {
            let mut report = report_json(&config, &seen);
            if let (Some((_, verdicts)), Some(report)) = (&asked, report.as_object_mut()) {
                let verdicts = client_certificate::object(verdicts);
                report.insert("client_certificate".to_owned(), verdicts);
            }
            out::json(&report)?;
        }
    }
    if !seen.faults.is_empty() {
        return Err(seen.unserved(args));
    }
    let refused = asked.is_some_and(|(_, verdicts)| !client_certificate::is_let_in(&verdicts));
    Ok(if refused { Exit::Findings } else { Exit::Done })
}

/// What was seen of this host.
struct SeenHost {
    /// What keeps a gate from serving.
    faults: Vec<Problem>,
    /// What ends.
    dated: Vec<Dated>,
    /// When it was looked at, seconds since 1970.
    now: i64,
}

impl SeenHost {
    fn of(config: &mut Config, at: Timestamp) -> Self {
        let now = at.as_second();
        let Vetted { faults, warnings } = server::vet(config, at);
        let dated = certificates::look(config);
        let about = |subject: &'static str| {
            move |what| Warning { subject: subject.to_owned(), what, root: false }
        };
        config.warnings.extend(warnings.into_iter().map(about("host")));
        let notices = expiry::notices(&dated, now).into_iter().map(|notice| notice.text);
        config.warnings.extend(notices.map(about("certificates")));
        Self { faults, dated, now }
    }

    fn unserved(&self, args: &CheckArgs) -> Failure {
        let count = self.faults.len();
        let all = format!(
            "{count} thing{} from serving here",
            if count == 1 { " keeps a gate" } else { "s keep a gate" }
        );
        let root = rustix::process::geteuid().is_root() && args.as_user.is_none();
        let next = match root {
            true => {
                "correct them; --as-user NAME looks as the user whom the gate runs as, --policy-only at the policy alone"
            }
            false => "correct them; --policy-only looks at the policy alone",
        };
        Failure::new(format!("{}: {all}", args.config.display()), next)
    }
}

/// From here on this process is that user, so that what is looked at is looked at with those rights.
fn become_user(name: &str) -> Result<(), Failure> {
    let failed = |why: nix::errno::Errno| {
        Failure::new(
            format!("nobody can be {name:?} here: {why}"),
            "run it as root, and name a user of this host",
        )
    };
    let user = nix::unistd::User::from_name(name).map_err(failed)?;
    let user = user.ok_or_else(|| failed(nix::errno::Errno::ENOENT))?;
    if nix::unistd::geteuid() == user.uid {
        return Ok(());
    }
    let name = CString::new(name).map_err(|_| failed(nix::errno::Errno::EINVAL))?;
    nix::unistd::initgroups(&name, user.gid).map_err(failed)?;
    nix::unistd::setgid(user.gid).map_err(failed)?;
    nix::unistd::setuid(user.uid).map_err(failed)
}

fn unusable(args: &CheckArgs, mistakes: &Mistakes) -> Result<Exit, Failure> {
    let Problem { what, next } = mistakes.problem();
    if args.format == TableFormat::Text {
        let what = format!("{} cannot be used\n\n{what}", args.config.display());
        return Err(Failure::new(what, next));
    }
    out::json(&mistakes_json(mistakes))?;
    Err(Failure::new(format!("{} mistakes", mistakes.count()), "correct what the list says"))
}

fn report(config: &Config, seen: &SeenHost, paint: Paint) -> String {
    let policy = &config.policy;
    let word =
        if seen.faults.is_empty() { paint.green("OK") } else { paint.red("NOT SERVED HERE") };
    let mut text = format!(
        "{word}: {} identities, {} roles, {} admission profiles\npolicy {}\nclients of API {} and \
         later; those that pin an older one need api_min under daemon\n\n",
        policy.identities.len(),
        policy.roles.len(),
        config.profiles.len(),
        policy.hash,
        config.daemon.api_min,
    );
    text.push_str(
        &[identities(policy, paint), roles(policy, paint), profiles(config, paint)].join("\n"),
    );
    text.push_str(&warnings(&config.warnings, paint));
    if !seen.faults.is_empty() {
        let _ = writeln!(text, "\n{}", paint.red("KEEPS A GATE FROM SERVING"));
        seen.faults.iter().for_each(|fault| {
            let _ = writeln!(text, "  {}", line(&fault.to_string()));
        });
    }
    text
}

fn identities(policy: &Policy, paint: Paint) -> String {
    let row = |rule: &IdentityRule| {
        let roles = rule.roles().join(", ");
        vec![rule.name().to_string(), matched_by(rule), roles, mode(rule), valid(rule)]
    };
    let rows: Vec<_> = policy.identities.iter().map(row).collect();
    out::table(&["IDENTITY", "MATCHED BY", "ROLES", "MODE", "VALID"], &rows, paint)
}

fn matched_by(rule: &IdentityRule) -> String {
    if let Some(peer) = rule.matching().peer() {
        return peer.to_string();
    }
    let fields: Vec<String> = rule.matching().fields().map(|field| field.to_string()).collect();
    let fields = if fields.is_empty() { "fingerprint".to_owned() } else { fields.join(", ") };
    let claims: Vec<&str> = rule.matching().claims().map(|(name, _)| name).collect();
    if claims.is_empty() { fields } else { format!("{fields}, token ({})", claims.join(", ")) }
}

fn mode(rule: &IdentityRule) -> String {
    match rule.mode() {
        Mode::Enforce => "enforce".to_owned(),
        Mode::Observe { until } => {
            let until = Timestamp::from_second(until).map(|end| end.to_string());
            format!("observe until {}", until.unwrap_or_default())
        }
    }
}

fn valid(rule: &IdentityRule) -> String {
    rule.valid().map_or_else(|| "always".to_owned(), Validity::to_string)
}

fn roles(policy: &Policy, paint: Paint) -> String {
    let row = |role: &Arc<Role>| {
        let images = format!("run {}, pull {}", role.run.len(), role.pull.len());
        let scope = role.scopes.to_string();
        vec![role.name.clone(), scope, admission(role).to_owned(), summary(role), images]
    };
    let rows: Vec<_> = policy.roles.values().map(row).collect();
    out::table(&["ROLE", "SCOPE", "ADMISSION", "ALLOWS", "IMAGES"], &rows, paint)
}

fn admission(role: &Role) -> &str {
    match &role.admission {
        Admission::Unrestricted => "unrestricted",
        Admission::Profile(profile) => &profile.name,
    }
}

/// `container 12, image 3`: how many verbs of each resource.
fn summary(role: &Role) -> String {
    let mut verbs: BTreeMap<Resource, usize> = BTreeMap::new();
    for (resource, verb, _) in role.allow.iter() {
        if !role.deny.has(resource, verb) {
            *verbs.entry(resource).or_default() += 1;
        }
    }
    let counts: Vec<String> = verbs.iter().map(|(of, count)| format!("{of} {count}")).collect();
    if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
}

fn profiles(config: &Config, paint: Paint) -> String {
    let row = |name: &String| {
        let uses = config.policy.roles.values().filter(|role| admission(role) == name);
        let uses: Vec<&str> = uses.map(|role| role.name.as_str()).collect();
        vec![name.clone(), uses.join(", ")]
    };
    let rows: Vec<_> = config.profiles.keys().map(row).collect();
    out::table(&["ADMISSION PROFILE", "USED BY"], &rows, paint)
}

pub(super) fn warnings(warnings: &[Warning], paint: Paint) -> String {
    let mut text = String::new();
    for (root, heading) in [(true, "ROOT ON THE HOST"), (false, "WARNINGS")] {
        let part: Vec<&Warning> = warnings.iter().filter(|warning| warning.root == root).collect();
        if part.is_empty() {
            continue;
        }
        let heading = if root { paint.red(heading) } else { paint.yellow(heading) };
        let _ = writeln!(text, "\n{heading}");
        for warning in part {
            let _ = writeln!(text, "  {}: {}", line(&warning.subject), line(&warning.what));
        }
    }
    text
}

fn mistakes_json(mistakes: &Mistakes) -> Value {
    let one = |mistake: &config::Mistake| {
        json!({
            "file": mistake.file.display().to_string(), "line": mistake.line,
            "column": mistake.column, "text": mistake.text, "what": mistake.what,
            "next": mistake.next,
        })
    };
    json!({ "ok": false, "mistakes": mistakes.iter().map(one).collect::<Vec<_>>() })
}

fn report_json(config: &Config, seen: &SeenHost) -> Value {
    let policy = &config.policy;
    let identity = |rule: &IdentityRule| {
        json!({
            "name": rule.name().to_string(), "matched_by": matched_by(rule),
            "roles": rule.roles(), "mode": mode(rule), "valid": valid(rule),
        })
    };
    let warning = |warning: &Warning| json!({ "subject": warning.subject, "what": warning.what, "root": warning.root });
    let fault = |fault: &Problem| json!({ "what": fault.what, "next": fault.next });
    json!({
        "ok": seen.faults.is_empty(),
        "faults": seen.faults.iter().map(fault).collect::<Vec<_>>(),
        "policy": policy.hash,
        "api_min": config.daemon.api_min.to_string(),
        "key_sets": config.key_sets.iter().map(|set| set.path.display().to_string()).collect::<Vec<_>>(),
        "files": config.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "identities": policy.identities.iter().map(identity).collect::<Vec<_>>(),
        "roles": policy.roles.values().map(|role| role_json(role)).collect::<Vec<_>>(),
        "profiles": config.profiles.keys().collect::<Vec<_>>(),
        "certificates": certificates::object(&seen.dated, seen.now),
        "memory_worst_case": memory::worst_case(&config.front, LONG_ANSWERS + LONG_SIFTED + REMEMBERED),
        "warnings": config.warnings.iter().map(warning).collect::<Vec<_>>(),
    })
}

fn role_json(role: &Role) -> Value {
    let words = |grants: &Grants| {
        let one = |(resource, verb, spelling): (Resource, Verb, Spelling)| {
            let named = spelling == Spelling::Named;
            json!({ "resource": resource.as_str(), "verb": verb.as_str(), "named": named })
        };
        grants.iter().map(one).collect::<Value>()
    };
    let patterns = |images: &[crate::docker::image::ImagePattern]| {
        images.iter().map(|pattern| pattern.as_str()).collect::<Value>()
    };
    json!({
        "name": role.name, "scope": role.scopes.to_string(), "admission": admission(role), "allow": words(&role.allow),
        "deny": words(&role.deny), "run": patterns(&role.run), "pull": patterns(&role.pull),
    })
}
