//! `dockward import`: the nearest role to what another proxy before the Docker socket was told to let through: the
//! environment of those that take sections of the API (Tecnativa's, LinuxServer's), the flags of the one that takes
//! patterns of paths (wollomatic's). Each endpoint of the table is asked of that proxy's own rule, and a verb is granted
//! where all of its endpoints passed; what was open and now is not, is said.

mod read;
mod rule;

use super::args::ImportArgs;
use super::{Exit, Failure, out};
use crate::docker::{Group, Method, ROUTES, Resource, Route, Verb};
use read::{ReadLines, read};
use rule::PassRule;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

/// Bytes that are read at most.
const MOST: u64 = 1 << 20;

/// Prints the role.
///
/// # Errors
/// The file cannot be read, or says nothing of what may pass.
pub fn run(args: &ImportArgs) -> Result<Exit, Failure> {
    let text = text_of(&args.file)?;
    let said = read(&text)?;
    if said.rules.is_empty() {
        let what = format!("{} says nothing of what may pass", args.file.display());
        let next = "give lines such as CONTAINERS=1 or -allowGET=/version";
        return Err(Failure::new(what, next));
    }
    let role = role(&args.name, &said);
    super::preset::policy_with(&args.name, &role)?; // a name that is none, a directory that must not be mounted
    out::print(&role)?;
    Ok(Exit::Done)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MOST).read_to_string(&mut text),
        false => {
            std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text))
        }
    };
    let cannot =
        |why| Failure::new(format!("{}: {why}", path.display()), "give a file of text, or -");
    read.map(|_| text).map_err(cannot)
}

/// What becomes of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// It is granted.
    Granted,
    /// It was open in part: some of its endpoints passed, and it is not granted.
    Partly,
    /// It was open, and amounts to root on the host or cannot be judged: it is not granted.
    Closed,
}

/// The verbs of which some endpoint passes one of these rules.
fn verbs(rules: &[&PassRule]) -> BTreeMap<(Resource, Verb), Became> {
    let mut verbs = BTreeMap::new();
    let of = |route: &&Route| route.verb != Verb::Never && !is_everybodys(route);
    let passes = |route: &&Route| rules.iter().any(|rule| rule.passes(route));
    for route in ROUTES.iter().filter(of).filter(passes) {
        let mut rows =
            ROUTES.iter().filter(|row| (row.resource, row.verb) == (route.resource, route.verb));
        let shut = rows.clone().any(|row| row.root || row.reserved || row.dagger);
        let became = match rows.all(|row| is_another_way(row) || passes(&row)) {
            _ if shut => Became::Closed,
            true if !is_another_way(route) => Became::Granted,
            _ => Became::Partly,
        };
        let known = verbs.entry((route.resource, route.verb)).or_insert(became);
        if became == Became::Granted {
            *known = became;
        }
    }
    verbs
}

/// Whether an endpoint is another way to what the verb's other ones do: nobody writes a pattern for it.
fn is_another_way(route: &Route) -> bool {
    route.method == Method::Head || route.path.ends_with("/{link}") || route.path.ends_with("/ws")
}

/// What every identity may.
fn is_everybodys(route: &Route) -> bool {
    route.resource == Resource::System && matches!(route.verb, Verb::Ping | Verb::Version)
}

/// The role, with what each line became before it.
fn role(name: &str, said: &ReadLines) -> String {
    let rules: Vec<&PassRule> = said.rules.iter().map(|(_, rule)| rule).collect();
    let all = verbs(&rules);
    let mut text = format!("# {name}: the nearest role to what another proxy let through.\n#\n");
    let told = said.rules.iter().map(|(line, rule)| {
        let own = verbs(&[rule]);
        let granted = worded(
            all.iter()
                .filter(|(verb, became)| **became == Became::Granted && own.contains_key(*verb))
                .map(|(verb, _)| *verb),
        );
        match granted.is_empty() {
            true if ROUTES.iter().any(|route| is_everybodys(route) && rule.passes(route)) => {
                format!("{line}: every identity may")
            }
            true => format!("{line}: nothing that is granted here"),
            false => format!("{line}: {granted}"),
        }
    });
    let told = told.chain(said.notes.iter().map(|(line, note)| format!("{line}: {note}")));
    for line in told {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str("#\n# What was open there and is closed here:\n");
    for line in closed(&all, &said.host_paths) {
        let _ = writeln!(text, "# - {line}");
    }
    let _ = write!(
        text,
        "roles:\n  {name}:\n    scope: any\n    admission: {}\n",
        admission(name, said)
    );
    let granted: Vec<_> = all
        .iter()
        .filter(|(_, became)| **became == Became::Granted)
        .map(|(verb, _)| *verb)
        .collect();
    if granted.is_empty() {
        text.push_str("    allow: {}\n");
    } else {
        text.push_str("    allow:\n");
        for (resource, words) in words(&granted) {
            let _ = writeln!(text, "      {resource}: [{words}]");
        }
    }
    text.push_str(&images(&granted));
    if !said.host_paths.is_empty() {
        let _ = write!(text, "admission:\n  {name}:\n    extends: baseline\n    host_paths:\n");
        for path in &said.host_paths {
            let _ = writeln!(text, "      - {{ path: \"{path}\", below: true, read_only: true }}");
        }
    }
    text
}

fn admission<'n>(name: &'n str, said: &ReadLines) -> &'n str {
    if said.host_paths.is_empty() { "baseline" } else { name }
}

/// Images: there nobody asked which, so that any is meant.
fn images(granted: &[(Resource, Verb)]) -> String {
    let lists = [
        ("run", Resource::Container, Verb::Create),
        ("pull", Resource::Image, Verb::Pull),
        ("push", Resource::Image, Verb::Push),
        ("write", Resource::Image, Verb::Tag),
    ];
    let meant = lists.iter().filter(|(_, resource, verb)| granted.contains(&(*resource, *verb)));
    let meant: Vec<String> = meant.map(|(list, ..)| format!("{list}: [\"**\"]")).collect();
    match meant.is_empty() {
        true => String::new(),
        false => format!("    images: {{ {} }}   # write yours here\n", meant.join(", ")),
    }
}

fn closed(all: &BTreeMap<(Resource, Verb), Became>, host_paths: &[String]) -> Vec<String> {
    let such =
        |which| worded(all.iter().filter(|(_, became)| **became == which).map(|(verb, _)| *verb));
    let mut closed = vec![
        "requests of whoever could reach it: an identity with a certificate of its own asks now, and each decision is on record"
            .to_owned(),
        "paths that the daemon reads otherwise than a pattern does, endpoints that no version of Docker has".to_owned(),
    ];
    let changes = |(resource, verb): &(Resource, Verb)| {
        let mut rows = ROUTES.iter().filter(|row| (row.resource, row.verb) == (*resource, *verb));
        rows.any(|row| row.life.changes_state())
    };
    let granted = || all.iter().filter(|(_, became)| **became == Became::Granted);
    if granted().any(|(verb, _)| changes(verb)) {
        closed.push("bodies were not read: privileged, host namespaces, devices, capabilities and mounts of the host are refused".to_owned());
    }
    if granted().any(|((_, verb), _)| *verb == Verb::Inspect) {
        closed.push(
            "values of environments, commands and configs of others, shown again by `reveal`"
                .to_owned(),
        );
    }
    if !host_paths.is_empty() {
        closed.push("mounts below those directories are read-only: one to be written in is listed by itself, without `below`".to_owned());
    }
    let partly = such(Became::Partly);
    if !partly.is_empty() {
        closed.push(format!(
            "{partly}: some requests of these passed there, and others that go with them did not"
        ));
    }
    let shut = such(Became::Closed);
    if !shut.is_empty() {
        closed.push(format!("{shut}: root on the host, or judged by nothing; `dockward check` says which, where you name them"));
    }
    closed
}

/// `container: list, inspect; image: list`.
fn worded(verbs: impl Iterator<Item = (Resource, Verb)>) -> String {
    let verbs: Vec<_> = verbs.collect();
    let each = words(&verbs).into_iter().map(|(resource, words)| format!("{resource}: {words}"));
    each.collect::<Vec<_>>().join("; ")
}

/// The words for verbs, by resource: `read` for all that show the state of things.
fn words(verbs: &[(Resource, Verb)]) -> BTreeMap<Resource, String> {
    let mut words: BTreeMap<Resource, Vec<&str>> = BTreeMap::new();
    for (resource, verb) in verbs {
        let shows = |row: &&Route| row.resource == *resource && row.group == Some(Group::Read);
        let of_group = ROUTES.iter().filter(shows);
        let whole = of_group
            .clone()
            .all(|row| is_everybodys(row) || verbs.contains(&(row.resource, row.verb)));
        let in_group = of_group.clone().any(|row| row.verb == *verb);
        let word = if whole && in_group { Group::Read.as_str() } else { verb.as_str() };
        let list = words.entry(*resource).or_default();
        if !list.contains(&word) {
            list.push(word);
        }
    }
    words.into_iter().map(|(resource, words)| (resource, words.join(", "))).collect()
}

#[cfg(test)]
mod tests;
