//! The command line (L5): one file per subcommand. Each does its work by the rooms below, says what
//! came of it, and ends with one of three exit codes that scripts can lean on.

mod certificates;
pub mod certs;
pub mod check;
mod client_certificate;
mod clock;
pub mod explain;
pub mod healthcheck;
pub mod out;
pub mod print;
pub mod quickstart;
pub mod rules;
pub mod serve;
mod starter;
mod words;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// A mutual-TLS gate before the Docker socket.
#[derive(Debug, Parser)]
#[command(name = "dockward", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done or allowed; 1 denied, failed or findings; 2 could not be run."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a demo CA, bundles and a policy, serve, and print commands to try.
    Quickstart(QuickstartArgs),
    /// Serve.
    Serve(ServeArgs),
    /// Show every mistake in a policy file at once, or what it grants and what amounts to root.
    Check(CheckArgs),
    /// Say what would be decided about a request, or what was decided about a recorded one.
    Explain(ExplainArgs),
    /// List every reason for which something is refused.
    Rules(RulesArgs),
    /// Print the JSON Schema of the policy file, for editors.
    Schema,
    /// Ask whether the gate and the daemon behind it are well.
    Healthcheck(HealthcheckArgs),
    /// Keep a certificate authority: issue, renew, revoke and list certificates.
    Certs(certs::args::CertsArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man,
}

/// `quickstart`.
#[derive(Clone, Debug, Args)]
pub struct QuickstartArgs {
    /// Where the demo CA, bundles, policy and log go; left out: a directory below the current one.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where to listen; left out: 127.0.0.1:2376.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The daemon's socket; left out: /run/docker.sock.
    #[arg(long, value_name = "SOCKET")]
    pub daemon: Option<PathBuf>,
}

/// `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Also say whether this client certificate (PEM, with its chain) will be let in, and as whom.
    #[arg(long, value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Who would ask; needed for a request, not for a recorded event.
    #[arg(long = "as", value_name = "NAME")]
    pub as_name: Option<String>,
    /// `METHOD /path`, such as 'POST /v1.47/containers/create', or the id of a recorded event.
    #[arg(value_name = "REQUEST|EVENT_ID")]
    pub subject: String,
    /// The body: a file, or - for standard input.
    #[arg(long, value_name = "FILE|-")]
    pub body: Option<PathBuf>,
}

/// `rules`.
#[derive(Clone, Debug, Args)]
pub struct RulesArgs {
    /// How to print them.
    #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
    pub format: RulesFormat,
}

/// `healthcheck`.
#[derive(Clone, Debug, Args)]
pub struct HealthcheckArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where the gate listens, if the policy file leaves that to systemd.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How the rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For a terminal.
    Text,
    /// Markdown, as in `docs/rules.md`.
    Md,
    /// For programs.
    Json,
}

/// What came of a command that could be run.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done or allowed: exit code 0.
    Done,
    /// Denied, failed, or something was found: exit code 1.
    Findings,
}

/// Why a command could not be run: exit code 2. Lower-case, no full stop, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<crate::config::Mistakes> for Failure {
    fn from(mistakes: crate::config::Mistakes) -> Self {
        Self(mistakes.to_string())
    }
}

/// Runs a command line, the program's name first, and gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // help and version go to standard output; where that is gone, nobody is told
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(&cli.command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            out::complain(&failure.to_string());
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Schema => print::schema(),
        Command::Healthcheck(args) => healthcheck::run(args),
        Command::Certs(args) => certs::run(args),
        Command::Completions(args) => print::completions(args.shell),
        Command::Man => print::manual(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn both_forms_of_explain_are_read() {
        let read = |line: &str| Cli::try_parse_from(line.split('|')).map(|cli| cli.command);
        let request = read("dockward|explain|--config|p|--as|ci-7|GET /v1.47/info|--body|-");
        let Ok(Command::Explain(args)) = request else { panic!("{request:?}") };
        assert_eq!(args.subject, "GET /v1.47/info");
        assert_eq!(args.as_name.as_deref(), Some("ci-7"));
        assert!(read("dockward|explain|--config|p|01JD7Q").is_ok());
        assert!(read("dockward|explain|01JD7Q").is_err());
    }
}
