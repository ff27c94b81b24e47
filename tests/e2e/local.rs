//! Users of the host itself: the docker command line at the gate's Unix socket, and by `ssh://`, where it
//! runs `docker system dial-stdio` on the host. The `ssh` here runs that command as another user and leaves
//! the network out.

use super::world::{Step, World};
use super::{cli, missing, steps};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// Somebody who is neither root nor in any group that counts.
const USER: &str = "setpriv --reuid 4001 --regid 4001 --clear-groups";

fn table() -> Vec<Step> {
    steps(include_str!("local.yaml"))
}

#[test]
fn a_user_of_the_host_does_the_same_at_the_unix_socket() {
    let Some(program) = cli("28").or_else(|| cli("20.10")) else {
        return missing("the docker command line: a user at the Unix socket was not tried");
    };
    let as_user = format!("{USER} {program}");
    let world = World::new().compare_by("unix", &program, &table(), |world, line| {
        let host = format!("unix://{}/local.sock", world.gate_directory().display());
        world.local(&as_user, line, &[("DOCKER_HOST", &host)])
    });
    world.end();
}

#[test]
fn a_user_who_comes_by_ssh_does_the_same() {
    let Some(program) = cli("28").or_else(|| cli("20.10")) else {
        return missing("the docker command line: ssh:// was not tried");
    };
    let bin = tempfile::tempdir().unwrap();
    let ssh = bin.path().join("ssh");
    let world = World::new();
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
