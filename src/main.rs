//! The binary: parse, run, exit code; nothing else.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    dockward::cli::run(&dockward::cli::Cli::parse())
}
