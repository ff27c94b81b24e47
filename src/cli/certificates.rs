//! The certificates and lists that a policy file names, and when they end. What of them cannot be used is told by
//! whoever looks with the eyes of the gate.

use crate::config::{Config, Listen};
use crate::identity::expiry::{Dated, What};
use crate::proxy::{self, Trust};
use crate::server::credentials;
use serde_json::{Value, json};

/// Looks at the files of every listener, as far as they can be read; each thing once.
pub(super) fn look(config: &Config) -> Vec<Dated> {
    let mut found = Vec::new();
    for listen in config.listen.iter().filter_map(Listen::tls) {
        let path = || Some(listen.certificate.clone());
        let own = proxy::certificates(&listen.certificate).unwrap_or_default();
        let own = own.iter().map(|der| Dated::of_certificate(What::ServerCertificate, path(), der));
        own.flatten().for_each(|dated| add(&mut found, dated));
        // as of the end of time: what begins in the future is read too
        if let Ok(trust) = Trust::read(&credentials(listen), i64::MAX) {
            trust.dated().for_each(|dated| add(&mut found, dated));
        }
    }
    found
}

/// Several listeners may have one file.
fn add(all: &mut Vec<Dated>, one: Dated) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// Every certificate with its end at `now` (seconds since 1970, UTC), good ones too.
pub(super) fn object(dated: &[Dated], now: i64) -> Value {
    let one = |dated: &Dated| {
        json!({
            "what": dated.what.to_string(), "subject": dated.subject,
            "file": dated.path.as_ref().map(|path| path.display().to_string()),
            "not_before": dated.span.not_before, "not_after": dated.span.not_after,
            "stage": dated.span.stage(now).as_str(),
        })
    };
    dated.iter().map(one).collect()
}
