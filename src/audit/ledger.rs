//! The chain and the file it is being written to, one hand at a time. Knows nothing of threads
//! or of who waits: events go in, the ends of the chain after each come out, or nothing happened.

use super::chain::{Sealed, Tip, seal};
use super::clock::StampClock;
use super::directory;
use super::error::AuditError;
use super::event::{Event, FileEnd, GapRecord, GateInstance, Previous, Stage};
use super::loss::Loss;
use super::segment::{AppendFailure, Create, Segment};
use crate::digest::Sha256;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

/// How often what was written is written again, if its file was taken away meanwhile.
const TRIES: usize = 2;

/// This process's chain.
pub(super) struct Ledger {
    directory: PathBuf,
    gate: GateInstance,
    clock: StampClock,
    create: Create,
    tip: Tip,
    file: Option<Segment>,
    /// The file that was given up; the next one has to name it.
    given_up: Option<GivenUp>,
}

/// The end of a file that was given up.
#[derive(Clone)]
struct GivenUp {
    previous: Previous,
    /// What became of it, and the lines that it had, where it was taken away.
    lost: Option<(Loss, u64)>,
}

impl Ledger {
    /// Begins a file in the directory, with the `start` line on disk.
    pub(super) fn open(
        path: &Path,
        gate: GateInstance,
        create: Create,
    ) -> Result<Self, AuditError> {
        let tip = Tip { seq: 0, hash: Sha256::ZERO };
        let (directory, clock) = (path.to_owned(), StampClock::here());
        let (file, given_up) = (None, None);
        let mut ledger = Self { directory, gate, clock, create, tip, file, given_up };
        ledger.file = Some(ledger.begin()?);
        Ok(ledger)
    }

    /// Writes all these events in one go, to a file that is found under its name afterwards. The answer for each
    /// is where it stands in the chain, or why it alone could not be a line; on an error none of them is in the log.
    pub(super) fn append(
        &mut self,
        events: &[&Event],
        sync: bool,
    ) -> Result<Vec<Result<Tip, AuditError>>, AuditError> {
        let mut lost = AuditError::Closed;
        for _ in 0..TRIES {
            let mut segment = match self.file.take() {
                Some(segment) => segment,
                None => self.begin()?,
            };
            let (places, lines, tip) = self.seal_all(events);
            match segment.append(&lines, sync) {
                Ok(()) => match segment.loss(&self.directory) {
                    None => {
                        (self.file, self.tip) = (Some(segment), tip);
                        return Ok(places);
                    }
                    Some(loss) => lost = self.lose(&segment, loss),
                },
                Err(AppendFailure { given_up: false, error }) => {
                    self.file = Some(segment);
                    return Err(error);
                }
                Err(AppendFailure { given_up: true, error }) => {
                    let previous = self.end_of(&segment, FileEnd::Abandoned);
                    self.given_up = Some(GivenUp { previous, lost: None });
                    return Err(error);
                }
            }
        }
        Err(lost)
    }

    /// Looks whether the file is still where it was written, and begins another one where it is not.
    pub(super) fn look(&mut self) {
        let Some(segment) = self.file.take() else { return };
        self.file = match segment.loss(&self.directory) {
            None => Some(segment),
            Some(loss) => {
                self.lose(&segment, loss);
                self.begin().ok() // tried again with the next event
            }
        };
    }

    /// Whether `bytes` more would still leave the reserve free. If it cannot be known: no.
    pub(super) fn has_room(&self, bytes: u64, reserve: u64) -> bool {
        let free = self.file.as_ref().and_then(|segment| segment.free().ok());
        free.is_some_and(|free| free >= reserve.saturating_add(bytes))
    }

    fn seal_all(&self, events: &[&Event]) -> (Vec<Result<Tip, AuditError>>, Vec<u8>, Tip) {
        let (mut tip, mut lines) = (self.tip, Vec::new());
        let seal_one = |event: &&Event| {
            let sealed = seal(tip, &self.clock.stamp(), &self.gate, event)?;
            lines.extend_from_slice(&sealed.line);
            tip = sealed.tip;
            Ok(tip)
        };
        (events.iter().map(seal_one).collect(), lines, tip)
    }

    /// Somebody has taken the file away.
    fn lose(&mut self, segment: &Segment, loss: Loss) -> AuditError {
        let previous = self.end_of(segment, FileEnd::Lost);
        let error = AuditError::Lost { file: previous.file.clone(), loss };
        tracing::error!(%error, "the audit log goes on in a new file");
        let lines = segment.lines(previous.seq);
        self.given_up = Some(GivenUp { previous, lost: Some((loss, lines)) });
        error
    }

    fn end_of(&self, segment: &Segment, ended: FileEnd) -> Previous {
        let Tip { seq, hash } = self.tip;
        Previous { file: segment.name().to_owned(), seq, hash, ended }
    }

    fn begin(&mut self) -> Result<Segment, AuditError> {
        directory::prepare(&self.directory)?;
        let failed = AuditError::directory(&self.directory);
        let lock = directory::lock(&self.directory).map_err(&failed)?;
        let names = directory::files(&self.directory).map_err(&failed)?;
        let (end, lost) = match self.given_up.clone() {
            Some(GivenUp { previous, lost }) => (Some((previous, 0)), lost),
            None => (directory::newest_end(&self.directory, &names).map_err(&failed)?, None),
        };
        let before = end.as_ref().map(|(previous, _)| previous.file.clone());
        let hash = end.as_ref().map_or(Sha256::ZERO, |(previous, _)| previous.hash);
        let after = Tip { seq: self.tip.seq, hash };
        let loss = lost.map(|(loss, _)| loss);
        let seal_next = |after, event: &Event| seal(after, &self.clock.stamp(), &self.gate, event);
        let Sealed { mut line, mut tip } = seal_next(after, &start(end, loss))?;
        let first = tip.seq;
        if let Some((_, gone)) = lost {
            let gap = Some(GapRecord { gone, ..GapRecord::default() });
            let told = seal_next(tip, &Event { gap, ..Event::new(Stage::Gap) })?;
            line.extend_from_slice(&told.line);
            tip = told.tip;
        }

        let newest = names.last().max(before.as_ref()).map(String::as_str);
        let name = directory::new_name(newest, Timestamp::now(), &self.gate.instance);
        let path = self.directory.join(&name);
        let mut segment =
            Segment::new((self.create)(&path).map_err(AuditError::create(&path))?, name, first);
        let written = segment.append(&line, true).map_err(|failed| failed.error);
        if let Err(error) = written.and_then(|()| lock.sync_all().map_err(&failed)) {
            // A file without its first line says nothing; should it stay, readers pass over it.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.tip = tip;
        Ok(segment)
    }
}

fn start(end: Option<(Previous, u64)>, lost: Option<Loss>) -> Event {
    let mut event = Event::new(Stage::Start);
    let Some((previous, torn)) = end else { return event };
    event.gap = (torn > 0).then(|| GapRecord { torn, ..GapRecord::default() });
    let abandoned = (previous.ended == FileEnd::Abandoned).then(|| {
        "a write or sync failed; lines not yet synced in the file before may be missing, lines \
         in it after the one named here do not count"
            .to_owned()
    });
    let lost = lost.map(|loss| {
        let told = loss.told();
        format!("the file before {told}; lines in it after the one named here do not count")
    });
    event.text = lost.or(abandoned);
    event.previous = Some(previous);
    event
}
