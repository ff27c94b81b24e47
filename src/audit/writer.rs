//! The door to the log. What comes back from it is the proof that an event is recorded, and the
//! only thing that lets a request through to the daemon; so it can be made nowhere else.

use super::chain::Tip;
use super::error::AuditError;
use super::event::{Event, GateInstance};
use super::fold::{FoldedRefusals, PutOff, Refusal};
use super::id::EventId;
use super::ledger::Ledger;
use super::segment::{Create, on_disk};
use super::worker::{Job, Message, Worker};
use crate::digest::Sha256;
use jiff::Timestamp;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::{Semaphore, oneshot};

/// Requests that may wait for the log at once; the next ones wait to wait.
const WAITING: usize = 1024;
/// Events that may be in hand without anyone waiting for them.
const NOTES: usize = 8192;

/// How sure an event must be before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk: `fdatasync` came back. For everything that changes state.
    Synced,
    /// Handed to the kernel: survives our end, not a power cut. For reads.
    Written,
}

/// Proof that an event is in the log. Only the writer makes one, after the fact.
#[derive(Debug)]
pub struct Recorded {
    id: EventId,
    tip: Tip,
}

impl Recorded {
    pub(super) const fn new(id: EventId, tip: Tip) -> Self {
        Self { id, tip }
    }

    /// The event.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.id
    }

    /// Its number in the chain.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.tip.seq
    }

    /// The hash of its line.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        self.tip.hash
    }
}

/// What the writer did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines written, without the first of each file and folded refusals.
    pub events: u64,
    /// Times that the disk was waited for.
    pub syncs: u64,
    /// Batches that could not be written.
    pub failures: u64,
    /// Whether the last batch could not be written: the gate is ill.
    pub failing: bool,
}

impl Counts {
    /// One batch: how many lines got in (none: it failed), and whether the disk was waited for.
    pub(super) fn batch(&mut self, synced: bool, lines: usize) {
        self.failing = lines == 0;
        self.failures = self.failures.saturating_add(u64::from(self.failing));
        self.syncs = self.syncs.saturating_add(u64::from(synced && !self.failing));
        self.events = self.events.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
    }
}

/// The log, open. Share it in an `Arc`.
#[derive(Debug)]
pub struct Writer {
    queue: Sender<Message>,
    shared: Arc<WriterState>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Writer {
    /// Begins a log file in the directory (made where missing) and brings its first line to disk.
    /// While less than `reserve` bytes are free there, folded refusals are not written.
    ///
    /// # Errors
    /// If the directory cannot be used or the first line cannot be written.
    pub fn open(directory: &Path, gate: GateInstance, reserve: u64) -> Result<Self, AuditError> {
        Self::with_files(directory, gate, reserve, on_disk())
    }

    /// Records an event that must be on record before anything else may happen.
    ///
    /// # Errors
    /// If it is not in the log; then nothing may be forwarded.
    pub async fn record(
        &self,
        event: Event,
        durability: Durability,
    ) -> Result<Recorded, AuditError> {
        let place = Arc::clone(&self.shared.waiting).acquire_owned().await;
        let place = Some(place.map_err(|_| AuditError::Closed)?);
        let (answer, recorded) = oneshot::channel();
        self.send(Job { event, durability, answer: Some(answer), place })?;
        recorded.await.map_err(|_| AuditError::Closed)?
    }

    /// Records an event that nobody waits for: a completion, the end of a session. Never blocks,
    /// so it may be called from a `Drop`. Tried again until it can be written; only if thousands
    /// are in hand already is it lost, and a `gap` says how many were.
    pub fn note(&self, event: Event) {
        let place = Arc::clone(&self.shared.notes).try_acquire_owned().ok();
        let job = Job { event, durability: Durability::Written, answer: None, place };
        if job.place.is_none() || self.send(job).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts somebody without an identity who was turned away. Written once a minute, folded.
    pub fn refusal(&self, refusal: &Refusal) {
        self.shared.refusals().add(refusal, Timestamp::now());
    }

    /// Counts a request of somebody who is known that was not judged. Written once a minute, folded.
    pub fn put_off(&self, put_off: PutOff) {
        self.shared.refusals().put_off(put_off, Timestamp::now());
    }

    /// What the writer did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.shared.counts()
    }

    /// Writes all that is in hand and a `stop`, and ends the thread. After this nothing can be
    /// recorded.
    ///
    /// # Errors
    /// If the end could not be written, or was before.
    pub async fn close(&self) -> Result<(), AuditError> {
        self.shared.waiting.close();
        self.shared.notes.close();
        let (answer, stopped) = oneshot::channel();
        self.queue.send(Message::Close(answer)).map_err(|_| AuditError::Closed)?;
        let stopped = stopped.await.map_err(|_| AuditError::Closed)?;
        let thread = held(&self.thread).take();
        // The answer was the thread's last act, so this does not hold anyone up.
        thread.map_or(Ok(()), |thread| thread.join().map_err(|_| AuditError::Closed))?;
        stopped.map(drop)
    }

    fn with_files(
        directory: &Path,
        gate: GateInstance,
        reserve: u64,
        create: Create,
    ) -> Result<Self, AuditError> {
        let ledger = Ledger::open(directory, gate, create)?;
        let (queue, jobs) = mpsc::channel();
        let shared = Arc::new(WriterState::new());
        let worker = Worker::new(ledger, jobs, Arc::clone(&shared), reserve);
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(|| worker.run())
            .map_err(|source| AuditError::Thread(Arc::new(source)))?;
        Ok(Self { queue, shared, thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, job: Job) -> Result<(), AuditError> {
        self.queue.send(Message::Job(Box::new(job))).map_err(|_| AuditError::Closed)
    }
}

/// What the writer's handle and its thread both hold. The queue itself has no bound; the places
/// in it do, and each event holds its own until it is written.
#[derive(Debug)]
pub(super) struct WriterState {
    waiting: Arc<Semaphore>,
    notes: Arc<Semaphore>,
    refusals: Mutex<FoldedRefusals>,
    pub(super) lost: AtomicU64,
    counts: Mutex<Counts>,
}

impl WriterState {
    fn new() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(WAITING)),
            notes: Arc::new(Semaphore::new(NOTES)),
            refusals: Mutex::default(),
            lost: AtomicU64::new(0),
            counts: Mutex::default(),
        }
    }

    pub(super) fn refusals(&self) -> MutexGuard<'_, FoldedRefusals> {
        held(&self.refusals)
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        held(&self.counts)
    }
}

/// Nothing that holds one of these locks can panic halfway; a poisoned one is still whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
