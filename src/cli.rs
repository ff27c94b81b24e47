//! The command line (L5): one file per subcommand. Each does its work by the rooms below, says what
//! came of it, and ends with one of three exit codes that scripts can lean on.

pub mod args;
mod asking;
pub mod audit;
mod certificates;
pub mod certs;
pub mod check;
mod client_certificate;
mod clock;
pub mod explain;
pub mod grant;
pub mod healthcheck;
pub mod import;
pub mod observe;
pub mod out;
pub mod preset;
pub mod print;
pub mod quickstart;
pub mod reload;
pub mod rules;
pub mod serve;
pub mod sessions;
mod starter;
pub mod status;
mod verdict;
mod words;

use crate::problem::{Actionable, Problem};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::borrow::Cow;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str =
    "Exit codes: 0 done or allowed; 1 denied, failed or findings; 2 could not be run.";

/// A mutual-TLS gate before the Docker socket.
#[derive(Debug, Parser)]
#[command(name = "dockward", version, about, propagate_version = true)]
#[command(after_help = EXIT_CODES)]
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
    Serve {
        /// The policy file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show every mistake in a policy file at once, or what it grants and what amounts to root.
    Check(CheckArgs),
    /// Say what would be decided about a request, or what was decided about a recorded one.
    Explain(ExplainArgs),
    /// List every reason for which something is refused.
    Rules {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
        format: RulesFormat,
    },
    /// List what of an identity that is only observed would have been refused, with the change of the policy for each.
    Observe(args::ObserveArgs),
    /// List, print or explain the roles that come with the gate, each for one kind of client.
    #[command(subcommand)]
    Preset(args::PresetCommand),
    /// Print the nearest role to what another proxy before the Docker socket was told to let through.
    Import(args::ImportArgs),
    /// Print the JSON Schema of the policy file, for editors.
    Schema,
    /// Say whether the gate is well, and how it is: daemon, log, policy, who is connected, what ends soon.
    Status(ControlArgs),
    /// List who is connected and what is open, or end some of it.
    Sessions(SessionsArgs),
    /// Give a role to an identity for a while, or take it back.
    Grant(GrantArgs),
    /// Have the gate read its policy and certificates again, and say what came of it.
    Reload(ControlArgs),
    /// Ask whether the gate and the daemon behind it are well.
    Healthcheck(HealthcheckArgs),
    /// Keep a certificate authority: issue, renew, revoke and list certificates.
    #[command(subcommand)]
    Certs(certs::args::CertsCommand),
    /// Check the log of decisions, or print the hash by which it can be checked later.
    #[command(subcommand)]
    Audit(args::AuditCommand),
    /// Print completions for a shell.
    Completions {
        /// For which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
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

/// `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Look at the policy alone, and not at the files, directories and addresses of this host: for CI.
    #[arg(long, conflicts_with_all = ["as_user", "client_cert"])]
    pub policy_only: bool,
    /// Look as this user of the host, whom the gate runs as; needs root.
    #[arg(long, value_name = "NAME")]
    pub as_user: Option<String>,
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

/// `healthcheck`.
#[derive(Clone, Debug, Args)]
pub struct HealthcheckArgs {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where the gate listens, if the policy file leaves that to systemd.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// Which gate is asked.
#[derive(Clone, Debug, Args)]
pub struct ControlArgs {
    /// The gate's own socket; left out: /run/dockward/control.sock.
    #[arg(long, value_name = "SOCKET", conflicts_with = "config")]
    pub control: Option<PathBuf>,
    /// The policy file that says where the socket is.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// `sessions`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SessionsArgs {
    /// Which gate.
    #[command(flatten)]
    pub gate: ControlArgs,
    /// What to do with them; left out: list them.
    #[command(subcommand)]
    pub command: Option<SessionsCommand>,
}

/// What to do with sessions.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionsCommand {
    /// End a session, a connection, or all connections of an identity.
    Kill(KillArgs),
}

/// `sessions kill`.
#[derive(Clone, Debug, Args)]
pub struct KillArgs {
    /// The id of a session, the number of a connection, or identity:NAME.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why; it stands in the audit log.
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// Which gate.
    #[command(flatten)]
    pub gate: ControlArgs,
}

/// `grant`.
#[derive(Clone, Debug, Args)]
pub struct GrantArgs {
    /// The identity, by the name that the policy gives it.
    #[arg(value_name = "NAME", required_unless_present = "revoke")]
    pub name: Option<String>,
    /// The role of the policy that it is to hold too.
    #[arg(value_name = "ROLE", required_unless_present = "revoke")]
    pub role: Option<String>,
    /// For how long, such as 30m or 1h; 24h at most.
    #[arg(long = "for", value_name = "TIME", required_unless_present = "revoke")]
    pub lasts: Option<String>,
    /// Why; it stands in the audit log.
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// Keep it over a restart of the gate.
    #[arg(long)]
    pub persist: bool,
    /// Take this grant back; `status` lists them.
    #[arg(long, value_name = "ID", conflicts_with_all = ["name", "role", "lasts", "persist"])]
    pub revoke: Option<String>,
    /// Which gate.
    #[command(flatten)]
    pub gate: ControlArgs,
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
pub enum Exit {
    /// Done or allowed: exit code 0.
    Done,
    /// Denied, failed, or something was found: exit code 1.
    Findings,
}

/// Why a command could not be run: exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub Problem);

impl Failure {
    /// A failure of the command's own.
    fn new(what: impl Into<Cow<'static, str>>, next: impl Into<Cow<'static, str>>) -> Self {
        Self(Problem::new(what, next))
    }
}

/// What a room below could not do.
impl<E: Actionable> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.problem())
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
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Err(failure) => {
            out::complain(&failure.0.to_string());
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Serve { config } => serve::run(config),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Rules { format } => rules::run(*format),
        Command::Observe(args) => observe::run(args),
        Command::Preset(command) => preset::run(command),
        Command::Import(args) => import::run(args),
        Command::Schema => print::schema(),
        Command::Status(args) => status::run(args),
        Command::Sessions(args) => sessions::run(args),
        Command::Grant(args) => grant::run(args),
        Command::Reload(args) => reload::run(args),
        Command::Healthcheck(args) => healthcheck::run(args),
        Command::Audit(command) => audit::run(command),
        Command::Certs(command) => certs::run(command),
        Command::Completions { shell } => print::completions(*shell),
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
    fn a_grant_is_given_whole_or_taken_back() {
        let read = |line: &str| Cli::try_parse_from(line.split('|')).map(|cli| cli.command);
        assert!(read("dockward|grant|dev|administrator|--for|1h|--reason|why").is_ok());
        assert!(read("dockward|grant|--revoke|x|--reason|why").is_ok());
        assert!(read("dockward|grant|dev|administrator|--for|1h").is_err());
        assert!(read("dockward|grant|dev|administrator|--reason|why").is_err());
        assert!(read("dockward|grant|dev|--for|1h|--reason|why").is_err());
        assert!(read("dockward|grant|dev|administrator|--revoke|x|--reason|why").is_err());
        assert!(read("dockward|sessions|--format|json").is_ok());
        assert!(read("dockward|sessions|kill|7|--reason|why|--control|s").is_ok());
        assert!(read("dockward|sessions|kill|7").is_err());
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
