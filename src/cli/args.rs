//! What is asked of the commands that read without a gate: the log, another proxy's rules, the presets.

use super::TableFormat;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `audit`.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether every line is as it was written, follows the one before, and none is missing.
    Verify {
        /// Which log.
        #[command(flatten)]
        log: LogArgs,
        /// The hash of a line, kept elsewhere: say also whether all up to that line is there.
        #[arg(long, value_name = "HASH")]
        expect_head: Option<String>,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// Print the hash of the newest line, to be kept elsewhere.
    Head {
        /// Which log.
        #[command(flatten)]
        log: LogArgs,
    },
}

/// Which log.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// The policy file of the gate that writes it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The directory that it is in, wherever that came from.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub directory: Option<PathBuf>,
}

/// `observe`.
#[derive(Clone, Debug, Args)]
pub struct ObserveArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The identity.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// `import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Its environment (CONTAINERS=1, POST=0, ALLOW_START=1) or flags (-allowGET=...), one a line, or the compose file
    /// that has them; - for standard input.
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// The name of the role.
    #[arg(long, value_name = "NAME", default_value = "imported")]
    pub name: String,
}

/// `preset`.
#[derive(Clone, Debug, Subcommand)]
pub enum PresetCommand {
    /// List them, each with what it is for.
    List {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// Print one as it is, a file for a policy to include.
    Show {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Say what one is for, what it grants, and what of that amounts to root on the host.
    Explain {
        /// Which.
        #[arg(value_name = "NAME")]
        name: String,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
}
