//! The timer that writes the lists of revoked certificates, and its service.

use super::installed::{Installed, JO};
use super::readme;

const PKI: &str = "/etc/dockward/pki";

#[test]
fn lists_are_written_by_the_service_and_read_by_the_gate() {
    let Some(gate) = Installed::strict() else { return };
    gate.start();
    let units =
        ["dockward.service", "dockward.socket", "dockward-crl.service", "dockward-crl.timer"];
    let verify = gate.run(&format!("systemd-analyze verify --man=no {}", units.join(" ")));
    assert_eq!((verify.code, verify.all().as_str()), (Some(0), ""));
    let next = gate.does("systemctl list-timers --no-pager dockward-crl.timer");
    assert!(next.contains("dockward-crl.service"), "{next}");
    gate.seen("systemd-analyze verify has no complaint; the timer waits");

    let number =
        || gate.does(&format!("openssl crl -noout -crlnumber -in {PKI}/crl.pem")).trim().to_owned();
    let first = number();
    gate.does("systemctl start dockward-crl.service");
    assert_eq!(number(), first, "new lists are left");
    // the service as it is, told that every list is old
    let old =
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockward certs crl --dir /etc/dockward/pki";
    gate.put("/etc/systemd/system/dockward-crl.service.d/old.conf", old);
    let loads =
        |gate: &Installed| gate.log().iter().filter(|line| line["stage"] == "policy.load").count();
    let before = loads(&gate);
    gate.does("systemctl daemon-reload; systemctl start dockward-crl.service");
    assert_ne!(number(), first);
    assert_eq!(gate.does(&format!("stat -c '%U:%G %a' {PKI}/crl.pem")), "root:dockward 640\n");
    gate.until(&format!(
        "test $(grep -c '\"policy.load\"' /var/log/dockward/*.jsonl) -gt {before}"
    ));
    gate.does(&format!("{JO} version"));
    gate.seen("the service writes new lists, owner and mode stay, the gate takes them by itself");

    // keys with a passphrase, as the README has it
    gate.does(
        "printf 'correct horse\\n' >/root/dockward-passphrase; chmod 600 /root/dockward-passphrase",
    );
    gate.does("dockward certs init --dir /root/sealed --host gate.example --passphrase-file /root/dockward-passphrase");
    gate.does(&format!("mv {PKI} /root/former; cp -r /root/sealed {PKI}"));
    gate.put(
        "/etc/systemd/system/dockward-crl.service.d/old.conf",
        &readme::passphrase().replace(" --if-older-than 30d", ""),
    );
    let first = number();
    gate.does("systemctl daemon-reload; systemctl start dockward-crl.service");
    assert_ne!(number(), first);
    gate.seen("with a passphrase by LoadCredential= as well");
    gate.does(&format!("rm -r {PKI}; mv /root/former {PKI}"));

    gate.does(&format!(
        "dockward certs revoke --dir {PKI} --name dev-jo --reason key-compromise || true"
    ));
    gate.until(&format!("! {JO} version"));
    assert_eq!(gate.does(&format!("stat -c '%U:%G %a' {PKI}/crl.pem")), "root:dockward 640\n");
    gate.seen("who is revoked by root stays out");
    gate.ends();
}
