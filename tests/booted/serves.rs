//! The unit as it is shipped, with the example policy and an authority of `certs init`.

use super::installed::{Installed, JO};

/// The most that `systemd-analyze security` may say, in tenths; 100 is no hardening at all.
const EXPOSED_AT_MOST: u32 = 13;

#[test]
fn the_unit_as_it_is_shipped_serves() {
    let Some(gate) = Installed::as_shipped() else { return };
    gate.start();
    it_is_as_the_unit_says(&gate);
    docker_works_over_mutual_tls(&gate);
    lines_say_host_and_boot(&gate);
    its_log_is_its_own(&gate);
    operators_are_heard(&gate);
    nothing_is_complained_of(&gate);
    a_group_is_not_given_without_the_drop_in(&gate);
    gate.does("systemctl restart dockward");
    gate.does(&format!("{JO} version"));
    gate.seen("it serves after a restart");
    gate.ends();
    assert_eq!(gate.does("ls -A /run | grep -c '^dockward' || true").trim(), "0");
}

fn it_is_as_the_unit_says(gate: &Installed) {
    assert_eq!(gate.shows("dockward", "Type"), "notify");
    let status = gate.does("cat /proc/$(systemctl show --value -p MainPID dockward)/status");
    let line = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let user = gate.does("id -u dockward").trim().to_owned();
    assert_eq!(line("Uid:"), user);
    assert_eq!(line("CapEff:"), "0000000000000000");
    assert_eq!((line("NoNewPrivs:").as_str(), line("Seccomp:").as_str()), ("1", "2"));
    gate.seen("active (Type=notify), as user dockward, without capabilities, under its filter");
    let before = gate.shows("dockward", "ExecStartPre");
    assert!(before.contains("code=exited ; status=0"), "{before}");
    assert!(gate.journal().contains("OK: 5 identities"), "{}", gate.journal());
    gate.seen("`dockward check` ran before it: OK, with its warnings in the journal");
    let exposure = gate.does("systemd-analyze security --no-pager dockward.service | tail -n 1");
    let figure = exposure.split_whitespace().find_map(|word| word.parse::<f32>().ok()).unwrap();
    assert!((figure * 10.0).round() <= EXPOSED_AT_MOST as f32, "{exposure}");
    gate.seen(&format!(
        "hardening: {figure} of 10 (lower is better), {EXPOSED_AT_MOST}/10 at the most"
    ));
}

fn docker_works_over_mutual_tls(gate: &Installed) {
    assert!(gate.does(&format!("{JO} version")).contains("Server:"));
    let run = format!("{JO} run --rm localhost/busybox echo hello from inside");
    assert_eq!(gate.does(&run), "hello from inside\n");
    gate.does(&format!("{JO} run -d --name kept localhost/busybox sleep 1000"));
    assert_eq!(gate.does(&format!("{JO} exec kept echo in it")), "in it\n");
    let refused = gate.fails(&format!("{JO} run --privileged localhost/busybox true"));
    assert!(refused.contains("privilege.privileged"), "{refused}");
    gate.fails("docker --tlsverify --tlscacert /root/jo/ca.pem -H tcp://gate.example:2376 version");
    gate.seen("docker version, run, exec as dev-jo over mutual TLS; --privileged is refused; nobody without a key");
}

fn lines_say_host_and_boot(gate: &Installed) {
    let boot = gate.does("cat /proc/sys/kernel/random/boot_id").trim().to_owned();
    let uptime = gate.does("cut -d. -f1 /proc/uptime").trim().parse::<u64>().unwrap();
    let lines = gate.log();
    assert!(lines.len() > 5);
    for line in &lines {
        assert_eq!(line["gate"]["host"], "gate", "{line}");
        assert_eq!(line["mono"]["boot"], boot.as_str(), "{line}");
        let at = line["mono"]["ns"].as_u64().unwrap() / 1_000_000_000;
        assert!(at <= uptime && at + 600 > uptime, "{line} at {uptime}");
    }
    gate.seen("gate.host, mono.boot and mono.ns in every line of the log");
}

fn its_log_is_its_own(gate: &Installed) {
    let owners =
        "stat -c '%U:%G %a' /var/log/dockward; stat -c '%U:%G %a' /var/log/dockward/*.jsonl";
    assert_eq!(gate.does(owners), "dockward:dockward 750\ndockward:dockward 600\n");
    let policy = gate.does("stat -c '%U:%G %a' /etc/dockward /etc/dockward/dockward.yaml");
    assert_eq!(policy, "root:dockward 750\nroot:dockward 640\n");
    gate.seen(
        "/var/log/dockward is dockward:dockward 0750, its files 0600; /etc/dockward is as it was",
    );
}

/// Root, outside of the unit; the service's user, there; and anybody else.
fn operators_are_heard(gate: &Installed) {
    let following = format!("{JO} logs -f kept >/dev/null 2>&1 & echo $!");
    let client = gate.does(&following).trim().to_owned();
    gate.until("dockward sessions | grep -q ContainerLogs");
    for command in ["status", "sessions"] {
        let told = gate.does(&format!("dockward {command}"));
        assert!(told.contains("dev-jo"), "{told}");
        gate.seen(&format!("root outside of the unit, `dockward {command}`:\n{}", indented(&told)));
        let own = gate.does(&format!(
            "setpriv --reuid dockward --regid dockward --init-groups dockward {command}"
        ));
        assert!(own.contains("dev-jo"), "{own}");
        gate.seen(&format!("the service's user there, `dockward {command}`:\n{}", indented(&own)));
        let other = gate.fails(&format!(
            "setpriv --reuid nobody --regid nogroup --clear-groups dockward {command}"
        ));
        assert!(other.contains("Permission denied") && other.contains("as root"), "{other}");
        gate.seen(&format!("another user, `dockward {command}`:\n{}", indented(&other)));
    }
    gate.does(&format!("kill {client}"));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}

fn nothing_is_complained_of(gate: &Installed) {
    let key = gate.does("stat -c '%U:%G %a' /etc/dockward/pki/server-key.pem");
    assert_eq!(key, "root:dockward 640\n");
    let journal = gate.journal();
    for word in ["chmod", "already exists but the mode is different", "not permitted"] {
        assert!(!journal.contains(word), "{word} in {journal}");
    }
    let checked =
        gate.does("dockward check --as-user dockward --config /etc/dockward/dockward.yaml");
    assert!(!checked.contains("chmod"), "{checked}");
    gate.seen("the key is root:dockward 0640, and nobody says otherwise: serve, check as root");
}

/// The neighbour is in users.rs, where it is.
fn a_group_is_not_given_without_the_drop_in(gate: &Installed) {
    gate.does("groupadd --system dockward-users");
    gate.does("cp -p /etc/dockward/dockward.yaml /root/before.yaml");
    let more = "\nlisten:\n  - { unix: /run/dockward/docker.sock, group: dockward-users }";
    gate.edits(&[("\nlisten:", more)]);
    gate.fails("systemctl restart dockward");
    gate.until("test $(systemctl show --value -p NRestarts dockward) -ge 1");
    let journal = gate.journal();
    assert!(journal.contains("cannot be given to group"), "{journal}");
    assert!(journal.contains("users-socket.conf"), "{journal}");
    gate.does("cp -p /root/before.yaml /etc/dockward/dockward.yaml; systemctl restart dockward");
    gate.seen("a socket for a group without the drop-in is refused, with the drop-in's name");
}
