//! The judgement of one request, piece by piece: each piece in a turn of its own, because between them the daemon is
//! asked, and what was read of a body is not kept meanwhile.

use super::Visit;
use super::refuse::Refused;
use crate::daemon::AnswerShare;
use crate::digest::Sha256;
use crate::docker::{ApiCall, CallHead, Mention, Method, Object, Use};
use crate::identity::Identity;
use crate::policy::facts::LOOKUPS_MAX;
use crate::policy::{Heard, Next, Policy, Settled, hear};
use crate::proxy::JudgingTurn;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names of volumes that a request makes, uses or removes, and of networks that it makes. One that names more than are
/// looked up is refused to whoever means his own.
fn names(call: &ApiCall<'_>) -> BTreeSet<String> {
    if call.head.route.method == Method::Get {
        return BTreeSet::new();
    }
    let name = |Mention { object, used, name, .. }: Mention<'_>| match (object, used) {
        (Object::Volume, _) => Some(format!("volume {name}")),
        (Object::Network, Use::Name) => Some(format!("network {name}")),
        _ => None,
    };
    let names: BTreeSet<String> = call.mentions().into_iter().filter_map(name).collect();
    if names.len() > LOOKUPS_MAX { BTreeSet::new() } else { names }
}

impl Visit {
    /// Asks the daemon for its versions, unless the request is refused whatever they are; the head, anew if they are
    /// others than it was read by.
    pub(super) async fn confirm(
        &mut self,
        (identity, policy): (&Identity, &Policy),
        head: Arc<CallHead>,
        bytes: &[u8],
    ) -> Result<Arc<CallHead>, Refused> {
        let pipeline = Arc::clone(&self.pipeline);
        let turn = pipeline.shared.budget.turns().turn(bytes.len()).await;
        let refusal = turn.take(|| {
            self.hash(bytes);
            let asking = hear(identity, &head, policy)?.read(bytes)?;
            self.asked.read(&asking.call().body);
            Ok::<_, Refused>(asking.refusal()?)
        })?;
        drop(turn);
        if let Some(denial) = refusal {
            return Err(denial.into());
        }
        let accepted = pipeline.daemon.accepted(pipeline.shared.floor).await?;
        Ok(if accepted == head.accepted { head } else { self.classify(accepted)? })
    }

    /// The hash of a whole body, for the log.
    fn hash(&mut self, bytes: &[u8]) {
        let stream = self.head.as_ref().is_some_and(|head| head.route.body.is_stream());
        let whole = !bytes.is_empty() && !stream;
        self.asked.body_sha256 = whole.then(|| Sha256::of(bytes));
    }

    /// Reads the body of a request that was heard, and gathers facts until nothing is left to be asked. Whoever
    /// decides then does so in the turn that comes back, with the daemon's answers in hand.
    pub(super) async fn settle<'a>(
        &mut self,
        heard: Heard<'a>,
        bytes: &'a [u8],
    ) -> Result<(Settled<'a>, JudgingTurn, AnswerShare), Refused> {
        let share = AnswerShare::default();
        let pipeline = Arc::clone(&self.pipeline);
        let turns = pipeline.shared.budget.turns();
        // what the daemon says of a container is judged as a body is
        let mut weight = bytes.len();
        let mut turn = turns.turn(weight).await;
        let (mut asking, names) = turn.take(|| {
            self.hash(bytes);
            let asking = heard.read(bytes)?;
            self.asked.read(&asking.call().body);
            let names = names(asking.call());
            Ok::<_, Refused>((asking, names))
        })?;
        if !names.is_empty() {
            // what was read is not kept while somebody else has the name
            drop((asking, turn));
            self.names = pipeline.daemon.names(names).await;
            turn = turns.turn(weight).await;
            asking = turn.take(|| heard.read(bytes))?;
        }
        let identity = self.identity.as_ref().filter(|_| asking.may_recall());
        loop {
            let question = match turn.take(|| asking.next())? {
                Next::Settled(settled) => return Ok((settled, turn, share)),
                Next::Look(question) => question,
            };
            drop(turn);
            let found = match identity {
                Some(identity) => {
                    let name = identity.name.as_str();
                    pipeline.gatherer.recall(name, question.needs(), &share).await?
                }
                None => pipeline.gatherer.look_up(question.needs(), &share).await?,
            };
            weight += found.weight();
            turn = turns.turn(weight).await;
            asking = turn.take(|| question.answer(found))?;
        }
    }
}
