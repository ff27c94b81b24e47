//! The port: held by systemd, and taken from dockerd.

use super::installed::{Installed, JO};

const SECTION: &str = "Take dockerd's TCP port away, and give it back";

#[test]
fn the_port_is_taken_from_dockerd_held_for_the_gate_and_given_back() {
    let Some(gate) = Installed::strict() else { return };
    // as people have it: one listener in the service, one in the socket
    let service = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2376 \
                   --containerd=/run/containerd/containerd.sock";
    gate.put("/etc/systemd/system/docker.service.d/tcp.conf", service);
    gate.put("/etc/systemd/system/docker.socket.d/tcp.conf", "[Socket]\nListenStream=2375");
    gate.does("systemctl daemon-reload; systemctl restart docker.socket docker.service");
    for port in ["2375", "2376"] {
        gate.until(&format!("docker -H tcp://127.0.0.1:{port} version"));
    }
    gate.does("systemctl --no-block start dockward");
    gate.until("test $(systemctl show --value -p NRestarts dockward) -ge 3");
    gate.seen("a gate whose port is taken is tried again");
    gate.follows(SECTION, 0);
    gate.until("docker version");
    gate.until(&format!("{JO} version"));
    gate.does("systemctl stop dockward");
    gate.seen("and serves as soon as it has the port");
    assert_eq!(gate.does("ss -ltnp | grep dockerd || true"), "");
    for port in ["2375", "2376"] {
        gate.fails(&format!("docker -H tcp://127.0.0.1:{port} version"));
    }
    gate.seen("the drop-ins take both of dockerd's TCP listeners away; its local socket answers");

    gate.edits(&[("- tls: 0.0.0.0:2376 ", "- tls: systemd ")]);
    gate.does("systemctl enable --now dockward.socket dockward.service");
    assert_eq!(gate.shows("dockward.socket", "SubState"), "running");
    gate.does(&format!("{JO} version"));
    let holder = gate.does("ss -ltnp 'sport = :2376'");
    assert!(holder.contains("systemd"), "{holder}");
    gate.seen("dockward.socket holds port 2376, and the gate serves on it");

    for _ in 0..3 {
        gate.does(&format!("systemctl --no-block restart dockward.service; {JO} version"));
    }
    gate.does("systemctl is-active dockward.socket");
    gate.until("systemctl is-active dockward.service");
    gate.seen("who comes while it restarts waits, and is served");

    gate.does("systemctl stop dockward.service");
    assert_eq!(gate.shows("dockward", "ActiveState"), "inactive");
    gate.does(&format!("{JO} version"));
    assert_eq!(gate.shows("dockward", "ActiveState"), "active");
    gate.seen("a client starts it");
    gate.ends();

    gate.follows(SECTION, 1);
    for port in ["2375", "2376"] {
        gate.until(&format!("docker -H tcp://127.0.0.1:{port} version"));
    }
    gate.seen("the second command gives both listeners back");
}
