//! What is asked of a container that runs: signals, processes, networks, credentials.

use super::Judge;
use super::names::is_plain;
use crate::docker::CallHead;
use crate::docker::body::auth::AuthConfig;
use crate::docker::body::network::{NetworkConnect, NetworkDisconnect};
use crate::policy::Reason;

/// Arguments of `ps` that show no environment. `e` without a dash does.
const PS_WORDS: [&str; 13] =
    ["-e", "-A", "-f", "-F", "-l", "-ef", "-eF", "-el", "ax", "au", "aux", "auxw", "auxww"];

/// Columns that may be asked for.
const PS_COLUMNS: [&str; 27] = [
    "pid", "ppid", "pgid", "sid", "user", "uid", "group", "gid", "ruser", "comm", "cmd", "args",
    "command", "stat", "state", "s", "time", "etime", "start", "lstart", "stime", "tty", "pcpu",
    "pmem", "rss", "vsz", "nlwp",
];

impl Judge<'_> {
    /// `signal` of kill, stop and restart: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
    pub(super) fn signal(&mut self, field: &str, signal: &str) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
        if signal.len() > 16 || !signal.bytes().all(plain) {
            self.refuse(Reason::Signal, field, signal, "send signal");
        }
    }

    /// `ps_args` of top: `ps` runs on the host, as root, for the processes of the container.
    pub(super) fn ps_args(&mut self, arguments: &str) {
        let mut words = arguments.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let sound = match word {
                "-o" | "-eo" | "-Ao" => words.next().is_some_and(are_columns),
                word => PS_WORDS.contains(&word),
            };
            if !sound {
                self.refuse(Reason::PsArgs, "query ps_args", arguments, "pass arguments to ps:");
                self.allowing("-ef, aux, or -eo with columns such as pid,user,comm");
                return;
            }
        }
    }

    /// `POST /networks/{}/connect`: the network of the path, for a container.
    pub(super) fn connect(&mut self, head: &CallHead, body: &NetworkConnect<'_>) {
        let NetworkConnect { container, endpoint_config, borrow: _ } = body;
        self.network("path", head.target().unwrap_or_default());
        self.container("Container", container.text());
        if let Some(endpoint) = endpoint_config.value() {
            self.endpoint("EndpointConfig", endpoint);
        }
    }

    /// `POST /networks/{}/disconnect`.
    pub(super) fn disconnect(&mut self, head: &CallHead, body: &NetworkDisconnect<'_>) {
        let NetworkDisconnect { container, force: _, borrow: _ } = body;
        self.network("path", head.target().unwrap_or_default());
        self.container("Container", container.text());
    }

    /// A container by name or id.
    pub(super) fn container(&mut self, field: &str, container: &str) {
        let name = container.strip_prefix('/').unwrap_or(container);
        if name.is_empty() || !is_plain(name) {
            self.refuse(Reason::NamePlain, field, container, "name a container");
        }
    }

    /// `POST /auth`: the daemon calls the registry with these credentials.
    pub(super) fn login(&mut self, body: &AuthConfig<'_>) {
        let AuthConfig {
            username: _, // sent to the registry, and judged by it
            password: _,
            auth: _,
            email: _,
            serveraddress,
            identitytoken: _,
            registrytoken: _,
            borrow: _,
        } = body;
        let address = serveraddress.text();
        self.registry("serveraddress", if address.is_empty() { "docker.io" } else { address });
    }
}

fn are_columns(columns: &str) -> bool {
    columns.split(',').all(|column| PS_COLUMNS.contains(&column))
}
