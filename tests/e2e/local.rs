//! Users of the host itself: the docker command line at the gate's Unix socket, and by `ssh://`, where it
//! runs `docker system dial-stdio` on the host. The `ssh` here runs that command as another user and leaves
//! the network out.

use super::dockerd::Engine;
use super::world::{Step, World};
use super::{cli, steps};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// Somebody who is neither root nor in any group that counts.
const USER: &str = "setpriv --reuid 4001 --regid 4001 --clear-groups";

fn table() -> Vec<Step> {
    steps(include_str!("local.yaml"))
}

/// The newest command line that there is for that engine.
fn newest(engine: Engine) -> String {
    let own = engine.cli().1;
    if engine == Engine::Machine { cli("28").unwrap_or(own) } else { own }
}

/// At the gate's Unix socket.
pub(crate) fn at_the_unix_socket(engine: Engine) {
    let program = newest(engine);
    let as_user = format!("{USER} {program}");
    let world = World::new(engine).compare_by("unix", &program, &table(), |world, line| {
        let host = format!("unix://{}/local.sock", world.gate_directory().display());
        world.local(&as_user, line, &[("DOCKER_HOST", &host)])
    });
    world.end();
}

/// By `ssh://`.
pub(crate) fn by_ssh(engine: Engine) {
    let program = newest(engine);
    let bin = tempfile::tempdir().unwrap();
    let ssh = bin.path().join("ssh");
    let world = World::new(engine);
    let socket = world.gate_directory().join("local.sock");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n  *'host docker system dial-stdio') ;;\n  *) echo \"ssh $*?\" >&2; exit 255;;\nesac\n\
         DOCKER_HOST=unix://{} exec {USER} {program} system dial-stdio\n",
        socket.display()
    );
    fs::write(&ssh, script).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let world = world.compare_by("ssh", &program, &table(), |world, line| {
        world.local(&program, line, &[("DOCKER_HOST", "ssh://user@host"), ("PATH", &path)])
    });
    world.end();
}
