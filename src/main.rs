//! The binary: parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    dockward::cli::run(std::env::args_os())
}
