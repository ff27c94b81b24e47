//! The judgement of one request, in the only order in which it can be taken: its head is heard, its body is read,
//! what must be known is asked for until nothing is left, and then it is decided. Each step is a value that only the
//! one before it gives. The server, the question that stays open while somebody is connected, `explain`, the corpus, the fuzzer
//! and the benches all come this way; who brings what is asked for differs, and nothing else.

use super::authorize::authorize;
use super::decide::{decide, needs};
use super::decision::{Decision, Denial};
use super::facts::{Container, Facts, Ground, LOOKUPS_MAX, Needs, Seen};
use super::model::Policy;
use super::subject::Subject;
use crate::docker::body::{self, Body};
use crate::docker::{ApiCall, CallHead, Flaw, Hijack, Malformed, Resource, Verb};
use crate::identity::Identity;

/// One answer may raise the next question: a container, those that it is joined to, their volumes, the paths of the host
/// that they show, and then the paths in the container. More rounds than this there are not.
const ROUNDS: usize = 6;

/// Hears a request by its head: whether this identity may send it at all, before anybody's body is read for it.
///
/// # Errors
/// No role grants the verb, or one denies it.
pub fn hear<'a>(
    identity: &'a Identity,
    head: &'a CallHead,
    policy: &'a Policy,
) -> Result<Heard<'a>, Denial> {
    let by = Subject { identity, policy };
    authorize(by, head)?;
    Ok(Heard { by, head })
}

/// A request whose head was heard: its body may be received.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    by: Subject<'a>,
    head: &'a CallHead,
}

impl<'a> Heard<'a> {
    /// Reads the inspected body, whole, in the type that its route has; of a stream its first block.
    ///
    /// # Errors
    /// It can be read in two ways, or not at all.
    pub fn read(self, bytes: &'a [u8]) -> Result<Asking<'a>, Malformed> {
        let known = FoundOut::default();
        Ok(Asking { heard: self, bytes, call: self.call(bytes)?, known })
    }

    fn call(self, bytes: &'a [u8]) -> Result<ApiCall<'a>, Malformed> {
        let mut left_out = self.head.left_out.clone();
        let body = body::read(self.head, bytes, &mut left_out)?;
        Ok(ApiCall { head: self.head, body, left_out })
    }
}

/// A whole request, of which not all is known yet that it stands on.
#[must_use]
#[derive(Debug)]
pub struct Asking<'a> {
    heard: Heard<'a>,
    bytes: &'a [u8],
    call: ApiCall<'a>,
    known: FoundOut,
}

/// What was found out so far.
#[derive(Debug, Default)]
struct FoundOut {
    ground: Ground,
    /// All that was asked for so far.
    asked: Needs,
    rounds: usize,
}

/// What comes next.
#[must_use]
#[derive(Debug)]
pub enum Next<'a> {
    /// Something is to be looked up.
    Look(Question<'a>),
    /// Nothing is left that could be.
    Settled(Settled<'a>),
}

/// What is to be looked up for a request. Of its body the bytes alone are kept meanwhile: read, it takes many times
/// as much, and somebody may take long to answer.
#[must_use]
#[derive(Debug)]
pub struct Question<'a> {
    heard: Heard<'a>,
    bytes: &'a [u8],
    known: FoundOut,
    needs: Box<Needs>,
}

/// A request of which all is known that can be: it can be decided.
#[must_use]
#[derive(Debug)]
pub struct Settled<'a> {
    by: Subject<'a>,
    call: ApiCall<'a>,
    ground: Ground,
}

impl<'a> Asking<'a> {
    /// The request.
    #[must_use]
    pub const fn call(&self) -> &ApiCall<'a> {
        &self.call
    }

    /// Whether what was looked up for an earlier request will do.
    #[must_use]
    pub fn may_recall(&self) -> bool {
        may_be_remembered(&self.call)
    }

    /// What must be looked up before it can be decided. Nothing is, once it is refused whatever would be found,
    /// or where it names more than [`LOOKUPS_MAX`] things, which refuses it. What was asked for and stayed
    /// unknown is not asked for again: policy refuses what it does not know.
    ///
    /// # Errors
    /// What was found out shows that the client means something else than it says.
    pub fn next(self) -> Result<Next<'a>, Malformed> {
        let Self { heard, bytes, call, mut known } = self;
        let mut needs = needs(heard.by, &call, &known.ground.facts);
        needs.without(&known.asked);
        // of what is remembered of a container its volumes are a part
        needs.volumes.retain(|volume| !known.ground.facts.volumes.contains_key(volume));
        let count = known.asked.count() + needs.count();
        known.ground.too_many = (count > LOOKUPS_MAX).then_some(count);
        if needs.is_empty() || count > LOOKUPS_MAX || known.rounds == ROUNDS {
            output_only(&call, &known.ground.facts)?;
            return Ok(Next::Settled(Settled { by: heard.by, call, ground: known.ground }));
        }
        known.asked.add(&needs);
        known.rounds += 1;
        Ok(Next::Look(Question { heard, bytes, known, needs: Box::new(needs) }))
    }

    /// The refusal, if it is refused whatever would be found out.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn refusal(self) -> Result<Option<Denial>, Malformed> {
        let Next::Settled(settled) = self.next()? else { return Ok(None) };
        Ok(match settled.decide() {
            Decision::Deny(denial) => Some(denial),
            Decision::Allow(_) => None,
        })
    }

    /// Goes all the way, with answers at hand.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn settle(
        mut self,
        mut look: impl FnMut(&Needs) -> Facts,
    ) -> Result<Settled<'a>, Malformed> {
        loop {
            self = match self.next()? {
                Next::Settled(settled) => return Ok(settled),
                Next::Look(question) => {
                    let found = look(question.needs());
                    question.answer(found)?
                }
            };
        }
    }
}

impl<'a> Question<'a> {
    /// What is to be looked up.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What was found. What is missing in it stays unknown. The body is read once more.
    ///
    /// # Errors
    /// None that [`Heard::read`] did not have.
    pub fn answer(mut self, found: Facts) -> Result<Asking<'a>, Malformed> {
        self.known.ground.facts.add(found);
        let Self { heard, bytes, known, needs: _ } = self;
        Ok(Asking { heard, bytes, call: heard.call(bytes)?, known })
    }
}

impl<'a> Settled<'a> {
    /// The same request, as whoever asks and what is in force are by now: looking things up may have taken its time.
    /// What only the newer rules would want to know stays unknown.
    pub fn under(self, identity: &'a Identity, policy: &'a Policy) -> Self {
        Self { by: Subject { identity, policy }, ..self }
    }

    /// Whether what was looked up for it will do for a later request.
    #[must_use]
    pub fn may_be_remembered(&self) -> bool {
        let mut containers = self.ground.facts.containers.values().filter_map(Seen::found);
        may_be_remembered(&self.call) && containers.all(Container::is_as_asked)
    }

    /// Decides.
    pub fn decide(self) -> Decision {
        decide(self.by, &self.call, self.ground)
    }
}

/// Whether a request is judged by what holds for as long as a container is there, so that it may have been looked at
/// before: whose it is and what it was made with. Where something hangs on whether it runs, or is changed of it, it is
/// looked at each time; and of a container with mounts before it runs, where these will be is not known ([`Container::is_as_asked`]).
fn may_be_remembered(call: &ApiCall<'_>) -> bool {
    let route = call.head.route;
    // followed into the container, unless that runs
    let goes_somewhere =
        matches!(&call.body, Body::ExecCreate(body) if !body.working_dir.text().is_empty());
    route.resource == Resource::Container
        && matches!(
            route.verb,
            Verb::Exec
                | Verb::Attach
                | Verb::Logs
                | Verb::Inspect
                | Verb::Top
                | Verb::Stats
                | Verb::Changes
                | Verb::Wait
                | Verb::Resize
                | Verb::Kill
                | Verb::Stop
                | Verb::Pause
                | Verb::Unpause
        )
        && !goes_somewhere
}

/// A client that did not ask to upgrade gets output only; one that meant input as well is told so.
fn output_only(call: &ApiCall<'_>, facts: &Facts) -> Result<(), Malformed> {
    let starts = matches!(&call.body, Body::ExecStart(start) if !start.detach.or_zero());
    let input = facts.exec.as_ref().and_then(Seen::found).is_some_and(|exec| exec.takes_input);
    if starts && input && !call.head.upgrade && call.head.route.hijack == Hijack::ExecStart {
        let why = "this exec takes input: ask with Connection: Upgrade and Upgrade: tcp";
        return Err(Malformed::new(Flaw::UpgradeRequired, "", why));
    }
    Ok(())
}
