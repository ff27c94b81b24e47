//! The assembly (L4): from a configuration to a gate that serves, until it is told to stop.
//!
//! Order matters here too: listeners are bound, then the log is opened, and only then is anybody
//! accepted and the ready line said; at the end the listeners close first and the log last.

mod ending;
mod guard;
mod rejected;
mod reload;
mod vet;

use crate::audit::{AuditError, GateInstance, Writer};
use crate::config::{self, Bind, Config, Listen, Mistakes, TlsListen, TlsMin, UnixBind};
use crate::control::{self, ControlError, ControlSocket, Desk, House, Loads, Reload};
use crate::daemon::{self, Daemon};
use crate::facts::Usages;
use crate::facts::{GatePaths, Gatherer, REMEMBERED};
use crate::operator::Operator;
use crate::pipeline::{Doorkeeper, Paces, Pipeline, PipelineGate, SharedState};
use crate::problem::{Actionable, Problem};
use crate::proxy::{
    Address, Budget, Credentials, Entrance, Front, Handed, ListenError, Secured, Shutdown, Streams,
    Tls, TlsError, Way, memory,
};
use crate::sessions::{Revalidator, TICK};
use crate::telemetry::Tally;
use crate::who::{Door, Doors, InForce, Rules};
use arc_swap::ArcSwap;
use ending::ExpiryWatch;
use guard::OpenFile;
use jiff::Timestamp;
pub(crate) use rejected::Rejected;
use reload::{Loaded, Reloader, Traces};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
pub(crate) use vet::{Vetted, vet};

/// Free space that noise of strangers may not touch, in bytes.
const RESERVE: u64 = 64 << 20;
/// How long requests and sessions in hand have after SIGTERM.
const DRAIN: Duration = Duration::from_secs(10);
/// How long what was cut has to say so in the log, and how long after a second signal.
const LAST_WORDS: Duration = Duration::from_secs(2);
const LAST_WORD: Duration = Duration::from_millis(200);

/// A gate that listens.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    config: Config,
    operator: Arc<Operator>,
    tally: Arc<Tally>,
    front: Arc<Front<PipelineGate>>,
    entrances: Vec<(Entrance, Way)>,
    control: Option<ControlSocket>,
    instance: GateInstance,
    /// What the files were like before they were read.
    read: Traces,
}

/// Why the gate does not serve.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum ServerError {
    /// The configuration has mistakes.
    Config(#[from] Mistakes),
    /// The log cannot be written.
    Audit(#[from] AuditError),
    /// A listener has no TLS.
    Tls(#[from] TlsError),
    /// Somebody else can change a file that decides who may do what.
    Open(#[from] OpenFile),
    /// A listener cannot be opened.
    Listen(#[from] ListenError),
    /// The service manager handed over fewer sockets than the configuration takes.
    TooFewSockets {
        /// Of which kind.
        kind: &'static str,
    },
    /// The gate's own socket cannot be made.
    Control(#[from] ControlError),
    /// Signals cannot be waited for, or the like.
    Io(#[from] std::io::Error),
}

impl ServerError {
    /// Whether it may be otherwise in a moment, with the files as they are: an address that is still taken, a disk that
    /// is full. The opposite needs a person.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Config(_) | Self::Tls(_) | Self::Open(_) | Self::TooFewSockets { .. } => false,
            Self::Audit(
                AuditError::OpenToOthers(_)
                | AuditError::OfAnother(..)
                | AuditError::OpenToGroup(..),
            ) => false,
            Self::Audit(_) | Self::Listen(_) | Self::Control(_) | Self::Io(_) => true,
        }
    }
}

impl Actionable for ServerError {
    fn problem(&self) -> Problem {
        match self {
            Self::Config(mistakes) => mistakes.problem(),
            Self::Audit(error) => error.problem(),
            Self::Tls(error) => error.problem(),
            Self::Open(error) => error.problem(),
            Self::Listen(error) => error.problem(),
            Self::Control(error) => error.problem(),
            Self::TooFewSockets { kind } => Problem::new(
                format!(
                    "the configuration takes more {kind} sockets of systemd than were handed over"
                ),
                "start the service by its .socket unit and see that it has a ListenStream= for each",
            ),
            Self::Io(error) => Problem::new(error.to_string(), "see the limits of the process"),
        }
    }
}

impl Server {
    /// Reads the configuration, binds the listeners, opens the log; accepts nobody yet. Warnings go to
    /// `warn`.
    ///
    /// # Errors
    /// See [`ServerError`]; then nothing was started.
    pub async fn start(path: &Path, warn: impl Fn(&str)) -> Result<Self, ServerError> {
        let (loaded, read) = Loaded::read_traced(path, Timestamp::now())?;
        loaded.warnings.iter().for_each(|text| warn(text));
        let files = loaded.files();
        let Loaded { config, secured, .. } = loaded;
        let mut entrances = Vec::new();
        let mut handed = Handed::over()?;
        for (listen, secured) in config.listen.iter().zip(secured) {
            let entrance = entrance(listen, &mut handed).await?;
            entrances.push((entrance, way(secured)));
        }
        let control = config.control.as_deref().map(ControlSocket::bind).transpose()?;
        let instance = GateInstance::here();
        let directory = &config.audit.directory;
        let log = Arc::new(Writer::open(directory, instance.clone(), RESERVE)?);
        reload::record(&log, &config, files, None).await?;
        let bound = entrances.iter().map(|(entrance, _)| entrance.address().clone());
        let rules = rules(&config, bound);
        let shared = SharedState {
            in_force: Arc::new(InForce::new(rules)),
            log: Arc::clone(&log),
            sessions: Arc::default(),
            paces: Paces::default(),
            streams: Streams::new(config.front.streams_per_identity),
            preparing: Arc::default(),
            usages: Usages::default(),
            budget: Budget::new(&config.front),
            floor: config.daemon.api_min,
            tally: Arc::default(),
        };
        let daemon = Daemon::new(config.daemon.socket.clone());
        let gatherer = Gatherer::new(daemon.clone(), GatePaths::of(&config));
        let tally = Arc::clone(&shared.tally);
        let operator = Arc::new(operator(&config, &shared, &daemon, &gatherer));
        operator.resume(Timestamp::now()).await?;
        let pipeline = Arc::new(Pipeline { shared, daemon, gatherer });
        let watch = Arc::new(Doorkeeper(log, Arc::clone(&tally)));
        let front = Front::new(config.front.clone(), Arc::new(PipelineGate(pipeline)), watch);
        let path = path.to_owned();
        Ok(Self { path, config, operator, tally, front, entrances, control, instance, read })
    }

    /// Where clients come in, with the ports that were really bound.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.entrances.iter().map(|(entrance, _)| entrance.address())
    }

    /// The most memory that clients can make the gate hold, in bytes.
    #[must_use]
    pub const fn worst_case_memory(&self) -> u64 {
        let answers = daemon::LONG_ANSWERS + daemon::LONG_SIFTED + REMEMBERED;
        memory::worst_case(&self.config.front, answers)
    }

    /// Serves until SIGTERM or SIGINT, then lets what is in hand end; at a second one it ends at once. `ready` is
    /// called once, when signals are waited for and clients are accepted.
    ///
    /// # Errors
    /// Signals cannot be waited for, or the log cannot be closed.
    pub async fn run(self, ready: impl FnOnce()) -> Result<(), ServerError> {
        let Self { path, config, operator, tally, front, entrances, control, instance, read } =
            self;
        let shutdown = Shutdown::new();
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut doors = Vec::new();
        for (entrance, way) in entrances {
            doors.push((entrance.address().clone(), way.clone()));
            tokio::spawn(entrance.serve(way, Arc::clone(&front), shutdown.live()));
        }
        // a service manager that is not there is told nothing
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        ready();
        let shown = doors.iter().map(|(address, tls)| (address.to_string(), tls.clone())).collect();
        let since = Timestamp::now();
        let loads = Arc::new(ArcSwap::from_pointee(Loads::begin(since)));
        let (reload, mut asked) = mpsc::channel(1);
        let (log, loaded) = (config.audit.directory.clone(), Arc::clone(&loads));
        let (seats, reach, disk) = (config.front.connections, Mutex::default(), Mutex::default());
        let house = House {
            gate: instance,
            since,
            doors: shown,
            front,
            tally,
            loads: loaded,
            log,
            seats,
            reach,
            disk,
        };
        let desk = Arc::new(Desk { operator: Arc::clone(&operator), house, reload });
        let served = Arc::clone(&desk);
        let control = control.map(|socket| tokio::spawn(control::serve(socket, served)));
        let mut reloader = Reloader::new(path, config, Arc::clone(&operator), doors, loads, read);
        wait(&mut hangup, &mut terminate, &mut interrupt, &mut asked, &mut reloader, &desk).await;
        drop(asked); // whoever waits for a reload is told that the gate stops
        control.inspect(tokio::task::JoinHandle::abort);
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        let again = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        drain(&shutdown, &operator, again).await;
        operator.close_all().await;
        operator.revalidator.log.close().await?;
        Ok(())
    }
}

/// Lets what is in hand end, and cuts what is left of it when its time is up or the end is asked for `again`.
async fn drain(shutdown: &Shutdown, operator: &Operator, again: impl Future<Output = ()>) {
    let mut again = pin!(again);
    let last = tokio::select! {
        biased;
        drained = shutdown.drain(DRAIN) => match drained {
            Ok(()) => return,
            Err(left) => {
                tracing::warn!(left, "connections are cut at the end of the drain");
                LAST_WORDS
            }
        },
        () = again.as_mut() => LAST_WORD,
    };
    operator.revalidator.sessions.stop();
    tokio::select! {
        _ = shutdown.drain(last) => {}
        () = again, if last == LAST_WORDS => {}
    }
}

async fn wait(
    hangup: &mut Signal,
    terminate: &mut Signal,
    interrupt: &mut Signal,
    asked: &mut mpsc::Receiver<Reload>,
    reloader: &mut Reloader,
    desk: &Desk,
) {
    let mut ending = ExpiryWatch::default();
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => drop(reloader.reload(None).await),
            Some(Reload { actor, answer }) = asked.recv() => {
                let _ = answer.send(reloader.reload(Some(actor)).await);
            }
            _ = clock.tick() => {
                reloader.tick().await;
                ending.look(&desk.house, Timestamp::now());
            }
        }
    }
}

async fn entrance(listen: &Listen, handed: &mut Handed) -> Result<Entrance, ServerError> {
    let too_few = |kind| ServerError::TooFewSockets { kind };
    match &listen.way {
        config::ListenWay::Tls(TlsListen { address: Bind::Address(address), .. }) => {
            Ok(Entrance::bind(*address).await?)
        }
        config::ListenWay::Tls(TlsListen { address: Bind::Systemd, .. }) => {
            handed.tcp.pop_front().ok_or(too_few("TCP"))
        }
        config::ListenWay::Unix(unix) => match &unix.bind {
            UnixBind::Path(path) => Ok(Entrance::make(path, unix.mode, unix.group)?),
            UnixBind::Systemd => handed.unix.pop_front().ok_or(too_few("Unix")),
        },
    }
}

/// A listener that has no TLS knows its clients by the kernel.
fn way(secured: Option<Secured>) -> Way {
    secured.map_or(Way::Peer, |secured| Way::Tls(Tls::new(secured)))
}

/// The files behind a listener.
#[must_use]
pub fn credentials(listen: &TlsListen) -> Credentials {
    Credentials {
        certificate: listen.certificate.clone(),
        key: listen.key.clone(),
        client_ca: listen.client_ca.clone(),
        crl: listen.crl.clone(),
        accept_expired_crl: listen.danger_accept_expired_crl,
        deny: listen.deny.clone(),
        tls12: listen.tls_min == TlsMin::Tls12,
    }
}

/// What the configuration says, at the addresses that its listeners are bound to.
fn rules(config: &Config, bound: impl Iterator<Item = Address>) -> Rules {
    let door = |(listen, address): (&Listen, Address)| {
        let identities = listen.identities.clone();
        Door { address, identities }
    };
    let doors = Doors(config.listen.iter().zip(bound).map(door).collect());
    Rules { policy: Arc::new(config.policy.clone()), doors }
}

fn operator(
    config: &Config,
    shared: &SharedState,
    daemon: &Daemon,
    gatherer: &Gatherer,
) -> Operator {
    let revalidator = Revalidator {
        in_force: Arc::clone(&shared.in_force),
        sessions: Arc::clone(&shared.sessions),
        gatherer: gatherer.clone(),
        log: Arc::clone(&shared.log),
    };
    let directory = config.audit.directory.clone();
    Operator { revalidator, daemon: daemon.clone(), floor: shared.floor, directory }
}
