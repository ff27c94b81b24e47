//! What the commands share that ask a gate: where its socket is, and how a refusal is said.

use super::out::{self, Paint};
use super::{ControlArgs, Exit, Failure, TableFormat};
use crate::config;
use crate::control::wire::{Ask, Said};
use crate::control::{SOCKET, client};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where the socket is.
pub(super) fn socket(args: &ControlArgs) -> Result<PathBuf, Failure> {
    match (&args.control, &args.config) {
        (Some(socket), _) => Ok(socket.clone()),
        (None, None) => Ok(SOCKET.into()),
        (None, Some(file)) => of_policy(file),
    }
}

fn of_policy(file: &Path) -> Result<PathBuf, Failure> {
    let config = config::load(file, Timestamp::now())?;
    config.control.ok_or_else(|| {
        Failure::new(
            format!("{} has no control: and so its gate cannot be asked", file.display()),
            format!("write `control: {{ socket: {SOCKET} }}` and restart the gate"),
        )
    })
}

/// Takes what one kind of answer holds, and nothing of another.
macro_rules! only {
    ($kind:ident) => {
        |said| match said {
            crate::control::wire::Said::$kind(it) => Some(it),
            _ => None,
        }
    };
}
pub(super) use only;

/// Asks the gate, and prints the answer as text or as JSON. `take` is the one kind of answer that fits, by [`only`].
pub(super) fn show<T: Serialize>(
    args: &ControlArgs,
    question: Ask,
    take: impl Fn(Said) -> Option<T>,
    text: impl Fn(&T, Paint) -> String,
) -> Result<Exit, Failure> {
    let said = client::ask(&socket(args)?, question)?;
    if let Said::Refused(why) = &said {
        out::complain(why);
        return Ok(Exit::Findings);
    }
    let fits = take(said).ok_or_else(|| {
        Failure::new("the gate answered something else", "use the `dockward` that serves")
    })?;
    match args.format {
        TableFormat::Text => out::print(&text(&fits, Paint::stdout()))?,
        TableFormat::Json => {
            let json = serde_json::to_value(&fits)
                .map_err(|why| Failure::new(why.to_string(), "ask with --format text"))?;
            out::json(&json)?;
        }
    }
    Ok(Exit::Done)
}

/// Text of others in a line of ours.
pub(super) fn printable(text: &str) -> String {
    crate::visible::line(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_control_in_the_policy_it_is_said_what_to_write() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("dockward.yaml");
        let text = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c, key: k, client_ca: ca }]
daemon: { socket: s }
audit: { directory: log }
identities: [{ name: a, match: { cn: a }, roles: [r] }]
roles: { r: { scope: any, allow: { container: [list] } } }
";
        std::fs::write(&file, text).unwrap();
        let none = of_policy(&file).unwrap_err();
        assert!(
            none.0.what.contains("has no control:") && none.0.next.contains("write `control:"),
            "{none:?}"
        );
        std::fs::write(&file, format!("{text}control: {{ socket: run/c.sock }}\n")).unwrap();
        assert_eq!(of_policy(&file), Ok(scratch.path().join("run/c.sock")));
    }
}
