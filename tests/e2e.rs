//! The gate before a real daemon.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "e2e/bollard.rs"]
mod bollard_client;

#[test]
fn bollard() {
    let socket = std::env::var("DOCKWARD_RECORD_SOCKET").unwrap();
    let docker =
        bollard::Docker::connect_with_unix(&socket, 60, bollard::API_DEFAULT_VERSION).unwrap();
    let told = tokio::runtime::Runtime::new().unwrap().block_on(bollard_client::everyday(docker));
    println!("{}", told.join("\n"));
}
