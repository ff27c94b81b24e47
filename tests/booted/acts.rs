//! What a gate does besides answering: under a filter that would end it for a call that it may not make.

use super::installed::{Installed, JO};

#[test]
fn nothing_that_the_gate_does_is_forbidden_to_it() {
    let Some(gate) = Installed::strict() else { return };
    gate.does("dockward certs issue --dir /etc/dockward/pki --name admin");
    let pki = "/etc/dockward/pki/clients/admin";
    let admin = format!(
        "docker --tlsverify --tlscacert {pki}/ca.pem --tlscert {pki}/cert.pem --tlskey {pki}/key.pem -H tcp://gate.example:2376"
    );
    gate.start();
    gate.does(&format!("{JO} run -d --name kept -v data:/data localhost/busybox sleep 1000"));
    gate.does(&format!(
        "{JO} exec kept sh -c 'echo more >/file'; {JO} cp kept:/file - >/dev/null || true"
    ));
    gate.does(&format!("echo through | {JO} run -i --rm localhost/busybox cat | grep -q through"));
    gate.does(&format!("timeout 2 {JO} events >/dev/null || test $? = 124"));
    gate.does(&format!("{admin} create --privileged localhost/busybox true"));
    gate.does(&format!(
        "mkdir /root/ctx; printf 'FROM localhost/busybox\\nRUN echo built\\n' >/root/ctx/Dockerfile; \
         DOCKER_BUILDKIT=0 {admin} build -q -t localhost/built /root/ctx"
    ));
    gate.does(&format!("{admin} save localhost/built | {admin} load"));
    gate.seen("streams, exec, copies, events, a build, save and load");

    gate.does("dockward grant dev-jo administrator --for 1h --persist --reason 'to see'");
    gate.does(&format!("{JO} create --privileged localhost/busybox true"));
    assert_eq!(
        gate.does("stat -c '%U:%G %a' /var/log/dockward/grants.json"),
        "dockward:dockward 600\n"
    );
    gate.does("systemctl restart dockward");
    gate.does(&format!("{JO} create --privileged localhost/busybox true"));
    gate.does("dockward reload");
    gate.seen("a grant that outlasts a restart, a reload");

    gate.does(&format!("{JO} logs -f kept >/dev/null 2>&1 & echo $! >/root/client"));
    gate.until("dockward sessions | grep -q ContainerLogs");
    gate.does("dockward sessions kill identity:dev-jo --reason 'to see'");
    gate.until("! kill -0 $(cat /root/client)");
    gate.does("systemctl stop docker.service docker.socket");
    gate.fails(&format!("{JO} version"));
    gate.does("systemctl start docker.socket docker.service");
    gate.until(&format!("{JO} version"));
    gate.seen("a session that is ended; the daemon goes and comes back, and the gate stays up");
    gate.ends();
}

/// What the other tests stand on.
#[test]
fn a_call_that_the_filter_forbids_ends_the_gate_here() {
    let Some(gate) = Installed::strict() else { return };
    gate.does("groupadd --system dockward-users; usermod -a -G dockward-users dockward");
    let more = "\nlisten:\n  - { unix: /run/dockward/docker.sock, group: dockward-users }";
    gate.edits(&[("\nlisten:", more)]);
    gate.fails("systemctl start dockward.service");
    assert!(gate.journal().contains("status=31/SYS"), "{}", gate.journal());
    gate.seen("a socket for a group without the drop-in: killed by SIGSYS");
}
