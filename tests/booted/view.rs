//! Which host paths the gate can judge under the unit: the table of the README.

use super::installed::{Installed, JO};

/// Developers, with some host paths to read.
const PATHS: (&str, &str) = (
    "\nadmission:",
    "\nadmission:\n  shared:\n    extends: developer\n    host_paths:\n      \
     - { path: /srv/web, read_only: true }\n      \
     - { path: /var/tmp/share, read_only: true, danger_movable: true }\n      \
     - { path: /sys/kernel/debug, read_only: true }\n      \
     - { path: /home/jo/share, read_only: true, danger_movable: true }\n",
);

#[test]
fn what_the_gate_can_see_is_as_the_table_says() {
    let Some(gate) = Installed::strict() else { return };
    gate.does("useradd -m jo; chmod 700 /home/jo; mkdir -p /srv/web /var/tmp/share /home/jo/share");
    gate.does("for d in /srv/web /var/tmp/share /home/jo/share; do echo seen >$d/file; done");
    let role = "roles:\n  shared:\n    scope: any\n    admission: shared\n    allow: { container: [read, run], image: [read] }\n    \
                images: { run: [\"local:localhost/**\"] }\n";
    gate.edits(&[
        PATHS,
        ("\nroles:", &format!("\n{role}")),
        ("    roles: [developer]", "    roles: [shared]"),
    ]);
    gate.start();
    let cat = |path: &str| format!("{JO} run --rm -v {path}:/m:ro localhost/busybox cat /m/file");

    assert_eq!(gate.does(&cat("/srv/web")), "seen\n");
    gate.seen("/srv/web, which is listed, is mounted");
    for hidden in ["/var/tmp/share", "/home/jo/share"] {
        let refused = gate.fails(&cat(hidden));
        assert!(refused.contains("mount."), "{refused}");
        gate.seen(&format!(
            "{hidden}, which is listed, is refused: {}",
            refused.lines().next().unwrap()
        ));
    }
    gate.does("setfacl -m u:dockward:x /home/jo");
    assert_eq!(gate.does(&cat("/home/jo/share")), "seen\n");
    gate.seen("/home/jo/share is mounted once the gate's user may enter /home/jo, by the README's setfacl");
    gate.drop_in("tmp.conf", "[Service]\nPrivateTmp=no");
    gate.does("systemctl restart dockward");
    assert_eq!(gate.does(&cat("/var/tmp/share")), "seen\n");
    gate.seen("/var/tmp/share is mounted with PrivateTmp=no");
    gate.fails(&cat("/srv"));
    gate.ends();
}
