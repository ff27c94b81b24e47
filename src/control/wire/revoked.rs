//! What is said of what is in force at each listener, and of what keeps a gate from being well.

use crate::digest::Sha256;
use serde::{Deserialize, Serialize};

said! {
    /// Why a gate is not well.
    pub struct DegradedCause {
        /// What is wrong.
        pub what: String,
        /// What to do.
        pub next: String,
    }

    /// The daemon behind.
    pub struct DaemonView {
        /// Its socket.
        pub socket: String,
        /// Whether it answered.
        pub answers: bool,
        /// Its version, if it said so.
        pub version: Option<String>,
        /// Its newest API version, if it said so.
        pub api_version: Option<String>,
        /// Since when it was found so each time that somebody asked.
        pub since: String,
        /// Why there was no answer.
        pub error: Option<String>,
    }

    /// What is in force at a listener.
    pub struct ListenerInForce {
        /// Where it is.
        pub listener: String,
        /// When its certificate ends.
        pub certificate_until: Option<String>,
        /// How many authorities of clients it has.
        pub authorities: u64,
        /// When the first of its revocation lists ends; `None`: it asks no list.
        pub crl_until: Option<String>,
    }

    /// Certificates of one issuer.
    pub struct BelievedWanted {
        /// The issuer's certificate, PEM.
        pub issuer: String,
        /// Those that are asked about.
        pub certificates: Vec<BelievedCertificate>,
    }

    /// A certificate by what is known of it.
    pub struct BelievedCertificate {
        /// Its serial number, hexadecimal.
        pub serial: String,
        /// SHA-256 of its DER, if that is known.
        pub sha256: Option<Sha256>,
    }

    /// What each listener that has TLS says of them.
    pub struct BelievedView {
        /// Each listener.
        pub listeners: Vec<ListenerBelief>,
    }

    /// What one listener says.
    pub struct ListenerBelief {
        /// Where it is.
        pub listener: String,
        /// Certificates that would still be let in, and why; the others would be refused.
        pub believed: Vec<StillBelieved>,
    }

    /// A certificate that would still be let in.
    pub struct StillBelieved {
        /// Its serial number, as it was asked.
        pub serial: String,
        /// What the listener lacks: `has no crl`.
        pub what: String,
        /// What to do.
        pub next: String,
    }

    /// Something that ends.
    pub struct End {
        /// What.
        pub what: String,
        /// When.
        pub at: String,
        /// Whole days until then; below 0 it has ended.
        pub days: i64,
    }
}
