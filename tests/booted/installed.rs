//! A machine with the gate installed by the README, and somebody's certificate.

use super::machine::{Machine, say};
use super::readme::commands;

/// docker as `dev-jo`, over mutual TLS.
pub(crate) const JO: &str = "docker --tlsverify --tlscacert /root/jo/ca.pem --tlscert /root/jo/cert.pem \
                             --tlskey /root/jo/key.pem -H tcp://gate.example:2376";

/// A forbidden system call ends the process instead of failing.
const STRICT: &str = "[Service]\nSystemCallErrorNumber=kill";

/// Files, user and authority are there; nothing has been started.
pub(crate) struct Installed {
    pub(crate) machine: Machine,
    strict: bool,
}

impl std::ops::Deref for Installed {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Installed {
    /// As it is shipped.
    pub(crate) fn as_shipped() -> Option<Self> {
        Self::new(false)
    }

    /// With a filter that ends whoever calls what it forbids.
    pub(crate) fn strict() -> Option<Self> {
        Self::new(true)
    }

    fn new(strict: bool) -> Option<Self> {
        let machine = Machine::boot()?;
        let here = Self { machine, strict };
        let install = commands("");
        here.does(&format!("cd /srv/share/dockward\n{}{}", install[0], install[1]));
        let authority = commands("With an authority of its own");
        for block in &authority {
            here.does(block);
        }
        here.does("cp -r /etc/dockward/pki/clients/dev-jo /root/jo");
        // a name below localhost/ is one that developers may run
        here.does("docker tag busybox localhost/busybox");
        if strict {
            here.drop_in("strict.conf", STRICT);
        }
        Some(here)
    }

    /// Starts the service by the README's command.
    pub(crate) fn start(&self) {
        self.does(&commands("")[2]);
        assert_eq!(self.shows("dockward", "ActiveState"), "active");
    }

    /// A drop-in of the service.
    pub(crate) fn drop_in(&self, name: &str, text: &str) {
        self.put(&format!("/etc/systemd/system/dockward.service.d/{name}"), text);
        self.does("systemctl daemon-reload");
    }

    /// Runs commands of the README's section in the directory of the units.
    pub(crate) fn follows(&self, heading: &str, block: usize) {
        let block = &commands(heading)[block];
        self.does(&format!("cd /srv/share/dockward/packaging/systemd\n{block}"));
    }

    /// Changes the policy: each first text, which must be there, becomes the second.
    pub(crate) fn edits(&self, changes: &[(&str, &str)]) {
        let file = "/etc/dockward/dockward.yaml";
        let mut text = self.does(&format!("cat {file}"));
        for (old, new) in changes {
            assert!(text.contains(old), "{old} in {text}");
            text = text.replace(old, new);
        }
        // in one step, and with the owner and mode of the file before
        self.put("/root/new.yaml", &text);
        self.does(&format!(
            "cp -p {file} {file}.new; cat /root/new.yaml >{file}.new; mv {file}.new {file}"
        ));
    }

    /// What the audit log says, whole.
    pub(crate) fn log(&self) -> Vec<serde_json::Value> {
        let lines = self.does("cat /var/log/dockward/*.jsonl");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Prints that something was seen.
    pub(crate) fn seen(&self, what: &str) {
        say(&format!("  seen: {what}"));
    }

    /// Stops the service: it must end well, must never have been started again, and nothing that its filter
    /// forbids may have been called.
    pub(crate) fn ends(&self) {
        assert_eq!(self.shows("dockward", "NRestarts"), "0", "{}", self.journal());
        self.does("systemctl stop dockward.socket dockward.service");
        let ended = ["ActiveState", "Result", "ExecMainCode", "ExecMainStatus"];
        let ended = ended.map(|property| self.shows("dockward", property));
        assert_eq!(ended, ["inactive", "success", "1", "0"], "{}", self.journal());
        assert!(!self.journal().contains("SYS"), "{}", self.journal());
        self.seen(match self.strict {
            true => "it stops well; no system call of it was refused",
            false => "it stops well",
        });
    }
}
