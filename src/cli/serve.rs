//! `dockward serve`: the gate, in the foreground, until it is told to stop.

use super::{Exit, Failure, clock, out};
use crate::problem::Actionable as _;
use crate::server::{Server, ServerError};
use std::path::Path;
use tracing_subscriber::EnvFilter;

/// Serves until SIGTERM or SIGINT; SIGHUP reads the policy again.
///
/// # Errors
/// What keeps it from being run.
pub fn run(config: &Path) -> Result<Exit, Failure> {
    serve(config, |ready| out::print(&format!("{ready}\n")))
}

/// Starts the gate on a configuration and serves. What may pass by itself is [`Exit::Findings`], which a service manager
/// tries again; what needs a person is a [`Failure`]. `ready` gets the ready line once clients can come;
/// standard output that is gone does not keep the gate from serving.
pub(super) fn serve(
    config: &Path,
    ready: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    // No certificate is good in 1970, and every `until` and `valid` is open again: nobody who should come
    // in could, and somebody who should not might.
    clock::now()?;
    operations_log();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.map_err(ServerError::from)?.block_on(async {
        let server = Server::start(config, |warning| tracing::warn!("{warning}")).await?;
        let line = ready_line(&server);
        let ready = || {
            if let Err(Failure(why)) = ready(&line) {
                tracing::warn!(%why, "{line}");
            }
        };
        server.run(ready).await
    });
    match served {
        Err(error) if error.may_pass() => {
            out::complain(&error.problem().to_string());
            Ok(Exit::Findings)
        }
        served => Ok(served.map(|()| Exit::Done)?),
    }
}

fn ready_line(server: &Server) -> String {
    let addresses: Vec<String> = server.addresses().map(|a| a.to_string()).collect();
    let memory = server.worst_case_memory() >> 20;
    format!(
        "dockward {} is ready on {} (clients can make it hold {memory} MiB at the most)",
        env!("CARGO_PKG_VERSION"),
        addresses.join(", ")
    )
}

/// Operational messages go to standard error; `DOCKWARD_LOG` filters them.
fn operations_log() {
    let filter = EnvFilter::try_from_env("DOCKWARD_LOG").unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| out::PlainStderr);
    // a second subscriber in one process is a test's business
    let _ = log.with_target(false).with_ansi(false).try_init();
}
