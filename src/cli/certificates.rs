//! The certificates that a policy file names, looked at for `check`: that they are there, that they go
//! together, and when they end. The files may well be on another machine than the one that checks, so
//! nothing here keeps a policy from being good.

use crate::config::{Config, Listen, Warning};
use crate::identity::expiry::{self, Dated, What};
use crate::proxy::Trust;
use crate::proxy::{self, TlsError};
use crate::server::credentials;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What was found.
pub(super) struct Certificates {
    dated: Vec<Dated>,
    /// What is not there or cannot be read, for people.
    unread: Vec<String>,
}

/// Looks at the files of every listener, as of `now` (seconds since 1970).
pub(super) fn look(config: &Config, now: i64) -> Certificates {
    let mut found = Certificates { dated: Vec::new(), unread: Vec::new() };
    for listen in config.listen.iter().filter_map(Listen::tls) {
        found.read(&listen.certificate);
        match Trust::read(&credentials(listen), now) {
            Ok(trust) => trust.dated().for_each(|dated| add(&mut found.dated, dated)),
            Err(error) => add(&mut found.unread, error.to_string()),
        }
        // the key is no business of whoever checks: only whether there is one
        if let Err(error) = fs::metadata(&listen.key) {
            let unreadable = TlsError::Unreadable(listen.key.clone(), error);
            add(&mut found.unread, unreadable.to_string());
        }
    }
    found
}

/// Adds what is not there yet: several listeners may have one file.
fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

impl Certificates {
    fn read(&mut self, path: &Path) {
        let certificates = match proxy::certificates(path) {
            Ok(certificates) => certificates,
            Err(error) => return add(&mut self.unread, error.to_string()),
        };
        for der in certificates {
            match Dated::of_certificate(What::ServerCertificate, Some(path.to_owned()), &der) {
                Ok(dated) => add(&mut self.dated, dated),
                Err(_) => add(&mut self.unread, TlsError::NotPem(path.to_owned()).to_string()),
            }
        }
    }

    /// What deserves a look at `now` (seconds since 1970, UTC), the worst first.
    pub(super) fn warnings(&self, now: i64) -> Vec<Warning> {
        let notices = expiry::notices(&self.dated, now).into_iter().map(|notice| notice.text);
        let all = self.unread.iter().cloned().chain(notices);
        all.map(|what| Warning { subject: "certificates".to_owned(), what, root: false }).collect()
    }

    /// Every certificate with its end, good ones too.
    pub(super) fn json(&self, now: i64) -> Value {
        let one = |dated: &Dated| {
            json!({
                "what": dated.what.to_string(), "subject": dated.subject,
                "file": dated.path.as_ref().map(|path| path.display().to_string()),
                "not_before": dated.span.not_before, "not_after": dated.span.not_after,
                "stage": dated.span.stage(now).as_str(),
            })
        };
        self.dated.iter().map(one).collect()
    }
}
