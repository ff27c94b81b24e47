//! The thread that writes. It takes everything that waits, writes it with one `write` and, if
//! anyone asked for it, one `fdatasync`, then answers all: under load many requests share the
//! price of one. Nothing is answered before it is true.

use super::chain::Tip;
use super::error::AuditError;
use super::event::{Event, GapRecord, Stage};
use super::ledger::Ledger;
use super::writer::{Durability, Recorded, WriterState};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::iter;
use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Events that go into one write at most; bounds the memory of a batch.
const BATCH: usize = 256;
/// How soon to try again what nobody waits for.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes that a folded event takes at most, well over what it does.
const NOISE_LINE: u64 = 4096;

pub(super) type Waiter = oneshot::Sender<Result<Recorded, AuditError>>;

pub(super) enum Message {
    Job(Box<Job>),
    Close(Waiter),
}

/// An event on its way into the log, its place in the queue, and who waits for it.
pub(super) struct Job {
    pub(super) event: Event,
    pub(super) durability: Durability,
    pub(super) answer: Option<Waiter>,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

pub(super) struct Worker {
    ledger: Ledger,
    queue: Receiver<Message>,
    shared: Arc<WriterState>,
    reserve: u64,
    /// Events that nobody waits for and that could not be written yet.
    retained: VecDeque<Job>,
    gap: GapRecord,
    flush_at: Instant,
}

impl Worker {
    pub(super) fn new(
        ledger: Ledger,
        queue: Receiver<Message>,
        shared: Arc<WriterState>,
        reserve: u64,
    ) -> Self {
        let (retained, gap, flush_at) = (VecDeque::new(), GapRecord::default(), next_minute());
        Self { ledger, queue, shared, reserve, retained, gap, flush_at }
    }

    /// Writes until the writer is closed or dropped.
    pub(super) fn run(mut self) {
        loop {
            let flow = match self.queue.recv_timeout(self.patience()) {
                Ok(first) => self.take(first),
                Err(RecvTimeoutError::Timeout) => {
                    while self.unsettled() && self.commit(Vec::new()) {}
                    ControlFlow::Continue(())
                }
                Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(None),
            };
            if let ControlFlow::Break(answer) = flow {
                return self.stop(answer);
            }
            if Instant::now() >= self.flush_at {
                self.ledger.look();
                self.flush_noise();
                self.flush_at = next_minute();
            }
        }
    }

    fn take(&mut self, first: Message) -> ControlFlow<Option<Waiter>> {
        let (mut batch, mut flow) = (Vec::new(), ControlFlow::Continue(()));
        for message in iter::once(first).chain(self.queue.try_iter()).take(BATCH) {
            match message {
                Message::Job(job) => batch.push(*job),
                Message::Close(answer) => {
                    flow = ControlFlow::Break(Some(answer));
                    break;
                }
            }
        }
        self.commit(batch);
        flow
    }

    fn stop(mut self, answer: Option<Waiter>) {
        self.flush_noise();
        let (event, durability) = (Event::new(Stage::Stop), Durability::Synced);
        while self.retained.len() > BATCH && self.commit(Vec::new()) {}
        self.commit(vec![Job { event, durability, answer, place: None }]);
    }

    /// Writes what was retained, then the batch; answers everyone. Says whether that worked.
    fn commit(&mut self, batch: Vec<Job>) -> bool {
        self.gap.lost = self.gap.lost.saturating_add(self.shared.lost.swap(0, Ordering::Relaxed));
        let gap = self.gap_event();
        let older = self.retained.len().min(BATCH);
        let jobs: Vec<Job> = self.retained.drain(..older).chain(batch).collect();
        if jobs.is_empty() && gap.is_none() {
            return true;
        }
        let sync = jobs.iter().any(|job| job.durability == Durability::Synced);
        let events: Vec<&Event> = gap.iter().chain(jobs.iter().map(|job| &job.event)).collect();
        let written = self.ledger.append(&events, sync);
        self.shared.counts().batch(sync, written.as_ref().map_or(0, Vec::len));
        match written {
            Ok(places) => {
                self.gap = GapRecord::default();
                let places = places.into_iter().skip(usize::from(gap.is_some()));
                jobs.into_iter().zip(places).for_each(|(job, place)| self.written(job, place));
                true
            }
            Err(error) => {
                jobs.into_iter().rev().for_each(|job| self.failed(job, &error));
                false
            }
        }
    }

    fn written(&mut self, job: Job, place: Result<Tip, AuditError>) {
        let Some(answer) = job.answer else {
            self.gap.lost = self.gap.lost.saturating_add(u64::from(place.is_err()));
            return;
        };
        self.gap.refused = self.gap.refused.saturating_add(u64::from(place.is_err()));
        // Whoever asked may have gone; that he asked stays on record.
        let _ = answer.send(place.map(|tip| Recorded::new(job.event.id, tip)));
    }

    /// Jobs come here last first, so that those retained keep their order.
    fn failed(&mut self, job: Job, error: &AuditError) {
        match job.answer {
            Some(answer) => {
                self.gap.refused = self.gap.refused.saturating_add(1);
                let _ = answer.send(Err(error.clone()));
            }
            None => self.retained.push_front(job),
        }
    }

    fn gap_event(&self) -> Option<Event> {
        let gap = Some(self.gap.clone()).filter(|gap| *gap != GapRecord::default());
        gap.map(|gap| Event { gap: Some(gap), ..Event::new(Stage::Gap) })
    }

    /// Writes what was folded, unless that would take from the reserve kept for decisions.
    fn flush_noise(&mut self) {
        let events = mem::take(&mut *self.shared.refusals()).drain();
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        if count == 0 {
            return;
        }
        let room = self.ledger.has_room(count.saturating_mul(NOISE_LINE), self.reserve);
        let events: Vec<&Event> = events.iter().collect();
        if !room || self.ledger.append(&events, false).is_err() {
            self.gap.noise = self.gap.noise.saturating_add(count);
        }
    }

    /// Whether something is to be said that is not yet in the log. That noise was dropped can
    /// wait for the next line: a line of its own would be the noise it counts.
    fn unsettled(&self) -> bool {
        let lost = self.shared.lost.load(Ordering::Relaxed) > 0;
        lost || !self.retained.is_empty() || self.gap.refused > 0 || self.gap.lost > 0
    }

    fn patience(&self) -> Duration {
        let flush = self.flush_at.saturating_duration_since(Instant::now());
        if self.unsettled() { flush.min(RETRY) } else { flush }
    }
}

fn next_minute() -> Instant {
    let second = u64::try_from(Timestamp::now().as_second().rem_euclid(60)).unwrap_or(0);
    let now = Instant::now();
    now.checked_add(Duration::from_secs(60_u64.saturating_sub(second))).unwrap_or(now)
}
