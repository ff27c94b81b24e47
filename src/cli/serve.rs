//! `dockward serve`: the gate, in the foreground, until it is told to stop.

use super::out;
use crate::server::Server;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// `dockward serve --config FILE`
#[derive(clap::Args, Debug)]
pub struct ServeArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE", default_value = "/etc/dockward/dockward.yaml")]
    pub config: PathBuf,
}

/// Serves until SIGTERM or SIGINT; SIGHUP reads the policy again.
#[must_use]
pub fn run(args: &ServeArgs) -> ExitCode {
    serve(&args.config, out::line)
}

/// Starts the gate on a configuration and serves. `ready` gets the ready line once clients can come.
pub(super) fn serve(config: &Path, ready: impl FnOnce(&str)) -> ExitCode {
    operations_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return could_not_run(&error.to_string()),
    };
    let served = runtime.block_on(async {
        let server = Server::start(config, |warning| tracing::warn!("{warning}")).await?;
        let line = ready_line(&server);
        server.run(|| ready(&line)).await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => could_not_run(&error.to_string()),
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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // a second subscriber in one process is a test's business
    let _ = log.with_target(false).with_ansi(false).try_init();
}

fn could_not_run(why: &str) -> ExitCode {
    out::error(&format!("dockward: {why}"));
    ExitCode::from(2)
}
