//! The chain and the file it is being written to, one hand at a time. Knows nothing of threads
//! or of who waits: events go in, the ends of the chain after each come out, or nothing happened.

use super::chain::{Sealed, Tip, seal};
use super::clock::StampClock;
use super::directory;
use super::error::AuditError;
use super::event::{Event, FileEnd, GapRecord, GateInstance, Previous, Stage};
use super::segment::{AppendFailure, Create, Segment};
use crate::digest::Sha256;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

/// This process's chain.
pub(super) struct Ledger {
    directory: PathBuf,
    gate: GateInstance,
    clock: StampClock,
    create: Create,
    tip: Tip,
    file: Option<Segment>,
    /// The end of the file that was given up; the next one has to name it.
    given_up: Option<Previous>,
}

impl Ledger {
    /// Begins a file in the directory, with the `start` line on disk.
    pub(super) fn open(
        path: &Path,
        gate: GateInstance,
        create: Create,
    ) -> Result<Self, AuditError> {
        directory::prepare(path)?;
        let tip = Tip { seq: 0, hash: Sha256::ZERO };
        let (directory, clock) = (path.to_owned(), StampClock::here());
        let (file, given_up) = (None, None);
        let mut ledger = Self { directory, gate, clock, create, tip, file, given_up };
        ledger.file = Some(ledger.begin()?);
        Ok(ledger)
    }

    /// Writes all these events in one go. The answer for each is where it stands in the chain, or
    /// why it alone could not be a line; on an error none of them is in the log.
    pub(super) fn append(
        &mut self,
        events: &[&Event],
        sync: bool,
    ) -> Result<Vec<Result<Tip, AuditError>>, AuditError> {
        let mut segment = match self.file.take() {
            Some(segment) => segment,
            None => self.begin()?,
        };
        let (places, lines, tip) = self.seal_all(events);
        let written = segment.append(&lines, sync);
        match &written {
            Ok(()) => (self.file, self.tip) = (Some(segment), tip),
            Err(AppendFailure { given_up: false, .. }) => self.file = Some(segment),
            Err(AppendFailure { given_up: true, .. }) => {
                self.given_up = Some(self.abandon(&segment));
            }
        }
        written.map(|()| places).map_err(|failed| failed.error)
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

    fn abandon(&self, segment: &Segment) -> Previous {
        let Tip { seq, hash } = self.tip;
        Previous { file: segment.name().to_owned(), seq, hash, ended: FileEnd::Abandoned }
    }

    fn begin(&mut self) -> Result<Segment, AuditError> {
        let failed = AuditError::directory(&self.directory);
        let lock = directory::lock(&self.directory).map_err(&failed)?;
        let names = directory::files(&self.directory).map_err(&failed)?;
        let end = match self.given_up.clone() {
            Some(previous) => Some((previous, 0)),
            None => directory::newest_end(&self.directory, &names).map_err(&failed)?,
        };
        let hash = end.as_ref().map_or(Sha256::ZERO, |(previous, _)| previous.hash);
        let after = Tip { seq: self.tip.seq, hash };
        let Sealed { line, tip } = seal(after, &self.clock.stamp(), &self.gate, &start(end))?;

        let newest = names.last().map(String::as_str);
        let name = directory::new_name(newest, Timestamp::now(), &self.gate.instance);
        let path = self.directory.join(&name);
        let mut segment =
            Segment::new((self.create)(&path).map_err(AuditError::create(&path))?, name);
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

fn start(end: Option<(Previous, u64)>) -> Event {
    let mut event = Event::new(Stage::Start);
    let Some((previous, torn)) = end else { return event };
    event.gap = (torn > 0).then(|| GapRecord { torn, ..GapRecord::default() });
    event.text = (previous.ended == FileEnd::Abandoned).then(|| {
        "a write or sync failed; lines not yet synced in the file before may be missing, lines \
         in it after the one named here do not count"
            .to_owned()
    });
    event.previous = Some(previous);
    event
}
