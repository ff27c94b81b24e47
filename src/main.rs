//! The binary: parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    dockward::facade::cli::run(std::env::args_os())
}
