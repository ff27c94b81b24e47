//! Users of the host at a Unix socket, by either way of making it, and by ssh.

use super::installed::Installed;

const SECTION: &str = "Users of the host";
/// What the README of the project has, with a role for whoever is in the group.
const IDENTITIES: (&str, &str) =
    ("\nidentities:", "\nidentities:\n  - { name: jo, match: { uid: jo }, roles: [developer] }");

fn with_users() -> Option<Installed> {
    let gate = Installed::strict()?;
    gate.follows(SECTION, 0);
    gate.does("useradd -m -G dockward-users jo; useradd -m -G dockward-users kim; useradd -m lee");
    Some(gate)
}

fn as_user(user: &str, socket: &str, docker: &str) -> String {
    let own = format!("setpriv --reuid {user} --regid {user} --init-groups env HOME=/home/{user}");
    format!("{own} docker -H unix://{socket} {docker}")
}

/// jo is known; kim may connect and is nobody; lee may not connect.
fn users_are_told_apart(gate: &Installed, socket: &str) {
    let shown = gate.does(&format!("stat -c '%G %a' {socket}"));
    assert_eq!(shown, "dockward-users 660\n");
    let run = as_user("jo", socket, "run --rm localhost/busybox echo hello jo");
    assert_eq!(gate.does(&run), "hello jo\n");
    let refused = gate.fails(&as_user("jo", socket, "run --privileged localhost/busybox true"));
    assert!(refused.contains("privilege.privileged"), "{refused}");
    let refused = gate.fails(&as_user("kim", socket, "version"));
    assert!(refused.contains("identity.unknown"), "{refused}");
    let refused = gate.fails(&as_user("lee", socket, "version"));
    assert!(refused.contains("permission denied"), "{refused}");
    let log = gate.log();
    let jo = log.iter().filter(|line| line["identity"]["name"] == "jo").collect::<Vec<_>>();
    assert!(jo.iter().all(|line| line["identity"]["proven"] == "unix") && !jo.is_empty());
}

#[test]
fn users_come_to_a_socket_that_the_gate_makes_and_by_ssh() {
    let Some(gate) = with_users() else { return };
    gate.follows(SECTION, 1);
    gate.does("systemctl daemon-reload");
    let more = "\nlisten:\n  - { unix: /run/dockward/docker.sock, group: dockward-users }";
    gate.edits(&[IDENTITIES, ("\nlisten:", more)]);
    gate.start();
    users_are_told_apart(&gate, "/run/dockward/docker.sock");
    assert_eq!(gate.does("stat -c '%U:%G %a' /run/dockward"), "dockward:dockward 711\n");
    gate.seen("the gate makes the socket and gives it to the group: jo is served, kim refused, lee kept out");

    gate.does("dockward status");
    let kim = "setpriv --reuid kim --regid kim --init-groups";
    let refused = gate.fails(&format!("{kim} dockward status"));
    assert!(refused.contains("Permission denied"), "{refused}");
    gate.fails(&format!("{kim} ls /run/dockward"));
    let exposure = gate
        .does("systemd-analyze security --no-pager --threshold=17 dockward.service | tail -n 1");
    gate.seen(&format!("hardening with both drop-ins: {}", exposure.trim()));
    gate.seen("its own socket beside it stays closed to them");

    gate.does("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519");
    gate.does("install -d -m 700 -o jo -g jo /home/jo/.ssh; install -m 600 -o jo -g jo /root/.ssh/id_ed25519.pub /home/jo/.ssh/authorized_keys");
    gate.does("echo 'SetEnv DOCKER_HOST=unix:///run/dockward/docker.sock' >>/etc/ssh/sshd_config; systemctl restart ssh");
    gate.until("ssh-keyscan -t ed25519 localhost >/root/.ssh/known_hosts 2>/dev/null && test -s /root/.ssh/known_hosts");
    let said = gate.does("docker -H ssh://jo@localhost run --rm localhost/busybox echo by ssh");
    assert_eq!(said, "by ssh\n");
    gate.fails("docker -H ssh://jo@localhost run --privileged localhost/busybox true");
    gate.seen("docker -H ssh://jo@localhost runs a container as jo; --privileged is refused");
    gate.ends();
}

#[test]
fn users_come_to_a_socket_that_systemd_makes() {
    let Some(gate) = with_users() else { return };
    let unit = "/usr/lib/systemd/system/dockward.socket";
    gate.does(&format!("sed -i 's/^#\\(ListenStream\\|SocketMode\\|SocketGroup\\)/\\1/' {unit}; systemctl daemon-reload"));
    let socket =
        gate.does(&format!("sed -n 's/^ListenStream=\\(\\/.*\\)/\\1/p' {unit}")).trim().to_owned();
    let listen = ("  - tls: 0.0.0.0:2376 ", "  - unix: systemd\n  - tls: systemd ");
    gate.edits(&[IDENTITIES, listen]);
    gate.does("systemctl enable --now dockward.socket dockward.service");
    users_are_told_apart(&gate, &socket);
    gate.seen("systemd makes the socket: jo is served, kim refused, lee kept out");
    gate.does("systemctl restart dockward.service");
    users_are_told_apart(&gate, &socket);
    gate.does("systemctl stop dockward.service");
    gate.does(&as_user("jo", &socket, "version"));
    gate.seen("the socket outlives the gate, with its group");
    gate.ends();
}
