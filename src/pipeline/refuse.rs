//! Refusals: recorded first, then said. What cannot be recorded is a 503.

use super::Visit;
use crate::audit::event::ReasonRecord;
use crate::audit::{AuditError, Case, Durability, PutOff};
use crate::daemon::DaemonError;
use crate::docker::Malformed;
use crate::facts::Unreserved;
use crate::identity::Unidentified;
use crate::policy::quota::OverLimit;
use crate::policy::{Denial, Policy};
use crate::proxy::limits::TooMany;
use crate::proxy::receive::Unreceived;
use crate::proxy::respond::{self, ResponseBody};
use crate::proxy::{Unserved, Untrusted};
use crate::rule::Rule;
use crate::who::Unproven;
use http::Response;
use std::sync::Arc;

/// Why a request goes no further.
#[derive(Debug)]
pub(super) enum Refused {
    /// It can be read in two ways, or not at all.
    Malformed(Malformed),
    /// Policy says no.
    Denied(Denial),
    /// The certificate is not believed any more.
    Untrusted(Untrusted),
    /// The certificate is nobody's under today's policy.
    Stranger(Unidentified),
    /// Too much at once.
    TooMany(TooMany),
    /// There would be more of something than its owner may have: how much there is, and may be.
    Over(OverLimit, u64, u64),
    /// Other bodies hold all the memory.
    Busy,
    /// The decision cannot be written down.
    Unrecorded(AuditError),
    /// The daemon does not say what it accepts, or what the request stands on.
    Away(Arc<DaemonError>),
}

macro_rules! refused_from {
    ($($variant:ident($from:ty)),* $(,)?) => { $(
        impl From<$from> for Refused {
            fn from(why: $from) -> Self { Self::$variant(why) }
        }
    )* };
}

refused_from! {
    Malformed(Malformed), Denied(Denial), TooMany(TooMany), Unrecorded(AuditError),
    Away(Arc<DaemonError>),
}

impl From<DaemonError> for Refused {
    fn from(error: DaemonError) -> Self {
        Self::Away(Arc::new(error))
    }
}

impl From<Unreceived> for Refused {
    fn from(why: Unreceived) -> Self {
        match why {
            Unreceived::Malformed(malformed) => Self::Malformed(malformed),
            Unreceived::Busy => Self::Busy,
        }
    }
}

impl From<Unreserved> for Refused {
    fn from(why: Unreserved) -> Self {
        match why {
            Unreserved::Over(quantity, has, most) => Self::Over(quantity, has, most),
            Unreserved::Away(error) => error.into(),
        }
    }
}

impl From<Unproven> for Refused {
    fn from(why: Unproven) -> Self {
        match why {
            Unproven::Untrusted(why) => Self::Untrusted(why),
            Unproven::Stranger(why) => Self::Stranger(why),
        }
    }
}

impl Refused {
    /// The role that came furthest and the reasons, of what is a decision, or is to have a line all the same.
    fn decision(&self, all: bool) -> Option<(Option<String>, Vec<ReasonRecord>)> {
        let one = |rule: &Rule, text: String| {
            vec![ReasonRecord { id: rule.id.to_owned(), field: None, value: Some(text) }]
        };
        match self {
            Self::Malformed(malformed) => Some((None, vec![malformed.into()])),
            Self::Denied(Denial { role, findings, even_observed: _ }) => {
                let role = (!role.is_empty()).then(|| role.clone());
                Some((role, findings.iter().map(ReasonRecord::from).collect()))
            }
            Self::Stranger(why) => Some((None, one(why.rule(), why.to_string()))),
            Self::Untrusted(why) => Some((None, one(why.rule(), why.to_string()))),
            Self::Away(error) => Some((None, one(Unserved::Away.rule(), error.to_string()))),
            Self::Over(quantity, ..) if quantity.is_folded() && !all => None,
            Self::Over(quantity, has, most) => {
                Some((None, one(quantity.rule(), format!("{has} of {most}"))))
            }
            Self::TooMany(most) if all => {
                Some((None, one(Unserved::TooManyRequests.rule(), most.most.to_string())))
            }
            Self::TooMany(_) | Self::Busy | Self::Unrecorded(_) => None,
        }
    }

    /// The rules that it is refused by, for what is counted.
    fn rules(&self) -> Vec<&'static Rule> {
        match self {
            Self::Malformed(malformed) => vec![malformed.flaw.rule()],
            Self::Denied(denial) => denial.findings.iter().map(|f| f.reason.rule()).collect(),
            Self::Stranger(why) => vec![why.rule()],
            Self::Untrusted(why) => vec![why.rule()],
            Self::Away(_) => vec![Unserved::Away.rule()],
            Self::Over(quantity, ..) => vec![quantity.rule()],
            Self::TooMany(_) | Self::Busy | Self::Unrecorded(_) => Vec::new(),
        }
    }
}

impl Visit {
    /// Counts what is not judged, since there is too much at once: a line for each would let anybody fill the log.
    fn put_off(&mut self, reason: &'static Rule) {
        let Case { identity: Some(identity), client: Some(client), request, .. } = self.case()
        else {
            return;
        };
        self.pipeline.shared.log.put_off(PutOff { identity, client, request, reason });
    }

    /// Records the refusal and puts it into words.
    pub(super) async fn refuse(&mut self, refused: Refused) -> Response<ResponseBody> {
        let shared = &self.pipeline.shared;
        let (log, tally) = (Arc::clone(&shared.log), Arc::clone(&shared.tally));
        let policy = self.policy.clone().unwrap_or_else(|| shared.in_force.policy());
        if self.head.is_none() {
            self.asked.unread();
        }
        // what the gate then does by itself follows from a line of its own
        let leaves = self.leaves_unstarted(&refused);
        if let Some((role, reasons)) = refused.decision(leaves) {
            let event = self.case().refused(&policy, role, reasons);
            if let Err(error) = log.record(event, Durability::Written).await {
                tracing::error!(%error, "a refusal could not be recorded");
                return respond::log_unwritable();
            }
            tally.denied(self.head.as_ref().map(|head| head.route), refused.rules());
        }
        match refused {
            _ if leaves => self.clear().await,
            Refused::TooMany(_) => self.put_off(Unserved::TooManyRequests.rule()),
            Refused::Busy => self.put_off(Unserved::Busy.rule()),
            Refused::Over(quantity, ..) if quantity.is_folded() => self.put_off(quantity.rule()),
            _ => {}
        }
        self.say(refused, &policy)
    }

    fn say(&self, refused: Refused, policy: &Policy) -> Response<ResponseBody> {
        let (id, contact) = (self.id.to_string(), policy.contact.as_deref());
        let name = self.identity.as_ref().map_or("?", |identity| identity.name.as_str());
        match refused {
            Refused::Malformed(malformed) => respond::malformed(&malformed, Some(&id)),
            Refused::Denied(denial) => respond::denied(name, &denial, &id, contact),
            Refused::Untrusted(why) => respond::untrusted(&why),
            Refused::Stranger(why) => respond::stranger(&why),
            Refused::TooMany(most) => respond::too_many(Unserved::TooManyRequests.rule(), most),
            Refused::Busy => respond::busy(),
            Refused::Over(quantity, has, most) => {
                respond::over(name, quantity.rule(), (has, most), contact)
            }
            Refused::Unrecorded(error) => {
                tracing::error!(%error, "a decision could not be recorded, nothing was forwarded");
                respond::log_unwritable()
            }
            Refused::Away(error) => {
                self.pipeline.daemon.complain(&error);
                let why = "it does not say what this stands on; try again later";
                respond::daemon_away(&format!("{why}. Request {id} in the audit log"))
            }
        }
    }
}
