//! What of a delete and of an exec a role grants: judged by the role, whether or not a profile judges besides.

use crate::docker::body::Body;
use crate::docker::body::exec::ExecCreate;
use crate::docker::{ApiCall, CallHead, Resource, Verb};
use crate::policy::Reason;
use crate::policy::decision::Finding;
use crate::policy::facts::{Exec, Facts, Seen};
use crate::policy::glob::Glob;
use crate::policy::manner::{self, CommandTemplate, Deletes, Execs};
use crate::policy::model::Role;

/// What speaks against the manner in which a verb is used.
#[must_use]
pub(in crate::policy) fn manner(role: &Role, call: &ApiCall<'_>, facts: &Facts) -> Vec<Finding> {
    match (&call.body, call.head.route.resource, call.head.route.verb) {
        (Body::ExecCreate(body), ..) => exec_create(&role.execs, body),
        (Body::ExecStart(_), ..) if role.execs != Execs::default() => match &facts.exec {
            Some(Seen::Found(exec)) => exec_start(&role.execs, exec, facts),
            Some(Seen::Missing) => Vec::new(), // the daemon says so
            // a profile says so by itself
            Some(Seen::Several) | None if role.admission.profile().is_some() => Vec::new(),
            Some(Seen::Several) | None => {
                let what = "start an exec that cannot be looked at";
                vec![Finding::new(Reason::TargetUnseen, "path", "", what)]
            }
        },
        (_, Resource::Container, Verb::Delete) => delete(&role.deletes, call.head),
        _ => Vec::new(),
    }
}

fn delete(granted: &Deletes, head: &CallHead) -> Vec<Finding> {
    let Deletes { force, volumes, link } = granted;
    let asked = [
        ("force", *force, "delete a container that runs"),
        ("v", *volumes, "delete a container's volumes with it"),
        ("link", *link, "delete a link to a container"),
    ];
    let beyond = asked.into_iter().filter(|(key, granted, _)| !granted && head.query.flag(key));
    let finding =
        |(key, _, what)| Finding::new(Reason::DeleteManner, &format!("query {key}"), "true", what);
    beyond.map(finding).collect()
}

fn exec_create(granted: &Execs, body: &ExecCreate<'_>) -> Vec<Finding> {
    let ExecCreate {
        user,
        privileged,
        tty,
        console_size: _, // of the terminal
        attach_stdin,
        attach_stderr: _, // whoever runs a command may hear it
        attach_stdout: _,
        detach: _,
        detach_keys: _, // of the client
        env,
        working_dir,
        cmd,
        borrow: _,
    } = body;
    let Execs {
        users: _, // these are in common with an exec that is there
        commands: _,
        env: names,
        working_dir: places,
        stdin: _,
        tty: _,
        privileged: _,
    } = granted;
    let asked = ExecAsked {
        user: Some(user.text()),
        words: cmd.items().iter().map(AsRef::as_ref).collect(),
        stdin: attach_stdin.0.or_zero(),
        tty: tty.0.or_zero(),
        privileged: privileged.or_zero(),
    };
    let fields = ["User", "Cmd", "AttachStdin", "Tty", "Privileged"];
    let mut found = common(granted, &asked, fields);
    let variables = env.0.items().iter().map(|entry| entry.split('=').next().unwrap_or_default());
    if let Some(names) = names
        && let Some((i, name)) = variables.enumerate().find(|(_, name)| !fits(names, name))
    {
        let (field, name) = (format!("Env[{i}]"), short(name));
        let what = format!("set variable {name:?} for an exec");
        let finding = Finding::new(Reason::ExecEnvironment, &field, &name, what);
        found.push(finding.allowing(format!("allowed variables: {}", shown(names))));
    }
    let place = working_dir.text();
    if let Some(places) = places.as_ref().filter(|places| !place.is_empty() && !fits(places, place))
    {
        let place = short(place);
        let what = format!("run an exec in directory {place:?}");
        let finding = Finding::new(Reason::ExecDirectory, "WorkingDir", &place, what);
        found.push(finding.allowing(format!("allowed directories: {}", shown(places))));
    }
    found
}

/// Of an exec that is there, its environment and its directory are not told, and of one that runs as its container's own
/// user, that user.
fn exec_start(granted: &Execs, exec: &Exec, facts: &Facts) -> Vec<Finding> {
    let Exec { container, takes_input, privileged, user, tty, words } = exec;
    let words = words.iter().map(String::as_str).collect();
    let listed = granted.users.as_ref().is_none_or(|users| users.contains(user));
    let user = match facts.containers.get(container) {
        _ if listed || !granted.as_of_image() => Some(user.as_str()),
        Some(Seen::Found(container)) if container.user == *user => Some(""),
        Some(Seen::Found(_) | Seen::Missing) => Some(user.as_str()),
        Some(Seen::Several) | None => None,
    };
    let asked = ExecAsked { user, words, stdin: *takes_input, tty: *tty, privileged: *privileged };
    let fields = [
        "ProcessConfig.user",
        "ProcessConfig.arguments",
        "OpenStdin",
        "ProcessConfig.tty",
        "ProcessConfig.privileged",
    ];
    let mut found = common(granted, &asked, fields);
    if user.is_none() {
        let what = "start an exec in a container that cannot be looked at";
        found.push(Finding::new(Reason::TargetUnseen, "path", "", what));
    }
    found
}

/// What is asked of an exec, or was when it was made.
struct ExecAsked<'a> {
    /// Not known of one in a container that was not looked at.
    user: Option<&'a str>,
    words: Vec<&'a str>,
    stdin: bool,
    tty: bool,
    privileged: bool,
}

fn common(
    granted: &Execs,
    asked: &ExecAsked<'_>,
    [user_at, words_at, stdin_at, tty_at, privileged_at]: [&str; 5],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let ExecAsked { user, words, stdin, tty, privileged } = asked;
    if let (Some(users), Some(user)) = (&granted.users, user)
        && !users.iter().any(|of| of == user)
    {
        let user = short(user);
        let what = match user.as_str() {
            "" => "run an exec as the container's own user".to_owned(),
            user => format!("run an exec as {user:?}"),
        };
        let told: Vec<_> =
            users.iter().map(|of| if of.is_empty() { "image" } else { of }).collect();
        let finding = Finding::new(Reason::ExecUser, user_at, &user, what);
        found.push(finding.allowing(format!("allowed users: {}", super::listed(&told))));
    }
    let is = |commands: &&Vec<CommandTemplate>| !commands.iter().any(|of| of.matches(words));
    if let Some(commands) = granted.commands.as_ref().filter(is) {
        let first = short(words.first().copied().unwrap_or_default());
        let what = format!("run {first:?} with these arguments");
        let told: Vec<_> = commands.iter().map(ToString::to_string).collect();
        let finding = Finding::new(Reason::ExecCommand, words_at, &first, what);
        found.push(finding.allowing(format!("allowed commands: {}", super::listed(&told))));
    }
    if *stdin && !granted.stdin {
        let what = "speak to an exec on its standard input";
        found.push(Finding::new(Reason::ExecInput, stdin_at, "true", what));
    }
    if *tty && !granted.tty {
        let what = "run an exec with a terminal";
        found.push(Finding::new(Reason::ExecTerminal, tty_at, "true", what));
    }
    if *privileged && !granted.privileged {
        let what = "run a privileged exec";
        found.push(Finding::new(Reason::ExecPrivileged, privileged_at, "true", what));
    }
    found
}

/// As much of a text as is told.
fn short(text: &str) -> String {
    super::shortened(text.to_owned())
}

fn fits(patterns: &[Glob], text: &str) -> bool {
    patterns.iter().any(|pattern| manner::fits(pattern, text))
}

fn shown(patterns: &[Glob]) -> String {
    super::listed(&patterns.iter().map(Glob::as_str).collect::<Vec<_>>())
}
