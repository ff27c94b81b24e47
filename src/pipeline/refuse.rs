//! Refusals: recorded first, then said. What cannot be recorded is a 503.

use super::{Pipeline, Who, events};
use crate::audit::{AuditError, Durability, EventId};
use crate::daemon::DaemonError;
use crate::docker::{CallHead, Malformed};
use crate::identity::{Identity, Unidentified};
use crate::policy::{Denial, Policy};
use crate::proxy::limits::TooMany;
use crate::proxy::receive::Unreceived;
use crate::proxy::respond::{self, Body};
use crate::proxy::{Connection, Untrusted};
use http::Response;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What is known of a request so far, for the log.
#[derive(Debug)]
pub(super) struct Asked {
    /// The id of its decision.
    pub(super) id: EventId,
    /// The method and target as received.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) client: crate::audit::event::Client,
    /// What it is judged by; nothing yet before it is.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) head: Option<Arc<CallHead>>,
    pub(super) body_sha256: Option<crate::digest::Sha256>,
    pub(super) fields: Map<String, Value>,
}

/// Why a request goes no further.
#[derive(Debug)]
pub(super) enum Refused {
    /// It can be read in two ways, or not at all.
    Malformed(Malformed),
    /// Its body is not in hand.
    Unreceived(Unreceived),
    /// Policy says no.
    Denied(Denial),
    /// The certificate is not believed any more.
    Untrusted(Untrusted),
    /// The certificate is nobody's under today's policy.
    Stranger(Unidentified),
    /// Too much at once.
    TooMany(TooMany),
    /// The decision cannot be written down.
    Unrecorded(AuditError),
    /// The daemon cannot be asked what it accepts.
    Away(DaemonError),
}

macro_rules! refused_from {
    ($($variant:ident($from:ty)),* $(,)?) => { $(
        impl From<$from> for Refused {
            fn from(why: $from) -> Self { Self::$variant(why) }
        }
    )* };
}

refused_from! {
    Malformed(Malformed), Unreceived(Unreceived), Denied(Denial), TooMany(TooMany), Untrusted(Untrusted),
    Unrecorded(AuditError), Away(DaemonError),
}

impl Pipeline {
    /// Records the refusal and puts it into words.
    pub(super) async fn refuse(
        &self,
        connection: &Connection<Who>,
        asked: &Asked,
        refused: Refused,
    ) -> Response<Body> {
        let policy = asked.policy.clone().unwrap_or_else(|| self.policy());
        let mut event = match &refused {
            Refused::Malformed(malformed)
            | Refused::Unreceived(Unreceived::Malformed(malformed)) => {
                Some(events::malformed(asked, &policy, malformed))
            }
            Refused::Denied(denial) => Some(events::denied(asked, &policy, denial)),
            Refused::Stranger(why) => Some(events::stranger(asked, &policy, why)),
            Refused::Untrusted(why) => Some(events::untrusted(asked, &policy, why)),
            Refused::TooMany(_) | Refused::Unreceived(Unreceived::Busy) => None,
            Refused::Unrecorded(_) | Refused::Away(_) => None,
        };
        // nobody asks, but somebody's certificate was used
        if let Some(event) = &mut event {
            event.identity.get_or_insert_with(|| events::holder(connection));
        }
        let is_decision = event.is_some();
        if let Some(event) = event
            && let Err(error) = self.log.record(event, Durability::Written).await
        {
            tracing::error!(%error, "a refusal could not be recorded");
            return respond::log_unwritable();
        } else if is_decision {
            self.tally.denied();
        }
        let id = asked.id.to_string();
        let name = asked.identity.as_ref().map_or("?", |identity| identity.name.as_str());
        match refused {
            Refused::Malformed(malformed) => respond::malformed(&malformed, Some(&id)),
            Refused::Unreceived(unreceived) => respond::unreceived(&unreceived, Some(&id)),
            Refused::Denied(denial) => respond::denied(name, &denial, &id),
            Refused::Untrusted(why) => respond::untrusted(&why),
            Refused::Stranger(why) => respond::stranger(&why),
            Refused::TooMany(most) => respond::too_many("requests", most),
            Refused::Unrecorded(error) => {
                tracing::error!(%error, "a decision could not be recorded, nothing was forwarded");
                respond::log_unwritable()
            }
            Refused::Away(error) => {
                tracing::warn!(%error, "the daemon is away");
                respond::daemon_away("it cannot be asked which API versions it has")
            }
        }
    }
}
