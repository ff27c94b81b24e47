//! The binary: parse, run, exit code; nothing else.

/// Gives memory back to the system a second after it was freed, wherever in the heap it lay: a gate that a thousand
/// clients have left is as small as before they came. The C library's own gives back the end of its heap alone.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    dockward::facade::cli::run(std::env::args_os())
}
