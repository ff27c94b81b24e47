//! What is seen from outside: rooms are private to the crate, so that the compiler sees what nobody uses. The binary, the
//! tests, the benches and the fuzzer use what stands here, and nobody else is promised anything.
//!
//! # What does not compile
//!
//! "Nothing is forwarded that was not decided and recorded" is held by types. Each attempt below fails to compile; above it
//! stands its nearest neighbour that does, so that the attempt fails for the reason given and for no other.
//!
//! A permit is read by everybody:
//! ```
//! use dockward::facade::{docker::Outbound, policy::Permit};
//! fn read(permit: &Permit) -> &Outbound {
//!     permit.outbound()
//! }
//! ```
//! and made or altered by policy alone:
//! ```compile_fail
//! use dockward::facade::{docker::Outbound, policy::Permit};
//! fn forged(permit: Permit, outbound: Outbound) -> Permit {
//!     Permit { outbound, ..permit }
//! }
//! ```
//!
//! A judgement is taken in its order:
//! ```
//! use dockward::facade::policy::{Decision, Facts, Heard};
//! fn judged(heard: Heard<'_>, body: &'static [u8]) -> Option<Decision> {
//!     Some(heard.read(body).ok()?.settle(|_| Facts::default()).ok()?.decide())
//! }
//! ```
//! and in no other: what was not asked about is not decided.
//! ```compile_fail
//! use dockward::facade::policy::{Decision, Heard};
//! fn judged(heard: Heard<'_>, body: &'static [u8]) -> Option<Decision> {
//!     Some(heard.read(body).ok()?.decide())
//! }
//! ```
//!
//! What was permitted comes of the log, which writes the permit down as it is:
//! ```
//! use dockward::facade::{audit::{AuditError, Case, Permitted, Writer}, policy::Permit};
//! async fn permitted(log: &Writer, case: Case, permit: Permit) -> Result<Permitted, AuditError> {
//!     log.permit(case, permit).await
//! }
//! ```
//! and of nothing else, with a record of something else or with none:
//! ```compile_fail
//! use dockward::facade::{audit::Permitted, docker::Outbound};
//! fn forged(permitted: Permitted, outbound: Outbound) -> Permitted {
//!     Permitted { outbound, ..permitted }
//! }
//! ```
//! ```compile_fail
//! use dockward::facade::{audit::{AuditError, Event, Permitted, Stage, Writer}, policy::Permit};
//! async fn forged(log: &Writer, permit: Permit) -> Result<Permitted, AuditError> {
//!     log.permit(Event::new(Stage::Gap), permit).await
//! }
//! ```
//!
//! The daemon takes what was permitted:
//! ```
//! use dockward::facade::{audit::Permitted, daemon::{Cancel, ClientBody, Daemon}};
//! async fn forward(daemon: &Daemon, request: Permitted) -> bool {
//!     daemon.forward(request, ClientBody::Empty, Cancel::new()).await.is_ok()
//! }
//! ```
//! and nothing else:
//! ```compile_fail
//! use dockward::facade::{daemon::{Cancel, ClientBody, Daemon}, policy::Permit};
//! async fn forward(daemon: &Daemon, request: Permit) -> bool {
//!     daemon.forward(request.into_outbound(), ClientBody::Empty, Cancel::new()).await.is_ok()
//! }
//! ```
//!
//! A decision is acted on:
//! ```
//! #![deny(unused_must_use)]
//! use dockward::facade::policy::{Decision, Settled};
//! fn decided(settled: Settled<'_>) -> bool {
//!     matches!(settled.decide(), Decision::Allow(_))
//! }
//! ```
//! and not dropped:
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use dockward::facade::policy::Settled;
//! fn decided(settled: Settled<'_>) {
//!     settled.decide();
//! }
//! ```
#![allow(missing_docs, reason = "each item is documented where it is declared")]

pub mod audit {
    pub use crate::audit::{
        AuditError, Case, Durability, Event, EventId, GateInstance, LineFault, Permitted, Recorded,
        Stage, VerifyError, Writer, find, keep_policy, verify,
    };
    pub mod event {
        pub use crate::audit::event::{
            DecisionRecord, IdentityRecord, Proof, ReasonRecord, RequestRecord,
        };
    }
    pub mod redact {
        pub use crate::audit::redact::{ARGV_MAX, argv, query};
    }
}
pub mod cli {
    pub use crate::cli::run;
    pub mod rules {
        pub use crate::cli::rules::all;
    }
}
pub mod config {
    pub use crate::config::{Config, FrontLimits, Mistake, load, parse, schema};
}
pub mod daemon {
    pub use crate::daemon::{Cancel, ClientBody, Daemon};
}
pub mod digest {
    pub use crate::digest::Sha256;
}
pub mod docker {
    pub use crate::docker::left_out::LeftOut;
    pub use crate::docker::{
        Accepted, ApiVersion, BodyKind, CallHead, Flaw, Framing, Hijack, Life, Malformed, Method,
        Outbound, OutboundBody, ROUTES, RequestHead, Resource, Route, Verb, classify,
    };
    pub mod body {
        pub use crate::docker::body::{Body, read};
        pub mod tolerated {
            pub use crate::docker::body::tolerated::{Meaning, TOLERATED, Tolerated};
        }
    }
    pub mod image {
        pub use crate::docker::image::{ImageOrigin, ImagePattern, Reference};
    }
    pub mod json {
        pub use crate::docker::json::{
            BYTES_PER_VALUE, JsonObject, JsonValue, MAX_DEPTH, MAX_ITEMS, MAX_KEY, MAX_VALUES, read,
        };
    }
    pub mod route {
        pub use crate::docker::route::{Guard, Param, ParamKind, QueryJson, When};
    }
}
pub mod facts {
    pub use crate::facts::{GatePaths, Gatherer, Usages};
}
pub mod identity {
    pub use crate::identity::{
        CertificateFacts, Claims, Evidence, Fingerprint, Identity, IdentityName, IdentityRule,
        Issuer, Issuers, KeySet, Nobody, Unidentified, identify, supposed,
    };
    pub mod token {
        pub use crate::identity::token::{LEEWAY, LONGEST_LIFE, verify};
    }
}
pub mod pipeline {
    pub use crate::pipeline::{Doorkeeper, Paces, Pipeline, PipelineGate, SharedState};
}
pub mod pki {
    pub mod ca {
        pub use crate::pki::ca::{Ca, KeyKind, Plan, Wish, init};
    }
}
pub mod policy {
    pub use crate::policy::{
        Decision, Denial, Facts, Finding, Heard, Needs, PathFact, Permit, Policy, Reason, Seen,
        Settled, hear,
    };
    pub mod facts {
        pub use crate::policy::facts::{
            Container, ContainerMount, DaemonDefaults, Exec, HealthFact, Image, JoinedNetwork,
            KeptObject, Network, Seen, Volume,
        };
    }
    pub mod glob {
        pub use crate::policy::glob::{Glob, MAX_PATTERNS, MAX_STARS};
    }
}
pub mod proxy {
    pub use crate::proxy::{
        Address, Budget, Connection, Credentials, Doubt, Entrance, Front, Gate, Peer, RefusedKind,
        ResponseBody, Secured, Shutdown, Stranger, Streams, Tls, Trust, Unreceived, Watch, Way,
    };
    pub mod receive {
        pub use crate::proxy::receive::{Received, StreamError, answer_unread, opaque};
    }
    pub mod respond {
        pub use crate::proxy::respond::{full, message, stranger, unreceived};
    }
}
pub mod server {
    pub use crate::server::Server;
}
pub mod who {
    pub use crate::who::{Door, Doors, InForce, Rules};
}
