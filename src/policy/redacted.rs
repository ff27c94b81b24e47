//! What is not told of objects that are somebody else's, to who may look at them and was not granted `reveal`: values of
//! environment, arguments of commands and builds, options of volumes, data of configs. What there is of them stays to be
//! seen: `NAME=<redacted>`.

use crate::docker::Resource;
use serde_json::Value;

/// What stands in the place of a value.
pub const REDACTED: &str = "<redacted>";

/// Takes out of an object, as `inspect` or a list tells of it, what is not told.
pub(super) fn redact(kind: Resource, object: &mut Value) {
    let places: &[&str] = match kind {
        Resource::Container => &["/Config/Env"],
        Resource::Image => &["/Config/Env", "/ContainerConfig/Env"],
        Resource::Service => &[
            "/Spec/TaskTemplate/ContainerSpec/Env",
            "/Spec/TaskTemplate/PluginSpec/Env",
            "/PreviousSpec/TaskTemplate/ContainerSpec/Env",
            "/PreviousSpec/TaskTemplate/PluginSpec/Env",
        ],
        Resource::Task => &["/Spec/ContainerSpec/Env", "/Spec/PluginSpec/Env"],
        Resource::Plugin => &["/Settings/Env"],
        _ => &[],
    };
    let options: &[&str] = match kind {
        Resource::Container => &["/HostConfig/LogConfig/Config"],
        Resource::Service => &[
            "/Spec/TaskTemplate/LogDriver/Options",
            "/PreviousSpec/TaskTemplate/LogDriver/Options",
        ],
        Resource::Task => &["/Spec/LogDriver/Options"],
        Resource::Volume => &["/Options"],
        _ => &[],
    };
    for place in options {
        object.pointer_mut(place).into_iter().for_each(values);
    }
    let mounts: &[&str] = match kind {
        Resource::Container => &["/HostConfig/Mounts"],
        Resource::Service => &[
            "/Spec/TaskTemplate/ContainerSpec/Mounts",
            "/PreviousSpec/TaskTemplate/ContainerSpec/Mounts",
        ],
        Resource::Task => &["/Spec/ContainerSpec/Mounts"],
        _ => &[],
    };
    for place in mounts {
        let items = object.pointer_mut(place).and_then(Value::as_array_mut);
        for mount in items.into_iter().flatten() {
            mount.pointer_mut("/VolumeOptions/DriverConfig/Options").into_iter().for_each(values);
        }
    }
    for place in places {
        let items = object.pointer_mut(place).and_then(Value::as_array_mut);
        items.into_iter().flatten().for_each(setting);
    }
    match kind {
        Resource::Image => {
            let command = object.pointer_mut("/ContainerConfig/Cmd").and_then(Value::as_array_mut);
            if let Some(words) = command {
                let count = words.first().and_then(Value::as_str).and_then(arguments);
                match count {
                    Some(count) => words.iter_mut().skip(1).take(count).for_each(setting),
                    None => words.iter_mut().for_each(instruction),
                }
            }
        }
        Resource::Plugin => {
            for place in ["/Settings/Args", "/Config/Args/Value"] {
                let items = object.pointer_mut(place).and_then(Value::as_array_mut);
                items.into_iter().flatten().for_each(|one| *one = REDACTED.into());
            }
            let defaults = object.pointer_mut("/Config/Env").and_then(Value::as_array_mut);
            for value in defaults.into_iter().flatten().filter_map(|one| one.get_mut("Value")) {
                *value = REDACTED.into();
            }
        }
        Resource::Config => {
            if let Some(data) = object.pointer_mut("/Spec/Data") {
                *data = "".into(); // base64 of nothing
            }
        }
        _ => {}
    }
}

/// Each value of an object.
fn values(object: &mut Value) {
    for (_, value) in object.as_object_mut().into_iter().flatten() {
        *value = REDACTED.into();
    }
}

/// `NAME=value`.
fn setting(item: &mut Value) {
    if let Some((name, _)) = item.as_str().and_then(|text| text.split_once('=')) {
        *item = format!("{name}={REDACTED}").into();
    }
}

/// How many arguments of a build follow, where a command begins with `|N`.
fn arguments(word: &str) -> Option<usize> {
    word.strip_prefix('|')?.parse().ok()
}

/// `GET /images/{}/history`: arguments of a build stand before the command of each step, as `|2 A=x B=y /bin/sh -c ..`.
/// A value may have spaces, and what follows the last one is told apart from it by nothing: it goes too.
pub(super) fn history(steps: &mut Value) {
    for step in steps.as_array_mut().into_iter().flatten() {
        if let Some(text) = step.get_mut("CreatedBy") {
            instruction(text);
        }
    }
}

/// A step of a build, as builders write it down: `|1 A=x /bin/sh -c ..`, `RUN |1 A=x ..`, `/bin/sh -c #(nop)  ENV A=x`,
/// `ENV A=x`. What stands behind the arguments or a name goes.
fn instruction(text: &mut Value) {
    let Some(line) = text.as_str() else { return };
    // a command that is given something may have the word too
    let given = line.trim_start_matches("RUN ").starts_with('|');
    let (before, rest) = match line.split_once("#(nop)").filter(|_| !given) {
        Some((before, rest)) => (format!("{before}#(nop) "), rest.trim_start()),
        None => (String::new(), line.trim_start()),
    };
    let (run, rest) = match rest.strip_prefix("RUN ") {
        Some(rest) => ("RUN ", rest.trim_start()),
        None => ("", rest),
    };
    let count = rest.split(' ').next().and_then(arguments).filter(|count| *count > 0);
    let sets = ["ENV", "ARG"].into_iter().find(|word| {
        rest.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '\t', '=']))
    });
    if let Some(count) = count {
        *text = format!("{before}{run}|{count} {REDACTED}").into();
    } else if let Some(word) = sets {
        *text = format!("{before}{run}{word} {REDACTED}").into();
    }
}

/// `GET /images/{}/attestations`: what a build says of itself has its arguments.
pub(super) fn attestations(all: &mut Value) {
    for one in all.as_array_mut().into_iter().flatten() {
        if let Some(statement) = one.get_mut("Statement") {
            *statement = Value::Null;
        }
    }
}

/// `GET /containers/{}/top`: of each command the program alone, and nothing of what stands behind it.
pub(super) fn processes(top: &mut Value) {
    let titles = top.get("Titles").and_then(Value::as_array).cloned().unwrap_or_default();
    let commands = ["CMD", "COMMAND", "ARGS"];
    let is_command = |title: &Value| {
        title.as_str().is_some_and(|title| commands.contains(&title.to_ascii_uppercase().as_str()))
    };
    let rows = top.get_mut("Processes").and_then(Value::as_array_mut).into_iter().flatten();
    for row in rows.filter_map(Value::as_array_mut) {
        let at = titles.iter().position(is_command).unwrap_or(usize::MAX);
        if let Some(cell) = row.get_mut(at)
            && let Some((program, _)) = cell.as_str().and_then(|text| text.split_once(' '))
        {
            *cell = format!("{program} {REDACTED}").into();
        }
        // words of a command that were split are columns of their own
        row.iter_mut().skip(at.saturating_add(1)).for_each(|cell| *cell = REDACTED.into());
    }
}

/// An event: which command an exec runs stands in what it does.
pub(super) fn event(event: &mut Value) {
    for key in ["Action", "status"] {
        let Some(action) = event.get_mut(key) else { continue };
        let command = action.as_str().filter(|text| text.starts_with("exec_"));
        if let Some((what, _)) = command.and_then(|text| text.split_once(": ")) {
            *action = format!("{what}: {REDACTED}").into();
        }
    }
}

/// `GET /info`: who may use a proxy, by name and password.
pub(super) fn proxies(info: &mut Value) {
    for key in ["HttpProxy", "HttpsProxy"] {
        let Some(proxy) = info.get_mut(key) else { continue };
        let Some((before, host)) = proxy.as_str().and_then(|text| text.rsplit_once('@')) else {
            continue;
        };
        let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
        *proxy = format!("{scheme}://{REDACTED}@{host}").into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_stay_and_values_go() {
        let secret = "hunter2";
        let mut seen = json!({
            "Config": { "Env": ["PASSWORD=hunter2=x", "EMPTY=", "NOTHING"] },
            "ContainerConfig": { "Env": ["A=hunter2"], "Cmd": ["|1", "TOKEN=hunter2", "/bin/sh", "-c", "make"] },
            "Options": { "o": "password=hunter2" },
            "HostConfig": {
                "LogConfig": { "Config": { "token": "hunter2" } },
                "Mounts": [{ "VolumeOptions": { "DriverConfig": { "Options": { "o": "hunter2" } } } }],
            },
            "Spec": {
                "Data": "aHVudGVyMg==", "ContainerSpec": { "Env": ["A=hunter2"] },
                "TaskTemplate": { "ContainerSpec": { "Env": ["A=hunter2"] } },
            },
            "Settings": { "Env": ["A=hunter2"], "Args": ["hunter2"] },
        });
        for kind in Resource::ALL {
            redact(*kind, &mut seen);
        }
        assert!(!seen.to_string().contains(secret), "{seen}");
        assert_eq!(
            seen["Config"]["Env"],
            json!(["PASSWORD=<redacted>", "EMPTY=<redacted>", "NOTHING"])
        );
        assert_eq!(
            seen["ContainerConfig"]["Cmd"],
            json!(["|1", "TOKEN=<redacted>", "/bin/sh", "-c", "make"])
        );
        assert_eq!(seen["Options"]["o"], "<redacted>");
        assert_eq!(seen["Spec"]["Data"], "");

        let steps = [
            ("|2 A=x hunter2 B=y /bin/sh -c make", "|2 <redacted>"),
            ("RUN |1 A=hunter2 /bin/sh -c make # buildkit", "RUN |1 <redacted>"),
            ("/bin/sh -c #(nop)  ENV A=hunter2", "/bin/sh -c #(nop) ENV <redacted>"),
            ("/bin/sh -c #(nop) ARG A=hunter2", "/bin/sh -c #(nop) ARG <redacted>"),
            ("|1 A=hunter2 /bin/sh -c echo '#(nop)'", "|1 <redacted>"),
            ("RUN |1 A=hunter2 /bin/sh -c echo '#(nop)'", "RUN |1 <redacted>"),
            ("/bin/bash -c #(nop)  ENV A=hunter2", "/bin/bash -c #(nop) ENV <redacted>"),
            ("ENV A=hunter2", "ENV <redacted>"),
            ("ARG A", "ARG <redacted>"),
            ("/bin/sh -c ls", "/bin/sh -c ls"),
            ("RUN /bin/sh -c env # buildkit", "RUN /bin/sh -c env # buildkit"),
            ("ENVOY start", "ENVOY start"),
        ];
        for (step, told) in steps {
            let mut of = json!([{ "CreatedBy": step }]);
            history(&mut of);
            assert_eq!(of, json!([{ "CreatedBy": told }]), "{step}");
        }
        let mut all = json!([{ "Platform": "linux", "Statement": { "args": "hunter2" } }]);
        attestations(&mut all);
        assert_eq!(all, json!([{ "Platform": "linux", "Statement": null }]));

        let mut top = json!({ "Titles": ["PID", "CMD"], "Processes": [["1", "psql -W hunter2"], ["2", "sh"]] });
        processes(&mut top);
        assert_eq!(top["Processes"], json!([["1", "psql <redacted>"], ["2", "sh"]]));
        // the program splits what ps writes at spaces
        let mut top = json!({ "Titles": ["CMD", "PID"], "Processes": [["psql", "-W hunter2 1"]] });
        processes(&mut top);
        assert_eq!(top["Processes"], json!([["psql", "<redacted>"]]));

        let mut exec = json!({ "Action": "exec_create: psql -W hunter2", "status": "exec_create: psql -W hunter2" });
        event(&mut exec);
        assert_eq!(
            exec,
            json!({ "Action": "exec_create: <redacted>", "status": "exec_create: <redacted>" })
        );

        let mut health = json!({ "Action": "health_status: healthy" });
        event(&mut health);
        assert_eq!(health, json!({ "Action": "health_status: healthy" }));

        let mut info = json!({ "HttpProxy": "http://me:hunter2@proxy:3128", "HttpsProxy": "http://proxy:3128" });
        proxies(&mut info);
        assert_eq!(info["HttpProxy"], "http://<redacted>@proxy:3128");
        assert_eq!(info["HttpsProxy"], "http://proxy:3128");
    }
}
