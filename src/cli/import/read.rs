//! Lines of an environment, of flags, or of the compose file in which they stand.

use super::rule::PassRule;
use crate::cli::Failure;
use crate::config::clean_path;
use crate::docker::Method;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadLines {
    /// Each line that lets something pass.
    pub(super) rules: Vec<(String, PassRule)>,
    /// Each other line that is known, with what becomes of it.
    pub(super) notes: Vec<(String, &'static str)>,
    /// Directories of the host below which bind mounts were let through.
    pub(super) host_paths: Vec<String>,
}

/// A section of the API and where it begins.
const SECTIONS: &[(&str, &[&str])] = &[
    ("AUTH", &["/auth"]),
    ("BUILD", &["/build"]),
    ("COMMIT", &["/commit"]),
    ("CONFIGS", &["/configs"]),
    ("CONTAINERS", &["/containers"]),
    ("DISTRIBUTION", &["/distribution"]),
    ("EVENTS", &["/events"]),
    ("EXEC", &["/exec"]),
    ("GRPC", &["/grpc"]),
    ("IMAGES", &["/images"]),
    ("INFO", &["/info"]),
    ("NETWORKS", &["/networks"]),
    ("NODES", &["/nodes"]),
    ("PING", &["/_ping"]),
    ("PLUGINS", &["/plugins"]),
    ("SECRETS", &["/secrets"]),
    ("SERVICES", &["/services"]),
    ("SESSION", &["/session"]),
    ("SWARM", &["/swarm"]),
    ("SYSTEM", &["/system"]),
    ("TASKS", &["/tasks"]),
    ("VERSION", &["/version"]),
    ("VOLUMES", &["/volumes"]),
];

/// Sections that are open where nothing is said.
const OPEN: &[&str] = &["EVENTS", "PING", "VERSION"];

/// What may be done to containers whether or not the rest may be written.
const ACTIONS: &[(&str, &[&str])] = &[
    ("ALLOW_START", &["start"]),
    ("ALLOW_STOP", &["stop"]),
    ("ALLOW_RESTARTS", &["stop", "restart", "kill"]),
    ("ALLOW_KILL", &["kill"]),
    ("ALLOW_PAUSE", &["pause"]),
    ("ALLOW_UNPAUSE", &["unpause"]),
];

/// What says nothing of what may pass.
const OF_ITSELF: &str = "is about that proxy itself";
const OTHERS: &[(&str, &str)] = &[
    ("DISABLE_IPV6", OF_ITSELF),
    ("LOG_LEVEL", OF_ITSELF),
    ("SOCKET_PATH", "is written as daemon: { socket: }"),
    ("TZ", OF_ITSELF),
    ("allowfrom", "who may come in is said by certificates, as identities"),
    ("allowhealthcheck", "is `dockward healthcheck`"),
    ("listenip", "is written as listen"),
    ("proxyport", "is written as listen"),
    ("proxysocketendpoint", "is written as listen: [{ unix: }]"),
    ("proxysocketendpointfilemode", "is written as mode beside listen: [{ unix: }]"),
    ("proxycontainername", "what is allowed by labels of containers is written as roles"),
    ("socketpath", "is written as daemon: { socket: }"),
    ("loglevel", OF_ITSELF),
    ("logjson", OF_ITSELF),
    ("shutdowngracetime", OF_ITSELF),
    ("stoponwatchdog", OF_ITSELF),
    ("watchdoginterval", OF_ITSELF),
];

/// Reads all lines. What is not known is passed over where it stands among other things, as in a compose file.
///
/// # Errors
/// A line is known, and what it says cannot be read.
pub(super) fn read(text: &str) -> Result<ReadLines, Failure> {
    let pairs: Vec<(String, String)> = text.lines().filter_map(pair).collect();
    let mut said = ReadLines::default();
    let of = |name: &str| {
        pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let sections = SECTIONS.iter().any(|(name, _)| of(name).is_some());
    if sections || ACTIONS.iter().any(|(name, _)| of(name).is_some()) {
        said.sections(&of);
    }
    for (key, value) in &pairs {
        said.flag(key, value)?;
    }
    Ok(said)
}

impl ReadLines {
    fn sections<'v>(&mut self, of: &impl Fn(&str) -> Option<&'v str>) {
        let is_on = |name: &str| of(name).map_or(OPEN.contains(&name), truth);
        let writes = is_on("POST");
        for (name, below) in SECTIONS.iter().filter(|(name, _)| is_on(name)) {
            let said = if of(name).is_some() { "" } else { " (left out, so open)" };
            // a section begins as its paths do, so that one begins another's: /exec, /configs
            let rule = PassRule::Sections { below: below.to_vec(), writes };
            self.rules.push((format!("{name}=1{said}"), rule));
        }
        for (name, actions) in ACTIONS.iter().filter(|(name, _)| is_on(name)) {
            self.rules.push((format!("{name}=1"), PassRule::Actions(actions)));
        }
        if is_on("ALLOW_DELETE") {
            self.rules.push(("ALLOW_DELETE=1".to_owned(), PassRule::Deletes));
        }
        let note = match writes {
            true => ("POST=1".to_owned(), "all methods of the sections above passed"),
            false => ("POST=0".to_owned(), "nothing that writes in the sections above"),
        };
        self.notes.push(note);
        for (name, _) in SECTIONS.iter().filter(|(name, _)| of(name).is_some() && !is_on(name)) {
            self.notes.push((format!("{name}=0"), "nothing"));
        }
    }

    fn flag(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        if let Some((_, note)) = OTHERS.iter().find(|(name, _)| *name == key) {
            self.notes.push((key.to_owned(), note));
        }
        let Some(what) = key.strip_prefix("allow").filter(|_| !value.is_empty()) else {
            return Ok(());
        };
        if what == "bindmountfrom" {
            for path in value.split(',').map(str::trim) {
                clean_path(path).map_err(|next| {
                    Failure::new(format!("{key}: {path:?} is no directory"), next)
                })?;
                self.host_paths.push(path.to_owned());
            }
            let note = "read-only below these directories";
            self.notes.push((format!("{key}={value}"), note));
            return Ok(());
        }
        let Some(method) = Method::parse(what).filter(|method| *method != Method::Any) else {
            return Ok(());
        };
        let line = format!("{key}={value}");
        let rule = PassRule::pattern(method, value).map_err(|why| {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default().trim();
            Failure::new(format!("{line} is no pattern: {last}"), "correct it")
        })?;
        self.rules.push((line, rule));
        Ok(())
    }
}

/// The name and the value of a line, in one spelling for each: `CONTAINERS=1`, `- CONTAINERS: 1`, `-e CONTAINERS=1`,
/// `'-allowGET=..'`, `SP_ALLOW_GET_2=..`, `socket-proxy.allow.get=..`.
fn pair(line: &str) -> Option<(String, String)> {
    let line = line.trim().trim_end_matches('\\').trim_end();
    let line = line.strip_prefix("- ").unwrap_or(line).trim();
    let line = unquoted(line);
    let line = ["-e ", "--env ", "export ", "ENV "]
        .iter()
        .find_map(|start| line.strip_prefix(start))
        .unwrap_or(line);
    let (key, value) = split(unquoted(line.trim()))?;
    let key = key.trim().trim_start_matches('-');
    let value = unquoted(value.trim());
    let known = |name: &&str| name.eq_ignore_ascii_case(key);
    let names = SECTIONS.iter().map(|(name, _)| *name).chain(ACTIONS.iter().map(|(name, _)| *name));
    let names = names.chain(["POST", "ALLOW_DELETE"]).chain(OTHERS.iter().map(|(name, _)| *name));
    if let Some(name) = names.into_iter().find(known) {
        return Some((name.to_owned(), value.to_owned()));
    }
    let upper = key.to_ascii_uppercase();
    let rest = upper.strip_prefix("SP_").map(|rest| rest.replace('_', " "));
    let rest =
        rest.or_else(|| upper.strip_prefix("SOCKET-PROXY.").map(|rest| rest.replace('.', " ")));
    let rest = rest.unwrap_or_else(|| upper.replace("ALLOW", "ALLOW "));
    let mut words = rest.split_whitespace();
    let (allow, what) = (words.next()?, words.next()?);
    let number = words.next().is_none_or(|word| word.bytes().all(|b| b.is_ascii_digit()));
    if allow != "ALLOW" || !number {
        return None;
    }
    let what = if what == "BINDMOUNTFROM" { "bindmountfrom" } else { what };
    Some((format!("allow{what}"), value.to_owned()))
}

/// At the first `=`, or the first `: ` of a line of YAML.
fn split(line: &str) -> Option<(&str, &str)> {
    match (line.find('='), line.find(": ")) {
        (Some(equals), Some(colon)) if colon < equals => line.split_once(": "),
        (Some(_), _) => line.split_once('='),
        (None, _) => line.split_once(": "),
    }
}

/// Without the quotes around it, and without a comment behind it.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inner, _)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner;
        }
    }
    text.split(" #").next().unwrap_or(text).trim_end()
}

/// What those proxies take for yes.
fn truth(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|yes| yes.eq_ignore_ascii_case(value))
}
