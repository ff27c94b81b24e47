//! Reading the policy again, and starting with one that cannot be used.

use super::installed::{Installed, JO};

#[test]
fn a_bad_file_changes_nothing_and_keeps_a_start_down() {
    let Some(gate) = Installed::strict() else { return };
    gate.start();
    let loads =
        |gate: &Installed| gate.log().iter().filter(|line| line["stage"] == "policy.load").count();
    gate.does(&format!("{JO} run --rm localhost/busybox true"));

    let narrower = ("    roles: [developer]", "    roles: [read-only]");
    let before = loads(&gate);
    // whoever comes first, the watch of the file or the reload, the other finds nothing new
    gate.edits(&[narrower]);
    gate.does("systemctl reload dockward");
    gate.until(&format!("! {JO} run --rm localhost/busybox true"));
    assert!(loads(&gate) > before);
    gate.seen("systemctl reload: a good file is in force");

    gate.edits(&[("roles: [read-only]", "roles: [no-such-role]")]);
    gate.does("systemctl reload dockward");
    gate.until("dockward status | grep -q no-such-role");
    gate.does(&format!("{JO} version"));
    gate.fails(&format!("{JO} run --rm localhost/busybox true"));
    let said = gate.fails("dockward reload");
    assert!(said.contains("no-such-role"), "{said}");
    assert_eq!(gate.shows("dockward", "ActiveState"), "active");
    gate.seen("systemctl reload: a bad file changes nothing, and status, journal and `dockward reload` say why");

    gate.fails("systemctl restart dockward");
    gate.until("test $(systemctl show --value -p ActiveState dockward) = failed");
    let ended = ["ExecMainStatus", "NRestarts", "SubState"].map(|p| gate.shows("dockward", p));
    assert_eq!(ended, ["2", "0", "failed"], "{}", gate.journal());
    // later than it would have been tried again (RestartSec=1)
    gate.until("test $(date +%s) -gt $(($(date +%s -d \"$(systemctl show --value -p InactiveEnterTimestamp dockward)\") + 3))");
    assert_eq!(gate.shows("dockward", "NRestarts"), "0");
    assert_eq!(gate.shows("dockward", "ActiveState"), "failed");
    assert!(gate.journal().contains("no-such-role"));
    gate.seen(
        "a start with a bad file ends with status 2, once, although ExecStartPre found it too",
    );

    gate.edits(&[("roles: [no-such-role]", "roles: [developer]")]);
    gate.does("systemctl reset-failed dockward; systemctl start dockward");
    assert!(gate.journal().contains("ROOT ON THE HOST"), "warnings are there");
    gate.does(&format!("{JO} run --rm localhost/busybox true"));
    gate.seen("with the file mended it starts, its warnings notwithstanding");

    gate.does("kill -KILL $(systemctl show --value -p MainPID dockward)");
    gate.until("test $(systemctl show --value -p NRestarts dockward) = 1");
    gate.until(&format!("{JO} version"));
    gate.seen("killed, it is started again");
    gate.does("systemctl restart dockward"); // counts from the beginning
    gate.ends();
}
