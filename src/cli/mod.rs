//! The command line (L5): one file per subcommand.

pub mod out;
pub mod quickstart;
pub mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The arguments of dockward.
#[derive(Parser, Debug)]
#[command(name = "dockward", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Demo certificates and a policy, then serve.
    Quickstart(quickstart::QuickstartArgs),
    /// Serve.
    Serve(serve::ServeArgs),
}

/// Does what was asked.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    match &cli.command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Serve(args) => serve::run(args),
    }
}
