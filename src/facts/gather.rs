//! What a judgement asks for: looked up on the host and at the daemon, as data. What cannot be found out stays
//! unknown, and policy refuses what it does not know.

use super::inside;
use super::inspected;
use super::look;
use super::protected::{GatePaths, protected};
use super::remembered::{Moment, Remembered, changed};
use crate::daemon::{AnswerShare, Daemon, DaemonError, Lookup};
use crate::docker::Malformed;
use crate::policy::facts::{Container, DaemonDefaults};
use crate::policy::permit::Makes;
use crate::policy::{Asking, Facts, Needs, Next, PathFact, Seen, Settled};
use crate::problem::{Actionable, Problem};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, OnceCell, Semaphore};

/// How long the daemon's events are not asked for once more after they have ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a judgement cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum Unsettled {
    /// What was found out shows that the client means something else than it says.
    Malformed(#[from] Malformed),
    /// The daemon does not say what the request stands on.
    Away(#[from] DaemonError),
}

impl Actionable for Unsettled {
    fn problem(&self) -> Problem {
        match self {
            Self::Malformed(malformed) => malformed.problem(),
            Self::Away(error) => error.problem(),
        }
    }
}

/// Brings answers to a judgement. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gatherer {
    daemon: Daemon,
    kept: Arc<ArcSwap<KeptPlaces>>,
    remembered: Arc<Remembered>,
    /// Held by who hears the daemon's events.
    hearing: Arc<Semaphore>,
    /// What containers have where nobody asks for anything, and when the daemon said so.
    defaults: Arc<Mutex<Option<(Instant, DaemonDefaults)>>>,
}

/// How long the daemon's word of its defaults counts: many who are let into containers ask for it in a row, and it may be
/// told otherwise at any time, also without being started again.
const DEFAULTS: Duration = Duration::from_secs(2);

/// The gate's own places, and what is known once the daemon has told of itself.
#[derive(Debug)]
struct KeptPlaces {
    gate: GatePaths,
    /// With the daemon's process that said so, as it was known then.
    told: OnceCell<(Option<i32>, Arc<DaemonWord>)>,
}

/// What follows from what the daemon says of itself.
#[derive(Debug, Default)]
struct DaemonWord {
    /// What is never mounted.
    protected: Vec<PathBuf>,
}

impl KeptPlaces {
    fn of(gate: GatePaths) -> Arc<Self> {
        Arc::new(Self { gate, told: OnceCell::new() })
    }
}

impl Gatherer {
    /// Asks this daemon, and this host, on which the gate itself has these places.
    #[must_use]
    pub fn new(daemon: Daemon, gate: GatePaths) -> Self {
        let kept = Arc::new(ArcSwap::new(KeptPlaces::of(gate)));
        let hearing = Arc::new(Semaphore::new(1));
        Self { daemon, kept, remembered: Arc::default(), hearing, defaults: Arc::default() }
    }

    /// Protects these places of the gate from now on, in all clones: a reload reads other files, or a link to one was
    /// turned.
    pub fn keep(&self, gate: GatePaths) {
        if self.kept.load().gate != gate {
            self.kept.store(KeptPlaces::of(gate));
        }
    }

    /// Goes on with a judgement until it asks for nothing more. What is asked for at once has ten seconds.
    ///
    /// # Errors
    /// As [`Asking::next`], and when the daemon is away: then nothing more is asked of it.
    pub async fn settle<'a>(&self, mut asking: Asking<'a>) -> Result<Settled<'a>, Unsettled> {
        let share = AnswerShare::default();
        loop {
            asking = match asking.next()? {
                Next::Settled(settled) => return Ok(settled),
                Next::Look(question) => {
                    let found = self.look_up(question.needs(), &share).await?;
                    question.answer(found)?
                }
            };
        }
    }

    /// Looks up all kinds at once, those of a kind one after the other: a client that names many does not have
    /// the gate ask for many at once, with answers of any length. The host's paths come last, since
    /// only then it is known which process the daemon is now.
    ///
    /// # Errors
    /// The daemon is away: then nothing more is asked of it. All has ten seconds.
    pub async fn look_up(&self, needs: &Needs, share: &AnswerShare) -> Result<Facts, DaemonError> {
        self.daemon.in_time(self.all_kinds(needs, share)).await
    }

    /// As [`Self::look_up`], with what is remembered for this identity of containers by their full ids. For requests
    /// of which [`Asking::may_recall`] says so.
    ///
    /// # Errors
    /// As [`Self::look_up`].
    pub async fn recall(
        &self,
        identity: &str,
        needs: &Needs,
        share: &AnswerShare,
    ) -> Result<Facts, DaemonError> {
        self.hear();
        let mut needs = needs.clone();
        let mut facts = self.remembered.recall(identity, &mut needs);
        if !needs.is_empty() {
            facts.add(self.look_up(&needs, share).await?);
        }
        Ok(facts)
    }

    /// The moment from which on what is found can be remembered.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.remembered.now()
    }

    /// Remembers for an identity what carried its request, found since that moment.
    pub fn remember(&self, identity: &str, since: Moment, facts: &Facts) {
        self.remembered.keep(identity, since, facts);
    }

    /// Remembers what an identity has made.
    pub fn made(&self, identity: &str, id: &str, made: Makes) {
        match made {
            Makes::Exec(exec) => self.remembered.made(identity, id, exec),
            Makes::Fleeting => self.remembered.made_fleeting(identity, id),
        }
    }

    /// Whether an identity has just made a container that is to go when it ends or cannot start.
    #[must_use]
    pub fn is_unstarted(&self, identity: &str, id: &str) -> bool {
        self.remembered.is_unstarted(identity, id)
    }

    /// The same, which is so no more.
    #[must_use]
    pub fn take_unstarted(&self, identity: &str, id: &str) -> bool {
        self.remembered.take_unstarted(identity, id)
    }

    /// Forgets a container, by its full id: something was done to it.
    pub fn forget(&self, id: &str) {
        self.remembered.forget(id);
    }

    /// Hears the daemon's events from now on, unless somebody does: for as long as it goes on.
    fn hear(&self) {
        let Ok(place) = Arc::clone(&self.hearing).try_acquire_owned() else { return };
        let (daemon, remembered) = (self.daemon.clone(), Arc::clone(&self.remembered));
        tokio::spawn(async move {
            // the daemon answers before it listens: what happens in between is told once more by the second
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let heard = daemon.follow(now.as_secs().saturating_sub(1), |event| match event {
                None => remembered.hear(true),
                Some(event) => {
                    if let Some(id) = changed(&event) {
                        remembered.forget(id);
                    }
                }
            });
            let heard = heard.await;
            remembered.hear(false);
            if let Err(error) = heard {
                daemon.complain(&error);
            }
            tokio::time::sleep(PAUSE).await;
            drop(place);
        });
    }

    async fn all_kinds(&self, needs: &Needs, share: &AnswerShare) -> Result<Facts, DaemonError> {
        let Needs {
            host_paths,
            exec,
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
        } = needs;
        let execs = exec.iter().cloned().collect();
        let (mut execs, images, volumes, mut containers, networks, kept) = tokio::try_join!(
            self.objects(share, &execs, Lookup::Exec, inspected::exec),
            self.objects(share, images, Lookup::Image, inspected::image),
            self.objects(share, volumes, Lookup::Volume, inspected::volume),
            self.objects(share, containers, Lookup::Container, inspected::container),
            self.objects(share, networks, Lookup::Network, inspected::network),
            self.objects(share, kept, |(kind, name)| Lookup::Kept(kind, name), inspected::kept),
        )?;
        self.see_mounts(&mut containers).await;
        let container_paths = inside::paths(&self.daemon, share, container_paths).await;
        let host_paths = self.host_paths(host_paths).await?;
        let defaults = match defaults {
            true => self.known(self.defaults().await.map(Some))?,
            false => None,
        };
        Ok(Facts {
            host_paths,
            exec: execs.pop_first().map(|(_, exec)| exec),
            images,
            volumes,
            containers,
            networks,
            kept,
            container_paths,
            defaults,
            remembered: false,
        })
    }

    async fn objects<N: Ord + Clone, T>(
        &self,
        share: &AnswerShare,
        names: &BTreeSet<N>,
        lookup: fn(N) -> Lookup,
        read: fn(&serde_json::Value) -> Option<T>,
    ) -> Result<BTreeMap<N, Seen<T>>, DaemonError> {
        let mut found = BTreeMap::new();
        for name in names {
            let seen = match self.daemon.look_for(lookup(name.clone()), share).await {
                Ok(None) => Ok(Some(Seen::Missing)),
                Ok(Some(answer)) => Ok(read(&answer).map(Seen::Found)),
                Err(DaemonError::Several(_)) => Ok(Some(Seen::Several)),
                Err(error) => Err(error),
            };
            let seen = self.known(seen)?;
            found.extend(seen.map(|seen| (name.clone(), seen)));
        }
        Ok(found)
    }

    /// Sees where everything is mounted in containers that run.
    async fn see_mounts(&self, containers: &mut BTreeMap<String, Seen<Container>>) {
        for container in containers.values_mut() {
            if let Seen::Found(container) = container {
                look::see_mounts(&self.daemon, container).await;
            }
        }
    }

    /// What came of a question. An answer that makes no sense leaves it unknown; where there was none, the daemon is
    /// away.
    fn known<T>(&self, answer: Result<Option<T>, DaemonError>) -> Result<Option<T>, DaemonError> {
        answer.or_else(|error| match error {
            DaemonError::Protocol(_) => {
                self.daemon.complain(&error);
                Ok(None)
            }
            away => Err(away),
        })
    }

    async fn host_paths(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, PathFact>, DaemonError> {
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        let Some(told) = self.known(self.told().await.map(Some))? else {
            return Ok(BTreeMap::new());
        };
        let (paths, peer) = (paths.clone(), self.daemon.peer_pid());
        let look = move || look::host_paths(&paths, peer, &told.protected);
        Ok(tokio::task::spawn_blocking(look).await.unwrap_or_default())
    }

    /// What containers have where nobody asks for anything.
    async fn defaults(&self) -> Result<DaemonDefaults, DaemonError> {
        let mut kept = self.defaults.lock().await;
        if let Some((_, defaults)) = kept.as_ref().filter(|(said, _)| said.elapsed() < DEFAULTS) {
            return Ok(defaults.clone());
        }
        let defaults = inspected::defaults(&self.daemon.lookup(Lookup::Info).await?);
        *kept = Some((Instant::now(), defaults.clone()));
        Ok(defaults)
    }

    /// What the daemon says of itself, asked once of each: where its data is, and with it what is never mounted.
    async fn told(&self) -> Result<Arc<DaemonWord>, DaemonError> {
        let mut kept = self.kept.load_full();
        let peer = self.daemon.peer_pid();
        let other = |said: &Option<i32>| said.is_some() && *said != peer;
        if kept.told.get().is_some_and(|(said, _)| other(said)) {
            // another daemon, which may keep its data elsewhere
            kept = KeptPlaces::of(kept.gate.clone());
            self.kept.store(Arc::clone(&kept));
        }
        let found = kept.told.get_or_try_init(|| async {
            let info = self.daemon.lookup(Lookup::Info).await?;
            let text = |key: &str| info.get(key).and_then(|text| text.as_str());
            let root = text("DockerRootDir").map(PathBuf::from);
            let protected = protected(&kept.gate, self.daemon.socket(), root.as_deref());
            let told = DaemonWord { protected };
            Ok::<_, DaemonError>((self.daemon.peer_pid(), Arc::new(told)))
        });
        Ok(Arc::clone(&found.await?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;
    use tokio::sync::Semaphore;

    /// A daemon that has nothing, and begins to say so when it was asked this many things at once; the most
    /// that it was asked at once.
    fn gatherer(directory: &tempfile::TempDir, begins_at: usize) -> (Gatherer, Arc<AtomicUsize>) {
        let socket = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (most, in_hand) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let begins = Arc::new(Semaphore::new(0));
        let seen = Arc::clone(&most);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (most, in_hand, begins) =
                    (Arc::clone(&seen), Arc::clone(&in_hand), Arc::clone(&begins));
                tokio::spawn(async move {
                    let mut asked = [0; 4096];
                    while let Ok(1..) = stream.read(&mut asked).await {
                        let now = in_hand.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        if now == begins_at {
                            begins.add_permits(1);
                        }
                        drop(begins.acquire().await); // from then on there is always one
                        in_hand.fetch_sub(1, Ordering::SeqCst);
                        let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
                        let _ = stream.write_all(answer).await;
                    }
                });
            }
        });
        let (config, pki, links) = Default::default();
        let gate = GatePaths { config, audit: "/x".into(), pki, control: None, links };
        let gatherer = Gatherer::new(Daemon::new(socket), gate);
        gatherer.kept.load().told.set((None, Arc::default())).unwrap();
        (gatherer, most)
    }

    #[tokio::test]
    async fn kinds_are_looked_up_at_once_and_one_request_asks_for_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let (gatherer, most) = gatherer(&directory, 3);
        let many = |of: &str| (0..40).map(|nth| format!("{of}{nth}")).collect::<BTreeSet<_>>();
        let (images, volumes, networks) = (many("i"), many("v"), many("n"));
        let needs = Needs { images, volumes, networks, ..Needs::default() };
        let share = AnswerShare::default();
        let facts = tokio::time::timeout(Duration::from_secs(20), gatherer.look_up(&needs, &share));
        let facts = facts.await.expect("they were not asked for at once").unwrap();
        assert_eq!(facts.volumes.len(), 40);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn paths_are_looked_at_through_the_daemon_that_has_just_answered() {
        let directory = tempfile::tempdir().unwrap();
        let (gatherer, _) = gatherer(&directory, 1);
        let (images, path) = (["i".to_owned()].into(), "/usr".to_owned());
        let host_paths = [path.clone()].into();
        let needs = Needs { images, host_paths, ..Needs::default() };
        let facts = gatherer.look_up(&needs, &AnswerShare::default()).await.unwrap();
        assert!(matches!(facts.host_paths[&path], PathFact::Plain { .. }), "{facts:?}");
    }
}
