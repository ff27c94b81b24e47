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
            "/PreviousSpec/TaskTemplate/ContainerSpec/Env",
        ],
        Resource::Task => &["/Spec/ContainerSpec/Env"],
        Resource::Plugin => &["/Settings/Env"],
        _ => &[],
    };
    for place in places {
        let items = object.pointer_mut(place).and_then(Value::as_array_mut);
        items.into_iter().flatten().for_each(setting);
    }
    match kind {
        Resource::Image => {
            let command = object.pointer_mut("/ContainerConfig/Cmd").and_then(Value::as_array_mut);
            if let Some(words) = command {
                let count = words.first().and_then(Value::as_str).and_then(arguments);
                words.iter_mut().skip(1).take(count.unwrap_or(0)).for_each(setting);
            }
        }
        Resource::Volume => {
            let options = object.get_mut("Options").and_then(Value::as_object_mut);
            for (_, value) in options.into_iter().flatten() {
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
        let Some(text) = step.get("CreatedBy").and_then(Value::as_str) else { continue };
        let count = text.split(' ').next().and_then(arguments).filter(|count| *count > 0);
        if let (Some(count), Some(object)) = (count, step.as_object_mut()) {
            object.insert("CreatedBy".to_owned(), format!("|{count} {REDACTED}").into());
        }
    }
}

/// `GET /containers/{}/top`: of each command the program alone.
pub(super) fn processes(top: &mut Value) {
    let titles = top.get("Titles").and_then(Value::as_array).cloned().unwrap_or_default();
    let commands = ["CMD", "COMMAND", "ARGS"];
    let is_command = |title: &Value| {
        title.as_str().is_some_and(|title| commands.contains(&title.to_ascii_uppercase().as_str()))
    };
    let rows = top.get_mut("Processes").and_then(Value::as_array_mut).into_iter().flatten();
    for row in rows.filter_map(Value::as_array_mut) {
        for (cell, _) in row.iter_mut().zip(&titles).filter(|(_, title)| is_command(title)) {
            let words = cell.as_str().map(|text| text.split_once(' '));
            if let Some(Some((program, _))) = words {
                *cell = format!("{program} {REDACTED}").into();
            }
        }
    }
}

/// An event: which command an exec runs stands in what it does.
pub(super) fn event(event: &mut Value) {
    for key in ["Action", "status"] {
        let Some(action) = event.get_mut(key) else { continue };
        if let Some((what, _)) = action.as_str().and_then(|text| text.split_once(": ")) {
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
            "Spec": {
                "Data": "aHVudGVyMg==", "ContainerSpec": { "Env": ["A=hunter2"] },
                "TaskTemplate": { "ContainerSpec": { "Env": ["A=hunter2"] } },
            },
            "Settings": { "Env": ["A=hunter2"] },
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

        let mut steps = json!([{ "CreatedBy": "|2 A=x hunter2 B=y /bin/sh -c make" }, { "CreatedBy": "/bin/sh -c ls" }]);
        history(&mut steps);
        assert_eq!(
            steps,
            json!([{ "CreatedBy": "|2 <redacted>" }, { "CreatedBy": "/bin/sh -c ls" }])
        );

        let mut top = json!({ "Titles": ["PID", "CMD"], "Processes": [["1", "psql -W hunter2"], ["2", "sh"]] });
        processes(&mut top);
        assert_eq!(top["Processes"], json!([["1", "psql <redacted>"], ["2", "sh"]]));

        let mut exec = json!({ "Action": "exec_create: psql -W hunter2", "status": "exec_create: psql -W hunter2" });
        event(&mut exec);
        assert_eq!(
            exec,
            json!({ "Action": "exec_create: <redacted>", "status": "exec_create: <redacted>" })
        );

        let mut info = json!({ "HttpProxy": "http://me:hunter2@proxy:3128", "HttpsProxy": "http://proxy:3128" });
        proxies(&mut info);
        assert_eq!(info["HttpProxy"], "http://<redacted>@proxy:3128");
        assert_eq!(info["HttpsProxy"], "http://proxy:3128");
    }
}
