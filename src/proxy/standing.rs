//! Whether a client that is connected is still to be believed. A certificate that was good in the
//! handshake can end, be revoked, or lose its authority while its connection lives, so the question stays
//! open as long as the connection does. Of a user at a Unix socket nothing can be taken back but what policy
//! says of her.

use super::tls::Tls;
use super::trust::{Trust, TrustVerdict, Untrusted, shown};
use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;

/// A client's chain and until when it holds, or nothing that could end.
#[derive(Debug)]
pub struct Standing(Option<Chain>);

#[derive(Debug)]
struct Chain {
    tls: Tls,
    chain: Vec<CertificateDer<'static>>,
    /// Under which trust it was looked at last, and the last second (since 1970) for which that holds.
    held: ArcSwap<(Arc<Trust>, i64)>,
}

impl Standing {
    /// After a handshake. What its verifier said counts if it was asked, and if what it went by is still
    /// in force: a resumed session asks nobody, and files may have been read anew meanwhile.
    ///
    /// # Errors
    /// Why the client is not believed, and its subject and serial.
    pub(super) fn taken(
        tls: Tls,
        chain: Vec<CertificateDer<'static>>,
        verdict: Option<TrustVerdict>,
    ) -> Result<Self, (Untrusted, String)> {
        let trust = Arc::clone(&tls.secured().trust);
        let until = match verdict {
            Some(TrustVerdict::Held(by, until)) if Arc::ptr_eq(&by, &trust) => Ok(until),
            _ => trust.verify(&chain, UnixTime::now()),
        };
        match until {
            Ok(until) => {
                let held = ArcSwap::from_pointee((trust, until));
                Ok(Self(Some(Chain { tls, chain, held })))
            }
            Err(why) => Err((why, chain.first().map_or_else(String::new, |leaf| shown(leaf)))),
        }
    }

    /// Of who needs no certificate.
    pub(super) const fn of_user() -> Self {
        Self(None)
    }

    /// The client's own certificate, DER; empty of who needs none.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        let chain = self.0.as_ref().map_or(&[][..], |held| &held.chain);
        chain.first().map_or(&[], |leaf| leaf.as_ref())
    }

    /// Whether it holds at this moment, and until when, seconds since 1970. The chain is verified again only
    /// when the listener's files were read anew.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: i64) -> Result<i64, Untrusted> {
        self.0.as_ref().map_or(Ok(i64::MAX), |chain| chain.check(now))
    }
}

impl Chain {
    fn check(&self, now: i64) -> Result<i64, Untrusted> {
        let held = self.held.load();
        let (trust, until) = &**held;
        let secured = self.tls.secured();
        if Arc::ptr_eq(trust, &secured.trust) && now <= *until {
            return Ok(*until);
        }
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(now.unsigned_abs()));
        let until = secured.trust.verify(&self.chain, moment)?;
        self.held.store(Arc::new((Arc::clone(&secured.trust), until)));
        Ok(until)
    }
}
