//! dockward: a mutual-TLS gate before the Docker socket.

pub mod audit;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod docker;
pub mod facts;
pub mod identity;
pub mod pipeline;
pub mod pki;
pub mod policy;
pub mod proxy;
pub mod server;
