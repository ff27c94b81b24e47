//! The judgement of one request, in the only order in which it can be taken: its head is heard, its body is read,
//! what must be known is asked for until nothing is left, and then it is decided. Each step is a value that only the
//! one before it gives. The server, the question that stays open while somebody is connected, `explain`, the corpus, the fuzzer
//! and the benches all come this way; who brings what is asked for differs, and nothing else.

use super::authorize::authorize;
use super::decide::{decide, needs};
use super::decision::{Decision, Denial};
use super::facts::{Facts, Needs};
use super::model::Policy;
use crate::docker::body::{self, Body};
use crate::docker::{ApiCall, CallHead, Flaw, Hijack, Malformed};
use crate::identity::Identity;

/// One answer may raise the next question: a container's image, an image's origin. More rounds than this
/// there are not.
const ROUNDS: usize = 3;

/// Whose request it is, and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) identity: &'a Identity,
    pub(super) policy: &'a Policy,
}

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
        let call = ApiCall { head: self.head, body: body::read(self.head, bytes)? };
        let (facts, asked) = (Facts::default(), Needs::default());
        Ok(Asking { by: self.by, call, facts, asked, rounds: 0 })
    }
}

/// A whole request, of which not all is known yet that it stands on.
#[must_use]
#[derive(Debug)]
pub struct Asking<'a> {
    by: Subject<'a>,
    call: ApiCall<'a>,
    facts: Facts,
    /// What was asked for last.
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

/// A request, and what is to be looked up for it.
#[must_use]
#[derive(Debug)]
pub struct Question<'a>(Asking<'a>);

/// A request of which all is known that can be: it can be decided.
#[must_use]
#[derive(Debug)]
pub struct Settled<'a> {
    by: Subject<'a>,
    call: ApiCall<'a>,
    facts: Facts,
}

impl<'a> Asking<'a> {
    /// The request.
    #[must_use]
    pub const fn call(&self) -> &ApiCall<'a> {
        &self.call
    }

    /// What must be looked up before it can be decided. What was asked for and stayed unknown is not asked for
    /// again: policy refuses what it does not know.
    ///
    /// # Errors
    /// What was found out shows that the client means something else than it says.
    pub fn next(mut self) -> Result<Next<'a>, Malformed> {
        let needs = needs(self.by, &self.call, &self.facts);
        if needs.is_empty() || needs == self.asked || self.rounds == ROUNDS {
            output_only(&self.call, &self.facts)?;
            let Self { by, call, facts, .. } = self;
            return Ok(Next::Settled(Settled { by, call, facts }));
        }
        (self.asked, self.rounds) = (needs, self.rounds + 1);
        Ok(Next::Look(Question(self)))
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
                    question.answer(found)
                }
            };
        }
    }
}

impl<'a> Question<'a> {
    /// What is to be looked up.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.0.asked
    }

    /// What was found. What is missing in it stays unknown.
    pub fn answer(mut self, found: Facts) -> Asking<'a> {
        self.0.facts.add(found);
        self.0
    }
}

impl<'a> Settled<'a> {
    /// The same request, as whoever asks and what is in force are by now: looking things up may have taken its time.
    /// What only the newer rules would want to know stays unknown.
    pub fn under(self, identity: &'a Identity, policy: &'a Policy) -> Self {
        Self { by: Subject { identity, policy }, ..self }
    }

    /// Decides.
    pub fn decide(self) -> Decision {
        decide(self.by, &self.call, self.facts)
    }
}

/// A client that did not ask to upgrade gets output only; one that meant input as well is told so.
fn output_only(call: &ApiCall<'_>, facts: &Facts) -> Result<(), Malformed> {
    let starts = matches!(&call.body, Body::ExecStart(start) if !start.detach.or_zero());
    let input = facts.exec_takes_input == Some(true);
    if starts && input && !call.head.upgrade && call.head.route.hijack == Hijack::ExecStart {
        let why = "this exec takes input: ask with Connection: Upgrade and Upgrade: tcp";
        return Err(Malformed::new(Flaw::UpgradeRequired, "", why));
    }
    Ok(())
}
