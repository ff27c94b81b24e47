//! The judgement of one request, piece by piece: each piece in a turn of its own, because between them the daemon is
//! asked, and what was read of a body is not kept meanwhile.

use super::Visit;
use super::refuse::Refused;
use crate::digest::Sha256;
use crate::policy::{Heard, Next, Settled};
use crate::proxy::JudgingTurn;
use std::sync::Arc;

impl Visit {
    /// Reads the body of a request that was heard, and gathers facts until nothing is left to be asked. Whoever
    /// decides then does so in the turn that comes back.
    pub(super) async fn settle<'a>(
        &mut self,
        heard: Heard<'a>,
        bytes: &'a [u8],
    ) -> Result<(Settled<'a>, JudgingTurn), Refused> {
        let pipeline = Arc::clone(&self.pipeline);
        let turns = pipeline.shared.budget.turns();
        let mut turn = turns.turn(bytes.len()).await;
        let stream = self.head.as_ref().is_some_and(|head| head.route.body.is_stream());
        let whole = !bytes.is_empty() && !stream;
        let mut asking = turn.take(|| {
            self.asked.body_sha256 = whole.then(|| Sha256::of(bytes));
            let asking = heard.read(bytes)?;
            self.asked.read(&asking.call().body);
            Ok::<_, Refused>(asking)
        })?;
        loop {
            let question = match turn.take(|| asking.next())? {
                Next::Settled(settled) => return Ok((settled, turn)),
                Next::Look(question) => question,
            };
            drop(turn);
            let found = pipeline.gatherer.look_up(question.needs()).await;
            turn = turns.turn(bytes.len()).await;
            asking = turn.take(|| question.answer(found))?;
        }
    }
}
