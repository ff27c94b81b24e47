//! The daemon's side against a recording fake: what arrives, how often, and how ends are passed on.

mod connections;
mod streams;
mod tls;
mod tunnels;
mod versions;
mod wire;

use super::fake_daemon::{FakeDaemon, Script};
use super::{Answer, Cancel, ClientBody, Daemon, DaemonError};
use crate::docker::{Hijack, Life, Method, Outbound, OutboundBody};

fn start(script: Script) -> (FakeDaemon, Daemon) {
    let fake = FakeDaemon::start(script);
    let daemon = Daemon::new(fake.socket.clone());
    (fake, daemon)
}

fn read(path: &str) -> Outbound {
    Outbound {
        method: Method::Get,
        target: format!("/v1.41{path}"),
        headers: Vec::new(),
        body: OutboundBody::Empty,
        hijack: Hijack::No,
        life: Life::Read,
    }
}

fn write(path: &str) -> Outbound {
    Outbound { method: Method::Post, life: Life::Write, ..read(path) }
}

async fn send(daemon: &Daemon, outbound: &Outbound) -> Result<Answer, DaemonError> {
    daemon.send(outbound, ClientBody::Empty, &Cancel::new()).await
}

async fn text(answer: Answer) -> String {
    let whole = answer.body.read_whole(1024 * 1024).await.unwrap();
    String::from_utf8(whole.to_vec()).unwrap()
}
