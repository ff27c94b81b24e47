//! What is replaced while the gate serves: policy, who may come in where, certificates, authorities,
//! revocation lists, deny-lists. All of it or nothing; an error leaves everything as it was and says so, but
//! for what was revoked meanwhile.
//!
//! Whether a file has changed is asked of the file system several times a second, by what a name leads to
//! and not by what happens in a directory: that sees renames, swapped links, mounts and network file
//! systems alike, and has no event that could be missed.

use super::guard::{self, OpenFile};
use super::rejected::Rejected;
use super::{ServerError, credentials, rules};
use crate::audit::event::{Actor, Event, FileHash};
use crate::audit::{self, AuditError, Durability, Stage, Writer};
use crate::config::{self, Bind, Config, Mistakes, UnixListen};
use crate::control::wire::{ListenerInForce, Reloaded};
use crate::control::{Loads, moment};
use crate::digest::Sha256;
use crate::facts::GatePaths;
use crate::identity::expiry::What;
use crate::operator::Operator;
use crate::proxy::{Address, Credentials, Secured, TlsError, Way};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that can be replaced, read and found good.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Config,
    /// For each listener, if it has TLS.
    pub(super) secured: Vec<Option<Secured>>,
    pub(super) warnings: Vec<String>,
}

/// Why nothing was loaded.
#[derive(Debug)]
pub(super) struct Unloaded {
    why: ServerError,
    /// What a configuration without mistakes names, where a certificate, authority or list of it cannot be
    /// used: what is put right there is to be seen.
    names: BTreeSet<PathBuf>,
}

impl From<Unloaded> for ServerError {
    fn from(unloaded: Unloaded) -> Self {
        unloaded.why
    }
}

impl Loaded {
    /// Reads the configuration and every file that it names.
    ///
    /// # Errors
    /// The first of them that cannot be used.
    pub(super) fn read(path: &Path, now: Timestamp) -> Result<Self, Unloaded> {
        let mistakes = |why: Mistakes| Unloaded { why: why.into(), names: BTreeSet::new() };
        let config = config::load(path, now).map_err(mistakes)?;
        let (mut secured, mut warnings) = (Vec::new(), Vec::new());
        for file in names(&config).collect::<BTreeSet<_>>() {
            let open =
                |why: OpenFile| Unloaded { why: why.into(), names: names(&config).collect() };
            warnings.extend(guard::look(&file).map_err(open)?);
        }
        for listen in &config.listen {
            let Some(listen) = listen.tls() else {
                secured.push(None);
                continue;
            };
            let unusable =
                |why: TlsError| Unloaded { why: why.into(), names: names(&config).collect() };
            let loaded = Secured::load(&credentials(listen), now.as_second());
            let (one, warned) = loaded.map_err(unusable)?;
            secured.push(Some(one));
            warnings.extend(warned);
        }
        Ok(Self { config, secured, warnings })
    }

    /// The same; with what the files were like before they were read, so that whatever changes from then on
    /// is seen.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_traced(path: &Path, now: Timestamp) -> Result<(Self, Traces), Unloaded> {
        let named = names(&Self::read(path, now)?.config).collect();
        let traces = traces(&named);
        Ok((Self::read(path, now)?, traces))
    }

    /// What was read beside the policy, by its hash.
    pub(super) fn files(&self) -> Vec<FileHash> {
        let all = self.secured.iter().flatten().flat_map(Secured::files);
        let issuers = self.config.key_sets.iter().map(|set| (&set.path, &set.sha256));
        let by_path: BTreeMap<_, _> = all.map(|(path, hash)| (path, hash)).chain(issuers).collect();
        by_path.into_iter().map(hashed).collect()
    }
}

fn hashed((path, sha256): (&PathBuf, &Sha256)) -> FileHash {
    FileHash { path: path.display().to_string(), sha256: *sha256 }
}

/// Bytes kept of why something was not loaded.
const ERROR_MAX: usize = 8 << 10;

/// Replaces what can be replaced.
#[derive(Debug)]
pub(super) struct Reloader {
    path: PathBuf,
    config: Config,
    operator: Arc<Operator>,
    doors: Vec<(Address, Way)>,
    /// Every file that a reload reads, those of a configuration that was refused among them.
    watched: BTreeSet<PathBuf>,
    /// What they were when they were read last.
    read: Traces,
    /// What they were a moment ago: what is being written is left alone until it stands still.
    seen: Traces,
    /// For how many looks they have not stood still.
    restless: u32,
    loads: Arc<ArcSwap<Loads>>,
}

/// After so many looks (two seconds) files are read though they do not stand still.
const RESTLESS: u32 = 8;

/// Files by name, and what each was like.
pub(super) type Traces = BTreeMap<PathBuf, Option<Trace>>;

/// What tells one content of a name from another: device, inode, size, and when it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace(u64, u64, u64, (i64, i64), (i64, i64));

fn trace(path: &Path) -> Option<Trace> {
    let is = std::fs::metadata(path).ok()?;
    let (changed, written) = ((is.ctime(), is.ctime_nsec()), (is.mtime(), is.mtime_nsec()));
    Some(Trace(is.dev(), is.ino(), is.size(), changed, written))
}

impl Reloader {
    pub(super) fn new(
        path: PathBuf,
        config: Config,
        operator: Arc<Operator>,
        doors: Vec<(Address, Way)>,
        loads: Arc<ArcSwap<Loads>>,
        read: Traces,
    ) -> Self {
        let (watched, seen) = (names(&config).collect(), read.clone());
        Self { path, config, operator, doors, watched, read, seen, restless: 0, loads }
    }

    /// Looks at the clock and at the files: ends what has ended, loads what was replaced.
    pub(super) async fn tick(&mut self) {
        let now = traces(&self.watched);
        if now == self.read {
            self.restless = 0;
        }
        if now != self.read && (now == self.seen || self.restless >= RESTLESS) {
            self.restless = 0;
            let _ = self.reload(None).await; // said in the log
        } else {
            self.restless = self.restless.saturating_add(1);
            self.seen = now;
            self.operator.look_again().await;
        }
    }

    /// Reads everything anew, for `actor` if somebody asked. When this returns, whoever may not stay has
    /// been told to go.
    ///
    /// # Errors
    /// Why the old stays in force, for people.
    pub(super) async fn reload(&mut self, actor: Option<Actor>) -> Result<Reloaded, String> {
        // what changes from here on is seen at the next tick
        self.read = traces(&self.watched);
        let outcome = self.replace(actor.clone()).await;
        let mut loads = Loads::clone(&self.loads.load());
        match &outcome {
            Ok(_) => {
                loads.at = Timestamp::now();
                loads.so_far.done = loads.so_far.done.saturating_add(1);
                loads.so_far.last_error = None;
                loads.so_far.refused_since = None;
                tracing::info!(policy = %self.config.policy.hash, "policy and certificates loaded");
            }
            Err(why) => {
                loads.so_far.failed = loads.so_far.failed.saturating_add(1);
                loads.so_far.last_error = Some(clipped(why));
                let since = loads.so_far.refused_since.take();
                let now = || format!("{:.0}", Timestamp::now());
                loads.so_far.refused_since = Some(since.unwrap_or_else(now));
                tracing::error!("what is in force stays, the new was not loaded:\n{why}");
                let lists = self.take_lists();
                let mut event = Event::new(Stage::PolicyLoad);
                event.because(Rejected::Policy.rule());
                event.text = Some(why.clone());
                event.files = lists;
                event.actor = actor;
                self.operator.revalidator.log.note(event);
            }
        }
        self.loads.store(Arc::new(loads));
        self.operator.look_again().await;
        outcome
    }

    async fn replace(&mut self, actor: Option<Actor>) -> Result<Reloaded, String> {
        let new = self.load()?;
        if !same_house(&self.config, &new.config) {
            return Err("listen (but for certificates and identities), daemon, audit, front, \
                        and control take a restart"
                .to_owned());
        }
        let recorded =
            record(&self.operator.revalidator.log, &new.config, new.files(), actor).await;
        recorded.map_err(|error| error.to_string())?;
        let bound = self.doors.iter().map(|(address, _)| address.clone());
        let rules = rules(&new.config, bound);
        // from here on nothing can fail
        new.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        // what the gate reads is protected before anybody is judged by it
        self.operator.revalidator.gatherer.keep(GatePaths::of(&new.config));
        // trust comes before what it may do: whoever is judged by the new rules is judged by the new lists
        for (secured, (_, way)) in new.secured.into_iter().zip(&self.doors) {
            if let (Some(secured), Way::Tls(tls)) = (secured, way) {
                tls.adopt(secured);
            }
        }
        self.operator.revalidator.in_force.replace(rules);
        self.config = new.config;
        self.watched.clear();
        self.watch(BTreeSet::new());
        Ok(self.in_force(new.warnings))
    }

    /// A mistake elsewhere keeps nobody in who was revoked: the lists that what is in force names are read by
    /// themselves, under the same authorities, and count. No right and no authority comes of that. Gives the
    /// files that came into force, for the log.
    fn take_lists(&self) -> Vec<FileHash> {
        self.operator.revalidator.gatherer.keep(GatePaths::of(&self.config));
        let (now, mut taken) = (Timestamp::now().as_second(), BTreeMap::new());
        for (listen, (_, way)) in self.config.listen.iter().zip(&self.doors) {
            if let (Some(listen), Way::Tls(tls)) = (listen.tls(), way)
                && let Some(secured) = tls.secured().with_lists(&credentials(listen), now)
            {
                let lists = listen.crl.iter().chain(&listen.deny);
                let of = |path: &&PathBuf| secured.files().iter().find(|(known, _)| known == *path);
                taken.extend(lists.filter_map(|path| of(&path).cloned()));
                tls.adopt(secured);
            }
        }
        taken.iter().map(hashed).collect()
    }

    fn load(&mut self) -> Result<Loaded, String> {
        let new = self.load_once()?;
        let known = self.watched.len();
        self.watch(names(&new.config).collect());
        // what nobody had looked at before it was read may have changed meanwhile
        if self.watched.len() == known { Ok(new) } else { self.load_once() }
    }

    fn load_once(&mut self) -> Result<Loaded, String> {
        Loaded::read(&self.path, Timestamp::now()).map_err(|unloaded| {
            self.watch(unloaded.names);
            unloaded.why.to_string()
        })
    }

    fn in_force(&self, mut warnings: Vec<String>) -> Reloaded {
        let policy = &self.config.policy;
        let about = |w: &config::Warning| format!("{}: {}", w.subject, w.what);
        warnings.extend(self.config.warnings.iter().map(about));
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Reloaded {
            policy: policy.hash,
            identities: count(policy.identities.len()),
            roles: count(policy.roles.len()),
            listeners: count(self.doors.len()),
            warnings,
            at: self.doors.iter().filter_map(|(address, way)| at(address, way)).collect(),
        }
    }

    /// Watches more files. What is known of one as it was before it was read stays.
    fn watch(&mut self, more: BTreeSet<PathBuf>) {
        self.watched.extend(names(&self.config).chain(more));
        let known = std::mem::take(&mut self.read);
        self.read = traces(&self.watched);
        for (path, trace) in known {
            self.read.entry(path).and_modify(|now| *now = trace);
        }
    }
}

/// What is in force at a listener, if it has TLS.
fn at(address: &Address, way: &Way) -> Option<ListenerInForce> {
    let Way::Tls(tls) = way else { return None };
    let dated: Vec<_> = tls.secured().dated().collect();
    let of = |is: fn(&What) -> bool| dated.iter().filter(move |one| is(&one.what));
    let first = |is| of(is).map(|one| one.span.not_after).min().map(moment);
    Some(ListenerInForce {
        listener: address.to_string(),
        certificate_until: first(|what| matches!(what, What::ServerCertificate)),
        authorities: u64::try_from(of(|what| matches!(what, What::ClientAuthority)).count())
            .unwrap_or(u64::MAX),
        crl_until: first(|what| matches!(what, What::RevocationList)),
    })
}

/// The beginning of a long text.
fn clipped(text: &str) -> String {
    let ends = text.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8()));
    let end = ends.take_while(|end| *end <= ERROR_MAX).last().unwrap_or_default();
    text.get(..end).unwrap_or_default().to_owned()
}

fn traces(watched: &BTreeSet<PathBuf>) -> Traces {
    watched.iter().map(|path| (path.clone(), trace(path))).collect()
}

/// Every file that is read for a configuration, and the directories of included ones, where more may come.
pub(super) fn names(config: &Config) -> impl Iterator<Item = PathBuf> {
    let keys = config.listen.iter().filter_map(config::Listen::tls).flat_map(|listen| {
        let credentials = credentials(listen);
        Credentials::files(&credentials).map(Path::to_owned).collect::<Vec<_>>()
    });
    let included = config.files.iter().skip(1);
    let directories = included.filter_map(|file| file.parent()).map(Path::to_owned);
    let issuers = config.key_sets.iter().map(|set| set.path.clone());
    config.files.iter().cloned().chain(directories).chain(keys).chain(issuers)
}

/// Whether only what a reload can replace differs.
fn same_house(old: &Config, new: &Config) -> bool {
    places(old).eq(places(new))
        && old.daemon == new.daemon
        && old.audit == new.audit
        && old.front == new.front
        && old.control == new.control
}

/// Where the listeners are, and for files what they are like.
fn places(config: &Config) -> impl Iterator<Item = (Option<Bind>, Option<&UnixListen>)> {
    config.listen.iter().map(|listen| match &listen.way {
        config::ListenWay::Tls(tls) => (Some(tls.address), None),
        config::ListenWay::Unix(unix) => (None, Some(unix)),
    })
}

/// Writes down what comes into force; the policy's text is kept beside the log.
///
/// # Errors
/// It cannot be written.
pub(super) async fn record(
    log: &Writer,
    config: &Config,
    files: Vec<FileHash>,
    actor: Option<Actor>,
) -> Result<(), AuditError> {
    let hash = audit::keep_policy(&config.audit.directory, config.text.as_bytes())?;
    let mut event = Event::new(Stage::PolicyLoad);
    event.policy = Some(hash);
    event.files = files;
    event.actor = actor;
    log.record(event, Durability::Synced).await.map(|_| ())
}
