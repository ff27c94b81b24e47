//! What the gate asks of the daemon by itself, beside its lookups: a closed list, each with its cause, so that
//! no request of our own stands on anything but what is written here.

use super::facts::Facts;
use super::permit::Permit;
use super::scope::{MAKER, OWNER, OwnBridge};
use crate::docker::{ApiVersion, Hijack, Life, Method, Outbound, OutboundBody};
use bytes::Bytes;
use serde_json::json;

/// Why the gate acts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An operator has it stop what a revoked key left running.
    Revoked,
    /// Somebody uses the bridge of his own for the first time.
    Bridge,
    /// A container that is to go when it ends was not let start.
    Unstarted,
}

impl Cause {
    /// The grant as it stands in the record.
    const fn grant(self) -> &'static str {
        match self {
            Self::Revoked => "revoke --stop",
            Self::Bridge => "network: own",
            Self::Unstarted => "AutoRemove",
        }
    }
}

/// Stops a container, which must be named by an id: `None` for what could stand in a path for something else.
#[must_use]
pub fn stop(cause: Cause, id: &str, version: ApiVersion) -> Option<Permit> {
    let outbound = || Outbound {
        method: Method::Post,
        target: format!("/v{version}/containers/{id}/stop"),
        headers: Vec::new(),
        body: OutboundBody::Empty,
        hijack: Hijack::No,
        life: Life::Write,
    };
    is_id(id).then(|| permit(cause, outbound()))
}

/// Removes a container that does not run, with its anonymous volumes, as the daemon does; its id is as of [`stop`].
#[must_use]
pub fn remove(id: &str, version: ApiVersion) -> Option<Permit> {
    let outbound = || Outbound {
        method: Method::Delete,
        target: format!("/v{version}/containers/{id}?v=1"),
        headers: Vec::new(),
        body: OutboundBody::Empty,
        hijack: Hijack::No,
        life: Life::Write,
    };
    is_id(id).then(|| permit(Cause::Unstarted, outbound()))
}

/// Makes the bridge of an owner.
pub fn bridge(bridge: &OwnBridge, version: ApiVersion) -> Permit {
    let body = json!({
        "Name": bridge.name(), "CheckDuplicate": true, "Driver": "bridge", "Internal": bridge.internal,
        "Labels": { OWNER: bridge.owner.as_str(), MAKER: bridge.maker.as_str() },
    });
    let outbound = Outbound {
        method: Method::Post,
        target: format!("/v{version}/networks/create"),
        headers: Vec::new(),
        body: OutboundBody::Json(Bytes::from(body.to_string())),
        hijack: Hijack::No,
        life: Life::Write,
    };
    permit(Cause::Bridge, outbound)
}

fn permit(cause: Cause, outbound: Outbound) -> Permit {
    Permit {
        role: String::new(),
        grant: cause.grant().to_owned(),
        would: Vec::new(),
        terms: Vec::new(),
        facts: Facts::default(),
        policy: None,
        outbound,
        answer: None,
        demand: None,
        prepares: None,
        makes: None,
    }
}

/// Whether the daemon's word for what it made can stand in a path as the name of just that.
#[must_use]
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_can_be_stopped_or_removed() {
        let target = |id: &str| {
            stop(Cause::Revoked, id, ApiVersion::NEWEST).map(|permit| permit.outbound.target)
        };
        let id = "ab12".repeat(16);
        let whole = format!("/v{}/containers/{id}/stop", ApiVersion::NEWEST);
        assert_eq!(target(&id), Some(whole));
        for wrong in ["", "web", "ab/../x", "ab?t=0", "ab\n"] {
            assert_eq!(target(wrong), None, "{wrong:?}");
            assert!(remove(wrong, ApiVersion::NEWEST).is_none(), "{wrong:?}");
        }
    }
}
